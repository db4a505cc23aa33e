"""A quick look at lines: what the nearest labelled line alone would score on the test lines."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from whichlever.data.findings import ProbeScore
from whichlever.data.learn_fields import Learned
from whichlever.data.line_index import LineIndex
from whichlever.data.rows import Splits
from whichlever.fields.pairs import pairs_of
from whichlever.fields.schema import Schema
from whichlever.fields.transfer import cut_line, transfer
from whichlever.fields.values import fields_of
from whichlever.predict import Row

MOST_ROWS = 400
"""Test lines that are looked at: a random sample of them."""

Counts = tuple[int, int, int]


class LineProbe:
    """Carries fields over from the one nearest labelled line; it is no lever.

    Parameters
    ----------
    splits, learned
        Training lines are those that it learned where the values stand of.
    seed
        Draws the lines that are looked at.
    """

    def __init__(self, splits: Splits, learned: Learned, seed: int = 0) -> None:
        order = np.random.default_rng([seed, 4]).permutation(len(splits.test))[:MOST_ROWS]
        self._rows = [splits.test[i] for i in sorted(order.tolist())]
        index = LineIndex(learned.alignment.lines[: len(splits.train)])
        nearest = index.nearest(self._rows, 1)
        self._counts = [
            _compared(row, index, places[0], learned.schema)
            for row, places in zip(self._rows, nearest, strict=True)
        ]
        part = "" if len(self._rows) == len(splits.test) else f" ({len(self._rows)} of them)"
        self.what = (
            f"fields carried over from the nearest of {len(index)} training lines to the test "
            f"lines{part}; it shows what a leak is worth and is no lever"
        )

    def score(self, without: Iterable[str]) -> ProbeScore | None:
        """The score on the lines looked at, less those with these ids; None where none are left."""
        left = set(without)
        kept = [c for row, c in zip(self._rows, self._counts, strict=True) if row.id not in left]
        if not kept:
            return None
        hit, said, true = (sum(column) for column in zip(*kept, strict=True))
        whole = sum(h == s == t for h, s, t in kept)
        return ProbeScore(
            rows=len(kept), micro_f1=2 * hit / max(said + true, 1), line_exact=whole / len(kept)
        )


def _compared(row: Row, index: LineIndex, place: int, schema: Schema) -> Counts:
    """(name, value) pairs right, said and true, for one line."""
    _, spans = transfer(index.solved[place], *cut_line(row.text))
    said = pairs_of(fields_of(row.text, spans, schema, row.source), schema, row.source)
    true = pairs_of(row.fields or {}, schema, row.source)
    return (said & true).total(), said.total(), true.total()
