"""Machinery that simulated worlds share: dice that fall the same on every Python, files that are
the same byte for byte, and the score that nobody can beat.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")


class Dice:
    """Seeded draws that depend on nothing but ``random.Random.random``.

    ``choices``, ``gauss`` and the summing of floats have changed between Python versions; the
    Mersenne Twister and ``math.fsum`` have not.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count`` − 1."""
        return int(self._random() * count)

    def pick(self, items: Sequence[T]) -> T:
        """One item, each as likely."""
        return items[self.below(len(items))]

    def draw(self, weights: Mapping[T, float]) -> T:
        """One key, by its weight."""
        return at_mark(weights, self._random())

    def share(self) -> float:
        """A number from 0 up to 1."""
        return self._random()


def at_mark(weights: Mapping[T, float], share: float) -> T:
    """The key under which this share (0 up to 1) of all weight is reached: the inverse transform.

    Two tables read at one mark give draws that agree as far as the tables do.
    """
    mark = share * math.fsum(weights.values())
    seen: list[float] = []
    for key, weight in weights.items():
        seen.append(weight)
        if weight > 0 and mark < math.fsum(seen):
            return key
    return max(weights, key=lambda key: weights[key])


def normalised(weights: Mapping[T, float]) -> dict[T, float]:
    """Weights that sum to one."""
    total = math.fsum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """JSON lines with sorted keys; gzip without time or name where ``path`` ends in ``.gz``."""
    text = "".join(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n" for row in rows)
    data = text.encode()
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as out:
            out.write(data)
        data = packed.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@dataclass(frozen=True)
class BestPossible:
    """What the best possible classifier scores on some rows.

    Attributes
    ----------
    accuracy : float
        Expected accuracy of the most probable label.
    macro_f1 : float
        Expected macro-F1 of the best class weights (see `best_possible`).
    realised : float | None
        Macro-F1 which that same rule reaches on the labels that were really drawn.
    rows : int
        Rows it was computed on.
    """

    accuracy: float
    macro_f1: float
    realised: float | None
    rows: int


def best_possible(
    posteriors: npt.NDArray[np.float64], targets: Sequence[int] | None = None
) -> BestPossible:
    """The Bayes score of rows whose label probabilities are known, shape (n, classes).

    Accuracy is best served by the most probable label. Macro-F1 is not: a rare class pays for
    being named more often than that. The best rule for it is still the most probable label after
    multiplying each class by some weight (Narasimhan et al. 2015, ICML, Theorem 6), so weights are
    searched, and F1 is taken of expected counts, 2·E[TP] / (E[said] + E[true]) (Ye et al. 2012,
    ICML, section 3). The weights are chosen on the very rows that are scored and look at no label,
    only at probabilities: that makes the figure an upper estimate for a row-by-row classifier. The
    labels that were drawn scatter around it, which ``realised`` shows.
    """
    classes = posteriors.shape[1]
    weights = np.ones(classes)
    best = _expected_macro_f1(posteriors, weights)
    steps = np.geomspace(0.25, 4.0, 33)
    for _ in range(4):
        for k in range(classes):
            tried = [weights * np.where(np.arange(classes) == k, step, 1.0) for step in steps]
            scores = [_expected_macro_f1(posteriors, w) for w in tried]
            if max(scores) > best:
                best = max(scores)
                weights = tried[int(np.argmax(scores))]
    realised = None
    if targets is not None:
        truth = np.eye(classes)[np.asarray(targets, dtype=int)]
        said = np.eye(classes)[np.argmax(posteriors * weights, axis=1)]
        realised = _macro_f1(truth, said)
    return BestPossible(float(posteriors.max(axis=1).mean()), best, realised, len(posteriors))


def _expected_macro_f1(
    posteriors: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> float:
    said = np.eye(posteriors.shape[1])[np.argmax(posteriors * weights, axis=1)]
    return _macro_f1(posteriors, said)


def _macro_f1(truth: npt.NDArray[np.float64], said: npt.NDArray[np.float64]) -> float:
    both = 2 * (truth * said).sum(axis=0)
    either = truth.sum(axis=0) + said.sum(axis=0)
    return float(np.mean(np.divide(both, either, out=np.zeros_like(both), where=either > 0)))
