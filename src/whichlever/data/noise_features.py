"""What the models that look for wrong labels read: words and word pairs, sparse and dense.

Made without any label, so it is made once for all folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_CHARS = 4_000
"""Characters of a text that are read."""

MOST_WEIGHTS = 40_000_000
"""Columns times classes: one model's weights are 160 MB at most."""

MOST_COLUMNS = 100_000
RANK = 200

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TextFeatures:
    """Two views of the same n texts.

    ``sparse`` is a csr_matrix of L2-normalised TF-IDF weights, float32, shape (n, columns);
    ``dense`` its projection on at most 200 directions, L2-normalised, shape (n, rank).
    """

    sparse: Any
    dense: Floats


def text_features(texts: Sequence[str], fitted: int, classes: int, seed: int) -> TextFeatures:
    """Weigh words and word pairs by TF-IDF, and project them (latent semantic analysis).

    Parameters
    ----------
    texts
        All texts; vocabulary, document frequencies and directions are those of the first
        ``fitted`` of them.
    classes
        Number of labels; bounds the vocabulary, with which weights are kept for each.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    columns = max(1_000, min(MOST_COLUMNS, MOST_WEIGHTS // max(classes, 1)))
    weigher = TfidfVectorizer(
        ngram_range=(1, 2),
        min_df=2 if fitted > 50 else 1,
        max_features=columns,
        sublinear_tf=True,
        token_pattern=r"\w+",  # noqa: S106 - no password
        dtype=np.float32,
    )
    short = [text[:MOST_CHARS] for text in texts]
    try:
        learned = weigher.fit_transform(short[:fitted])
    except ValueError:  # no word occurs twice: nothing can be learned from words
        from scipy.sparse import csr_matrix

        nothing = csr_matrix((len(texts), 1), dtype=np.float32)
        return TextFeatures(nothing, np.zeros((len(texts), 1), dtype=np.float32))
    sparse = learned
    if len(texts) > fitted:
        from scipy.sparse import vstack

        sparse = vstack([learned, weigher.transform(short[fitted:])]).tocsr()
    return TextFeatures(sparse, _projected(learned, sparse, seed))


def _projected(learned: Any, sparse: Any, seed: int) -> Floats:  # noqa: ANN401 - csr_matrix
    from sklearn.decomposition import TruncatedSVD

    rank = min(RANK, min(learned.shape) - 1)
    if rank < 1:
        return np.zeros((sparse.shape[0], 1), dtype=np.float32)
    found = TruncatedSVD(rank, n_iter=3, random_state=seed).fit(learned)
    dense = np.asarray(found.transform(sparse), dtype=np.float32)
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-9)
    return dense
