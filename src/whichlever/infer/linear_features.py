"""Text as a sparse TF-IDF vector: words, word pairs, and hashed character n-grams.

The vocabulary is kept as plain arrays (words, and pairs as two word numbers in one integer), so
that a fitted model is saved without pickle. A word, pair or hash bucket is kept only if it occurs
in at least ``MIN_DOCUMENTS`` training texts: what one text alone says is not in the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

MIN_DOCUMENTS = 2

BLOCK_CHARS = 1_000_000
"""Text turned into n-grams at once; bounds memory whatever the number of rows."""

CHAR_SIZES = (3, 4, 5)
CHAR_BITS = 20

PIECE = re.compile(r"\w+")
# Begun only where a word begins and never given back: linear on a run of letters of any length.
WHOLE = re.compile(r"(?<!\w)\w++(?:[-./:\\]\w++)++")
MAX_WHOLE = 64

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]


def tokens(text: str) -> tuple[list[str], list[str]]:
    """The words of a text, and its compound names (``cve-2021-44228``, ``/bin/sh``) as wholes.

    Underscores stay inside words. Compounds also count as their parts, so that "use-after-free"
    and "use after free" share words and pairs.
    """
    text = text.lower()
    return PIECE.findall(text), [w for w in WHOLE.findall(text) if len(w) <= MAX_WHOLE]


@dataclass(frozen=True, eq=False)
class Features:
    """A fitted vocabulary with its inverse document frequencies.

    Columns are words, then pairs, then character buckets.

    Attributes
    ----------
    words
        In the order of their columns.
    pairs
        Sorted ``first * len(words) + second``.
    buckets
        Sorted hash buckets of the character n-grams that are used; empty where they are not.
    idf
        Shape (columns,).
    """

    words: tuple[str, ...]
    pairs: Ints
    buckets: Ints
    idf: Floats
    _index: Mapping[str, int] = field(repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {word: i for i, word in enumerate(self.words)})

    @property
    def index(self) -> Mapping[str, int]:
        """Column of each word."""
        return self._index

    @property
    def columns(self) -> int:
        """The width of the vectors."""
        return len(self.idf)

    @classmethod
    def fit(cls, texts: Sequence[str], *, chars: bool, max_features: int) -> Self:
        """Learn the vocabulary of ``texts``.

        Parameters
        ----------
        texts
            Training texts.
        chars
            Whether to use character n-grams too (within words, 3 to 5 characters).
        max_features
            Columns at most; the most frequent are kept, and characters get at most half.
        """
        word_df: Counter[str] = Counter()
        for text in texts:
            pieces, wholes = tokens(text)
            word_df.update({*pieces, *wholes})
        cap = max_features // 2 if chars else max_features
        words = _most_frequent_words(word_df, cap)
        index = {word: i for i, word in enumerate(words)}
        pair_keys, pair_df = _pair_frequencies(texts, index)
        buckets, bucket_df = _bucket_frequencies(texts) if chars else (_NONE, _NONE)
        pair_keys, pair_df = _capped(pair_keys, pair_df, cap - len(words))
        buckets, bucket_df = _capped(buckets, bucket_df, max_features - cap)
        df = np.concatenate(
            [np.array([word_df[w] for w in words], dtype=np.int64), pair_df, bucket_df]
        )
        idf = (np.log((1 + len(texts)) / (1 + df)) + 1).astype(np.float32)
        return cls(tuple(words), pair_keys, buckets, idf)

    def transform(self, texts: Sequence[str]) -> Any:  # noqa: ANN401 - a scipy.sparse.csr_matrix
        """TF-IDF vectors of ``texts``: a float32 CSR matrix, shape (n, columns), rows of length 1.

        Term frequencies are ``1 + log(tf)``; words with pairs, and characters, each have half of
        the squared length where both are used.
        """
        from scipy import sparse

        blocks = [
            sparse.csr_matrix(self.vectors(block), shape=(len(block), self.columns))
            for block in text_blocks(texts)
        ]
        if not blocks:
            return sparse.csr_matrix((0, self.columns), dtype=np.float32)
        return sparse.vstack(blocks, format="csr") if len(blocks) > 1 else blocks[0]

    def vectors(self, texts: Sequence[str]) -> tuple[Floats, Indices, Indices]:
        """The vectors of a block of `text_blocks` as plain arrays: values, their columns, and
        where each row's begin (and, last, end): row i has ``values[start[i]:start[i + 1]]``.
        """
        keys = [self._word_keys(texts)]
        if len(self.buckets):
            keys.append(self._char_keys(texts))
        sides = [np.unique(side, return_counts=True) for side in keys]
        values = []
        for side, counts in sides:
            row, column = np.divmod(side, max(self.columns, 1))
            value = ((1 + np.log(counts)) * self.idf[column]).astype(np.float32)
            norm = np.sqrt(np.bincount(row, value.astype(np.float64) ** 2, minlength=len(texts)))
            norm *= np.sqrt(len(sides))
            values.append((value / np.maximum(norm, 1e-12)[row]).astype(np.float32))
        key, value = np.concatenate([side for side, _ in sides]), np.concatenate(values)
        if len(sides) > 1:
            order = np.argsort(key, kind="stable")
            key, value = key[order], value[order]
        row, column = np.divmod(key, max(self.columns, 1))
        start = np.searchsorted(row, np.arange(len(texts) + 1)).astype(np.int32)
        return value, column.astype(np.int32), start

    def _word_keys(self, texts: Sequence[str]) -> Ints:
        row, word, whole = _numbered(texts, self._index)
        first, pair = _adjacent(row, word, whole, len(self.words))
        at, known = position(pair, self.pairs)
        seen = word >= 0
        return np.concatenate(
            [
                row[seen] * self.columns + word[seen],
                first[known] * self.columns + len(self.words) + at[known],
            ]
        )

    def _char_keys(self, texts: Sequence[str]) -> Ints:
        row, bucket = char_buckets(texts)
        at, known = position(bucket, self.buckets)
        offset = len(self.words) + len(self.pairs)
        return np.asarray(row[known] * self.columns + offset + at[known], dtype=np.int64)


_NONE: Ints = np.zeros(0, dtype=np.int64)


def text_blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Consecutive texts of about `BLOCK_CHARS` characters together, at least one each."""
    start, size = 0, 0
    for i, text in enumerate(texts):
        if i > start and size + len(text) > BLOCK_CHARS:
            yield texts[start:i]
            start, size = i, 0
        size += len(text)
    if start < len(texts):
        yield texts[start:]


def char_buckets(texts: Sequence[str]) -> tuple[Ints, Ints]:
    """Row number and hash bucket of every character n-gram that lies within a word."""
    row, bucket, _, _ = character_grams(texts)
    return row, bucket


def character_grams(texts: Sequence[str]) -> tuple[Ints, Ints, Ints, Ints]:
    """Row, hash bucket, place and size of every character n-gram that lies within a word.

    A place counts characters of all texts together, each as one blank, its words in lower case
    with single blanks between, and one blank.

    A word's surrounding blanks count as its first and last character (scikit-learn's ``char_wb``).
    The hash is polynomial with a multiplicative finish, the same on every machine.
    """
    lines = [f" {' '.join(text.lower().split())} " for text in texts]
    codes = np.frombuffer("".join(lines).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = codes.astype(np.uint64)
    lengths = np.array([len(line) for line in lines], dtype=np.int64)
    row = np.repeat(np.arange(len(texts)), lengths)
    blank = codes == 32
    rows, buckets, places, sizes = [], [], [], []
    for size in CHAR_SIZES:
        count = len(codes) - size + 1
        if count <= 0:
            continue
        inside = np.ones(count, dtype=bool)
        value = np.full(count, size, dtype=np.uint64)
        for j in range(size):
            if 0 < j < size - 1:
                inside &= ~blank[j : j + count]
            value = value * np.uint64(0x100000001B3) + codes[j : j + count]
        value ^= value >> np.uint64(29)
        value = (value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - CHAR_BITS)
        inside &= row[:count] == row[size - 1 :]
        place = np.flatnonzero(inside)
        rows.append(row[place])
        buckets.append(value[place].astype(np.int64))
        places.append(place)
        sizes.append(np.full(len(place), size, dtype=np.int64))
    if not rows:
        return _NONE, _NONE, _NONE, _NONE
    return tuple(map(np.concatenate, (rows, buckets, places, sizes)))  # type: ignore[return-value]


def _numbered(texts: Sequence[str], index: Mapping[str, int]) -> tuple[Ints, Ints, Ints]:
    """Row, word number (-1 unknown) and 1 for a compound, for each token in order."""
    words: list[int] = []
    sizes: list[int] = []
    wholes_of: list[int] = []
    get = index.get
    for text in texts:
        pieces, wholes = tokens(text)
        words.extend([get(token, -1) for token in pieces])
        words.extend([get(token, -1) for token in wholes])
        sizes.append(len(pieces) + len(wholes))
        wholes_of.append(len(wholes))
    lengths = np.array(sizes, dtype=np.int64)
    row = np.repeat(np.arange(len(texts)), lengths)
    ends = np.cumsum(lengths)[row] if len(row) else _NONE
    compound = np.arange(len(row)) >= ends - np.array(wholes_of, dtype=np.int64)[row]
    return row, np.array(words, dtype=np.int64), compound.astype(np.int64)


def _adjacent(row: Ints, word: Ints, whole: Ints, words: int) -> tuple[Ints, Ints]:
    """Row and key of each pair of neighbouring known words; compounds make no pairs."""
    together = (row[:-1] == row[1:]) & (word[:-1] >= 0) & (word[1:] >= 0) & (whole[1:] == 0)
    return row[:-1][together], (word[:-1] * words + word[1:])[together]


def position(keys: Ints, known: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where each key stands in the sorted ``known``, and whether it does."""
    if not len(known):
        return np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=bool)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return at, known[at] == keys


def _most_frequent_words(df: Mapping[str, int], most: int) -> list[str]:
    kept = sorted((-n, word) for word, n in df.items() if n >= MIN_DOCUMENTS)
    return [word for _, word in kept[:most]]


def _pair_frequencies(texts: Sequence[str], index: Mapping[str, int]) -> tuple[Ints, Ints]:
    words = len(index)

    def block(part: Sequence[str]) -> tuple[Ints, Ints]:
        return _adjacent(*_numbered(part, index), words)

    return _frequencies([_documents(*block(part)) for part in text_blocks(texts)])


def _bucket_frequencies(texts: Sequence[str]) -> tuple[Ints, Ints]:
    return _frequencies([_documents(*char_buckets(part)) for part in text_blocks(texts)])


def _documents(row: Ints, key: Ints) -> tuple[Ints, Ints]:
    """Each key of a block once, with the number of rows that have it."""
    if not len(key):
        return _NONE, _NONE
    order = np.lexsort((row, key))
    row, key = row[order], key[order]
    new = np.ones(len(key), dtype=bool)
    new[1:] = (key[1:] != key[:-1]) | (row[1:] != row[:-1])
    unique, counts = np.unique(key[new], return_counts=True)
    return unique, counts.astype(np.int64)


def _frequencies(blocks: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Sum the blocks' document counts by key; keys that too few documents have are dropped."""
    if not blocks:
        return _NONE, _NONE
    keys = np.concatenate([key for key, _ in blocks])
    counts = np.concatenate([count for _, count in blocks])
    unique, inverse = np.unique(keys, return_inverse=True)
    total = np.bincount(inverse, counts, minlength=len(unique)).astype(np.int64)
    kept = total >= MIN_DOCUMENTS
    return unique[kept], total[kept]


def _capped(keys: Ints, df: Ints, most: int) -> tuple[Ints, Ints]:
    """The ``most`` most frequent keys, still sorted; ties go to the smaller key."""
    if len(keys) <= most:
        return keys, df
    kept = np.sort(np.lexsort((keys, -df))[: max(most, 0)])
    return keys[kept], df[kept]
