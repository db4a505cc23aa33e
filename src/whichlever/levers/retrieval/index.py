"""Passages that can be searched by their words (BM25) and by their meaning (static vectors)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from whichlever.documents.passage import Passage
from whichlever.documents.words import Vocabulary, words
from whichlever.errors import MissingExtraError
from whichlever.levers.retrieval.fusion import Floats, Fusion, Positions, fuse
from whichlever.levers.retrieval.later import Later
from whichlever.predict import Row

DEPTH = 64
"""How far down each ranking goes unless more is asked for; deeper gains next to nothing."""

QUERY_WORDS = 64
"""A query is searched by its rarest words, so that a long one costs no more than this many."""

SCORES_AT_ONCE = 16 * 2**20
"""Similarities held at once (float32): 64 MB however many passages there are."""


class Embedder(Protocol):
    """Texts to vectors of length one."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors, shape (n, d); a text without tokens is zeros."""
        ...


@dataclass(frozen=True)
class Found:
    """What a search found, before its two rankings are joined.

    ``sparse`` and ``dense`` are passage positions, best first, shape (n, depth), -1 where a
    ranking ends; ``vectors`` are the queries', shape (n, d).
    """

    sparse: Positions
    dense: Positions
    vectors: Floats

    def __len__(self) -> int:
        return len(self.sparse)

    def fused(self, fusion: Fusion, depth: int) -> tuple[Positions, Floats]:
        """Both rankings as one, as `whichlever.levers.retrieval.fusion.fuse` gives it."""
        return fuse(self.sparse, self.dense, fusion, depth)


class Index:
    """Searches passages; built once, then only read.

    Use `build`. Memory is about a kilobyte per passage and its text.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        embedder: Embedder,
        bm25: Any,  # noqa: ANN401 - bm25s.BM25, an optional module
        vocabulary: Vocabulary,
        vectors: Floats,
        later: Later | None = None,
    ) -> None:
        self.passages = tuple(passages)
        self.vectors = vectors
        self._embedder = embedder
        self._bm25 = bm25
        self._vocabulary = vocabulary
        self._later = later
        self._held = np.diff(bm25.scores["indptr"]) if bm25 is not None else np.zeros(0, np.int64)
        self._row_at = {p.id: i for i, p in enumerate(self.passages) if p.source is None}

    @classmethod
    def build(
        cls, passages: Sequence[Passage], embedder: Embedder, vectors: Floats | None = None
    ) -> Self:
        """Index passages.

        Parameters
        ----------
        passages
            At least one.
        embedder
            Makes the vectors of passages and queries.
        vectors
            The passages' vectors, where they have been made already, shape (n, d).

        Raises
        ------
        MissingExtraError
            bm25s is not installed.
        """
        try:
            import bm25s
        except ImportError:
            raise MissingExtraError("retrieval", "llm") from None
        vocabulary = Vocabulary()
        tokens = vocabulary.learn(p.text for p in passages)
        bm25 = None
        if len(vocabulary):
            bm25 = bm25s.BM25(method="lucene", backend="numpy", csc_backend="scipy")
            bm25.index((tokens, dict(vocabulary.numbers)), show_progress=False)
        if vectors is None:
            vectors = embedder.encode([p.text for p in passages])
        return cls(passages, embedder, bm25, vocabulary, np.ascontiguousarray(vectors, np.float32))

    def __len__(self) -> int:
        return len(self.passages)

    def updated(self, gone: Collection[str], added: Sequence[Passage]) -> Index:
        """The same index without some passages and with others; this one is left as it is.

        Nothing is counted again: passages that come later are weighed by how rare words were when
        the index was built. Build anew where much has changed.

        Parameters
        ----------
        gone
            Ids of passages that are no longer found.
        added
            Found from now on; an id may be one of those that are gone.
        """
        new = self._embedder.encode([p.text for p in added]) if added else self.vectors[:0]
        vectors = np.concatenate((self.vectors, np.asarray(new, np.float32)))
        dead = [i for i, p in enumerate(self.passages) if p.id in gone]
        vectors[dead] = 0.0
        later = self._later or Later.start(len(self), self._held, self._mean_words())
        passages = (*self.passages, *added)
        later = later.grown(dead, [p.text for p in added])
        return Index(passages, self._embedder, self._bm25, self._vocabulary, vectors, later)

    def vectors_of(self, passages: Sequence[Passage]) -> Floats:
        """Vectors of passages that it holds, shape (n, d), without making them again."""
        at = {p.id: i for i, p in enumerate(self.passages)}  # the last of an id is the living one
        return self.vectors[[at[p.id] for p in passages]]

    def _mean_words(self) -> float:
        """Mean length of a passage in words, from a sample of them."""
        sample = self.passages[:: max(1, len(self.passages) // 500)]
        return sum(len(words(p.text)) for p in sample) / max(len(sample), 1)

    @property
    def stale_share(self) -> float:
        """The share of passages that came or went since the index was built."""
        return 0.0 if self._later is None else self._later.share

    def search(self, rows: Sequence[Row], depth: int = DEPTH, within: int | None = None) -> Found:
        """Rank passages for each row; a row that is itself a passage never finds itself.

        Parameters
        ----------
        rows
            The queries.
        depth
            Length of each ranking.
        within
            Only the first so many passages are looked at; all by default. (What is chosen on
            validation rows must not see their labels, though their words are in the index.)
        """
        count = len(self) if within is None else within
        vectors = self._embedder.encode([row.text for row in rows])
        own = [self._row_at.get(row.id, -1) for row in rows]
        sparse = np.full((len(rows), depth), -1, np.int64)
        dense = np.full((len(rows), depth), -1, np.int64)
        block = max(1, SCORES_AT_ONCE // max(count, 1))
        for start in range(0, len(rows), block):
            cosines = vectors[start : start + block] @ self.vectors[:count].T
            for i, row_cosines in enumerate(cosines, start):
                _rank(row_cosines, own[i], dense[i])
                _rank(self._bm25_scores(rows[i].text)[:count], own[i], sparse[i])
        return Found(sparse, dense, vectors)

    def similarity(self, vectors: Floats, positions: Positions) -> Floats:
        """Cosine of each query with each of its passages, (n, k); 0 where the position is -1."""
        out = np.zeros(positions.shape, np.float32)
        block = max(1, SCORES_AT_ONCE // max(positions.shape[1] * vectors.shape[1], 1))
        for start in range(0, len(positions), block):
            part = slice(start, start + block)
            out[part] = np.einsum("nd,nkd->nk", vectors[part], self.vectors[positions[part]])
        out[positions < 0] = 0.0
        return out

    def _bm25_scores(self, text: str) -> Floats:
        """BM25 score of every passage for the rarest words of ``text``."""
        if self._later is not None:
            return self._later.scores(text, self._vocabulary, self._built_scores)
        return self._built_scores(self._vocabulary.known(text))

    def _built_scores(self, known: list[int]) -> Floats:
        """BM25 score of the passages that the index was built with, for words by number."""
        if self._bm25 is None or not known:
            return np.zeros(self._later.built if self._later else len(self), np.float32)
        if len(known) > QUERY_WORDS:
            known.sort(key=self._held.__getitem__)
            del known[QUERY_WORDS:]
        scores: Floats = self._bm25.get_scores_from_ids(known)
        return scores


def _rank(scores: Floats, without: int, out: Positions) -> None:
    """Write the positions of the highest positive scores, best first, ties by position."""
    depth = len(out)
    if 0 <= without < len(scores):
        scores[without] = 0.0
    if len(scores) > depth:
        least = np.partition(scores, -depth)[-depth]
        # Above the least score there are fewer than depth; its equals come in order of position.
        above = np.flatnonzero(scores > max(least, 0.0))
        equal = np.flatnonzero(scores == least)[: depth - len(above)] if least > 0 else above[:0]
        chosen = np.sort(np.concatenate((above, equal)))
    else:
        chosen = np.flatnonzero(scores > 0)
    out[: len(chosen)] = chosen[np.argsort(-scores[chosen], kind="stable")]
