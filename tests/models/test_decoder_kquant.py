"""k-quants: what ggml's own reader makes of the bytes is near what was written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.models.decoder_kquant import kind_of, quantised

gguf = pytest.importorskip("gguf", reason="the extra 'train' is not installed")


def error(found: np.ndarray, kind: str) -> float:
    own = gguf.quants.dequantize(quantised(found, kind), gguf.GGMLQuantizationType[kind])
    assert own.shape == found.shape
    return float(np.sqrt(((own - found) ** 2).mean() / (found**2).mean()))


def test_four_and_six_bits_are_as_near_as_their_levels_allow() -> None:
    found = np.random.default_rng(0).normal(size=(16, 1024)).astype(np.float32) * 0.03
    # Thirty-two normal numbers span some 4.1 deviations: 15 steps of it leave .29 of a step.
    assert error(found, "Q4_K") < 0.09
    assert error(found, "Q6_K") < 0.02
    assert error(found, "Q4_K") < error(found, "Q4_0")
    assert error(found, "Q6_K") < error(found, "Q5_0") / 1.5


@given(st.integers(0, 2**32 - 1), st.sampled_from(["Q4_K", "Q6_K"]))
@settings(max_examples=30, deadline=None)
def test_whatever_the_numbers_the_bytes_can_be_read_back(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(3, 512)).astype(np.float32) * 10.0 ** rng.uniform(-4, 2)
    found[0, : rng.integers(0, 512)] = 0
    found[1] = abs(found[1])
    found[2, rng.integers(0, 512)] *= 30
    own = gguf.quants.dequantize(quantised(found, kind), gguf.GGMLQuantizationType[kind])
    assert np.isfinite(own).all()
    assert abs(own - found).max() <= 0.2 * abs(found).max() + 1e-6


def test_zeros_stay_zeros() -> None:
    for kind in ("Q4_K", "Q6_K"):
        own = gguf.quants.dequantize(
            quantised(np.zeros((2, 256), np.float32), kind), gguf.GGMLQuantizationType[kind]
        )
        assert not own.any()


def test_rows_that_are_no_multiple_of_a_block_fall_back_as_in_llama_cpp() -> None:
    assert kind_of("blk.3.attn_q.weight", 576, 3, 30) == "Q5_0"
    assert kind_of("token_embd.weight", 576, None, 30) == "Q8_0"
    assert kind_of("blk.0.ffn_down.weight", 1536, 0, 30) == "Q6_K"
    assert kind_of("blk.4.ffn_down.weight", 1536, 4, 30) == "Q4_K"
