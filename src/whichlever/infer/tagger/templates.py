"""Feature templates of a token: each looks at one combination of itself and its surroundings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.features import Hashes, Looks, mix

_PAD = np.uint64(0x5BD1E995)


def _shift(values: Hashes, first: NDArray[np.int64], by: int) -> Hashes:
    """Return each token's neighbour ``by`` further on in its line, a constant beyond its ends."""
    out = np.full_like(values, _PAD)
    if by > 0:
        out[:-by] = values[by:]
        for back in range(1, by + 1):
            ends = first[1:] - back
            out[ends[(ends >= first[:-1])]] = _PAD
    else:
        ahead = -by
        out[ahead:] = values[:-ahead]
        for on in range(ahead):
            starts = first[:-1] + on
            out[starts[starts < first[1:]]] = _PAD
    return out


def _last_where(mask: NDArray[np.bool_], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index of the last token before each one where ``mask`` holds, -1 for none."""
    n = len(mask)
    index = np.where(mask, np.arange(n), -1)
    latest = np.maximum.accumulate(index) if n else index
    before = np.concatenate([[-1], latest[:-1]])
    begin = np.repeat(first[:-1], np.diff(first))
    return np.where(before >= begin, before, -1)


NAMES = (
    "key+offset", "key+word", "key+class+offset", "key+kind+apart", "left2+kind", "left+right+kind",
    "left2+word+right", "column+kind", "column+type", "column+type+inside", "said+kind",
    "said2+kind", "word", "order+type", "blank+kind", "left4+kind", "word+right3",
    "said+ahead+kind", "type+said+kind", "left3+right2", "key+type+offset",
    "blank+type3+inside", "shape+left",
    "quote+blank+column", "class+key", "left2+right2+class", "type3+order+kind", "type+left2",
    "column+inside+kind+left", "key+kind", "shape", "left6", "key+quoted", "column+quoted",
    "column+inside+type2+kind", "said2+left+right",
    "type+left+right+kind", "type+said2+kind",
)  # fmt: skip
"""What each template combines; the order is part of the format."""


def templates(looks: Looks) -> Hashes:
    """Hash every template of every token: (tokens, len(NAMES))."""
    c = looks.columns
    first = looks.first
    word, cls, kind, key = c["word"], c["class"], c["kind"], c["key"]
    offset, apart, column, inside = c["offset"], c["apart"], c["column"], c["inside"]
    glued = mix(90, cls, c["gap"])
    left = [_shift(glued, first, -i) for i in range(1, 7)]
    right = [_shift(glued, first, i) for i in range(1, 4)]
    own_gap = mix(91, kind, c["gap"])
    two = np.uint64(2)
    quoted = np.minimum(c["part"], np.uint64(1))
    is_word = kind == np.uint64(5)
    said = _last_where(is_word, first)
    said2 = np.where(said >= 0, said[np.maximum(said, 0)], -1)
    padded = np.concatenate([cls, [_PAD]])
    said_class, said2_class = padded[said], padded[said2]
    ahead = _ahead(is_word, cls, first)
    rows = [
        mix(0, key, offset, apart),
        mix(1, key, word),
        mix(2, key, cls, offset),
        mix(3, key, kind, apart),
        mix(4, left[0], left[1], own_gap),
        mix(5, left[0], right[0], own_gap),
        mix(6, left[0], left[1], word, right[0]),
        mix(7, column, inside, kind),
        mix(8, column, c["type2"]),
        mix(9, column, c["type"], inside),
        mix(10, said_class, own_gap),
        mix(11, said_class, said2_class, own_gap),
        mix(12, word),
        mix(13, c["order"], c["type"], kind),
        mix(14, c["blank"], kind, left[0]),
        mix(15, left[0], left[1], left[2], left[3], own_gap),
        mix(16, word, right[0], right[1], right[2]),
        mix(17, said_class, ahead, own_gap),
        mix(18, c["type"], said_class, kind),
        mix(19, left[0], left[1], left[2], own_gap, right[0], right[1]),
        mix(20, key, c["type"], offset),
        mix(21, c["blank"], c["type3"], offset),
        mix(22, c["shape"], left[0]),
        mix(23, c["quote"], c["blank"], column),
        mix(24, cls, key, left[0]),
        mix(25, left[0], left[1], cls, right[0], right[1]),
        mix(26, c["type3"], c["order"], kind),
        mix(27, c["type"], left[0], left[1], own_gap),
        mix(28, column, inside, kind, left[0]),
        mix(29, key, kind),
        mix(30, c["shape"], kind),
        mix(31, *left, own_gap),
        mix(32, key, np.minimum(offset, two), quoted, apart),
        mix(33, column, np.minimum(inside, two), quoted, c["type2"]),
        mix(34, column, inside, c["type2"], kind),
        mix(35, said_class, said2_class, left[0], right[0], own_gap),
        mix(36, c["type"], left[0], right[0], own_gap),
        mix(37, c["type"], said_class, said2_class, left[0], own_gap),
    ]
    return np.stack(rows, axis=1) if len(word) else np.zeros((0, len(NAMES)), np.uint64)


def _ahead(mask: NDArray[np.bool_], values: Hashes, first: NDArray[np.int64]) -> Hashes:
    """Return the value of the next token after each one where ``mask`` holds."""
    n = len(mask)
    index = np.where(mask, np.arange(n), n)
    nearest = np.minimum.accumulate(index[::-1])[::-1] if n else index
    after = np.concatenate([nearest[1:], [n]]) if n else nearest
    end = np.repeat(first[1:], np.diff(first))
    found = np.where(after < end, after, n)
    return np.concatenate([values, [_PAD]])[found]
