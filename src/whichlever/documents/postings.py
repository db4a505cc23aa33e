"""Passages by their words, kept up to date one by one, and ranked by BM25.

Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", with the
inverse document frequency of Lucene, which is never negative.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from whichlever.documents.words import words

K1, B = 1.5, 0.75

QUERY_WORDS = 64
"""A query is searched by its rarest words, so that a long one costs no more than these."""

COMMON, FEW = 0.3, 10
"""A word that a larger share of the passages has says nothing, where there are more than few."""

K = TypeVar("K", bound=Hashable)


class Postings(Generic[K]):
    """Keys of passages by word; adding and removing one costs its own words."""

    def __init__(self) -> None:
        self._by_word: dict[str, dict[K, int]] = {}
        self._words: dict[K, Counter[str]] = {}
        self._total = 0

    def __len__(self) -> int:
        return len(self._words)

    def add(self, key: K, text: str) -> None:
        """Add a passage."""
        counts = Counter(words(text))
        self._words[key] = counts
        self._total += counts.total()
        for word, count in counts.items():
            self._by_word.setdefault(word, {})[key] = count

    def remove(self, key: K) -> None:
        """Take a passage out."""
        counts = self._words.pop(key)
        self._total -= counts.total()
        for word in counts:
            held = self._by_word[word]
            del held[key]
            if not held:
                del self._by_word[word]

    def best(self, query: str, most: int) -> list[tuple[K, float]]:
        """The passages that speak most of the query, best first; equal ones in order of keys."""
        held = [(self._by_word[w], w) for w in dict.fromkeys(words(query)) if w in self._by_word]
        bound = len(self) if len(self) <= FEW else COMMON * len(self)
        held = sorted((pair for pair in held if len(pair[0]) <= bound), key=_rarest)[:QUERY_WORDS]
        mean = self._total / max(len(self), 1)
        scores: dict[K, float] = {}
        for having, _ in held:
            rare = math.log(1 + (len(self) - len(having) + 0.5) / (len(having) + 0.5))
            for key, count in having.items():
                long = K1 * (1 - B + B * self._words[key].total() / mean)
                scores[key] = scores.get(key, 0.0) + rare * count * (K1 + 1) / (count + long)
        return sorted(scores.items(), key=lambda pair: (-pair[1], str(pair[0])))[:most]


def _rarest(pair: tuple[dict[K, int], str]) -> tuple[int, str]:
    return len(pair[0]), pair[1]


def common(sets: Iterable[set[K]]) -> set[K]:
    """What all sets have, the smallest first; empty of none."""
    ordered = sorted(sets, key=len)
    return set.intersection(*ordered) if ordered else set()
