"""From a run's steps to what can be promised about closed rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from whichlever import trials
from whichlever.measure.autoclose import measure_autoclose
from whichlever.measure.autoclosing import Autoclose
from whichlever.measure.outcome import Outcome
from whichlever.task import Task

if TYPE_CHECKING:
    import polars as pl


class Answered(Protocol):
    """A lever's finished step: its trials (roles calibrate and test) and the facts of its fit."""

    @property
    def frame(self) -> pl.DataFrame:
        """One row per answer."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """What ``step.json`` says."""
        ...


def autoclose_evidence(
    task: Task, labels: Sequence[str], steps: Sequence[Answered]
) -> Autoclose | None:
    """Measure every lever's promises; None where the task asks for none."""
    if task.autoclose is None:
        return None
    return measure_autoclose(
        task.autoclose, labels, [(_role(s, "calibrate", labels), _test(s, labels)) for s in steps]
    )


def _test(step: Answered, labels: Sequence[str]) -> Outcome:
    found = _role(step, "test", labels)
    assert found is not None  # a lever without test rows never reaches the measuring
    return found


def _role(step: Answered, role: str, labels: Sequence[str]) -> Outcome | None:
    import polars as pl

    frame = step.frame.filter(pl.col("role") == role)
    if frame.is_empty():
        return None
    return trials.outcome(frame, labels, step.facts, frozenset())
