"""An encoder with its matrix products in 8-bit integers, and whether that is as good.

Usual dynamic quantisation has one scale for the activations of a whole batch, so that one token
with large values (BERT's have them: Bondarenko et al. 2021) takes the resolution of all others,
and a row's answer depends on the rows it is answered with. Here every token has its own scale
(token-wise activations with a scale per output channel of the weights, as ZeroQuant: Yao et al.
2022), worked out as it comes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.infer.encoder import EncoderClassifier
from whichlever.models.goal import goal_score

Floats = npt.NDArray[np.float32]

LEAST_AGREEMENT = 0.995
"""Share of rows that must get the label that the unquantised encoder gives."""

WEIGHT_LEVELS = 63
"""Weights are whole numbers from −63 to 63: processors without VNNI add two products in 16 bits,
which wider weights would overflow, and answer otherwise than where the encoder was judged."""

MIDDLE = 128
LEAST_SCALE = 1e-8

GELU_ZERO, GELU_LEAST = 16, 0.17
"""After a GELU no value is below −0.17, so zero stands low among the levels: twice as fine."""

SMALLEST = 64
"""Matrices with fewer rows or columns stay as they are."""


@dataclass(frozen=True)
class Int8Result:
    """Whether an encoder answers as well in 8 bits.

    Attributes
    ----------
    used
        True where ``content`` is to be packed.
    content
        The quantised ONNX file; None where it is not as good, or not faster.
    agreement
        Share of rows with the same label.
    score_fp32, score_int8
        The goal's metric on those rows.
    rows
        Validation rows judged on.
    speedup
        Rows a second over the unquantised encoder's, one thread, in one process in turn.
    why
        What decided.
    """

    used: bool
    content: bytes | None
    agreement: float
    score_fp32: float
    score_int8: float
    rows: int
    speedup: float
    why: str


def quantise(onnx: bytes) -> bytes:
    """The ONNX file with its weight matrices and their inputs in 8 bits; all else as it is.

    Embeddings, attention scores, normalisation and the head keep 32 bits.

    Raises
    ------
    ValueError
        It has no matrix product to quantise.
    """
    import onnx as format

    model = format.load_from_string(onnx)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    work = _Rewriter({out for node in graph.node if node.op_type == "Gelu" for out in node.output})
    array = format.numpy_helper.to_array
    matrices = {
        node.output[0]: array(weights[node.input[1]])
        for node in graph.node
        if node.op_type == "MatMul"
        and node.input[1] in weights
        and len(weights[node.input[1]].dims) == 2
        and min(weights[node.input[1]].dims) >= SMALLEST
    }
    for node in graph.node:
        if node.output[0] in matrices:
            work.product(node, matrices[node.output[0]])
        else:
            work.nodes.append(node)
    if not work.replaced:
        raise ValueError("no matrix product with fixed weights in it")
    del graph.node[:]
    graph.node.extend(work.nodes)
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *work.tensors])
    if not any(opset.domain == "com.microsoft" for opset in model.opset_import):
        model.opset_import.append(format.helper.make_opsetid("com.microsoft", 1))
    del graph.value_info[:]
    content: bytes = model.SerializeToString()
    return content


class _Rewriter:
    """Collects nodes and tensors; an input that several products share is quantised once."""

    def __init__(self, gelus: Collection[str]) -> None:
        from onnx import helper, numpy_helper

        self._gelus = gelus

        self._make, self._tensor = helper.make_node, numpy_helper.from_array
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        self.replaced = 0
        self._inputs: dict[str, tuple[str, str, str]] = {}
        self._constant("int8_one", np.array(1, np.float32))
        for name, zero, levels, least in (
            ("int8_both", MIDDLE, 127, LEAST_SCALE),
            ("int8_gelu", GELU_ZERO, 255 - GELU_ZERO, GELU_LEAST / GELU_ZERO),
        ):
            self._constant(f"{name}_zero", np.array(zero, np.uint8))
            self._constant(f"{name}_step", np.array(1 / levels, np.float32))
            self._constant(f"{name}_least", np.array(least, np.float32))
        self._constant("int8_axis", np.array([1], np.int64))

    def product(self, node: Any, matrix: npt.NDArray[np.float32]) -> None:  # noqa: ANN401
        """Replace ``x @ matrix`` by the product of their whole numbers, scaled back."""
        self.replaced += 1
        name, given, rows = f"wl_{node.output[0]}", node.input[0], matrix.shape[0]
        whole, scale, shape = self._quantised(given, rows)
        step = np.maximum(np.abs(matrix).max(axis=0) / WEIGHT_LEVELS, LEAST_SCALE)
        levels = np.clip(np.rint(matrix / step), -WEIGHT_LEVELS, WEIGHT_LEVELS)
        self._constant(f"{name}_w", levels.astype(np.int8))
        self._constant(f"{name}_step", step.astype(np.float32))
        self._constant(f"{name}_width", np.array([matrix.shape[1]], np.int64))
        self._add(
            "MatMulIntegerToFloat",
            [whole, f"{name}_w", "int8_one", f"{name}_step", f"{self._kind(given)}_zero"],
            f"{name}_sum",
            domain="com.microsoft",
        )
        self._add("Mul", [f"{name}_sum", scale], f"{name}_flat")
        self._add("Concat", [shape, f"{name}_width"], f"{name}_shape", axis=0)
        self._add("Reshape", [f"{name}_flat", f"{name}_shape"], node.output[0])

    def _quantised(self, given: str, width: int) -> tuple[str, str, str]:
        """Names of an input's whole numbers, its scale per token, and its leading shape."""
        if given in self._inputs:
            return self._inputs[given]
        name, kind = f"wl_{given}", self._kind(given)
        self._constant(f"{name}_rows", np.array([-1, width], np.int64))
        self._add("Reshape", [given, f"{name}_rows"], f"{name}_2d")
        size = f"{name}_2d"
        if kind == "int8_both":
            self._add("Abs", [size], size := f"{name}_abs")
        self._add("ReduceMax", [size, "int8_axis"], f"{name}_max", keepdims=1)
        self._add("Mul", [f"{name}_max", f"{kind}_step"], f"{name}_raw")
        self._add("Max", [f"{name}_raw", f"{kind}_least"], f"{name}_scale")
        self._add("Squeeze", [f"{name}_scale", "int8_axis"], f"{name}_each")
        self._add("Shape", [f"{name}_each"], f"{name}_count")
        zero = MIDDLE if kind == "int8_both" else GELU_ZERO
        filled = self._tensor(np.array([zero], np.uint8))
        self._add("ConstantOfShape", [f"{name}_count"], f"{name}_zero", value=filled)
        self._add(
            "QuantizeLinear",
            [f"{name}_2d", f"{name}_each", f"{name}_zero"],
            f"{name}_whole",
            axis=0,
        )
        self._add("Shape", [given], f"{name}_leading", end=-1)
        self._inputs[given] = (f"{name}_whole", f"{name}_scale", f"{name}_leading")
        return self._inputs[given]

    def _kind(self, given: str) -> str:
        return "int8_gelu" if given in self._gelus else "int8_both"

    def _add(self, kind: str, given: list[str], out: str, **settings: Any) -> None:  # noqa: ANN401
        self.nodes.append(self._make(kind, given, [out], name=f"{out}_{kind}", **settings))

    def _constant(self, name: str, value: npt.NDArray[Any]) -> None:
        self.tensors.append(self._tensor(value, name))


def int8_is_as_good(
    fp32: Floats, int8: Floats, targets: npt.NDArray[np.int64], margin: float, metric: str
) -> tuple[bool, float, float, float]:
    """Judge two tables of probabilities of the same rows, shape (n, classes).

    Returns
    -------
    as good, agreement, score of fp32, score of int8
        As good where `LEAST_AGREEMENT` of the labels are the same and the goal's metric is not
        lower by more than ``margin``.
    """
    one, two = fp32.argmax(axis=1), int8.argmax(axis=1)
    agreement = float(np.mean(one == two)) if len(one) else 0.0
    scores = (goal_score(one, targets, metric), goal_score(two, targets, metric))
    good = agreement >= LEAST_AGREEMENT and scores[1] >= scores[0] - margin
    return good, agreement, *scores


def try_int8(
    onnx_bytes: bytes,
    tokenizer: str,
    max_tokens: int,
    texts: Sequence[str],
    targets: Sequence[str | None],
    labels: Sequence[str],
    metric: str,
    margin: float,
) -> Int8Result:
    """Quantise an encoder and judge it on validation rows.

    Parameters
    ----------
    targets
        True label of each text; None or one that is not in ``labels`` is never answered right.
    metric
        ``macro_f1`` or ``accuracy``.
    margin
        Difference of the metric that would not matter to the user.
    """
    content = quantise(onnx_bytes)
    index = {label: i for i, label in enumerate(labels)}
    true = np.array([-1 if t is None else index.get(t, -1) for t in targets], np.int64)
    if not len(texts):
        return Int8Result(False, None, 0.0, 0.0, 0.0, 0, 0.0, "no validation rows to judge it on")
    models = [EncoderClassifier(file, tokenizer, max_tokens) for file in (onnx_bytes, content)]
    encoded = models[0].read(texts)
    tables, seconds = [], []
    for model in models:
        model.probabilities(models[0].read(texts[:8]))  # the first call sets things up
        began = time.perf_counter()
        tables.append(model.probabilities(encoded))
        seconds.append(time.perf_counter() - began)
    good, agreement, before, after = int8_is_as_good(tables[0], tables[1], true, margin, metric)
    speedup = seconds[0] / max(seconds[1], 1e-9)
    said = f"the same label on {agreement:.1%} of {len(texts)} validation rows"
    if not good:
        said += f" (at least {LEAST_AGREEMENT:.1%} asked), {metric} {before:.3f} → {after:.3f}"
    elif speedup <= 1:
        said += f", but no faster ({speedup:.2f}×)"
    used = good and speedup > 1
    return Int8Result(
        used, content if used else None, agreement, before, after, len(texts), speedup, said
    )
