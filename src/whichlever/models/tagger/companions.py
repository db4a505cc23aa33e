"""Sources that are labelled now this way, now that: which lines how, by their companions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.fields import Aligned

Array = NDArray[Any]
LEAST_LINES = 12
LEAST_CLASS = 3
OFTEN = 0.1
"""Share of a partner's places that a companion must have, and lack."""
ROUNDS = 15


def variants_of(lines: Sequence[Aligned], source: Array) -> Array:
    """Part each source's lines in two by which companions their values have; 0 is the commoner way.

    A companion is a name that only ever stands with another one on the same piece of the line
    (``client.ip`` with ``source.ip``), where the other also stands without it.
    """
    variant = np.zeros(len(lines), np.int64)
    for row in np.unique(source):
        own = np.flatnonzero(source == row)
        if len(own) >= LEAST_LINES:
            variant[own] = _two_ways(_companions([lines[i] for i in own.tolist()]))
    return variant


def _companions(lines: Sequence[Aligned]) -> Array:
    """Return (lines, companions): 1 with the companion, -1 without though the partner is there."""
    alone: Counter[str] = Counter()
    together: dict[str, Counter[str]] = defaultdict(Counter)
    for one in lines:
        for span in one.spans:
            for name in span.names:
                alone[name] += 1
                together[name].update(other for other in span.names if other != name)
    pairs = []
    for name, others in together.items():
        if not others:
            continue
        partner, shared = others.most_common(1)[0]
        without = alone[partner] - together[partner][name]
        if shared >= 0.95 * alone[name] and min(shared, without) >= max(
            LEAST_CLASS, OFTEN * alone[partner]
        ):
            pairs.append((name, partner))
    table = np.zeros((len(lines), len(pairs)))
    for row, one in enumerate(lines):
        here = {name for span in one.spans for name in span.names}
        for column, (name, partner) in enumerate(pairs):
            if partner in here:
                table[row, column] = 1 if name in here else -1
    return table


def _two_ways(table: Array) -> Array:
    """Part rows in two so that columns agree within each part: one latent class, by its signs."""
    lines = len(table)
    if table.shape[1] == 0:
        return np.zeros(lines, np.int64)
    z = table[:, int(np.abs(table).sum(0).argmax())] * 0.8
    for _ in range(ROUNDS):
        r = (z[:, None] * table).sum(0) / (np.abs(table).sum(0) + 2)
        z = np.tanh(table @ np.arctanh(np.clip(r, -0.95, 0.95)))
    part = (z > 0).astype(np.int64)
    if min(part.sum(), lines - part.sum()) < LEAST_CLASS:
        return np.zeros(lines, np.int64)
    return part if part.sum() <= lines / 2 else 1 - part
