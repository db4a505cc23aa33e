"""How much memory training a decoder takes, by arithmetic on the network's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.models.decoder_base import Precision

BYTES: dict[Precision, float] = {"fp32": 4.0, "bf16": 2.0, "nf4": 0.516}
"""Of one frozen weight; four bits with double quantisation are 4.127 (Dettmers et al. 2023)."""

TRAINED = 16
"""Bytes of an adapter's number: value, gradient and Adam's two moments, 32 bits each."""

KEPT_OF_A_LAYER = 34
"""What a layer keeps of a token for the backward pass, in bytes of 16-bit numbers per number of
the model's width, where attention keeps no scores (Korthikanti et al. 2022, section 4.1)."""


@dataclass(frozen=True)
class Memory:
    """Bytes by what they are for; the largest there are at once."""

    weights: float
    adapters: float
    activations: float
    scores: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.weights + self.adapters + self.activations + self.scores


def needed(
    config: Mapping[str, Any],
    *,
    layers: int,
    rank: int,
    precision: Precision,
    batch_tokens: int,
    checkpointing: bool,
    said: float = 0.25,
) -> Memory:
    """Work it out from a Hugging Face configuration.

    Parameters
    ----------
    layers, rank
        Of the adapters.
    batch_tokens
        Tokens at once.
    said
        Share of tokens whose next one is learned: scores over the vocabulary are made for those
        alone.
    """
    width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    depth, vocabulary = int(config["num_hidden_layers"]), int(config["vocab_size"])
    heads = int(config["num_attention_heads"])
    keys = int(config.get("num_key_value_heads") or heads)
    size = int(config.get("head_dim") or width // heads)
    shapes = [
        (width, heads * size), (width, keys * size), (width, keys * size), (heads * size, width),
        (width, inner), (width, inner), (inner, width),
    ]  # fmt: skip
    matrices = depth * sum(a * b for a, b in shapes)
    tables = vocabulary * width * (1 if config.get("tie_word_embeddings") else 2)
    around = "bf16" if precision == "nf4" else precision  # tables of tokens are never in 4 bits
    trained = min(layers, depth) * rank * sum(a + b for a, b in shapes)
    number = BYTES["fp32" if precision == "fp32" else "bf16"]
    each = KEPT_OF_A_LAYER / 2 * width + 3 * inner
    if checkpointing:
        kept = batch_tokens * number * (min(layers, depth) * width + each)
    else:
        kept = batch_tokens * number * min(layers, depth) * each
    return Memory(
        weights=matrices * BYTES[precision] + tables * BYTES[around],
        adapters=trained * TRAINED,
        activations=kept,
        scores=3 * 4.0 * said * batch_tokens * vocabulary,
    )
