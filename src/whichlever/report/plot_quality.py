"""The chart of quality against cost: every lever a point with two intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt

from whichlever.measure.summary import LeverSummary, Measures
from whichlever.report.look import (
    DOLLARS,
    INK,
    MUTED,
    NAME_CHARS,
    WIDE,
    decade_axis,
    decades,
    dressed,
    inline,
    metric_name,
)
from whichlever.report.palette import Mark, marks
from whichlever.report.placement import Box, Label, place_labels
from whichlever.report.svg import draw_png
from whichlever.report.visible import shortened
from whichlever.verdict.types import Verdict


def quality_cost(
    measures: Measures, given: Mapping[str, Mark], *, pulled: str | None, width: int = WIDE
) -> alt.TopLevelMixin:
    """Quality against dollars per million calls, both with their spread.

    Upright lines are the interval of the score; level lines join the marginal cost of a call
    (hollow) to its cost with the machine kept on (filled). Levers whose cost was not measured
    stand in a strip of their own.
    """
    shown = [s for s in measures.levers if measures.metric in s.metrics]
    priced = [s for s in shown if _million(s) is not None]
    unpriced = [s for s in shown if _million(s) is None]
    height = 370 if width > 500 else 300
    low, high = _score_domain(shown, measures.metric)
    strip = min(max(104, 30 * len(unpriced)), width // 2) if unpriced else 0
    inner = width - 62 - (strip + 22 if strip else 0)
    ticks = _score_ticks(low, high)
    parts = []
    if priced:
        main = _priced(priced, measures.metric, given, pulled, (inner, height), ticks)
        parts.append(main.properties(width=inner, height=height))
    if unpriced:
        aside = _unpriced(unpriced, measures.metric, given, ticks, bool(priced))
        title = alt.TitleParams(
            "cost not measured", fontSize=11, fontWeight="normal", color=MUTED, anchor="middle"
        )
        parts.append(aside.properties(width=strip if priced else inner, height=height, title=title))
    chart = alt.hconcat(*parts, spacing=22) if len(parts) > 1 else parts[0]
    return dressed(chart)


def _million(summary: LeverSummary) -> float | None:
    """Dollars per million calls with the machine on; None where it cannot stand on a log axis."""
    cost = summary.cost.always_on if summary.cost.always_on is not None else summary.cost.marginal
    return cost * 1e6 if cost is not None and cost > 0 else None


def _score_domain(shown: Sequence[LeverSummary], metric: str) -> tuple[float, float]:
    figures = [s.metrics[metric] for s in shown]
    lows = [f.value if f.low is None else f.low for f in figures]
    highs = [f.value if f.high is None else f.high for f in figures]
    return max(0.0, min(lows) - 0.02), min(1.0, max(highs) + 0.02)


def _score_ticks(low: float, high: float) -> list[float]:
    """Round ticks around a range of scores; the first and last are the ends of the axis."""
    step = next(s for s in (0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 6)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 2) for i in range(first, max(last, first + 1) + 1)]


def _priced(
    priced: Sequence[LeverSummary],
    metric: str,
    given: Mapping[str, Mark],
    pulled: str | None,
    size: tuple[int, int],
    ticks: list[float],
) -> alt.LayerChart:
    domain = (ticks[0], ticks[-1])
    rows = [_point(s, metric, given, pulled) for s in priced]
    costs = [r["cost"] for r in rows] + [r["marginal"] for r in rows if r["marginal"]]
    left, right = decades(costs, room=0.35)
    for row, label in zip(rows, _labels(rows, size, domain, (left, right)), strict=True):
        row["align"] = label.align
        row["name_cost"] = row["cost"] * (right / left) ** (label.dx / size[0])
        row["name_score"] = row["score"] - label.dy * (domain[1] - domain[0]) / size[1]
    axis = decade_axis("dollars per million calls", left, right, size[0], DOLLARS)
    x = alt.X("cost:Q", scale=alt.Scale(type="log", domain=[left, right]), axis=axis)
    y = alt.Y(
        "score:Q",
        scale=alt.Scale(domain=list(domain), zero=False, nice=False),
        axis=alt.Axis(title=metric_name(metric), format=".2f", values=ticks),
    )
    base = inline(rows)
    paint = alt.Color("colour:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)
    layers: list[Any] = [
        base.mark_rule(strokeWidth=2, opacity=0.75).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q", color=paint
        ),
        base.mark_rule(strokeWidth=1.2, strokeDash=[2, 3]).encode(
            x=alt.X("marginal:Q"), x2="cost:Q", y=y, color=paint
        ),
        base.mark_point(size=26, strokeWidth=1.4, fill="#ffffff").encode(
            x=alt.X("marginal:Q"), y=y, stroke=paint, shape=shape
        ),
        base.transform_filter("datum.pulled")
        .mark_point(size=330, strokeWidth=1.6, filled=False)
        .encode(x=x, y=y, stroke=paint),
        base.mark_point(size=105, opacity=1, strokeWidth=0).encode(
            x=x, y=y, fill=paint, shape=shape
        ),
    ]
    for align, bold in sorted({(r["align"], r["pulled"]) for r in rows}):
        # alignment and weight belong to a mark, not to a row of its data
        layers.append(
            inline([r for r in rows if (r["align"], r["pulled"]) == (align, bold)])
            .mark_text(
                align=align, baseline="middle", fontSize=11.5,
                fontWeight="bold" if bold else "normal",
            )
            .encode(x=alt.X("name_cost:Q"), y=alt.Y("name_score:Q"), text="name:N", color=paint)
        )  # fmt: skip
    return alt.layer(*layers)


def _point(
    summary: LeverSummary, metric: str, given: Mapping[str, Mark], pulled: str | None
) -> dict[str, Any]:
    figure = summary.metrics[metric]
    mark = given[summary.lever]
    # One more call of the majority floor costs next to nothing and would stretch the axis.
    marginal = None if summary.lever == "majority" else summary.cost.marginal
    return {
        "name": shortened(summary.lever, NAME_CHARS),
        "score": figure.value,
        "low": figure.value if figure.low is None else figure.low,
        "high": figure.value if figure.high is None else figure.high,
        "cost": _million(summary),
        "marginal": marginal * 1e6 if marginal else None,
        "colour": mark.colour,
        "shape": mark.shape,
        "pulled": summary.lever == pulled,
    }


def _labels(
    rows: Sequence[Mapping[str, Any]],
    size: tuple[int, int],
    domain: tuple[float, float],
    costs: tuple[float, float],
) -> list[Label]:
    def across(cost: float) -> float:
        return size[0] * math.log(cost / costs[0]) / math.log(costs[1] / costs[0])

    def down(score: float) -> float:
        return size[1] * (domain[1] - score) / (domain[1] - domain[0])

    points = [(across(r["cost"]), down(r["score"])) for r in rows]
    taken = []
    for row, (x, y) in zip(rows, points, strict=True):
        taken.append(Box(x - 2, down(row["high"]), x + 2, down(row["low"])))
        if row["marginal"]:
            taken.append(Box(across(row["marginal"]) - 4, y - 4, x, y + 4))
    return place_labels(points, [r["name"] for r in rows], taken, Box(0, 0, *size))


def _unpriced(
    unpriced: Sequence[LeverSummary],
    metric: str,
    given: Mapping[str, Mark],
    ticks: list[float],
    beside: bool,
) -> alt.LayerChart:
    score = alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False)
    rows = [_point(s, metric, given, None) for s in unpriced]
    base = inline(rows)
    x = alt.X(
        "name:N",
        sort=[r["name"] for r in rows],
        axis=alt.Axis(
            title=None, labelAngle=-90, labelLimit=120, grid=False, ticks=False, labelColor=INK,
        ),
    )  # fmt: skip
    axis = alt.Axis(title=None, labels=False, ticks=False, domain=False, values=ticks)
    if not beside:
        axis = alt.Axis(title=metric_name(metric), format=".2f", values=ticks)
    paint = alt.Color("colour:N", scale=None)
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.75).encode(
            x=x, y=alt.Y("low:Q", scale=score, axis=axis), y2="high:Q", color=paint
        ),
        base.mark_point(size=90, opacity=1, strokeWidth=0).encode(
            x=x,
            y=alt.Y("score:Q", scale=score, axis=axis),
            fill=paint,
            shape=alt.Shape("shape:N", scale=None),
        ),
    )


def plot_png(measures: Measures, verdict: Verdict, path: Path, width: int = WIDE) -> Path:
    """Write the picture of quality against cost as PNG, on white, at twice the size.

    Parameters
    ----------
    path
        Where to; its folder must exist.
    """
    given = marks([s.lever for s in measures.levers])
    path.write_bytes(draw_png(quality_cost(measures, given, pulled=verdict.lever, width=width)))
    return path
