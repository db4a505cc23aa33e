"""How often each hashed feature had each label: sorted arrays, looked up many at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.features import Hashes

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Entries:
    """What was found for a matrix of features, one row per (feature, label).

    Attributes
    ----------
    slot
        Ascending flat index into the matrix.
    label, weight
        A label that this feature had, and how often.
    total
        (matrix size,) sum of the weights of all labels of each feature, 0 where it is not known.
    """

    slot: Array
    label: Array
    weight: Array
    total: Array


class Places:
    """Finds hashes among sorted ones by their leading bits: two or three steps, not twenty.

    Hashes are spread evenly, so that a table of where each run of leading bits begins leads
    within a few places of any of them.
    """

    __slots__ = ("_begin", "_keys", "_shift", "_steps")

    def __init__(self, keys: Array) -> None:
        bits = keys.dtype.itemsize * 8
        wide = min(bits - 1, max(1, int(np.ceil(np.log2(len(keys) + 1))) + 1))
        self._keys = keys
        self._shift = keys.dtype.type(bits - wide)
        edges = np.arange(1 << wide, dtype=keys.dtype) << self._shift
        self._begin = np.append(np.searchsorted(keys, edges), len(keys)).astype(np.int32)
        self._steps = int(np.diff(self._begin).max()) if len(keys) else 0

    def find(self, wanted: Array) -> tuple[Array, Array]:
        """Return which of the wanted are there, as indices, and their places."""
        if not len(self._keys):
            none = np.zeros(0, np.int64)
            return none, none
        bucket = (wanted >> self._shift).astype(np.int64)
        place = self._begin[bucket]
        end = self._begin[bucket + 1]
        slot = np.flatnonzero(place < end)
        found = np.full(len(wanted), -1, np.int32)
        place, end, wanted = place[slot], end[slot], wanted[slot]
        for _ in range(self._steps):
            here = self._keys[place]
            same = here == wanted
            found[slot[same]] = place[same]
            on = np.flatnonzero((here < wanted) & (place + 1 < end))
            if not len(on):
                break
            slot, place, end, wanted = slot[on], place[on] + 1, end[on], wanted[on]
        slot = np.flatnonzero(found >= 0)
        return slot, found[slot]


@dataclass(frozen=True, slots=True)
class Counts:
    """Feature → labels with weights.

    Attributes
    ----------
    key
        (features,) ascending hashes.
    first
        (features + 1,) where each feature's labels begin.
    label, weight
        Its labels, ascending, and their weights.
    total
        (features,) sum of weights, labels that were left out included.
    """

    key: Hashes
    first: Array
    label: Array
    weight: Array
    total: Array
    _places: list[Places] = field(default_factory=list, compare=False, repr=False)

    def find(self, features: Hashes) -> Entries:
        """Look up every feature of a matrix."""
        flat = features.ravel()
        total = np.zeros(len(flat), np.float32)
        if not len(self.key) or not len(flat):
            none = np.zeros(0, np.int64)
            return Entries(none, none, np.zeros(0, np.float32), total)
        if not self._places:
            self._places.append(Places(self.key))
        slot, at = self._places[0].find(flat)
        total[slot] = self.total[at]
        counts = self.first[at + 1] - self.first[at]
        entry = np.repeat(self.first[at] - (np.cumsum(counts) - counts), counts)
        entry = entry + np.arange(len(entry))
        return Entries(
            np.repeat(slot, counts),
            self.label[entry].astype(np.int64),
            self.weight[entry].astype(np.float32),
            total,
        )

    def arrays(self, prefix: str) -> dict[str, Array]:
        """Return the arrays to store, in their smallest types."""
        return {
            f"{prefix}key": self.key,
            f"{prefix}first": self.first.astype(np.int32),
            f"{prefix}label": self.label.astype(np.uint16),
            f"{prefix}weight": self.weight.astype(np.float32),
            f"{prefix}total": self.total.astype(np.float32),
        }

    @classmethod
    def of(cls, arrays: dict[str, Array], prefix: str) -> Counts:
        """Take the arrays that :meth:`arrays` gave.

        Raises
        ------
        ValueError
            They do not belong together.
        """
        found = cls(
            arrays[prefix + "key"],
            arrays[prefix + "first"],
            arrays[prefix + "label"],
            arrays[prefix + "weight"],
            arrays[prefix + "total"],
        )
        first = found.first
        if (
            len(first) != len(found.key) + 1
            or len(found.total) != len(found.key)
            or len(found.label) != len(found.weight)
            or first[0] != 0
            or first[-1] != len(found.label)
            or bool((np.diff(first.astype(np.int64)) < 0).any())
        ):
            raise ValueError(f"the arrays {prefix}* do not belong together")
        return found


def count(features: Hashes, labels: Array, weights: Array | None = None) -> Counts:
    """Count labels by feature.

    Parameters
    ----------
    features
        Flat hashes, one per observation.
    labels
        Of the same length.
    weights
        Of the same length; 1 each unless given.
    """
    order = np.lexsort((labels, features))
    key, label = features[order], labels[order]
    new = np.ones(len(key), bool)
    new[1:] = (key[1:] != key[:-1]) | (label[1:] != label[:-1])
    begin = np.flatnonzero(new)
    if weights is None:
        weight = np.diff(np.append(begin, len(key))).astype(np.float32)
    else:
        weight = np.add.reduceat(weights[order], begin) if len(begin) else weights[:0]
    key, label = key[begin], label[begin]
    change = np.ones(len(key), bool)
    change[1:] = key[1:] != key[:-1]
    first = np.flatnonzero(change)
    total = np.add.reduceat(weight, first) if len(first) else weight
    return Counts(key[first], np.append(first, len(key)), label, weight, total)


def entry_keys(counts: Counts) -> Hashes:
    """Return each entry's feature."""
    return np.repeat(counts.key, np.diff(counts.first))


def strongest(counts: Counts, most: int, least: float = 0.0) -> Counts:
    """Keep each feature's ``most`` heaviest labels; totals stay as they are.

    Labels with a smaller share of their feature's weight than ``least`` are left out too.
    """
    sizes = np.diff(counts.first)
    feature = np.repeat(np.arange(len(counts.key)), sizes)
    order = np.lexsort((-counts.weight, feature))
    rank = np.arange(len(order)) - counts.first[feature[order]]
    heavy = counts.weight[order] >= least * counts.total[feature[order]]
    kept = np.sort(order[(rank < most) & heavy])
    sizes = np.bincount(feature[kept], minlength=len(counts.key))
    first = np.concatenate([[0], np.cumsum(sizes)])
    return Counts(counts.key, first, counts.label[kept], counts.weight[kept], counts.total)


def ranks(owner: Array) -> Array:
    """Number each run of like values from 0: ``[3, 3, 5]`` to ``[0, 1, 0]``."""
    begin = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))[: len(owner)]
    return np.arange(len(owner)) - np.repeat(begin, np.diff(np.append(begin, len(owner))))
