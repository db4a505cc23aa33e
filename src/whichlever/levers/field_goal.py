"""How good fields are on a few validation lines, and how sure a lever may be of a line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from whichlever.fields.pairs import pairs_of
from whichlever.fields.schema import Schema
from whichlever.predict import Prediction, Row

SMOOTH = 1.0
"""Lines imagined right, and as many wrong, beside those of a step: few lines prove little."""


def goal_of(
    metric: str, rows: Sequence[Row], answers: Sequence[Prediction], schema: Schema
) -> float:
    """The task's goal metric on a few validation lines; a line not answered is wrong."""
    if metric == "line_exact":
        right = exact(rows, answers, schema)
        return sum(right) / max(len(right), 1)
    hit = said = true = 0
    for row, answer in zip(rows, answers, strict=True):
        truth = pairs_of(row.fields or {}, schema, row.source)
        found = pairs_of(answer.fields or {}, schema, row.source)
        hit, said, true = hit + (truth & found).total(), said + found.total(), true + truth.total()
    return 2 * hit / max(said + true, 1)


def exact(rows: Sequence[Row], answers: Sequence[Prediction], schema: Schema) -> list[bool]:
    """Whether each line's fields are all right and none is missing."""
    return [
        answer.status == "ok"
        and pairs_of(answer.fields or {}, schema, row.source)
        == pairs_of(row.fields or {}, schema, row.source)
        for row, answer in zip(rows, answers, strict=True)
    ]


@dataclass(frozen=True)
class Sureness:
    """From a lever's own score of a line to the probability that the line is right.

    A rising step function by pool-adjacent-violators (Ayer et al. 1955) on validation lines.
    ``edges`` are the lowest score of each step, ``shares`` the smoothed share of right lines.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def fit(cls, rows: Sequence[Row], answers: Sequence[Prediction], schema: Schema) -> Self:
        """Learn the steps from lines that the lever answered without having learned from them."""
        right = exact(rows, answers, schema)
        pairs = sorted((a.confidence or 0.0, r) for a, r in zip(answers, right, strict=True))
        steps: list[list[float]] = []  # lowest score, right, lines
        for score, good in pairs:
            if steps and steps[-1][0] == score:
                steps[-1][1] += good
                steps[-1][2] += 1
            else:
                steps.append([score, float(good), 1.0])
            while len(steps) > 1 and _share(steps[-2]) >= _share(steps[-1]):
                _, good_last, lines = steps.pop()
                steps[-1][1] += good_last
                steps[-1][2] += lines
        return cls(tuple(s[0] for s in steps), tuple(_share(s) for s in steps))

    def of(self, score: float) -> float:
        """The probability for a score."""
        if not self.edges:
            return 0.5
        return self.shares[max(0, bisect_right(self.edges, score) - 1)]


def _share(step: Sequence[float]) -> float:
    return (step[1] + SMOOTH) / (step[2] + 2 * SMOOTH)
