"""The chart of a hybrid's threshold: quality above, dollars below, against what is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from whichlever.measure.hybrid import Hybrid, HybridPoint
from whichlever.report.look import DOLLARS, INK, MUTED, WIDE, dressed, inline, metric_name
from whichlever.report.palette import Mark

PERCENT = "format(datum.value, '.0%')"
AXIS = 66
"""Pixels left of the plot for the labels of its axis."""


def threshold_curve(
    found: Hybrid, metric: str, mark: Mark, *, width: int = WIDE
) -> alt.TopLevelMixin:
    """Both panels on one axis of the share of rows handed over.

    Solid with a band: test rows. Dashed: the calibration rows that chose the threshold. The
    upright line is the threshold chosen.
    """
    inner = width - AXIS - 12
    x = alt.X(
        "handed:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title=None, labelExpr=PERCENT, tickCount=5 if width < 500 else 10),
    )
    height = 230 if width > 500 else 200
    quality = _quality(found, metric, mark, x, height)
    panels: list[Any] = [quality.properties(width=inner, height=height)]
    cost = _cost(found, mark, 5 if width < 500 else 10)
    if cost is not None:
        panels.append(cost.properties(width=inner, height=170 if width > 500 else 150))
    return dressed(alt.vconcat(*panels, spacing=26))


def _quality(found: Hybrid, metric: str, mark: Mark, x: alt.X, height: int) -> alt.LayerChart:
    also = [p.metric.value for p in found.calibrate]
    lows = [p.metric.value if p.metric.low is None else p.metric.low for p in found.curve] + also
    highs = [p.metric.value if p.metric.high is None else p.metric.high for p in found.curve] + also
    room = max(0.02, (max(highs) - min(lows)) * 0.06)
    domain = [max(0.0, min(lows) - room), min(1.0, max(highs) + room)]
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    axis = alt.Axis(title=metric_name(metric), format=".2~f", tickCount=5)
    y = alt.Y("value:Q", scale=scale, axis=axis)
    tested = [
        {
            "handed": p.handed.value, "value": p.metric.value,
            "low": p.metric.value if p.metric.low is None else p.metric.low,
            "high": p.metric.value if p.metric.high is None else p.metric.high,
        }
        for p in found.curve
    ]  # fmt: skip
    layers: list[Any] = [
        inline(tested)
        .mark_area(color=mark.colour, opacity=0.14, clip=True)
        .encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q")
    ]
    if found.calibrate:
        chosen_on = [{"handed": p.handed.value, "value": p.metric.value} for p in found.calibrate]
        layers.append(
            inline(chosen_on)
            .mark_line(color=MUTED, strokeDash=[4, 3], strokeWidth=1.6, clip=True)
            .encode(x=x, y=y, order=alt.Order("handed:Q"))
        )
    layers.append(
        inline(tested)
        .mark_line(color=mark.colour, strokeWidth=2.6, clip=True)
        .encode(x=x, y=y, order=alt.Order("handed:Q"))
    )
    layers += _chosen(found.chosen, found.chosen.metric.value, mark, x, y, said_at=height - 9)
    return alt.layer(*layers)


def _cost(found: Hybrid, mark: Mark, ticks: int) -> alt.LayerChart | None:
    """Dollars a month, and with mistakes where the task says what one is worth."""
    months = _line(found.curve, "dollars_per_month")
    if not months:
        return None
    both = _line(found.curve, "with_mistakes")
    most = max(r["value"] for r in [*months, *both]) or 1.0
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(domain=[0, most * 1.08], nice=False),
        axis=alt.Axis(title="dollars a month", labelExpr=DOLLARS, tickCount=4),
    )
    title = alt.Axis(title="share of rows handed over", labelExpr=PERCENT, tickCount=ticks)
    across = alt.X("handed:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=title)
    order = alt.Order("handed:Q")
    layers: list[Any] = [
        inline(months)
        .mark_line(color=mark.colour, strokeWidth=2.6)
        .encode(x=across, y=y, order=order)
    ]
    if both:
        layers.append(
            inline(both)
            .mark_line(color=INK, strokeWidth=1.8, strokeDash=[2, 3])
            .encode(x=across, y=y, order=order)
        )
    value = found.chosen.with_mistakes if both else found.chosen.dollars_per_month
    if value is not None:
        layers += _chosen(found.chosen, value, mark, across, y)
    return alt.layer(*layers)


def _line(points: Sequence[HybridPoint], name: str) -> list[dict[str, float]]:
    values = [(p.handed.value, getattr(p, name)) for p in points]
    return [{"handed": h, "value": v} for h, v in values if v is not None]


def _chosen(
    point: HybridPoint, value: float, mark: Mark, x: alt.X, y: alt.Y, *, said_at: int | None = None
) -> list[alt.Chart]:
    """An upright line at the threshold chosen, and its point."""
    share = point.handed.value
    base = inline([{"handed": share, "value": value, "text": f"chosen: {share:.1%} handed over"}])
    layers = [
        base.mark_rule(color=INK, strokeDash=[4, 3]).encode(x=x),
        base.mark_point(
            filled=True, size=70, shape=mark.shape, color=mark.colour, opacity=1
        ).encode(x=x, y=y),
    ]
    if said_at is not None:
        left = share > 0.6
        layers.append(
            base.mark_text(
                align="right" if left else "left", dx=-6 if left else 6, y=said_at,
                baseline="middle", fontSize=11, color=INK,
            ).encode(x=x, text="text:N")
        )  # fmt: skip
    return layers
