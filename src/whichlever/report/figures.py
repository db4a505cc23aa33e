"""The value behind a reason: looked up by its dotted path and said as the page says figures."""

from __future__ import annotations

from typing import Any

from whichlever.measure.summary import Interval
from whichlever.report import wording
from whichlever.report.files import RunFiles
from whichlever.verdict.figures import DOLLARS, resolve

_CHANCES = frozenset({"p", "p_holm", "p_attainable", "mcnemar"})


def value_behind(figure: str, files: RunFiles) -> str:
    """Say the value that ``figure`` points at, e.g. ``.840 [.801, .871]``; empty if unknown.

    Paths are those of `whichlever.verdict.types.Reason`.
    """
    root = figure.partition(".")[0]
    try:
        # Paths into the task need one; RUN may have lost it.
        if files.task is None and root not in ("levers", "pairs", "metric", "closing"):
            return ""
        value = resolve(figure, files.task, files.measures)  # type: ignore[arg-type]
    except KeyError:
        return ""
    return _said(value, figure.rpartition(".")[2])


def _said(value: Any, name: str) -> str:  # noqa: ANN401 - any field of a record
    if value is None:
        return wording.NOT_MEASURED
    if isinstance(value, Interval):
        return wording.signed(value) if name == "difference" else wording.interval(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value, name)
    return value if isinstance(value, str) else ""


def _number(value: float, name: str) -> str:
    if name in ("marginal", "always_on"):
        call, scaled = wording.per_call(value)
        return scaled or call
    if name in DOLLARS:
        return wording.money(value)
    if name in _CHANCES:
        return f"p {wording.probability(value)}"
    if name.endswith("_ms"):
        return wording.milliseconds(value)
    if name == "bytes_out":
        return wording.size(value)
    return wording.share(value) if 0 < abs(value) < 1 else f"{value:,.12g}"


def turned(difference: Interval) -> Interval:
    """The difference the other way round: b − a from a − b."""
    low, high = difference.low, difference.high
    return Interval(
        value=-difference.value,
        low=None if high is None else -high,
        high=None if low is None else -low,
        level=difference.level,
    )
