"""What an ONNX file may hold, looked at before onnxruntime reads it.

onnxruntime would open other files that a model names (external data), run operators that loop,
draw random numbers or call what was registered, and read another format by its first bytes. A
bundle's network needs none of that. The file is walked as protocol buffers (fields as in
onnx/onnx.proto3), without the package ``onnx``, which serving machines do not have.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

STANDARD = frozenset(
    {
        "Abs", "Add", "And", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape", "Cos",
        "CumSum", "DequantizeLinear", "Div", "DynamicQuantizeLinear", "Einsum", "Equal", "Erf",
        "Exp", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm",
        "Greater", "GreaterOrEqual", "Identity", "IsInf", "IsNaN", "LayerNormalization", "Less",
        "LessOrEqual", "Log", "LogSoftmax", "MatMul", "MatMulInteger", "Max", "Min", "Mod", "Mul",
        "Neg", "Not", "Or", "Pad", "Pow", "QuantizeLinear", "RMSNormalization", "Range",
        "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape",
        "RotaryEmbedding", "Round", "ScatterND", "Shape", "Sigmoid", "Sign", "Silu", "Sin",
        "Slice", "Softmax", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile",
        "Transpose", "Trilu", "Unsqueeze", "Where", "Xor",
    }
)  # fmt: skip
"""Operators of the standard: arithmetic on tensors, and nothing that branches, loops or draws."""

ALLOWED = {"": STANDARD, "ai.onnx": STANDARD, "com.microsoft": frozenset({"MatMulIntegerToFloat"})}
"""By domain; Microsoft's is the 8-bit product that packing writes."""

MOST_FIELDS = 1_000_000

_ORT_FORMAT = b"ORTM"
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_FLOAT = 1

_GRAPH, _TRAINING, _FUNCTIONS = 7, 20, 25  # ModelProto
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15  # GraphProto
_OPERATOR, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # NodeProto
_TENSOR, _SUBGRAPHS, _TENSORS, _SPARSES = 5, (6, 11), 10, (22, 23)  # AttributeProto
_TYPE, _FLOATS, _RAW, _OUTSIDE, _LOCATION, _NAME = 2, 4, 9, 13, 14, 8  # TensorProto

Field = tuple[int, int | memoryview]


def check_onnx(content: bytes) -> None:
    """Refuse a network that is not plain arithmetic on numbers inside the file.

    Raises
    ------
    ValueError
        It is no ONNX file, names data outside of it, uses an operator that is not allowed, or
        holds weights that are not numbers.
    """
    if content[4:8] == _ORT_FORMAT:
        raise ValueError("it is in onnxruntime's own format, not ONNX")
    graphs = 0
    count = [MOST_FIELDS]
    for number, value in _fields(memoryview(content), count):
        if number == _GRAPH:
            graphs += 1
            _graph(_message(value), count)
        elif number == _FUNCTIONS:
            raise ValueError("it defines functions of its own")
        elif number == _TRAINING:
            raise ValueError("it holds training steps")
    if graphs != 1:
        raise ValueError("it holds no network" if not graphs else "it holds several networks")


def _graph(graph: memoryview, count: list[int]) -> None:
    for number, value in _fields(graph, count):
        if number == _NODE:
            _node(_message(value), count)
        elif number == _INITIALIZER:
            _tensor(_message(value), count)
        elif number == _SPARSE:
            raise ValueError("it holds sparse tensors")


def _node(node: memoryview, count: list[int]) -> None:
    operator = domain = ""
    for number, value in _fields(node, count):
        if number == _OPERATOR:
            operator = _text(value)
        elif number == _DOMAIN:
            domain = _text(value)
        elif number == _ATTRIBUTE:
            _attribute(_message(value), count)
    if operator not in ALLOWED.get(domain, ()):
        name = f"{domain}.{operator}" if domain else operator
        raise ValueError(f"operator {name[:100]!r} is not one that a bundle may use")


def _attribute(attribute: memoryview, count: list[int]) -> None:
    for number, value in _fields(attribute, count):
        if number in _SUBGRAPHS:
            raise ValueError("an operator holds a network of its own")
        if number in _SPARSES:
            raise ValueError("it holds sparse tensors")
        if number in (_TENSOR, _TENSORS):
            _tensor(_message(value), count)


def _tensor(tensor: memoryview, count: list[int]) -> None:
    kind, name, raw, floats = 0, "", memoryview(b""), []
    for number, value in _fields(tensor, count):
        if number == _OUTSIDE or (number == _LOCATION and value != 0):
            raise ValueError("it keeps weights outside of the file")
        if number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME:
            name = _text(value)
        elif number == _RAW:
            raw = _message(value)
        elif number == _FLOATS and isinstance(value, memoryview):
            floats.append(value)
    if kind == _FLOAT:
        for values in (raw, *floats):
            if len(values) % 4 or not _numbers(np.frombuffer(values, "<f4")):
                raise ValueError(f"weights {name[:100]!r} are not all numbers")


def _numbers(values: npt.NDArray[np.float32]) -> bool:
    """Whether all are; a lone infinity is what masks attention."""
    good = np.isfinite(values)
    return bool(good.all()) or (len(values) == 1 and not np.isnan(values[0]))


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is no ONNX file, or damaged")  # noqa: TRY004 - of its content
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode("utf-8", "replace")


def _fields(message: memoryview, count: list[int]) -> Iterator[Field]:
    """The fields of a message in order: their number, and an integer or the bytes."""
    at, end = 0, len(message)
    while at < end:
        count[0] -= 1
        if count[0] < 0:
            raise ValueError(f"it has more than {MOST_FIELDS:,} fields")
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _LENGTH:
            size, at = _varint(message, at)
        elif wire in (_EIGHT, _FOUR):
            size = 8 if wire == _EIGHT else 4
        else:
            raise ValueError("it is no ONNX file, or damaged")
        if size > end - at:
            raise ValueError("it is no ONNX file, or cut short")
        yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("it is no ONNX file, or damaged")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
