"""What each word of a text adds to a linear model's answer, exactly."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from whichlever.infer.linear import LinearModel
from whichlever.infer.linear_features import MAX_WHOLE, PIECE, WHOLE, character_grams, position
from whichlever.infer.units import Ints, Units

Floats = npt.NDArray[np.float64]


def linear_shares(model: LinearModel, units: Units, label: int, other: int) -> tuple[Floats, float]:
    """Each unit's part in the log-odds of one label against another, and what no word adds.

    A feature's contribution (coefficient × TF-IDF value × scale) is shared equally among the
    places where the text has it; that of a pair, between its two words.

    Parameters
    ----------
    label, other
        Index into the model's labels.

    Returns
    -------
    shares, rest
        Shape (units,); ``shares.sum() + rest`` is log p(label) − log p(other). Zeros where one
        of both has no training row.
    """
    shares = np.zeros(len(units))
    seen = model.seen.tolist()
    if label not in seen or other not in seen:
        return shares, 0.0
    at, against = seen.index(label), seen.index(other)
    weights, scale = model.weights, model.scale
    rest = float(weights.intercept[at] - weights.intercept[against]) * scale
    value, columns, _ = model.features.vectors([units.text])
    difference = weights.coef[columns][:, [at, against]].astype(np.float64)
    each = value * (difference[:, 0] - difference[:, 1]) * scale
    given = dict(zip(columns.tolist(), each.tolist(), strict=True))
    column, unit = _places(model, units)
    if not len(column):
        return shares, rest
    names, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    shared = np.array([given.get(name, 0.0) for name in names.tolist()]) / counts
    np.add.at(shares, unit, shared[inverse])
    return shares, rest


def _places(model: LinearModel, units: Units) -> tuple[Ints, Ints]:
    """Column and unit of every place where the text has a feature; a pair has two."""
    features, text = model.features, units.text.lower()
    back = _lowered(units.text)
    if not text:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    owner, words = units.of[back], len(features.words)
    word, start = _words(PIECE, text, features.index)
    whole, begin = _words(WHOLE, text, features.index)
    both = (word[:-1] >= 0) & (word[1:] >= 0)
    at, known = position((word[:-1] * words + word[1:])[both], features.pairs)
    pair = words + at[known]
    columns = [word, whole, pair, pair]
    owners = [owner[start], owner[begin], owner[start[:-1][both][known]]]
    owners.append(owner[start[1:][both][known]])
    if len(features.buckets):
        _, bucket, place, size = character_grams([units.text])
        at, known = position(bucket, features.buckets)
        columns.append(words + len(features.pairs) + at[known])
        middle = (place + size // 2)[known]
        owners.append(owner[_written(text)[middle]])
    column, unit = np.concatenate(columns), np.concatenate(owners)
    return column[column >= 0], unit[column >= 0]


def _words(pattern: re.Pattern[str], text: str, index: Mapping[str, int]) -> tuple[Ints, Ints]:
    """Column (-1 unknown) and first character of each token."""
    found = [m for m in pattern.finditer(text) if pattern is PIECE or len(m[0]) <= MAX_WHOLE]
    columns = np.array([index.get(m[0], -1) for m in found], np.int64)
    return columns, np.array([m.start() for m in found], np.int64)


def _written(text: str) -> Ints:
    """For each place that `character_grams` counts, the character that is written there; a blank
    counts as the character before it, the first as the one after.
    """
    places = [0]
    for found in re.finditer(r"\S+", text):
        places += [*range(found.start(), found.end()), found.end() - 1]
    return np.array(places, np.int64)


def _lowered(text: str) -> Ints:
    """The character of the text that each character of its lower case comes from."""
    if len(text.lower()) == len(text):
        return np.arange(len(text))
    return np.repeat(np.arange(len(text)), [len(c.lower()) for c in text])
