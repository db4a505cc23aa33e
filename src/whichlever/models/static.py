"""Static token embeddings: text vectors at the cost of a few look-ups per word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whichlever.infer.static_words import WordPieces
from whichlever.models.static_distill import distilled
from whichlever.progress import Progress

BATCH = 1024


class StaticEmbedder:
    """Text to one vector: the mean of its tokens' vectors, of length one.

    Parameters
    ----------
    pieces : WordPieces
        The tokenizer.
    vectors : float32 array, shape (vocabulary, d)
        A vector per token id.
    """

    def __init__(self, pieces: WordPieces, vectors: npt.NDArray[np.float32]) -> None:
        self._pieces = pieces
        self._vectors = vectors.copy()
        if pieces.unknown >= 0:
            self._vectors[pieces.unknown] = 0  # an unknown piece says nothing, as in model2vec

    @classmethod
    def load(
        cls, weights_path: Path, cache: Path | None = None, progress: Progress | None = None
    ) -> StaticEmbedder:
        """Token vectors of an encoder's folder, made once and kept in ``cache``.

        Raises
        ------
        WeightsError
            The folder lacks a file.
        MissingExtraError
            The vectors must be made and torch is not installed.
        """
        vectors = distilled(weights_path, cache, progress)
        return cls(WordPieces.load(weights_path), vectors)

    @property
    def dimensions(self) -> int:
        """Length of a text's vector."""
        return int(self._vectors.shape[1])

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of texts, shape (n, d), each of length one; a text without tokens is zeros."""
        from scipy import sparse

        out = np.zeros((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BATCH):
            bags = self._pieces.ids(texts[start : start + BATCH])
            # Counts times vectors: no copy of a vector per token is made, as gathering would.
            ones = np.ones(len(bags.units), np.float32)
            shape = (len(bags), len(self._vectors))
            sums = sparse.csr_matrix((ones, bags.units, bags.starts), shape=shape) @ self._vectors
            norms = np.linalg.norm(sums, axis=1, keepdims=True)
            out[start : start + BATCH] = sums / np.maximum(norms, 1e-12)
        return out
