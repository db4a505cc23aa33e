"""The arithmetic of memory against models that are really built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiny_decoder import write_base
from whichlever.models.decoder_base import load_base
from whichlever.models.decoder_memory import TRAINED, needed
from whichlever.models.decoder_net import CutDecoder


def test_weights_and_adapters_are_counted_as_they_are_built(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    model = load_base(base)
    frozen = sum(p.numel() for p in model.parameters())
    found = needed(
        json.loads((base / "config.json").read_text()), layers=2, rank=4, precision="fp32",
        batch_tokens=64, checkpointing=False,
    )  # fmt: skip
    assert found.weights == pytest.approx(4 * frozen, rel=0.02)  # norms are left out
    trained = sum(p.numel() for p in CutDecoder(model, 2, 4).parameters().values())
    assert found.adapters == TRAINED * trained


def test_seven_billion_weights_fit_one_card() -> None:
    shape = {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "vocab_size": 32000, "num_attention_heads": 32, "num_key_value_heads": 8,
    }  # fmt: skip
    totals = [
        needed(
            shape, layers=32, rank=16, precision=bits, batch_tokens=8192, checkpointing=again
        ).total
        for bits, again in (("bf16", False), ("bf16", True), ("nf4", True))
    ]
    assert totals == sorted(totals, reverse=True)
    assert totals[0] < 80e9
    assert totals[2] < 12e9
