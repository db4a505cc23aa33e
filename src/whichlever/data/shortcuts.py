"""Whether rows of one label tell where they come from: then a model can learn that instead.

A corpus of phishing and one of wanted mail differ in much that is no phishing: the list software,
the decade, the language. If a quick model can tell the *sources of one label* apart, by the text
that levers read, then whatever it used is there for a lever, too, to tell the labels apart by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whichlever.data.findings import Finding, found
from whichlever.data.probe import probe_answers
from whichlever.data.rows import Splits
from whichlever.predict import Row

LEAST_ROWS = 30
"""Rows of one label that a source must have to be told apart from others."""

MOST_ROWS = 1_000
"""Rows of each source that are looked at: a seeded draw of more."""

MOST_SOURCES = 12
FOLDS = 3
ABOVE_CHANCE = 0.5
"""Share of the way from chance to certainty from which on a shortcut is warned of."""

TELLING = 5


def shortcuts(splits: Splits, labels: Sequence[str], seed: int = 0) -> list[Finding]:
    """Labels whose rows tell which source they are from, by the text that levers read.

    A source is what ``data.source`` says, else the group where there are few of them. Balanced
    accuracy (the mean recall over sources) of a linear probe in three folds, groups kept together,
    is held against chance: one over the number of sources.
    """
    rows = [row for row in (*splits.train, *splits.valid, *splits.calibrate) if row.source]
    if not rows:
        rows = _by_group([*splits.train, *splits.valid, *splits.calibrate])
    findings = []
    for label in labels:
        own = [row for row in rows if row.target == label]
        # Texts that stand in a source twice would be told by having been learned.
        counts = Counter(source for source, _ in {(row.source, row.text) for row in own})
        sources = sorted(s for s, n in counts.most_common(MOST_SOURCES) if n >= LEAST_ROWS and s)
        if len(sources) < 2:
            continue
        kept = _drawn([row for row in own if row.source in set(sources)], sources, seed)
        recall = _balanced(kept, sources, seed)
        chance = 1 / len(sources)
        telling = recall - chance >= ABOVE_CHANCE * (1 - chance)
        words = ", ".join(map(repr, _telling_words(kept, sources))) if telling else ""
        findings.append(
            found(
                "shortcut",
                "warning" if telling else "info",
                f"rows of {label!r} tell which of {len(sources)} sources they are from: balanced "
                f"accuracy {recall:.2f} by a linear probe that reads what levers read (chance "
                f"{chance:.2f}, {len(kept)} rows)"
                + (f"; what tells most: {words}" if words else ""),
                [row.id for row in kept] if telling else [],
                "leave a source out (data.group: the source's column, split: {by: group}) and "
                "believe that figure; mask in the renderer what names a source"
                if telling
                else "nothing to do",
            )
        )
    return findings


def _by_group(rows: Sequence[Row]) -> list[Row]:
    """Rows whose group stands for their source, where there are few groups."""
    if len({row.group for row in rows}) > MOST_SOURCES:
        return []
    return [replace(row, source=row.group, group=None) for row in rows if row.group]


def _drawn(rows: Sequence[Row], sources: Sequence[str], seed: int) -> list[Row]:
    """At most `MOST_ROWS` of each source, without texts that stand in it twice."""
    rng = np.random.default_rng([seed, 11])
    kept: list[Row] = []
    for source in sources:
        once = list({row.text: row for row in rows if row.source == source}.values())
        order = rng.permutation(len(once))[:MOST_ROWS]
        kept += [once[i] for i in np.sort(order).tolist()]
    return kept


def _balanced(rows: Sequence[Row], sources: Sequence[str], seed: int) -> float:
    """Mean recall over sources, each row answered by a probe that saw no row of its group."""
    groups = sorted({row.group or row.id for row in rows})
    order = np.random.default_rng([seed, 12]).permutation(len(groups)).tolist()
    fold_of = {groups[g]: i % FOLDS for i, g in enumerate(order)}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for fold in range(FOLDS):
        mine = [row for row in rows if fold_of[row.group or row.id] == fold]
        others = [row for row in rows if fold_of[row.group or row.id] != fold]
        if not mine or not others:
            continue
        said = probe_answers(
            [row.text for row in others],
            [row.source or "" for row in others],
            [row.text for row in mine],
            seed,
        )
        for row, answer in zip(mine, said, strict=True):
            total[row.source or ""] += 1
            right[row.source or ""] += answer == row.source
    return float(np.mean([right[s] / total[s] for s in sources if total[s]] or [0.0]))


def _telling_words(rows: Sequence[Row], sources: Sequence[str]) -> list[str]:
    """Words by how unevenly the sources' rows hold them: greatest spread of their shares."""
    size = Counter(row.source for row in rows)
    held: dict[str, Counter[str]] = {}
    for row in rows:
        for word in set(row.text[:4_000].lower().split()):
            if 2 <= len(word) <= 30 and word.isprintable():
                held.setdefault(word, Counter())[row.source or ""] += 1

    def spread(word: str) -> float:
        shares = [held[word][s] / size[s] for s in sources]
        return max(shares) - min(shares)

    return sorted(held, key=lambda word: (-spread(word), word))[:TELLING]
