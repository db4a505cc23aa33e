"""Adapters as a file, and a base with its adapters merged into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from whichlever.errors import RunError
from whichlever.models.decoder_base import (
    CONFIG,
    SPECIAL,
    TOKENIZER,
    WEIGHTS,
    Precision,
    load_base,
)
from whichlever.models.decoder_net import CutDecoder
from whichlever.models.static_distill import write_aside


def save_adapters(file: Path, adapters: dict[str, torch.Tensor]) -> None:
    """Write adapters by name."""
    from safetensors.torch import save

    whole = {name: value.contiguous() for name, value in adapters.items()}
    write_aside(file, save(whole, metadata={"format": "pt"}))


def load_adapters(file: Path) -> dict[str, torch.Tensor]:
    """Read adapters.

    Raises
    ------
    RunError
        The file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return dict(load(file.read_bytes()))
    except (SafetensorError, OSError) as error:
        raise RunError(f"{file}: is damaged; remove its folder and fit again") from error


def merged_model(
    folder: Path,
    adapters: Path,
    layers: int,
    rank: int,
    precision: Precision = "fp32",
    device: str = "cpu",
) -> Any:  # noqa: ANN401
    """A base with its adapters merged into it: a transformers model, frozen.

    Parameters
    ----------
    folder
        The base's.
    adapters
        The file of `save_adapters`.
    layers, rank
        As they were trained.
    precision
        Of the base in training; what was held in four bits is merged into 16.
    device
        Where it is put.

    Raises
    ------
    RunError
        The adapters are of another base.
    """
    held_in: Precision = "fp32" if precision == "fp32" else "bf16"
    net = CutDecoder(load_base(folder, held_in, device), layers, rank)
    held = load_adapters(adapters)
    weights = net.parameters()
    fits = {n: v.shape for n, v in held.items()} == {n: v.shape for n, v in weights.items()}
    if not fits:
        raise RunError(f"{adapters}: its adapters are not of this base; fit again")
    with torch.no_grad():
        for name, value in weights.items():
            value.copy_(held[name])
    return net.model.merge_and_unload().eval()


def save_model(model: Any, base: Path, out: Path) -> None:  # noqa: ANN401 - a transformers model
    """Write a merged model as a Hugging Face folder: safetensors, configuration, tokenizer."""
    from safetensors.torch import save_file

    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    state = {
        name: value.contiguous()
        for name, value in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    save_file(state, out / WEIGHTS, metadata={"format": "pt"})
    for name in (CONFIG, TOKENIZER, SPECIAL, "tokenizer_config.json"):
        if (base / name).exists():
            write_aside(out / name, (base / name).read_bytes())
