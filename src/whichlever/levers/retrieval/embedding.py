"""The vectors that retrieval stands on."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from whichlever.documents.passage import Passage
from whichlever.errors import MissingExtraError, WeightsError
from whichlever.levers.retrieval.index import Embedder, Index
from whichlever.predict import Row
from whichlever.progress import Progress

EMBEDDER = "all-minilm-l6-v2"
"""Weights whose token vectors are used; their static form costs microseconds per word."""

METHOD = 2
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


def embedder_fingerprint() -> str | None:
    """SHA-256 of the default encoder's weights; None where they are not here."""
    from whichlever.llm import find_weights

    try:
        return find_weights(EMBEDDER).sha256
    except WeightsError:
        return None


def check_embedder() -> None:
    """Raise early what `default_embedder` and an index would raise late.

    Raises
    ------
    WeightsError
        The encoder is not on this machine.
    MissingExtraError
        A package is missing, or the vectors must be made and torch is not installed.
    """
    from whichlever.llm import find_weights
    from whichlever.models.static_distill import MAKING, can_distil, is_distilled

    if any(find_spec(package) is None for package in ("bm25s", "tokenizers", "safetensors")):
        raise MissingExtraError("retrieval", "llm")
    weights = find_weights(EMBEDDER)
    # What is kept is looked for by a hash of the whole encoder: only where it matters.
    if not can_distil() and not is_distilled(weights.path):
        raise MissingExtraError(f"levers.rag: {MAKING}", "train")


def index_rows(rows: Sequence[Row], embedder: Embedder) -> Index:
    """Index labelled rows."""
    return Index.build([Passage.of_row(row) for row in rows], embedder)


def index_seconds(passages: int) -> float:
    """About how long an index takes to build, on one core."""
    return 0.5 + passages * 4e-4
