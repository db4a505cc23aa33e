"""The vectors that retrieval stands on."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.levers.retrieval.index import Embedder, Index, Passage
from whichlever.predict import Row
from whichlever.progress import Progress

EMBEDDER = "all-minilm-l6-v2"
"""Weights whose token vectors are used; their static form costs microseconds per word."""

METHOD = 1
"""Part of every retrieving lever's settings; raised when words, vectors or fusion change."""


def default_embedder(progress: Progress | None = None) -> Embedder:
    """Static vectors of the default encoder; made once (half a minute), then read from the cache.

    Raises
    ------
    WeightsError
        The encoder is not on this machine; says how to add it.
    MissingExtraError
        The vectors must be made and torch is not installed.
    """
    from whichlever.llm import find_weights
    from whichlever.models.static import StaticEmbedder

    return StaticEmbedder.load(find_weights(EMBEDDER).path, progress=progress)


def index_rows(rows: Sequence[Row], embedder: Embedder) -> Index:
    """Index labelled rows."""
    return Index.build([Passage.of_row(row) for row in rows], embedder)


def index_seconds(passages: int) -> float:
    """About how long an index takes to build, on one core."""
    return 0.5 + passages * 4e-4
