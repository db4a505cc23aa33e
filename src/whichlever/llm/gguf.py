"""What a GGUF file says of itself, read from its header without loading a tensor.

The format is ggml's (ggml/docs/gguf.md). The file is foreign: every length is bounded, nothing is
evaluated, and its chat template is not even kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from whichlever.errors import WeightsError

MAX_KEYS = 4_096
MAX_TEXT = 16 * 2**20
MAX_ITEMS = 4 * 2**20

_NUMBERS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f",
    7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_TEXT, _ARRAY = 8, 9

_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip


@dataclass(frozen=True)
class GGUF:
    """The header's own claims; None where it makes none. ``context`` is in tokens."""

    architecture: str | None
    name: str | None
    size: str | None
    quantisation: str | None
    context: int | None
    licence: str | None


def read_gguf(path: Path) -> GGUF:
    """Read the header of a GGUF file.

    Raises
    ------
    WeightsError
        The file cannot be read, is not GGUF, or its header is damaged.
    """
    try:
        with path.open("rb") as stream:
            found = _keys(stream)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: not a usable GGUF file ({error})") from error
    architecture = _text(found.get("general.architecture"))
    context = found.get(f"{architecture}.context_length")
    kind = found.get("general.file_type")
    return GGUF(
        architecture=architecture,
        name=_text(found.get("general.name")),
        size=_text(found.get("general.size_label")),
        quantisation=_FILE_TYPES.get(kind) if isinstance(kind, int) else None,
        context=context if isinstance(context, int) and context > 0 else None,
        licence=_text(found.get("general.license")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _keys(stream: BinaryIO) -> dict[str, object]:
    if stream.read(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version = _number(stream, "<I")
    if version not in (2, 3):
        raise ValueError(f"version {version} of the format is not known")
    _number(stream, "<Q")  # tensors
    keys = _bounded(stream, MAX_KEYS, "keys")
    found: dict[str, object] = {}
    for _ in range(keys):
        key = _string(stream)
        value = _value(stream, int(_number(stream, "<I")))
        if value is not None:
            found[key] = value
    return found


def _value(stream: BinaryIO, kind: int) -> object:
    """One value; arrays are passed over (vocabularies) and give None."""
    if kind in _NUMBERS:
        return _number(stream, _NUMBERS[kind])
    if kind == _TEXT:
        return _string(stream)
    if kind != _ARRAY:
        raise ValueError(f"a value has the unknown type {kind}")
    inner = int(_number(stream, "<I"))
    items = _bounded(stream, MAX_ITEMS, "items")
    if inner in _NUMBERS:
        stream.seek(struct.calcsize(_NUMBERS[inner]) * items, 1)
    elif inner == _TEXT:
        for _ in range(items):
            stream.seek(_bounded(stream, MAX_TEXT, "bytes"), 1)
    else:
        raise ValueError("an array holds arrays")
    return None


def _number(stream: BinaryIO, form: str) -> int | float | bool:
    value: int | float | bool = struct.unpack(form, stream.read(struct.calcsize(form)))[0]
    return value


def _bounded(stream: BinaryIO, limit: int, what: str) -> int:
    count = int(_number(stream, "<Q"))
    if count > limit:
        raise ValueError(f"{count} {what} are too many")
    return count


def _string(stream: BinaryIO) -> str:
    length = _bounded(stream, MAX_TEXT, "bytes")
    raw = stream.read(length)
    if len(raw) != length:
        raise ValueError("it ends in the middle of its header")
    return raw.decode("utf-8", "replace")
