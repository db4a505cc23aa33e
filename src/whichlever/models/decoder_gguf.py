"""A trained decoder as GGUF: merged, in 16, 8 or about 5 bits, or its adapters alone.

What a GGUF file needs beside weights (the vocabulary, the shape of the network) is copied from the
GGUF file of the base; a base that came as a folder has none, and is exported as safetensors only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from whichlever.errors import BundleError
from whichlever.infer.decoder_text import CHATML
from whichlever.models.decoder_kquant import kind_of, quantised
from whichlever.models.decoder_net import ALPHA
from whichlever.run import written_aside

Floats = npt.NDArray[np.float32]
Precision = Literal["f16", "q8_0", "q4_k_m"]

TEMPLATE = "tokenizer.chat_template"
FILE_TYPES = {"f16": 1, "q8_0": 7, "q4_k_m": 15}
"""llama.cpp's ``general.file_type`` (llama.h, enum llama_ftype)."""

TURNED = ("llama",)
"""Architectures whose query and key rows GGUF holds in another order: rotary pairs side by side."""


def write_merged(
    base: Path, state: dict[str, Any], out: Path, precision: Precision, name: str, *, chatml: bool
) -> None:
    """Write a merged model.

    Parameters
    ----------
    base
        The base's GGUF file.
    state
        The merged model's weights by transformers' names.
    out
        The file to write.
    precision
        Of matrices; vectors keep 32 bits.
    name
        What the file calls the model.
    chatml
        Whether it was trained between ChatML's marks, which become its chat template.

    Raises
    ------
    BundleError
        A weight of the base has no counterpart.
    """
    import gguf

    reader = gguf.GGUFReader(str(base))
    arch = _text(reader, "general.architecture")
    layers = _number(reader, f"{arch}.block_count")
    names = _names(gguf, arch, layers)
    heads = _heads(reader, arch)
    by_name = {names(key): value for key, value in state.items()}
    with written_aside(out) as aside:
        writer = gguf.GGUFWriter(str(aside), arch)
        _copy_fields(gguf, reader, writer, name, precision, chatml=chatml)
        for tensor in reader.tensors:
            if tensor.name not in by_name:
                raise BundleError(f"{base}: its tensor {tensor.name} is not in the trained model")
            found = np.asarray(by_name[tensor.name].float().numpy(), np.float32)
            if arch in TURNED and (own := heads.get(tensor.name.split(".")[-2])) is not None:
                found = turned(found, own)
            _add(gguf, writer, tensor.name, found, precision, layers)
        _finish(writer)


def write_adapters(base: Path, adapters: dict[str, Any], out: Path, rank: int, name: str) -> None:
    """Write adapters as llama.cpp loads them beside the base (``--lora``).

    Parameters
    ----------
    adapters
        By the names that training gave them.
    """
    import gguf

    reader = gguf.GGUFReader(str(base))
    arch = _text(reader, "general.architecture")
    names = _names(gguf, arch, _number(reader, f"{arch}.block_count"))
    heads = _heads(reader, arch)
    with written_aside(out) as aside:
        writer = gguf.GGUFWriter(str(aside), arch)
        writer.add_type("adapter")
        writer.add_name(name)
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(ALPHA * rank))
        for key, value in adapters.items():
            path, part = key.removeprefix("base_model.model.").rsplit(".lora_", 1)
            target, side = names(f"{path}.weight"), part[0].lower()
            found = np.asarray(value.float().numpy(), np.float32)
            own = heads.get(target.split(".")[-2])
            if side == "b" and arch in TURNED and own is not None:
                found = turned(found, own)
            writer.add_tensor(f"{target}.lora_{side}", np.ascontiguousarray(found))
        _finish(writer)


def turned(rows: Floats, heads: int) -> Floats:
    """Query or key rows from transformers' order of rotary pairs to GGUF's, shape (rows, width)."""
    halves = rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows.shape))


def _add(
    gguf: Any,  # noqa: ANN401
    writer: Any,  # noqa: ANN401
    name: str,
    found: Floats,
    precision: Precision,
    layers: int,
) -> None:
    kind = _kind(name, found, precision, layers)
    if kind == "F32":
        writer.add_tensor(name, found)
    elif kind == "F16":
        writer.add_tensor(name, found.astype(np.float16))
    else:
        raw = gguf.GGMLQuantizationType[kind]
        writer.add_tensor(name, quantised(found, kind), raw_dtype=raw)


def _kind(name: str, found: Floats, precision: Precision, layers: int) -> str:
    if found.ndim < 2:
        return "F32"
    if precision == "f16" or found.shape[-1] % 32:
        return "F16"
    if precision == "q8_0":
        return "Q8_0"
    layer = int(name.split(".")[1]) if name.startswith("blk.") else None
    return kind_of(name, found.shape[-1], layer, layers)


def _copy_fields(
    gguf: Any,  # noqa: ANN401
    reader: Any,  # noqa: ANN401
    writer: Any,  # noqa: ANN401
    name: str,
    precision: Precision,
    *,
    chatml: bool,
) -> None:
    own = {"general.architecture", "general.name", "general.file_type", TEMPLATE}
    own |= {"general.quantization_version"}
    for key, value in reader.fields.items():
        if key in own or key.startswith("GGUF."):
            continue
        array = value.types[0] == gguf.GGUFValueType.ARRAY
        sub = value.types[-1] if array else None
        writer.add_key_value(key, value.contents(), value.types[0], sub_type=sub)
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[precision])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    if chatml:
        writer.add_chat_template(CHATML)


def _finish(writer: Any) -> None:  # noqa: ANN401 - gguf.GGUFWriter
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _names(gguf: Any, arch: str, blocks: int) -> Any:  # noqa: ANN401
    """From transformers' names of weights to GGUF's."""
    archs = {text: kind for kind, text in gguf.MODEL_ARCH_NAMES.items()}
    table = gguf.get_tensor_name_map(archs[arch], blocks)

    def found(key: str) -> str:
        name = table.get_name(key, try_suffixes=(".weight", ".bias"))
        return str(name or key)

    return found


def _heads(reader: Any, arch: str) -> dict[str, int]:  # noqa: ANN401 - gguf.GGUFReader
    queries = _number(reader, f"{arch}.attention.head_count")
    field = f"{arch}.attention.head_count_kv"
    keys = _number(reader, field) if field in reader.fields else queries
    return {"attn_q": queries, "attn_k": keys}


def _text(reader: Any, key: str) -> str:  # noqa: ANN401 - gguf.GGUFReader
    return str(reader.fields[key].contents())


def _number(reader: Any, key: str) -> int:  # noqa: ANN401 - gguf.GGUFReader
    return int(reader.fields[key].contents())
