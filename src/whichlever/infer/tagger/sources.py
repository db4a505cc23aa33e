"""Which source a line is of, where nobody says: by words and beginnings that few sources have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.counts import Counts, count
from whichlever.infer.tagger.features import Hashes
from whichlever.infer.tagger.templates import NAMES

Array = NDArray[Any]
USED = tuple(NAMES.index(name) for name in ("word", "said2+kind", "left4+kind", "blank+kind"))
HEAD = 60
"""Tokens at the beginning of a line that are looked at."""


@dataclass(frozen=True, slots=True)
class SourceGuess:
    """Feature → share of each source's lines that have it; naive Bayes over what is there.

    ``sources`` is how many there are.
    """

    counts: Counts
    sources: int

    def rows(self, features: Hashes, first: Array) -> NDArray[np.int64]:
        """Return each line's likeliest source; ``sources`` (none) where nothing is known."""
        lines = len(first) - 1
        if not self.sources:
            return np.zeros(lines, np.int64)
        token, line = head(first)
        found = self.counts.find(np.ascontiguousarray(features[token][:, USED]))
        owner = line[found.slot // len(USED)]
        # A share of lines s against the floor of a source that never has the feature.
        votes = np.log(found.weight / _FLOOR + 1) / np.log(found.total[found.slot] / _FLOOR + 2)
        at = owner * self.sources + found.label
        sums = np.bincount(at, votes, minlength=lines * self.sources).reshape(lines, self.sources)
        return np.where(sums.max(1) > 0, sums.argmax(1), self.sources).astype(np.int64)


_FLOOR = 0.01


def head(first: Array, most: int = HEAD) -> tuple[Array, Array]:
    """Return the tokens at the beginning of each line, and the lines they are in."""
    sizes = np.minimum(np.diff(first), most)
    line = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.arange(len(line)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.repeat(first[:-1], sizes) + inside, line


def learn_sources(features: Hashes, first: Array, source: Array, sources: int) -> SourceGuess:
    """Learn from lines whose source is known.

    Parameters
    ----------
    features
        (tokens, templates).
    first
        (lines + 1,).
    source
        (lines,) row of each line's source.
    """
    token, line = head(first)
    flat = features[token][:, USED].ravel()
    owner = np.repeat(line, len(USED))
    order = np.lexsort((owner, flat))
    flat, owner = flat[order], owner[order]
    once = np.ones(len(flat), bool)
    once[1:] = (flat[1:] != flat[:-1]) | (owner[1:] != owner[:-1])
    flat, of = flat[once], source[owner[once]]
    size = np.bincount(source, minlength=sources).astype(np.float32)
    return SourceGuess(count(flat, of, (1 / (size[of] + 1)).astype(np.float32)), sources)
