"""The names a task copies and how their values are made, learned from rows that are not tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.data.rows import Splits
from whichlever.fields.align import Aligned, Alignment, align
from whichlever.fields.schema import Schema, infer
from whichlever.fields.spans import LabelledLine
from whichlever.predict import Row
from whichlever.task import Task


@dataclass(frozen=True)
class Learned:
    """The schema, and how much of the labels it can make.

    ``alignment`` is of the training, validation and calibration lines, in that order.
    """

    schema: Schema
    alignment: Alignment


def learn_fields(splits: Splits, task: Task) -> Learned:
    """Align the labels of every row outside test with its line, and infer what is not declared."""
    rows = (*splits.train, *splits.valid, *splits.calibrate)
    alignment = align([labelled(row) for row in rows])
    return Learned(infer(alignment.lines, task.fields or None), alignment)


_KEPT: dict[tuple[int, ...], tuple[tuple[Row, ...], tuple[Aligned, ...]]] = {}
MOST_KEPT = 4


def aligned_rows(rows: Sequence[Row]) -> tuple[Aligned, ...]:
    """Rows with where their values stand, aligned together.

    Several levers learn from the very same rows, and aligning thousands of lines takes minutes: the
    last few answers are kept, by the rows' identity.
    """
    key = tuple(map(id, rows))
    if key not in _KEPT:
        while len(_KEPT) >= MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        # The rows are kept too: an identity is one only as long as its row lives.
        _KEPT[key] = (tuple(rows), align([labelled(row) for row in rows]).lines)
    return _KEPT[key][1]


def labelled(row: Row) -> LabelledLine:
    """A row as a parser of lines is taught with it."""
    return LabelledLine(row.text, row.fields or {}, row.source)
