"""What each word of a text adds to any model's answer: ask again without it (occlusion)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from whichlever.infer.units import Units
from whichlever.predict import Predictor, Row

Floats = npt.NDArray[np.float64]

MOST_ASKED = 96
"""Times that a text is asked again for one explanation; of a longer one, groups are left out."""

FINER = 8
"""Parts that the group of units which matters most is cut into."""

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

    Of a text with more than `MOST_ASKED` units, groups of neighbours are left out first, and the
    group that matters most is cut into smaller ones, again and again; the units of a group share
    its fall equally. Falls do not sum to the log-odds: words that say the same stand in for each
    other.

    Returns
    -------
    shares, rest
        Shape (units,), and 0.
    """
    count = len(units)
    if not count:
        return np.zeros(0), 0.0
    whole = _asked(predictor, [units.text], label, other)[0]
    groups = _cut(range(count), count if count <= MOST_ASKED else MOST_ASKED // 2)
    falls = dict(zip(groups, whole - _without(predictor, units, groups, label, other), strict=True))
    left = MOST_ASKED - len(groups)
    while left >= 2 and (large := [g for g in falls if len(g) > 1]):
        strongest = max(large, key=lambda group: abs(falls[group]))
        parts = _cut(strongest, min(FINER, left))
        del falls[strongest]
        asked = whole - _without(predictor, units, parts, label, other)
        falls.update(zip(parts, asked, strict=True))
        left -= len(parts)
    shares = np.zeros(count)
    for group, fall in falls.items():
        shares[group.start : group.stop] = fall / len(group)
    return shares, 0.0


def _cut(units: range, most: int) -> list[range]:
    """At most ``most`` groups of neighbours, of equal size but the last."""
    size = -(-len(units) // most)
    return [units[i : i + size] for i in range(0, len(units), size)]


def _without(
    predictor: Predictor, units: Units, groups: list[range], label: int, other: int
) -> Floats:
    texts = [units.text[: units.starts[g[0]]] + units.text[units.ends[g[-1]] :] for g in groups]
    return _asked(predictor, texts, label, other)


def _asked(predictor: Predictor, texts: list[str], label: int, other: int) -> Floats:
    answers = predictor.predict([Row(str(i), text) for i, text in enumerate(texts)])
    return log_odds(np.stack([a.scores for a in answers if a.scores is not None]), label, other)
