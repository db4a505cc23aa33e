"""The audit of lines: copies across the split, shapes unseen in training, labels not in the line.

What is called a leak (``whichlever audit`` exits 3)
----------------------------------------------------
- *The same line* (case and spacing aside) in test and in another role: any at all where the split
  promises unseen groups or shapes, more than 1 % of the test lines where it is random or given.
- *Nearly the same line*: more than 5 % of the test lines. Where a near copy is labelled, its values
  say where this line's stand.

A split by time never leaks so: a shape of the past that comes again comes again in production too.
Beside each stands what the nearest labelled line alone scores, on all test lines and without them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from whichlever.data import checks
from whichlever.data.across import EXACT_SHARE, NEAR_SHARE, Pool
from whichlever.data.duplicates import NEAR
from whichlever.data.findings import (
    Audit,
    Finding,
    Kind,
    Scores,
    Severity,
    found,
    in_order,
)
from whichlever.data.learn_fields import Learned
from whichlever.data.line_probe import LineProbe
from whichlever.data.rows import ROLES, Dataset, Splits
from whichlever.predict import Row
from whichlever.task import Task

SHOWN = 6
"""Names listed in one sentence."""


def audit_lines(splits: Splits, task: Task, dataset: Dataset, learned: Learned) -> Audit:
    """Look for copies across the split, unseen shapes, and labels that cannot be copied."""
    pool = Pool.of(splits)
    probe = LineProbe(splits, learned, task.data.split.seed)
    every = probe.score(())

    def without(ids: Iterable[str]) -> Scores:
        return Scores(
            leaky=every,
            clean=probe.score(ids),
            clean_means="the same probe on the test lines that are not affected",
        )

    exact = [pool.rows[i].id for i in pool.exact]
    near = [pool.rows[i].id for i in pool.near]
    leaked = [pool.rows[i].id for i in sorted((*pool.exact, *pool.near))]
    findings = [
        *_copies("exact_across", exact, splits, task, without),
        *_copies("near_across", near, splits, task, without),
        _shapes(splits, dataset, without),
        *_conflicts(pool),
        *_repeated(pool, splits),
        *_unseen_names(splits),
        *_unaligned(learned),
        *_learned(learned),
        *_sources(splits),
        *checks.few_groups(splits.test),
        *checks.lengths(splits, {}, None),
    ]
    return Audit(
        rows={role: len(getattr(splits, role)) for role in ROLES},
        findings=in_order(findings),
        probe=every,
        probe_without_leaked=probe.score(leaked) if leaked else every,
        probe_is=probe.what,
        leaked_ids=tuple(leaked),
    )


def _copies(
    kind: Kind, ids: Sequence[str], splits: Splits, task: Task, without: Callable[..., Scores]
) -> list[Finding]:
    if not ids:
        return []
    tests, by = len(splits.test), task.data.split.by
    share = len(ids) / tests
    if kind == "exact_across":
        leaks = by in ("group", "shape") or (by != "time" and share > EXACT_SHARE)
        said = "are (case and spacing aside) also lines of another role"
    else:
        leaks = by != "time" and share > NEAR_SHARE
        said = f"are nearly a line of another role (Jaccard ≥ {NEAR} of words and word pairs)"
    severity: Severity = "leak" if leaks else "warning"
    return [
        found(
            kind,
            severity,
            f"{len(ids)} of {tests} test lines ({share:.1%}) {said}",
            ids,
            "split: {by: shape} keeps copies on one side; else read the scores without these lines",
            without(ids),
        )
    ]


def _shapes(splits: Splits, dataset: Dataset, without: Callable[..., Scores]) -> Finding:
    """How much of the test is about shapes that training never showed."""
    shapes = dataset.shapes
    others = {shapes[r.id] for part in (splits.train, splits.valid, splits.calibrate) for r in part}
    seen = [row.id for row in splits.test if shapes[row.id] in others]
    unseen = len({shapes[row.id] for row in splits.test} - others)
    tests = len(splits.test)
    return found(
        "shape_across",
        "warning" if len(seen) > tests / 2 else "info",
        f"{tests - len(seen)} of {tests} test lines ({1 - len(seen) / tests:.1%}) have one of "
        f"{unseen} shapes that no other role has; {len(others)} shapes outside test",
        seen,
        "scores on seen and unseen shapes are reported apart; a new format is an unseen shape"
        if len(seen) < tests
        else "every test line has a shape that was labelled: nothing here tells of a new format; "
        "split: {by: shape} does",
        without(seen) if seen and len(seen) < tests else None,
    )


def _conflicts(pool: Pool) -> list[Finding]:
    """One line labelled in two ways."""
    same: dict[int, list[int]] = defaultdict(list)
    for i, key in enumerate(pool.keys):
        same[key].append(i)
    unlike = [
        at for at in same.values() if len({repr(sorted(_fields(pool.rows[i]))) for i in at}) > 1
    ]
    if not unlike:
        return []
    ids = [pool.rows[i].id for at in unlike for i in at]
    return [
        found(
            "conflict",
            "warning",
            f"{len(unlike)} lines have two different sets of fields ({len(ids)} rows): nothing "
            "that reads only the line can be right on all of them",
            ids,
            "label them alike",
        )
    ]


def _fields(row: Row) -> list[tuple[str, str]]:
    return [(name, repr(value)) for name, value in (row.fields or {}).items()]


def _repeated(pool: Pool, splits: Splits) -> list[Finding]:
    ids = pool.repeated_inside("test")
    if not ids:
        return []
    share = len(ids) / len(splits.test)
    return [
        found(
            "exact_inside",
            "warning" if share > EXACT_SHARE else "info",
            f"{len(ids)} of {len(splits.test)} test lines ({share:.1%}) stand in test twice",
            ids,
            "keep one of each; repeated lines make intervals look narrower than they are",
        )
    ]


def _unseen_names(splits: Splits) -> list[Finding]:
    known = {name for row in splits.train for name in row.fields or ()}
    lacking = Counter(n for row in splits.test for n in row.fields or () if n not in known)
    if not lacking:
        return []
    ids = [row.id for row in splits.test if any(n not in known for n in row.fields or ())]
    return [
        found(
            "unseen_label",
            "warning",
            f"{len(lacking)} names stand in test and in no training line ({_listed(lacking)}): "
            "a trained lever misses them, whatever it is",
            ids,
            "label training lines that have them",
        )
    ]


def _unaligned(learned: Learned) -> list[Finding]:
    alignment = learned.alignment
    missing = sum(alignment.missing.values())
    if not missing:
        return []
    by_name: Counter[str] = Counter()
    for (_, name), count in alignment.missing.items():
        by_name[name] += count
    share = missing / max(alignment.values, 1)
    return [
        Finding(
            kind="unaligned",
            severity="warning" if share > 0.05 else "info",
            text=f"{missing} of {alignment.values} labelled values ({share:.1%}) stand nowhere in "
            f"their line and are not made from it by a normaliser ({_listed(by_name)}): they "
            "cannot be copied, and count as missed",
            count=missing,
            remedy="take such names out of the labels, or declare how they are made (fields:)",
        )
    ]


def _learned(learned: Learned) -> list[Finding]:
    if not learned.schema.inferred:
        return []
    return [
        Finding(
            kind="learned",
            severity="info",
            text="; ".join(learned.schema.inferred),
            count=len(learned.schema.rules),
            remedy="declare under fields: what is not so",
        )
    ]


def _sources(splits: Splits) -> list[Finding]:
    """Sources that training never showed, and those too small to speak of one by one."""
    counts = Counter(row.source for row in splits.test if row.source is not None)
    if not counts:
        return []
    known = {row.source for row in splits.train}
    new = [name for name in counts if name not in known]
    small = [name for name, count in counts.items() if count < checks.FEW_ROWS]
    ids = [row.id for row in splits.test if row.source in set(new)]
    return [
        found(
            "source",
            "info",
            f"the test lines come from {len(counts)} sources, {len(new)} of them not in training "
            f"({sum(counts[n] for n in new)} lines); {len(small)} have fewer than "
            f"{checks.FEW_ROWS} test lines",
            ids,
            "claim nothing about small sources one by one",
        )
    ]


def _listed(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    said = ", ".join(f"{name} {count}" for name, count in ordered[:SHOWN])
    return said + (f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else "")
