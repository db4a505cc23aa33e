"""How the report's charts look: fonts, axes, sizes, and words that several share.

Colours are written out for a light page; the style sheet maps each to its dark twin. Every text
that comes from data is made visible before it enters a chart, and none enters an expression.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

INK, MUTED, GRID = "#1f2933", "#5b6672", "#e3e7ec"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDE, NARROW = 900, 340
NAME_CHARS = 22

_LARGE = "replace(format(datum.value, '$~s'), 'G', 'bn')"
DOLLARS = f"datum.value < 1 ? format(datum.value, '$~f') : {_LARGE}"
CALLS = "replace(replace(format(datum.value, '~s'), 'G', ' bn'), 'M', ' M')"
TIMES = (
    "datum.value >= 1000 ? format(datum.value / 1000, '~f') + ' s' : "
    "datum.value < 1 ? format(datum.value * 1000, '~f') + ' µs' : format(datum.value, '~f') + ' ms'"
)


def inline(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart on these rows.

    They are handed over as one JSON text: Altair copies data cell by cell with every step that
    builds a chart, and a text is one cell.
    """
    text = json.dumps(list(rows), ensure_ascii=False, allow_nan=False)
    return alt.Chart(alt.InlineData(values=text, format=alt.JsonDataFormat(type="json")))


def metric_name(metric: str) -> str:
    """A metric's name as people write it."""
    names = {
        "macro_f1": "macro-F1", "accuracy": "accuracy", "loss": "cost of mistakes",
        "exact_match": "exact match", "token_f1": "token-F1", "rouge_l": "ROUGE-L",
        "outside": "answers outside the set", "valid": "valid by the schema",
        "auc": "AUC", "eer": "equal error rate", "recall_at_1": "recall, 1 % let in",
        "own_flagged_at_5": "own mail flagged at 5 %",
        "micro_f1": "micro-F1", "line_exact": "whole lines right", "invented": "made-up values",
    }  # fmt: skip
    return names.get(metric, metric.replace("_", " "))


def decades(values: Sequence[float], room: float) -> tuple[float, float]:
    """A log domain around the values, ``room`` decades wider at each end."""
    if not values:
        return 0.1, 10.0
    return 10 ** (math.log10(min(values)) - room), 10 ** (math.log10(max(values)) + room)


def decade_axis(title: str, low: float, high: float, pixels: float, label: str) -> alt.Axis:
    """Ticks at powers of ten (or every second, third … where they would crowd)."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    room = max(2, int(pixels // 55))
    step = max(1, math.ceil((last - first + 1) / room))
    ticks: list[float] = [10.0**p for p in range(first, last + 1, step)]
    if len(ticks) < 2:  # less than two decades: add the twos and fives
        ticks = [m * 10.0**p for p in range(first - 1, last + 1) for m in (1, 2, 5)]
        ticks = [t for t in ticks if low <= t <= high]
    return alt.Axis(title=title, values=ticks, labelExpr=label)


def dressed(chart: Any) -> alt.TopLevelMixin:  # noqa: ANN401 - any altair chart
    """Give a chart the page's look."""
    axis = alt.AxisConfig(
        labelColor=MUTED, titleColor=MUTED, gridColor=GRID, tickColor=MUTED, labelFontSize=11,
        titleFontSize=11.5, titleFontWeight="normal", titlePadding=8, labelPadding=4, tickSize=4,
        domain=False,
    )  # fmt: skip
    done: alt.TopLevelMixin = chart.configure(
        background="transparent",
        font=FONT,
        padding=4,
        axis=axis,
        view=alt.ViewConfig(stroke=None),
        concat=alt.CompositionConfig(spacing=20),
    )
    return done
