"""Which solved cases a prompt shows, and how well a candidate prompt does on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whichlever.kinds import METRICS
from whichlever.levers.asking import text_score
from whichlever.predict import Prediction, Row

MAX_SHOT_CHARS = 1_500
"""A longer case would crowd out the row itself in a small window; shots are never cut."""

Shot = tuple[str, str]


@dataclass(frozen=True)
class Candidate:
    """One prompt to try: its name in the report, its shots and the ids of their rows."""

    name: str
    shots: tuple[Shot, ...] = ()
    ids: tuple[str, ...] = ()


def candidates(
    train: Sequence[Row], labels: Sequence[str], most: int, seed: int
) -> list[Candidate]:
    """Zero-shot, and two different draws of ``most`` shots where there are rows to draw from."""
    found = [Candidate("zero-shot")]
    for draw in range(2 if most else 0):
        rows = draw_shots(train, labels, most, [seed, draw])
        ids = tuple(row.id for row in rows)
        if rows and all(set(ids) != set(other.ids) for other in found):
            shots = tuple((row.text, str(row.target)) for row in rows)
            found.append(Candidate(f"{len(rows)} shots, draw {draw + 1}", shots, ids))
    return found


def draw_shots(
    train: Sequence[Row], labels: Sequence[str], count: int, seed: Sequence[int]
) -> list[Row]:
    """Rows of ``count`` different texts: every label once before any twice, in random order.
    Without labels (answers are open) any row with an answer is as good.

    Only rows no longer than the median (and `MAX_SHOT_CHARS`) are drawn.
    """
    rng = np.random.default_rng(list(seed))
    lengths = [len(row.text) for row in train]
    limit = min(MAX_SHOT_CHARS, float(np.median(lengths))) if lengths else 0
    labels = labels or ("",)
    pools: dict[str, list[Row]] = {label: [] for label in labels}
    for i in rng.permutation(len(train)):
        row = train[i]
        label = row.target if labels != ("",) else row.target and ""
        if label in pools and 0 < len(row.text) <= limit:
            pools[label].append(row)
    drawn: list[Row] = []
    texts: set[str] = set()
    order = [labels[i] for i in rng.permutation(len(labels))]
    while len(drawn) < count and any(pools[label] for label in order):
        for label in order:
            pool = pools[label]
            while pool and pool[-1].text in texts:
                pool.pop()
            if pool and len(drawn) < count:
                row = pool.pop()
                drawn.append(row)
                texts.add(row.text)
    return [drawn[i] for i in rng.permutation(len(drawn))]


def goal_score(metric: str, rows: Sequence[Row], answers: Sequence[Prediction]) -> float:
    """The task's goal metric on a few validation rows; a row not answered is wrong.

    Macro-F1 is over the labels these rows have, since a small sample lacks some.
    """
    from sklearn.metrics import f1_score

    true = [str(row.target) for row in rows]
    said = ["" if answer.label is None else answer.label for answer in answers]
    if metric in METRICS["generate"]:
        return text_score(metric, rows, answers)
    if metric == "accuracy":
        return sum(t == s for t, s in zip(true, said, strict=True)) / len(true)
    return float(f1_score(true, said, labels=sorted(set(true)), average="macro", zero_division=0.0))
