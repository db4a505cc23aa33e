"""Every beginning and ending of one text through a linear model, in one walk over it.

A beginning's words and n-grams are those of the whole text that end before the cut, and a few
more where the cut goes through a word of signs (``a.b``) or a compound name. So values are added
up once, from the front for beginnings and from the back for endings, and each cut reads where the
sum stands: as many steps as the text has n-grams, where asking every cut takes their square.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.infer.linear_features import (
    CHAR_BITS,
    CHAR_SIZES,
    MAX_WHOLE,
    PIECE,
    WHOLE,
    Features,
    character_grams,
    position,
)

MOST_CELLS = 30_000_000
"""Values held at once, n-grams times classes; a text with more is asked cut by cut."""

_SIGNS = re.compile(r"\S+")

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Side:
    """Columns in the order in which the walk meets them, and more columns at single cuts.

    ``at`` is how far the walk must be for each (ascending), ``more`` pairs of cut number and
    column.
    """

    column: Ints
    at: Ints
    more: Ints


def cut_margins(
    features: Features,
    coef: npt.NDArray[np.float32],
    text: str,
    cuts: Sequence[int],
    *,
    endings: bool = False,
) -> Doubles | None:
    """Decision values without intercept, shape (cuts, classes); None where it cannot be done so.

    Parameters
    ----------
    cuts
        Where beginnings end, or endings begin; ascending, none inside a word.
    """
    lower = text.lower()
    if len(lower) != len(text) or len(cuts) == 0:
        return None
    places = np.asarray(cuts, np.int64)
    sides = [_words(features, lower, places, endings)]
    if len(features.buckets):
        sides.append(_chars(features, lower, places, endings))
    if sum(len(side.column) for side in sides) * coef.shape[1] > MOST_CELLS:
        return None
    reached = -places if endings else places
    out = np.zeros((len(places), coef.shape[1]))
    for side in sides:
        dot, square = _walk(side, reached, features.idf.astype(np.float64), coef)
        out += dot / np.maximum(np.sqrt(square * len(sides)), 1e-12)[:, None]
    return out


def _walk(
    side: _Side, reached: Ints, idf: Doubles, coef: npt.NDArray[np.float32]
) -> tuple[Doubles, Doubles]:
    """Sums of value × weights, and of squared values, at each cut."""
    column, n = side.column, len(side.column)
    order = np.argsort(column, kind="stable")
    ordered = column[order]
    first = np.searchsorted(ordered, ordered)
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n) - first  # how often the column was met before
    before, after = _value(rank, idf[column]), _value(rank + 1, idf[column])
    stop = np.searchsorted(side.at, reached, side="right")
    dot = np.zeros((len(reached), coef.shape[1]))
    square = np.zeros(len(reached))
    if n:
        dots = np.cumsum((after - before)[:, None] * coef[column], axis=0)
        squares = np.cumsum(after**2 - before**2)
        some = stop > 0
        dot[some], square[some] = dots[stop[some] - 1], squares[stop[some] - 1]
    if len(side.more):
        (pairs, times) = np.unique(side.more, axis=0, return_counts=True)
        cut, more = pairs[:, 0], pairs[:, 1]
        keys = ordered * (n + 1) + order  # ascending: by column, then by when it is met
        known = np.searchsorted(keys, more * (n + 1) + stop[cut])
        known = known - np.searchsorted(keys, more * (n + 1))
        old, new = _value(known, idf[more]), _value(known + times, idf[more])
        np.add.at(dot, cut, (new - old)[:, None] * coef[more])
        np.add.at(square, cut, new**2 - old**2)
    return dot, square


def _value(count: Ints, idf: Doubles) -> Doubles:
    """(1 + log n) × idf, and 0 for none."""
    return np.where(count > 0, (1 + np.log(np.maximum(count, 1))) * idf, 0.0)


def _side(column: Ints, start: Ints, end: Ints, more: list[Ints], endings: bool) -> _Side:
    at = -start if endings else end
    order = np.argsort(at, kind="stable")
    joined = np.concatenate(more) if more else np.zeros((0, 2), np.int64)
    return _Side(column[order], at[order], joined)


def _words(features: Features, lower: str, cuts: Ints, endings: bool) -> _Side:
    index, words = features.index, len(features.words)
    found = [(index.get(m.group(), -1), m.start(), m.end()) for m in PIECE.finditer(lower)]
    word, start, end = (np.array([one[i] for one in found], np.int64).reshape(-1) for i in range(3))
    together = (word[:-1] >= 0) & (word[1:] >= 0)
    at, known = position(word[:-1][together] * words + word[1:][together], features.pairs)
    columns = [word[word >= 0], words + at[known]]
    starts = [start[word >= 0], start[:-1][together][known]]
    ends = [end[word >= 0], end[1:][together][known]]
    whole: list[tuple[int, int, int]] = []
    more: list[tuple[int, int]] = []
    for m in WHOLE.finditer(lower):
        if len(m.group()) <= MAX_WHOLE and (k := index.get(m.group(), -1)) >= 0:
            whole.append((k, m.start(), m.end()))
        parts = [(p.start() + m.start(), p.end() + m.start()) for p in PIECE.finditer(m.group())]
        inside = np.flatnonzero((cuts > m.start()) & (cuts < m.end()))
        for i in inside.tolist():
            left = _left(parts, int(cuts[i]), endings)
            if left is not None and left[1] - left[0] <= MAX_WHOLE:
                k = index.get(lower[left[0] : left[1]], -1)
                more += [(i, k)] if k >= 0 else []
    for place, into in enumerate((columns, starts, ends)):
        into.append(np.array([one[place] for one in whole], np.int64))
    extra = [np.array(more, np.int64).reshape(-1, 2)]
    column, begin, stop = (np.concatenate(part) for part in (columns, starts, ends))
    return _side(column, begin, stop, extra, endings)


def _left(parts: Sequence[tuple[int, int]], cut: int, endings: bool) -> tuple[int, int] | None:
    """The compound that is left of a compound's parts where it is cut; None where none is."""
    kept = [p for p in parts if (p[0] >= cut if endings else p[1] <= cut)]
    return (kept[0][0], kept[-1][1]) if len(kept) > 1 else None


def _chars(features: Features, lower: str, cuts: Ints, endings: bool) -> _Side:
    offset = len(features.words) + len(features.pairs)
    _, bucket, place, size = character_grams([lower])
    spans = [m.span() for m in _SIGNS.finditer(lower)]
    if not spans:
        none = np.zeros(0, np.int64)
        return _side(none, none, none, [], endings)
    # Where each sign of the line " a bc " stands in the text: a blank begins the word behind it,
    # and ends the one before it.
    begin = np.concatenate([[b, *range(b, e)] for b, e in spans]).astype(np.int64)
    ending = np.concatenate([[0], *([*range(b + 1, e + 1), e] for b, e in spans)]).astype(np.int64)
    at, known = position(bucket, features.buckets)
    start, end = begin[place[known]], ending[(place + size - 1)[known]]
    codes = np.frombuffer(
        f" {' '.join(lower.split())} ".encode("utf-32-le", "surrogatepass"), np.uint32
    ).astype(np.uint64)
    heads = np.array([b for b, _ in spans], np.int64)
    tails = np.array([e for _, e in spans], np.int64)
    number = np.searchsorted(heads, cuts, side="right") - 1
    inside = np.flatnonzero((number >= 0) & (cuts > heads[number]) & (cuts < tails[number]))
    lines = np.concatenate([[0], np.cumsum(tails - heads + 1)])  # the blank before each word
    there = lines[number[inside]] + 1 + cuts[inside] - heads[number[inside]]
    length = (tails[number] - cuts if endings else cuts - heads[number])[inside]
    more = []
    for n in CHAR_SIZES:
        fits = length >= n - 2
        where = there[fits]
        value = np.full(len(where), n, np.uint64)
        for j in range(n):  # the n-gram that the cut makes: it has a blank where it was cut
            blank = j == (0 if endings else n - 1)
            sign = np.uint64(32) if blank else codes[where + j - (1 if endings else n - 1)]
            value = value * np.uint64(0x100000001B3) + sign
        value ^= value >> np.uint64(29)
        value = (value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - CHAR_BITS)
        spot, seen = position(value.astype(np.int64), features.buckets)
        more.append(np.stack([inside[fits][seen], offset + spot[seen]], axis=1))
    return _side(offset + at[known], start, end, more, endings)
