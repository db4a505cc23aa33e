"""Which of its source's habits a line follows: how it is labelled, and which clock it goes by.

Machines of one source may be set up differently. Which line is of which shows in its words (host
names, networks, versions), so that a linear classifier of hashed words, one per source, tells them
apart where neighbours do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.counts import Places
from whichlever.infer.tagger.features import Hashes, mix
from whichlever.infer.tagger.sources import head
from whichlever.infer.tagger.templates import NAMES

Array = NDArray[Any]
READ = tuple(NAMES.index(name) for name in ("word", "left2+word+right"))
"""Templates that the classifier reads."""
TOKENS = 300
"""Tokens of a line that it reads."""


def words_of(features: Hashes, first: Array) -> tuple[Hashes, Array]:
    """Return each line's different words as hashes, and whose they are."""
    token, line = head(first, TOKENS)
    word = np.ascontiguousarray(features[token][:, READ]).ravel()
    of = np.repeat(line, len(READ))
    _, kept = np.unique(mix(82, word, of.astype(np.uint64)), return_index=True)
    return word[kept], of[kept]


@dataclass(frozen=True, slots=True)
class Habits:
    """Classifiers of lines, one per source that has several habits.

    Attributes
    ----------
    source
        (classes,) ascending row of the source that each class is of.
    value
        (classes,) which habit the class is: a way of labelling, or a clock.
    bias
        (classes,).
    key
        (weights,) ascending hash of a word and a class.
    weight
        (weights,).
    """

    source: Array
    value: Array
    bias: Array
    key: Hashes
    weight: Array
    _places: list[Places] = field(default_factory=list, compare=False, repr=False)

    def of_lines(self, features: Hashes, first: Array, source: Array) -> tuple[Array, Array]:
        """Return each line's habit, and whether its source has several; else it is 0.

        Parameters
        ----------
        features
            (tokens, templates).
        first
            (lines + 1,).
        source
            (lines,) row of each line's source.
        """
        lines = len(source)
        value = np.zeros(lines, np.int64)
        begin = np.searchsorted(self.source, source)
        many = np.searchsorted(self.source, source, "right") - begin
        if not many.any():
            return value, many > 0
        word, of = words_of(features, first)
        size = np.sqrt(np.maximum(np.bincount(of, minlength=lines), 1))
        if not self._places:
            self._places.append(Places(self.key))
        places = self._places[0]
        best = np.full(lines, -np.inf)
        for k in range(int(many.max())):
            able = many > k
            at = np.where(able, begin + k, 0)
            asked = np.flatnonzero(able[of])
            slot, place = places.find(keyed(word[asked], at[of[asked]]))
            sums = np.bincount(of[asked][slot], self.weight[place], minlength=lines) / size
            total = np.where(able, sums + self.bias[at], -np.inf)
            better = total > best
            best[better] = total[better]
            value[better] = self.value[at[better]]
        return value, many > 0

    def arrays(self, prefix: str) -> dict[str, Array]:
        """Return the arrays to store."""
        return {
            f"{prefix}source": self.source.astype(np.int32),
            f"{prefix}value": self.value.astype(np.int32),
            f"{prefix}bias": self.bias.astype(np.float32),
            f"{prefix}key": self.key,
            f"{prefix}weight": self.weight.astype(np.float32),
        }

    @classmethod
    def of(cls, arrays: dict[str, Array], prefix: str) -> Habits:
        """Take the arrays that :meth:`arrays` gave.

        Raises
        ------
        ValueError
            They do not belong together.
        """
        names = ("source", "value", "bias", "key", "weight")
        source, value, bias, key, weight = (arrays[prefix + name] for name in names)
        if (
            len(value) != len(source)
            or len(bias) != len(source)
            or len(key) != len(weight)
            or bool((np.diff(source) < 0).any())
        ):
            raise ValueError(f"the arrays {prefix}* do not belong together")
        return cls(source, value, bias, key, weight)


def keyed(word: Hashes, at: Array) -> Hashes:
    """Return words as one class knows them."""
    return mix(83, word, at.astype(np.uint64))


def home_of(source: Hashes, variant: Array) -> Hashes:
    """Return the hash under which a source's variant keeps its votes; the first is the source's."""
    return np.where(variant > 0, mix(84, source, variant.astype(np.uint64)), source)


def no_habits() -> Habits:
    """Return classifiers of no source."""
    none = np.zeros(0, np.int64)
    return Habits(none, none, np.zeros(0), np.zeros(0, np.uint64), np.zeros(0))
