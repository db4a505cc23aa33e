"""An embedder for tests that need no meaning: the real static one with a random vector per token.

Texts are near each other when they share tokens (random indexing), without half a minute of
distilling an encoder.
"""

from __future__ import annotations

import numpy as np

from whichlever.errors import WeightsError
from whichlever.infer.static_words import WordPieces
from whichlever.llm import find_weights
from whichlever.models.static import StaticEmbedder


def random_embedder() -> StaticEmbedder | None:
    """None where the default encoder's tokenizer is not installed."""
    try:
        pieces = WordPieces.load(find_weights("all-minilm-l6-v2").path)
    except WeightsError:
        return None
    rng = np.random.default_rng(0)
    return StaticEmbedder(pieces, rng.standard_normal((pieces.size, 64), np.float32))
