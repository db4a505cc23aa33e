"""The labelled lines that a line is most like, and what their tokens in the same places were.

One source often holds several formats, versions and habits of labelling, which its counts alone mix
up; lines like the one at hand speak for the right one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.counts import Counts, Entries, Places, count, ranks
from whichlever.infer.tagger.features import Hashes, mix
from whichlever.infer.tagger.sources import head
from whichlever.infer.tagger.templates import NAMES

Array = NDArray[Any]
LIKE = tuple(NAMES.index(name) for name in ("word", "said2+kind", "left4+kind", "type+said+kind"))
"""Templates by which lines are compared."""
CLOSE = tuple(
    NAMES.index(name)
    for name in (
        "key+offset", "key+class+offset", "left2+word+right", "column+type+inside", "said2+kind",
        "blank+kind", "left3+right2", "order+type", "class+key", "key+quoted",
    )
)  # fmt: skip
"""Templates by which the tokens of two lines are matched."""
NEIGHBOURS = 3
POSTINGS = 200
"""Lines listed per feature; what stands in more of them tells little."""


@dataclass(frozen=True, slots=True)
class Near:
    """Labelled lines to compare with.

    Attributes
    ----------
    index
        Feature within a source → lines, weighted by how rare the feature is there.
    size
        (lines,) length of each line as a vector of those weights.
    token
        (entries,) ascending hash of a template of a token within one line.
    label
        (entries,) its label.
    clock
        (lines,) which of its source's clocks each line goes by.
    """

    index: Counts
    size: Array
    token: NDArray[np.uint32]
    label: Array
    clock: Array
    _places: list[Places] = field(default_factory=list, compare=False, repr=False)

    def neighbours(self, features: Hashes, first: Array, source: Hashes) -> tuple[Array, Array]:
        """Return each line's likest lines and how like they are.

        Parameters
        ----------
        features
            (tokens, templates).
        first
            (lines + 1,).
        source
            (lines,) hash of each line's source.

        Returns
        -------
        tuple
            (lines, NEIGHBOURS) rows, -1 for none, and cosines.
        """
        lines = len(first) - 1
        rows = np.full((lines, NEIGHBOURS), -1, np.int64)
        cosine = np.zeros((lines, NEIGHBOURS), np.float32)
        if not len(self.size) or not lines:
            return rows, cosine
        feature, owner = once(features, first, source)
        found = self.index.find(feature)
        many = len(self.size)
        pair = owner[found.slot] * many + found.label
        order = np.argsort(pair)
        pair = pair[order]
        begin = np.flatnonzero(np.append(True, pair[1:] != pair[:-1]))[: len(pair)]
        # A feature's weight is in the entry; its square counts where both lines have it.
        shared = np.add.reduceat(found.weight[order] ** 2, begin) if len(begin) else pair[:0]
        pair = pair[begin]
        mine, other = pair // many, pair % many
        weight = np.zeros(len(feature), np.float32)
        weight[found.slot] = found.weight
        own = np.sqrt(np.bincount(owner, weight**2, minlength=lines)) + 1e-6
        like = (shared / (own[mine] * (self.size[other] + 1e-6))).astype(np.float32)
        order = np.argsort(mine * 4.0 - like)
        mine, other, like = mine[order], other[order], like[order]
        rank = ranks(mine)
        kept = rank < NEIGHBOURS
        rows[mine[kept], rank[kept]] = other[kept]
        cosine[mine[kept], rank[kept]] = like[kept]
        return rows, cosine

    def votes(
        self, features: Hashes, line: Array, rows: Array, cosine: Array, labels: int
    ) -> Entries:
        """Return what tokens in the same places of the likest lines were.

        ``rows`` and ``cosine`` are of :meth:`neighbours`, ``line`` (tokens,) says whose they are.
        """
        wide = np.ascontiguousarray(features[:, CLOSE])
        if not self._places:
            self._places.append(Places(self.token))
        places = self._places[0]
        slots, found, weights = [], [], []
        share = cosine / np.maximum(cosine[:, :1], 1e-6)
        for k in range(NEIGHBOURS):
            row = rows[line, k]
            wanted = within(wide, row)
            slot, at = places.find(wanted)
            there = row[slot // len(CLOSE)] >= 0
            slot, at = slot[there], at[there]
            slots.append(slot)
            found.append(self.label[at].astype(np.int64))
            weights.append(share[line[slot // len(CLOSE)], k] ** 2)
        slot, label = np.concatenate(slots), np.concatenate(found)
        pair, back = np.unique(slot * labels + label, return_inverse=True)
        weight = np.bincount(back, np.concatenate(weights), minlength=len(pair))
        weight = weight.astype(np.float32)
        total = np.bincount(pair // labels, weight, minlength=wide.size).astype(np.float32)
        return Entries(pair // labels, pair % labels, weight, total)

    def clocks(self, rows: Array, cosine: Array) -> Array:
        """Return the clock that each line's likest lines go by; 0, the usual one, unless known."""
        if not len(self.clock):
            return np.zeros(len(rows), np.int64)
        most = int(self.clock.max()) + 1
        votes = np.zeros((len(rows), most), np.float32)
        at = np.arange(len(rows))
        for k in range(rows.shape[1]):
            known = rows[:, k] >= 0
            votes[at[known], self.clock[rows[known, k]]] += cosine[known, k] ** 2
        return np.asarray(votes.argmax(1))

    def arrays(self) -> dict[str, Array]:
        """Return the arrays to store."""
        return {
            **self.index.arrays("near_"),
            "near_size": self.size.astype(np.float32),
            "near_token": self.token,
            "near_named": self.label.astype(np.uint16),
            "near_clock": self.clock.astype(np.uint16),
        }

    @classmethod
    def of(cls, arrays: dict[str, Array]) -> Near:
        """Take the arrays that :meth:`arrays` gave.

        Raises
        ------
        ValueError
            They do not belong together.
        """
        found = cls(
            Counts.of(arrays, "near_"),
            arrays["near_size"],
            arrays["near_token"],
            arrays["near_named"],
            arrays["near_clock"],
        )
        lines = len(found.size)
        listed = found.index.label
        if (
            len(found.token) != len(found.label)
            or len(found.clock) != lines
            or (len(listed) and int(listed.max()) >= lines)
        ):
            raise ValueError("the arrays near_* do not belong together")
        return found


def once(features: Hashes, first: Array, source: Hashes) -> tuple[Hashes, Array]:
    """Return each line's different features within its source, and whose they are."""
    token, line = head(first, 200)
    wide = np.ascontiguousarray(features[token][:, LIKE])
    of = np.repeat(line, len(LIKE))
    feature = mix(78, wide.ravel(), source[of])
    _, kept = np.unique(mix(80, feature, of.astype(np.uint64)), return_index=True)
    return feature[kept], of[kept]


def within(wide: Hashes, row: Array) -> NDArray[np.uint32]:
    """Return templates of tokens as one labelled line knows them, flat."""
    spread = np.repeat(row.astype(np.uint64), wide.shape[1])
    return (mix(79, wide.ravel(), spread) >> np.uint64(32)).astype(np.uint32)


def learn_near(
    features: Hashes,
    first: Array,
    label: Array,
    source: Hashes,
    clock: Array,
    most: int = 400,
    begin: int = 0,
) -> Near:
    """Index labelled lines.

    Parameters
    ----------
    features, first, label
        Tokens of the lines and their labels.
    source
        (lines,) hash of each line's source.
    clock
        (lines,) which of its source's clocks each line goes by.
    most
        Tokens of a line that are kept.
    begin
        Number of the first line, where others are known already.
    """
    lines = len(first) - 1
    feature, of = once(features, first, source)
    counts = count(feature, of)
    often = np.diff(counts.first)
    home = np.unique(source, return_inverse=True)[1]
    size_of = np.bincount(home)[home]
    entry_often = np.repeat(often, often)
    rare = np.log(1 + size_of[counts.label] / entry_often).astype(np.float32)
    size = np.sqrt(np.bincount(counts.label, rare**2, minlength=lines))
    kept = entry_often <= POSTINGS
    sizes = np.where(often <= POSTINGS, often, 0)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    index = Counts(counts.key, starts, counts.label[kept], rare[kept], often.astype(np.float32))
    token, line = head(first, most)
    wanted = within(np.ascontiguousarray(features[token][:, CLOSE]), line + begin)
    named = np.repeat(label[token], len(CLOSE))
    order = np.argsort(wanted, kind="stable")
    wanted, named = wanted[order], named[order]
    new = np.ones(len(wanted), bool)
    new[1:] = wanted[1:] != wanted[:-1]
    return Near(index, size, wanted[new], named[new], clock)
