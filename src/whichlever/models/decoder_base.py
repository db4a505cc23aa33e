"""The causal language model that adapters are trained on, from a folder or a GGUF file."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import torch

from whichlever.errors import MissingExtraError, WeightsError

CONFIG, WEIGHTS, TOKENIZER, SPECIAL = (
    "config.json", "model.safetensors", "tokenizer.json", "special.json",
)  # fmt: skip


METHOD = 2
"""Part of a kept folder's name; raised when what is made of a file changes."""

BY_DIGIT = ("smollm", "starcoder", "refact", "command-r")
"""Vocabularies (GGUF's ``tokenizer.ggml.pre``) whose numbers are read digit by digit."""


def unpacked(gguf: Path, sha256: str, cache: Path) -> Path:
    """A GGUF file's model as a Hugging Face folder in 32 bits: made once (about 30 s), then kept.

    Parameters
    ----------
    gguf, sha256
        The file and its checksum, which the folder is named by.
    cache
        Where folders are kept.

    Raises
    ------
    WeightsError
        transformers cannot read this architecture.
    """
    folder = cache / f"decoder-{sha256[:16]}-{METHOD}"
    if (folder / CONFIG).exists():
        return folder
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _quiet()
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32
        )
    except (ValueError, KeyError, ImportError, OSError) as error:
        raise WeightsError(
            f"{gguf}: cannot be read for training ({str(error).splitlines()[0][:200]}); "
            "give the model as a Hugging Face folder instead"
        ) from error
    cache.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=cache))
    try:
        tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
        state = {
            name: value.contiguous()
            for name, value in model.state_dict().items()
            if not (tied and name == "lm_head.weight")
        }
        save_file(state, aside / WEIGHTS, metadata={"format": "pt"})
        _save_tokenizer(tokenizer.backend_tokenizer, gguf, aside / TOKENIZER)
        (aside / SPECIAL).write_text(json.dumps({"eos_token": tokenizer.eos_token or ""}))
        config = model.config.to_dict()
        config.pop("quantization_config", None)
        config["architectures"] = [type(model).__name__]
        (aside / CONFIG).write_text(json.dumps(config, indent=1, default=str))
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        if not (folder / CONFIG).exists():  # another process was first
            raise
    return folder


def _save_tokenizer(tokenizer: Any, gguf: Path, out: Path) -> None:  # noqa: ANN401
    """Write a tokenizer that splits as llama.cpp does.

    transformers does not read how a GGUF file's vocabulary splits texts before merging; numbers
    would be other tokens in training than where the exported model is served.
    """
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    field = GGUFReader(str(gguf)).fields.get("tokenizer.ggml.pre")
    if field is not None and field.contents() in BY_DIGIT:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    tokenizer.save(str(out))


Precision = Literal["fp32", "bf16", "nf4"]
"""How the frozen weights are held; ``nf4`` is QLoRA's four bits (Dettmers et al. 2023)."""


def load_base(folder: Path, precision: Precision = "fp32", device: str = "cpu") -> Any:  # noqa: ANN401
    """The model of a folder, frozen, ready to be read or trained.

    Parameters
    ----------
    precision
        Of the frozen weights; adapters are always trained in 32 bits.
    device
        Where it is put, as torch names it.

    Raises
    ------
    WeightsError
        It is no causal language model built of layers one above another.
    MissingExtraError
        ``nf4`` needs bitsandbytes, which is not installed.
    """
    from transformers import AutoModelForCausalLM

    _quiet()
    more: dict[str, Any] = {}
    if precision == "nf4":
        if importlib.util.find_spec("bitsandbytes") is None:
            raise MissingExtraError("levers.finetune.decoder.precision: nf4", "gpu")
        from transformers import BitsAndBytesConfig

        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )  # fmt: skip
    if device != "cpu" or precision == "nf4":
        more["device_map"] = {"": device}
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder), dtype=torch.float32 if precision == "fp32" else torch.bfloat16,
            use_safetensors=True, local_files_only=True, trust_remote_code=False,
            attn_implementation="sdpa", **more,
        )  # fmt: skip
    except (ValueError, OSError, KeyError) as error:
        raise WeightsError(
            f"{folder}: no causal language model to train ({str(error).splitlines()[0][:200]})"
        ) from error
    if model.config.model_type not in STACKED:
        raise WeightsError(
            f"{folder}: the architecture {model.config.model_type} is not one of "
            f"{', '.join(sorted(STACKED))}, whose layers can be trained in part"
        )
    model.config.use_cache = False
    model.requires_grad_(requires_grad=False)
    return model.eval()


def _quiet() -> None:
    """No bars of its own: this library says what it does through `Progress`."""
    from transformers.utils import logging

    logging.disable_progress_bar()


STACKED = {"llama", "mistral", "qwen2", "qwen3", "smollm3", "olmo2"}
"""Architectures whose inner model reads ``inputs_embeds`` as they are, so that it can be cut."""


def end_of_text(folder: Path, tokenizer: Any) -> str:  # noqa: ANN401 - tokenizers.Tokenizer
    """The vocabulary's end-of-text token as text; empty where none is named."""
    for name in (SPECIAL, "tokenizer_config.json"):
        if (folder / name).exists():
            said = json.loads((folder / name).read_text(encoding="utf-8")).get("eos_token")
            said = said.get("content") if isinstance(said, dict) else said
            if said:
                return str(said)
    found = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("eos_token_id")
    found = found[0] if isinstance(found, list) else found
    return str(tokenizer.id_to_token(found) or "") if isinstance(found, int) else ""
