"""Exact and near duplicates among many texts, in time that grows with their number.

Near duplicates are found by MinHash and banding (Broder 1997; Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, ch. 3), over all rows at once in numpy: one sketch at a time, as
datasketch makes them, took 14 times as long. Candidates across the two sides are checked on the
word sets themselves, so that a leak that is reported is one; inside a side, where only their number
matters, the sketches' estimate is taken.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, pairwise

import numpy as np
import numpy.typing as npt

NEAR = 0.7
"""Jaccard similarity of the sets of words and word pairs from which two texts are near
duplicates: one changed word in about ten."""

BANDS, PER_BAND = 16, 4
"""64 hashes: a pair at .7 is found with probability .988, one at .4 becomes a candidate at .34."""

MAX_WORDS = 512
"""Words of a text that are looked at; longer texts are compared by their beginning."""

_CHUNK = 4096
_REMEMBERED = 10_000
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_ASCII_WORD = re.compile(r"\w+", re.ASCII)

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.intp]


def normalise(text: str) -> str:
    """The text as duplicates are compared: compatibility forms, case and spacing levelled."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def words(text: str) -> list[str]:
    """The words of a text in order; each ideograph or kana is one."""
    if text.isascii():  # several times faster, the same words
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(text.casefold())


def exact_keys(texts: Sequence[str]) -> list[int]:
    """For each text a number that it shares with its exact duplicates (after `normalise`)."""
    seen: dict[bytes, int] = {}
    keys = []
    for text in texts:
        content = normalise(text).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(content, digest_size=16).digest()
        keys.append(seen.setdefault(digest, len(seen)))
    return keys


@dataclass(frozen=True)
class NearDuplicates:
    """For each text the position of a near duplicate, -1 where none was found.

    ``outside`` holds, for the texts of interest, one among the others; ``inside`` holds, for any
    text, an earlier one on the same side, by estimate (standard error .06). Shape (n,) each.
    """

    outside: Flags
    inside: Flags


def near_duplicates(
    texts: Sequence[str], interest: npt.NDArray[np.bool_], threshold: float = NEAR
) -> NearDuplicates:
    """Find near duplicates between two sides of ``texts`` and inside each.

    Every text is compared with at most four of each side per band, so that a file of one
    template costs no more than any other.

    Parameters
    ----------
    texts : n texts, exact duplicates taken out
    interest : (n,) True for the side whose duplicates on the other side matter (test rows)
    threshold : Jaccard similarity of the sets of words and word pairs
    """
    found = NearDuplicates(
        np.full(len(texts), -1, dtype=np.intp), np.full(len(texts), -1, dtype=np.intp)
    )
    if len(texts) < 2:
        return found
    sketches = _sketches(texts)
    pairs = list(_candidates(sketches, interest))
    for across in (True, False):
        kept = [p for p, is_across in pairs if is_across == across and len(p)]
        if not kept:
            continue
        codes = np.unique(np.concatenate([p[:, 0] * len(texts) + p[:, 1] for p in kept]))
        once = np.stack(np.divmod(codes, len(texts)), axis=1)
        if across:
            _check(once, sketches, texts, threshold, found.outside)
        else:
            alike = once[_agreement(once, sketches) >= threshold]
            found.inside[alike[::-1, 0]] = alike[::-1, 1]
    return found


def near_pairs(texts: Sequence[str], threshold: float = NEAR) -> tuple[Flags, Flags]:
    """Pairs of texts that are near duplicates by estimate (standard error .06), nearest first.

    Parameters
    ----------
    texts : n texts, exact duplicates taken out
    threshold : Jaccard similarity of the sets of words and word pairs

    Returns
    -------
    earlier, later : positions in ``texts``, shape (pairs,) each
    """
    sketches = _sketches(texts)
    found = [pairs for pairs, _ in _candidates(sketches, np.zeros(len(texts), dtype=bool))]
    if not found:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    low, high = np.sort(np.concatenate(found), axis=1).T
    once = np.stack(np.divmod(np.unique(low * len(texts) + high), len(texts)), axis=1)
    alike = _agreement(once, sketches)
    near = once[np.argsort(-alike, kind="stable")][: int(np.sum(alike >= threshold))]
    return near[:, 0], near[:, 1]


def _shingles(text: str) -> frozenset[object]:
    found = words(text)[:MAX_WORDS]
    return frozenset([*found, *pairwise(found)])


def _sketches(texts: Sequence[str]) -> npt.NDArray[np.uint32]:
    """MinHash sketches, shape (n, 64); a text without words gets the sketch of the empty set."""
    rng = np.random.default_rng(20_240_517)
    # a·h + b modulo 2³², a odd: a bijection, so no two shingles become one (as datasketch 2 does).
    multiply = rng.integers(0, 2**32, BANDS * PER_BAND, dtype=np.uint32) | np.uint32(1)
    add = rng.integers(0, 2**32, BANDS * PER_BAND, dtype=np.uint32)
    known: defaultdict[str, int] = defaultdict(count().__next__)  # words are numbered as they come
    sketches = np.full((len(texts), BANDS * PER_BAND), np.iinfo(np.uint32).max, dtype=np.uint32)
    for start in range(0, len(texts), _CHUNK):
        lists = [words(text)[:MAX_WORDS] for text in texts[start : start + _CHUNK]]
        lengths = np.array([len(found) for found in lists])
        flat = np.fromiter(
            map(known.__getitem__, chain.from_iterable(lists)), np.uint64, int(lengths.sum())
        )
        if not len(flat):
            continue
        single = _mix(flat)
        ends = np.cumsum(lengths)
        pairs = _mix(single[:-1] * np.uint64(0x9E3779B97F4A7C15) + single[1:])
        # The pair after a text's last word belongs to two texts: its last word stands in for it.
        pairs = np.append(pairs, single[-1])
        last = ends[lengths > 0] - 1
        pairs[last] = single[last]
        filled = start + np.flatnonzero(lengths)
        begins = (ends - lengths)[lengths > 0]
        one = (single >> np.uint64(32)).astype(np.uint32)
        two = (pairs >> np.uint64(32)).astype(np.uint32)
        for k in range(BANDS * PER_BAND):
            low = np.minimum(one * multiply[k] + add[k], two * multiply[k] + add[k])
            sketches[filled, k] = np.minimum.reduceat(low, begins)
    return sketches


def _mix(values: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): nearby numbers, unlike hashes."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(
    sketches: npt.NDArray[np.uint32], interest: npt.NDArray[np.bool_]
) -> Iterator[tuple[Flags, bool]]:
    """Pairs (text, other) that share a band, and whether they lie across the two sides."""
    for band in range(BANDS):
        part = sketches[:, band * PER_BAND : (band + 1) * PER_BAND].astype(np.uint64)
        key = part[:, 0]
        for k in range(1, PER_BAND):
            key = _mix(key) ^ part[:, k]
        for across in (True, False):
            yield from ((pairs, across) for pairs in _neighbours(key, interest, across))


def _neighbours(key: Hashes, interest: npt.NDArray[np.bool_], across: bool) -> Iterator[Flags]:
    # Sorted by key, then side: the other side stands first, in the order of the rows.
    order = np.lexsort((np.arange(len(key)), interest, key))
    if across:
        others = order[~interest[order]]
        mine = order[interest[order]]
        if not len(others) or not len(mine):
            return
        left = np.searchsorted(key[others], key[mine], side="left")
        right = np.searchsorted(key[others], key[mine], side="right")
        for step in range(4):
            # Spread over the bucket rather than its first four.
            at = left + ((right - left) * step) // 4
            fits = at < right
            yield np.stack([mine[fits], others[at[fits]]], axis=1)
        return
    same = (key[order[1:]] == key[order[:-1]]) & (interest[order[1:]] == interest[order[:-1]])
    yield np.stack([order[1:][same], order[:-1][same]], axis=1)


def _agreement(pairs: Flags, sketches: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    """The estimated Jaccard similarity of each pair: the share of hashes that agree."""
    alike = np.empty(len(pairs), dtype=np.float32)
    for start in range(0, len(pairs), 1 << 16):
        part = pairs[start : start + (1 << 16)]
        same = sketches[part[:, 0]] == sketches[part[:, 1]]
        alike[start : start + (1 << 16)] = same.mean(axis=1)
    return alike


def _check(
    pairs: Flags,
    sketches: npt.NDArray[np.uint32],
    texts: Sequence[str],
    threshold: float,
    into: Flags,
) -> None:
    """Keep for each text the first candidate that is near enough, likeliest first."""
    alike = _agreement(pairs, sketches)
    shingles: dict[int, frozenset[object]] = {}
    # Three standard errors of 64 hashes below the threshold nothing is worth a look.
    error = 3 * np.sqrt(threshold * (1 - threshold) / (BANDS * PER_BAND))
    worth = alike >= threshold - error
    pairs, alike = pairs[worth], alike[worth]
    for one, other in pairs[np.argsort(-alike, kind="stable")].tolist():
        if into[one] >= 0:
            continue
        if len(shingles) > _REMEMBERED:
            shingles.clear()
        for i in (one, other):
            if i not in shingles:
                shingles[i] = _shingles(texts[i])
        a, b = shingles[one], shingles[other]
        common = len(a & b)
        if common and common >= threshold * (len(a) + len(b) - common):
            into[one] = other
