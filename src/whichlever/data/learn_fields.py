"""The names a task copies and how their values are made, learned from rows that are not tested."""

from __future__ import annotations

from dataclasses import dataclass

from whichlever.data.rows import Splits
from whichlever.fields.align import Alignment, align
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


def labelled(row: Row) -> LabelledLine:
    """A row as a parser of lines is taught with it."""
    return LabelledLine(row.text, row.fields or {}, row.source)
