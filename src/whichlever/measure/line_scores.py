"""What is known of lines in part: by shape, source and file, and by how sure a lever was."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from whichlever.measure.figure import Interval
from whichlever.prices import Frozen

By = Literal["shape", "source", "file"]


class Slice(Frozen):
    """A lever's scores on the test lines of one slice."""

    by: By
    name: str
    rows: int
    micro_f1: Interval
    line_exact: Interval


class Answered(Frozen):
    """Only the surest lines answered: their share, how sure, and how many of them are right.

    ``sure_from`` is the lowest probability among them, after calibration.
    """

    share: float
    rows: int
    sure_from: float
    line_exact: Interval


class LineScores(Frozen):
    """One lever on lines.

    ``answered`` is empty where it gives no probability; ``true`` and ``said`` count the values of
    each name that are in the test lines and that it said; ``made_up`` those that stand nowhere in
    their line, or whose name is not in the schema.
    """

    slices: tuple[Slice, ...]
    answered: tuple[Answered, ...] = ()
    true: dict[str, int] = Field(default_factory=dict)
    said: dict[str, int] = Field(default_factory=dict)
    made_up: int = 0

    def of(self, by: By) -> tuple[Slice, ...]:
        """The slices of one kind, those with most lines first."""
        return tuple(found for found in self.slices if found.by == by)
