"""One-vs-rest linear support vector machines for many classes at once.

Each class has its own L2-loss SVM, ``min ½|w|² + C Σ cᵢ max(0, 1 − yᵢ w·xᵢ)²``, solved by dual
coordinate descent (Hsieh et al. 2008, A Dual Coordinate Descent Method for Large-scale Linear SVM,
algorithm 1), the problem that liblinear solves. Here one visit to a row updates every class whose
dual variable can move, so that hundreds of classes share the cost of reading the row: a block of
rows is first screened by one sparse product, since for most classes most rows lie far outside the
margin. The order of visits is seeded, and nothing runs in parallel: equal input, equal output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.infer.linear import Weights

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BLOCK = 256
"""Rows screened at once; a smaller first block lets the intercepts settle."""

SMALLEST = 0.01
"""Moves of a dual variable smaller than this, over C, are not worth a visit."""

EPOCHS = 12
TOLERANCE = 0.02
"""Stop when the mean absolute move of the dual variables of a row falls below this, over C."""


def solve(
    rows: Any,  # noqa: ANN401 - a scipy.sparse.csr_matrix, float32
    targets: Ints,
    classes: int,
    c: float,
    *,
    row_weights: Floats | None = None,
    seed: int = 0,
    epochs: int = EPOCHS,
    watch: Callable[[], None] | None = None,
) -> Weights:
    """Fit every class against the rest.

    Parameters
    ----------
    rows
        Sparse matrix, shape (n, columns).
    targets
        Class of each row, shape (n,).
    classes
        Number of classes.
    c
        Weight of the loss against the length of w.
    row_weights
        Factor on ``c`` for each row, shape (n,); all 1 by default.
    seed
        Orders the visits.
    epochs
        Passes over the rows at most.
    watch
        Called after each pass.
    """
    n, columns = rows.shape
    factor = np.ones(n, dtype=np.float32) if row_weights is None else row_weights
    diagonal = (0.5 / (c * np.maximum(factor, 1e-6))).astype(np.float32)
    length = np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float32).ravel() + 1
    state = _State(
        weights=np.zeros((columns + 1, classes), dtype=np.float32),
        duals=np.zeros((n, classes), dtype=np.float32),
        targets=targets,
        diagonal=diagonal,
        step=(1 / (length + diagonal)).astype(np.float32),
    )
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        moved = _epoch(rows, state, rng.permutation(n), SMALLEST * c)
        if watch is not None:
            watch()
        if moved / max(n, 1) < TOLERANCE * c:
            break
    return Weights(np.ascontiguousarray(state.weights[:-1]), state.weights[-1].copy())


@dataclass(frozen=True)
class _State:
    weights: Floats
    duals: Floats
    targets: Ints
    diagonal: Floats
    step: Floats


def _epoch(rows: Any, state: _State, order: Ints, smallest: float) -> float:  # noqa: ANN401 - csr_matrix
    moved = 0.0
    start = 0
    while start < len(order):
        size = BLOCK if start else 32
        block = order[start : start + size]
        start += size
        part = rows[block]
        margin = part @ state.weights[:-1] + state.weights[-1]
        own = (np.arange(len(block)), state.targets[block])
        margin[own] = -margin[own]
        old = state.duals[block]
        new = np.maximum(
            old + state.step[block, None] * (1 + margin - state.diagonal[block, None] * old), 0
        )
        near = np.abs(new - old) > smallest
        near[own] = True
        for j, i in enumerate(block.tolist()):
            a, b = part.indptr[j], part.indptr[j + 1]
            moved += _visit(state, i, part.indices[a:b], part.data[a:b], np.flatnonzero(near[j]))
    return moved


def _visit(state: _State, i: int, columns: Any, values: Any, active: Ints) -> float:  # noqa: ANN401
    """Newton step of row ``i`` in the dual variables of the ``active`` classes."""
    weights, classes = state.weights, state.weights.shape[1]
    flat = weights.reshape(-1)
    index = np.empty(len(columns) + 1, dtype=np.int64)
    index[:-1] = columns
    index[-1] = len(weights) - 1
    value = np.empty(len(index), dtype=np.float32)
    value[:-1] = values
    value[-1] = 1
    at = index[:, None] * classes + active
    near = flat[at]
    margin = value @ near
    own = int(np.searchsorted(active, state.targets[i]))
    margin[own] = -margin[own]  # y = 1 for its own class, -1 for the others: this is -y w.x
    old = state.duals[i, active]
    new = np.maximum(old + state.step[i] * (1 + margin - state.diagonal[i] * old), 0)
    delta = old - new
    delta[own] = -delta[own]
    near += value[:, None] * delta
    flat[at] = near
    state.duals[i, active] = new
    return float(np.abs(delta).sum())
