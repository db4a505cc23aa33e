"""The report's charts as Altair specifications, drawn without a script or a network.

Colours are written out for a light page; the style sheet maps each to its dark twin. Every text
that comes from data is made visible before it enters a chart, and none enters an expression.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt

from whichlever.measure.summary import Calibration, LeverSummary, Measures
from whichlever.report.palette import Mark, marks
from whichlever.report.placement import CHARACTER, Box, Label, place_labels, spread
from whichlever.report.svg import draw_png
from whichlever.report.visible import shortened
from whichlever.report.volume import Curve
from whichlever.report.wording import volume as calls_in_short
from whichlever.verdict.types import BreakEven, Verdict

INK, MUTED, GRID, BAND = "#1f2933", "#5b6672", "#e3e7ec", "#f1f4f8"
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
WIDE, NARROW = 740, 340
NAME_CHARS = 22

_DOLLARS = "replace(format(datum.value, '$~s'), 'G', 'bn')"
_SMALL_DOLLARS = f"datum.value < 1 ? format(datum.value, '$~f') : {_DOLLARS}"
_CALLS = "replace(replace(format(datum.value, '~s'), 'G', ' bn'), 'M', ' M')"
_TIMES = (
    "datum.value >= 1000 ? format(datum.value / 1000, '~f') + ' s' : "
    "datum.value < 1 ? format(datum.value * 1000, '~f') + ' µs' : format(datum.value, '~f') + ' ms'"
)


def metric_name(metric: str) -> str:
    """A metric's name as people write it."""
    return {"macro_f1": "macro-F1", "accuracy": "accuracy", "loss": "cost of mistakes"}.get(
        metric, metric.replace("_", " ")
    )


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
    height = 330 if width > 500 else 300
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
        parts.append(aside.properties(width=strip if priced else inner, height=height))
    chart = alt.hconcat(*parts, spacing=22) if len(parts) > 1 else parts[0]
    return _dressed(chart)


def _million(summary: LeverSummary) -> float | None:
    """Dollars per million calls with the machine on; None where it cannot stand on a log axis."""
    cost = summary.cost.always_on if summary.cost.always_on is not None else summary.cost.marginal
    return cost * 1e6 if cost is not None and cost > 0 else None


def _score_domain(shown: Sequence[LeverSummary], metric: str) -> tuple[float, float]:
    figures = [s.metrics[metric] for s in shown]
    lows = [f.value if f.low is None else f.low for f in figures]
    highs = [f.value if f.high is None else f.high for f in figures]
    low = math.floor((min(lows) - 0.02) * 10) / 10
    high = math.ceil((max(highs) + 0.02) * 10) / 10
    return max(0.0, low), min(1.0, high) if max(highs) <= 1 else high


def _score_ticks(low: float, high: float) -> list[float]:
    """Tenths (or twentieths, where the range is short) from low to high."""
    step = 0.1 if high - low > 0.35 else 0.05
    return [round(low + i * step, 2) for i in range(round((high - low) / step) + 1)]


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
    left, right = _decades(costs, room=0.35)
    for row, label in zip(rows, _labels(rows, size, domain, (left, right)), strict=True):
        row.update(dx=label.dx, dy=label.dy, align=label.align)
    axis = _decade_axis("dollars per million calls", left, right, size[0], _SMALL_DOLLARS)
    x = alt.X("cost:Q", scale=alt.Scale(type="log", domain=[left, right]), axis=axis)
    y = alt.Y(
        "score:Q",
        scale=alt.Scale(domain=list(domain), zero=False, nice=False),
        axis=alt.Axis(title=metric_name(metric), format=".2f", values=ticks),
    )
    base = alt.Chart(alt.InlineData(values=rows))
    paint = alt.Color("colour:N", scale=None)
    shape = alt.Shape("shape:N", scale=None)
    layers: list[Any] = [
        base.mark_rule(strokeWidth=2, opacity=0.75).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=paint),
        base.mark_rule(strokeWidth=1.2, strokeDash=[2, 3]).encode(
            x=alt.X("marginal:Q"), x2="cost:Q", y=y, color=paint
        ),
        base.mark_point(size=26, strokeWidth=1.4, fill="#ffffff").encode(
            x=alt.X("marginal:Q"), y=y, stroke=paint, shape=shape
        ),
        base.transform_filter("datum.pulled")
        .mark_point(size=330, strokeWidth=1.6, filled=False)
        .encode(x=x, y=y, stroke=paint),
        base.mark_point(size=105, opacity=1, strokeWidth=0).encode(x=x, y=y, fill=paint, shape=shape),
    ]
    for row in rows:  # offsets and alignment are properties of a mark, so each name is its own
        layers.append(
            alt.Chart(alt.InlineData(values=[row]))
            .mark_text(
                dx=row["dx"], dy=row["dy"], align=row["align"], baseline="middle", fontSize=11.5,
                fontWeight="bold" if row["pulled"] else "normal",
            )
            .encode(x=x, y=y, text="name:N", color=alt.Color("colour:N", scale=None))
        )  # fmt: skip
    return alt.layer(*layers)


def _point(
    summary: LeverSummary, metric: str, given: Mapping[str, Mark], pulled: str | None
) -> dict[str, Any]:
    figure = summary.metrics[metric]
    mark = given[summary.lever]
    marginal = summary.cost.marginal
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
    base = alt.Chart(alt.InlineData(values=rows))
    x = alt.X(
        "name:N",
        sort=[r["name"] for r in rows],
        axis=alt.Axis(
            title="cost not measured", labelAngle=-90, labelLimit=120, grid=False, ticks=False,
            labelColor=INK,
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
            x=x, y=alt.Y("score:Q", scale=score, axis=axis), fill=paint, shape=alt.Shape("shape:N", scale=None)
        ),
    )


def cost_volume(
    curves: Sequence[Curve],
    break_evens: Sequence[BreakEven],
    given: Mapping[str, Mark],
    *,
    volume: float,
    pulled: str | None,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """Dollars a month against calls a month, both logarithmic, with the break-even bands."""
    height = 330 if width > 500 else 300
    names = max((len(shortened(c.lever, NAME_CHARS)) for c in curves), default=0)
    margin = CHARACTER * names + 12
    inner = int(width - 66 - margin)
    ends = [y for c in curves for y in c.dollars if y > 0]
    low, high = _decades(ends, room=0.1)
    left, right = curves[0].volumes[0], curves[0].volumes[-1]
    x_axis = _decade_axis("calls a month", left, right, inner, _CALLS)
    y_axis = _decade_axis("dollars a month", low, high, height, _SMALL_DOLLARS)
    x = alt.X("calls:Q", scale=alt.Scale(type="log", domain=[left, right], nice=False), axis=x_axis)
    y = alt.Y("dollars:Q", scale=alt.Scale(type="log", domain=[low, high], nice=False), axis=y_axis)
    layers: list[Any] = [*_bands(break_evens, given, left, right)]
    lines = [
        {
            "lever": str(i), "calls": v, "dollars": d, "colour": given[c.lever].colour,
            "weight": 3 if c.lever == pulled else 1.8,
        }
        for i, c in enumerate(curves)
        for v, d in zip(c.volumes, c.dollars, strict=True)
        if d > 0
    ]  # fmt: skip
    layers.append(
        alt.Chart(alt.InlineData(values=lines))
        .mark_line(clip=True)
        .encode(
            x=x, y=y, detail="lever:N", color=alt.Color("colour:N", scale=None),
            strokeWidth=alt.StrokeWidth("weight:Q", scale=None),
        )
    )  # fmt: skip
    here = alt.Chart(alt.InlineData(values=[{"calls": volume}]))
    layers.append(here.mark_rule(color=INK, strokeDash=[4, 3]).encode(x=x))
    layers.append(
        here.mark_text(
            align="right", dx=-5, dy=8, y=0, baseline="middle", fontSize=11, color=INK,
            text=f"you: {calls_in_short(volume)}",
        ).encode(x=x)
    )  # fmt: skip
    layers.extend(_line_names(curves, given, pulled, (inner, height), (low, high), x))
    return _dressed(alt.layer(*layers).properties(width=inner, height=height))


def _bands(
    break_evens: Sequence[BreakEven], given: Mapping[str, Mark], left: float, right: float
) -> list[alt.Chart]:
    """Shade where each break-even may lie; an open end runs to the edge."""
    rows = []
    for even in break_evens:
        if even.low is None or even.lever not in given:
            continue
        start, end = max(even.low, left), min(even.high if even.high is not None else right, right)
        if start < end:
            rows.append({"from": start, "to": end, "colour": given[even.lever].colour})
        elif even.low == even.high and left <= even.low <= right:
            rows.append({"from": start / 1.03, "to": end * 1.03, "colour": given[even.lever].colour})
    return [
        alt.Chart(alt.InlineData(values=[row]))
        .mark_rect(opacity=0.13)
        .encode(
            x=alt.X("from:Q"), x2="to:Q", color=alt.Color("colour:N", scale=None)
        )
        for row in rows
    ]  # fmt: skip


def _line_names(
    curves: Sequence[Curve],
    given: Mapping[str, Mark],
    pulled: str | None,
    size: tuple[int, int],
    domain: tuple[float, float],
    x: alt.X,
) -> list[alt.Chart]:
    def down(dollars: float) -> float:
        inside = min(max(dollars, domain[0]), domain[1])
        return size[1] * math.log(domain[1] / inside) / math.log(domain[1] / domain[0])

    wanted = [down(c.dollars[-1]) if c.dollars[-1] > 0 else float(size[1]) for c in curves]
    layers = []
    for curve, pixel in zip(curves, spread(wanted, 14, 4, size[1] - 4), strict=True):
        row = {"name": shortened(curve.lever, NAME_CHARS)}
        layers.append(
            alt.Chart(alt.InlineData(values=[row]))
            .mark_text(
                x=size[0] + 8, y=pixel, align="left", baseline="middle", fontSize=11.5,
                color=given[curve.lever].colour, clip=False,
                fontWeight="bold" if curve.lever == pulled else "normal",
            )
            .encode(text="name:N")
        )  # fmt: skip
    return layers


def reliability(calibration: Calibration, mark: Mark, size: int = 190) -> alt.TopLevelMixin:
    """Accuracy against confidence; a point's area grows with the rows in its bin."""
    total = sum(b.rows for b in calibration.bins) or 1
    rows = [
        {"confidence": b.confidence, "accuracy": b.accuracy, "area": 24 + 420 * b.rows / total}
        for b in calibration.bins
        if b.rows
    ]
    scale = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("confidence:Q", scale=scale, axis=alt.Axis(title="confidence", values=_TENTHS, format=".1f"))
    y = alt.Y("accuracy:Q", scale=scale, axis=alt.Axis(title="accuracy", values=_TENTHS, format=".1f"))
    ideal = alt.Chart(alt.InlineData(values=[{"a": 0.0}, {"a": 1.0}]))
    base = alt.Chart(alt.InlineData(values=rows))
    chart = alt.layer(
        ideal.mark_line(color=MUTED, strokeDash=[3, 3], strokeWidth=1).encode(
            x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale)
        ),
        base.mark_line(color=mark.colour, strokeWidth=1.8).encode(x=x, y=y),
        base.mark_point(fill=mark.colour, stroke=None, opacity=0.85).encode(
            x=x, y=y, size=alt.Size("area:Q", scale=None)
        ),
    )
    return _dressed(chart.properties(width=size, height=size))


_TENTHS = [0, 0.2, 0.4, 0.6, 0.8, 1.0]


def latency(
    levers: Sequence[LeverSummary],
    given: Mapping[str, Mark],
    *,
    limit_ms: float | None,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """p50 (filled), p95 (bar) and p99 (hollow) of one answer, in milliseconds on a log axis."""
    rows = []
    for summary in levers:
        times = summary.latency
        rows.append(
            {
                "name": shortened(summary.lever, NAME_CHARS if width > 500 else 15),
                "p50": times.p50_ms, "p95": times.p95_ms, "p99": times.p99_ms,
                "end": times.p99_ms or times.p95_ms,
                "colour": given[summary.lever].colour, "shape": given[summary.lever].shape,
            }
        )  # fmt: skip
    values = [r[k] for r in rows for k in ("p50", "p95", "p99") if r[k]]
    left, right = _decades(values + ([limit_ms] if limit_ms else []), room=0.1)
    names = max(len(r["name"]) for r in rows)
    inner = int(width - CHARACTER * names - 34)
    axis = _decade_axis("one answer", left, right, inner, _TIMES)
    scale = alt.Scale(type="log", domain=[left, right], nice=False)
    y = alt.Y(
        "name:N",
        sort=[r["name"] for r in rows],
        axis=alt.Axis(title=None, labelColor=INK, labelLimit=200, ticks=False, domain=False, grid=False),
    )
    base = alt.Chart(alt.InlineData(values=rows))
    paint = alt.Color("colour:N", scale=None)
    layers: list[Any] = [
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(
            x=alt.X("p50:Q", scale=scale, axis=axis), x2="end:Q", y=y, color=paint
        ),
        base.mark_point(size=95, strokeWidth=0, opacity=1).encode(
            x="p50:Q", y=y, fill=paint, shape=alt.Shape("shape:N", scale=None)
        ),
        base.mark_tick(thickness=3, size=15, opacity=1).encode(x="p95:Q", y=y, color=paint),
        base.mark_point(size=45, strokeWidth=1.6, fill="#ffffff", opacity=1).encode(
            x="p99:Q", y=y, stroke=paint
        ),
    ]
    if limit_ms:
        limit = alt.Chart(alt.InlineData(values=[{"limit": limit_ms}]))
        layers.append(limit.mark_rule(color=INK, strokeDash=[4, 3]).encode(x="limit:Q"))
    return _dressed(alt.layer(*layers).properties(width=inner, height=27 * len(rows)))


def _decades(values: Sequence[float], room: float) -> tuple[float, float]:
    """A log domain around the values, ``room`` decades wider at each end."""
    if not values:
        return 0.1, 10.0
    return 10 ** (math.log10(min(values)) - room), 10 ** (math.log10(max(values)) + room)


def _decade_axis(title: str, low: float, high: float, pixels: float, label: str) -> alt.Axis:
    """Ticks at powers of ten (or every second, third … where they would crowd)."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    room = max(2, int(pixels // 55))
    step = max(1, math.ceil((last - first + 1) / room))
    ticks: list[float] = [10.0**p for p in range(first, last + 1, step)]
    if len(ticks) < 2:  # less than two decades: add the twos and fives
        ticks = [m * 10.0**p for p in range(first - 1, last + 1) for m in (1, 2, 5)]
        ticks = [t for t in ticks if low <= t <= high]
    return alt.Axis(title=title, values=ticks, labelExpr=label)


def _dressed(chart: Any) -> alt.TopLevelMixin:  # noqa: ANN401 - any altair chart
    """Give a chart the page's look."""
    dressed = chart.configure(background="transparent", font=FONT, padding=4)
    dressed = dressed.configure_view(stroke=None)
    dressed = dressed.configure_axis(
        labelColor=MUTED, titleColor=MUTED, gridColor=GRID, domainColor=MUTED, tickColor=MUTED,
        labelFontSize=11, titleFontSize=11.5, titleFontWeight="normal", titlePadding=8,
        labelPadding=4, tickSize=4, domain=False,
    )  # fmt: skip
    done: alt.TopLevelMixin = dressed.configure_concat(spacing=20)
    return done


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
