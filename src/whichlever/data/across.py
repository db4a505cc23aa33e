"""Duplicates across the split, inside its roles, and texts that have two labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from whichlever.data.duplicates import NEAR, exact_keys, near_duplicates
from whichlever.data.findings import Finding, Scores, Severity, found
from whichlever.data.rows import Splits
from whichlever.predict import Row
from whichlever.task import Task

EXACT_SHARE = 0.01
NEAR_SHARE = 0.05
TELLING_KAPPA = 0.5
"""Agreement beyond chance of near duplicates' labels from which nearness gives the answer away."""


@dataclass(frozen=True)
class Pool:
    """All rows, the test rows last, and which of them are the same or nearly so.

    ``keys`` are equal for exact duplicates; ``exact`` maps a test row to the row outside test
    whose text it has; ``near`` likewise for near duplicates that are not exact; ``near_inside``
    holds the rows that have an earlier near duplicate on their own side. Positions throughout.
    """

    rows: tuple[Row, ...]
    roles: tuple[str, ...]
    keys: tuple[int, ...]
    exact: Mapping[int, int]
    near: Mapping[int, int]
    near_inside: tuple[int, ...]

    @classmethod
    def of(cls, splits: Splits) -> Pool:
        """Compare every row of a split with the others."""
        parts = {role: getattr(splits, role) for role in ("train", "valid", "calibrate", "test")}
        rows = tuple(row for part in parts.values() for row in part)
        roles = tuple(role for role, part in parts.items() for _ in part)
        keys = exact_keys([row.text for row in rows])
        outside: dict[int, int] = {}
        exact: dict[int, int] = {}
        once: list[int] = []
        in_test: set[int] = set()
        for i, key in enumerate(keys):
            seen = outside if roles[i] != "test" else None
            if seen is not None:
                if key not in outside:
                    outside[key] = i
                    once.append(i)
            elif key in outside:
                exact[i] = outside[key]
            elif key not in in_test:
                in_test.add(key)
                once.append(i)
        found_near = near_duplicates(
            [rows[i].text for i in once], np.array([roles[i] == "test" for i in once], dtype=bool)
        )
        near_key = {
            keys[once[i]]: once[j] for i, j in enumerate(found_near.outside.tolist()) if j >= 0
        }
        near = {
            i: near_key[key]
            for i, key in enumerate(keys)
            if roles[i] == "test" and i not in exact and key in near_key
        }
        inside = tuple(once[i] for i in np.flatnonzero(found_near.inside >= 0).tolist())
        return cls(rows, roles, tuple(keys), exact, near, inside)

    def counterparts(self) -> list[str]:
        """Ids of the rows outside test that a test row repeats."""
        return [self.rows[j].id for j in (*self.exact.values(), *self.near.values())]

    def leaked_ids(self) -> list[str]:
        """Ids of the test rows whose answer stands outside test, in test order."""
        near = self.near if self.near_kappa() >= TELLING_KAPPA else ()
        return [self.rows[i].id for i in sorted((*self.exact, *near))]

    def near_kappa(self) -> float:
        """Cohen's kappa (1960) of the labels of near duplicates across the split.

        0 is chance, 1 is always the same label; 1 too where only one label occurs.
        """
        pairs = [(self.rows[i].target, self.rows[j].target) for i, j in self.near.items()]
        if not pairs:
            return 0.0
        one, other = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
        chance = sum(one[label] * other[label] for label in one) / len(pairs) ** 2
        agreed = sum(a == b for a, b in pairs) / len(pairs)
        return (agreed - chance) / (1 - chance) if chance < 1 else 1.0

    def repeated_inside(self, role: str) -> list[str]:
        """Ids of the rows of a role whose text stood in it before."""
        seen: set[int] = set()
        ids = []
        for row, its_role, key in zip(self.rows, self.roles, self.keys, strict=True):
            if its_role == role:
                if key in seen:
                    ids.append(row.id)
                seen.add(key)
        return ids

    def conflicting(self) -> list[list[int]]:
        """Positions of rows that share a text and not the label, one list per text."""
        same: dict[int, list[int]] = defaultdict(list)
        for i, key in enumerate(self.keys):
            same[key].append(i)
        return [at for at in same.values() if len({self.rows[i].target for i in at}) > 1]


def across_findings(
    pool: Pool, splits: Splits, task: Task, without: Callable[[set[str]], Scores]
) -> list[Finding]:
    """Test rows that stand, exactly or nearly, in train, valid or calibrate."""
    findings = []
    tests = len(splits.test)
    if pool.exact:
        share = len(pool.exact) / tests
        by = task.data.split.by
        leaks = by == "group" or (by != "time" and share > EXACT_SHARE)
        severity: Severity = "leak" if leaks else "warning"
        findings.append(_across(pool, pool.exact, "exact", severity, tests, without))
    if pool.near:
        many, telling = len(pool.near) / tests > NEAR_SHARE, pool.near_kappa() >= TELLING_KAPPA
        severity = "warning" if many or telling else "info"
        if many and telling and task.data.split.by != "time":
            severity = "leak"
        findings.append(_across(pool, pool.near, "near", severity, tests, without))
    return findings


def _across(
    pool: Pool,
    pairs: Mapping[int, int],
    which: str,
    severity: Severity,
    tests: int,
    without: Callable[[set[str]], Scores],
) -> Finding:
    ids = [pool.rows[i].id for i in pairs]
    kappa = f" (kappa {pool.near_kappa():.2f})" if which == "near" else ""
    same = sum(pool.rows[i].target == pool.rows[j].target for i, j in pairs.items())
    text = (
        "the very text (case and spacing aside) of another role's row"
        if which == "exact"
        else f"nearly the text (Jaccard ≥ {NEAR} of words and word pairs) of another role's row"
    )
    return found(
        "exact_across" if which == "exact" else "near_across",
        severity,
        f"{len(ids)} of {tests} test rows ({len(ids) / tests:.1%}) have {text}, "
        f"{same} of them with its label{kappa}",
        ids,
        "keep one of each text, or put the copies into one group (data.group, split by: group); "
        "else read the score without these rows",
        without(set(ids)),
    )


def inside_findings(pool: Pool, splits: Splits) -> list[Finding]:
    """Repetitions inside roles, and one text with two labels."""
    findings = []
    conflicts = pool.conflicting()
    if conflicts:
        rows = [i for at in conflicts for i in at]
        tested = [pool.rows[i].id for i in rows if pool.roles[i] == "test"]
        ids = tested + [pool.rows[i].id for i in rows if pool.roles[i] != "test"]
        findings.append(
            found(
                "conflict",
                "warning",
                f"{len(conflicts)} texts have two labels or more ({len(ids)} rows, {len(tested)} "
                "of them test rows): nothing that reads only the text can be right on all of them",
                ids,
                "relabel them, or add the field that tells them apart to data.input",
            )
        )
    for role in ("test", "calibrate", "valid", "train"):
        ids = pool.repeated_inside(role)
        total = len(getattr(splits, role))
        if not ids:
            continue
        heavy = role == "test" and len(ids) / total > EXACT_SHARE
        findings.append(
            found(
                "exact_inside",
                "warning" if heavy else "info",
                f"{len(ids)} of {total} {role} rows ({len(ids) / total:.1%}) repeat a text that "
                f"stands in {role} already",
                ids,
                "keep one of each; repeated test rows make intervals look narrower than they are"
                if role == "test"
                else "keep one of each if the repetition is an accident of logging",
            )
        )
    if pool.near_inside:
        share = len(pool.near_inside) / len(pool.rows)
        findings.append(
            found(
                "near_inside",
                "info",
                f"about {len(pool.near_inside)} of {len(pool.rows)} rows ({share:.1%}) nearly "
                "repeat an earlier row on their own side of the split: their labels buy little",
                [pool.rows[i].id for i in pool.near_inside],
                "label different rows next; count near duplicates once when you budget labels",
            )
        )
    return findings
