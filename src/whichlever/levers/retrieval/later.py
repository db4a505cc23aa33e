"""Passages that came or went after an index was built.

BM25 weighs a word by how rare it is among all passages, so one more passage changes every weight a
little. Building thousands of passages again for one changed file would take longer than the change
is worth: what comes later is weighed with the word counts of the last build (words that it brings
are taken as rare), and what is gone scores nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from whichlever.documents.words import Vocabulary, words
from whichlever.levers.retrieval.fusion import Floats

K1, B = 1.5, 0.75
"""What bm25s is built with by default."""


@dataclass(frozen=True)
class Later:
    """Changes to an index since it was built.

    Attributes
    ----------
    built
        Passages that it was built with.
    held
        How many of those hold each word, by the word's number.
    mean
        Their mean length in words.
    dead
        Positions that are gone.
    tail
        Word counts of each passage that was added, and its length.
    """

    built: int
    held: npt.NDArray[np.int64]
    mean: float
    dead: frozenset[int] = frozenset()
    tail: tuple[tuple[Mapping[str, int], int], ...] = field(default=())

    @classmethod
    def start(cls, built: int, held: npt.NDArray[np.int64], mean: float) -> Self:
        """No change yet."""
        return cls(built, held, max(mean, 1.0))

    @property
    def share(self) -> float:
        """Passages that came or went, as a share of those it was built with."""
        return max(len(self.dead), len(self.tail)) / max(self.built, 1)

    def grown(self, dead: Sequence[int], texts: Sequence[str]) -> Later:
        """These changes and some more."""
        counted = [words(text) for text in texts]
        tail = (*self.tail, *((Counter(found), len(found)) for found in counted))
        return Later(self.built, self.held, self.mean, self.dead | frozenset(dead), tail)

    def scores(
        self, text: str, vocabulary: Vocabulary, built: Callable[[list[int]], Floats]
    ) -> Floats:
        """BM25 score of every passage, those added last, shape (built + tail,).

        Lucene's form (Kamphuis et al. 2020, "Which BM25 do you mean?", ECIR): ln(1 + (N − n + ½) /
        (n + ½)) · f / (f + k1 · (1 − b + b · length / mean length)).
        """
        out = np.zeros(self.built + len(self.tail), np.float32)
        out[: self.built] = built(vocabulary.known(text))
        asked = dict.fromkeys(words(text))
        weights = {word: self._rarity(word, vocabulary) for word in asked} if self.tail else {}
        for place, (counts, length) in enumerate(self.tail, self.built):
            room = K1 * (1 - B + B * length / self.mean)
            out[place] = math.fsum(
                weight * counts[word] / (counts[word] + room)
                for word, weight in weights.items()
                if word in counts
            )
        out[list(self.dead)] = 0.0
        return out

    def _rarity(self, word: str, vocabulary: Vocabulary) -> float:
        number = vocabulary.numbers.get(word)
        held = 0 if number is None else int(self.held[number])
        held += sum(word in counts for counts, _ in self.tail) if held == 0 else 0
        return math.log(1 + (self.built - held + 0.5) / (held + 0.5)) if held <= self.built else 0.0
