"""What each word of a text adds to any model's answer: ask again without it (occlusion)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from whichlever.infer.units import Units
from whichlever.predict import Predictor, Row

Floats = npt.NDArray[np.float64]

MOST_ASKED = 96
"""Times that a text is asked again for one explanation; of a longer one, groups are left out."""

LEAST = 1e-12
"""A probability counts as at least this in log-odds."""


def log_odds(scores: npt.NDArray[np.floating], label: int, other: int) -> Floats:
    """Logarithm of p(label) / p(other), shape (n,), of scores of shape (n, classes)."""
    p = np.maximum(np.asarray(scores, np.float64), LEAST)
    return np.asarray(np.log(p[:, label]) - np.log(p[:, other]))


def left_out_shares(
    predictor: Predictor, units: Units, label: int, other: int
) -> tuple[Floats, float]:
    """How much the log-odds of one label against another fall when a unit is left out.

    With more than `MOST_ASKED` units, groups of neighbours are left out first, then single units
    of the groups that matter most; the other units share their group's fall equally. These falls
    do not sum to the log-odds: words that say the same stand in for each other.

    Returns
    -------
    shares, rest
        Shape (units,), and 0.
    """
    count = len(units)
    if not count:
        return np.zeros(0), 0.0
    whole = _asked(predictor, [units.text], label, other)[0]
    if count <= MOST_ASKED:
        return whole - _without(predictor, units, _singly(range(count)), label, other), 0.0
    size = -(-2 * count // MOST_ASKED)
    groups = [range(i, min(i + size, count)) for i in range(0, count, size)]
    falls = whole - _without(predictor, units, groups, label, other)
    shares = np.concatenate(
        [np.full(len(g), f / len(g)) for g, f in zip(groups, falls, strict=True)]
    )
    again: list[int] = []
    for at in np.argsort(-np.abs(falls), kind="stable").tolist():
        if len(again) + len(groups[at]) <= MOST_ASKED - len(groups):
            again += groups[at]
    if again:
        shares[again] = whole - _without(predictor, units, _singly(again), label, other)
    return shares, 0.0


def _singly(units: range | list[int]) -> list[range]:
    return [range(i, i + 1) for i in units]


def _without(
    predictor: Predictor, units: Units, groups: list[range], label: int, other: int
) -> Floats:
    texts = [units.text[: units.starts[g[0]]] + units.text[units.ends[g[-1]] :] for g in groups]
    return _asked(predictor, texts, label, other)


def _asked(predictor: Predictor, texts: list[str], label: int, other: int) -> Floats:
    answers = predictor.predict([Row(str(i), text) for i, text in enumerate(texts)])
    return log_odds(np.stack([a.scores for a in answers if a.scores is not None]), label, other)
