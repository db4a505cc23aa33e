"""The chart of learning curves: score against labelled rows, crossings marked, a band ahead."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from whichlever.measure.curve import Band, Curve, Order, Point
from whichlever.report.look import (
    INK,
    MUTED,
    NAME_CHARS,
    WIDE,
    dressed,
    inline,
    metric_name,
)
from whichlever.report.palette import Mark
from whichlever.report.placement import CHARACTER, spread
from whichlever.report.visible import shortened

ROWS = "datum.value >= 1000 ? format(datum.value, '~s') : format(datum.value, 'd')"
DASHES: dict[Order, list[int]] = {"newest": [1, 0], "random": [5, 3], "oldest": [2, 3]}


def learning_curves(
    curve: Curve, given: Mapping[str, Mark], *, pulled: str | None, width: int = WIDE
) -> alt.TopLevelMixin:
    """Score against labelled rows on a logarithmic axis.

    Solid lines take the newest rows first, dashed ones draw at random; pale bands are intervals
    of the leading order. Level lines are levers that learn from no row; a bar on one of them is
    the interval of where a curve crosses it. Right of the last point: the band ahead.
    """
    height = 390 if width > 500 else 320
    names = [*curve.levers(), *(level.lever for level in _levels(curve))]
    longest = max((len(shortened(name, NAME_CHARS)) for name in names), default=0)
    inner = int(width - 66 - (CHARACTER * longest + 12))
    low, high = _scores(curve)
    left = min(p.labels for p in curve.points) / 1.12
    right = max([curve.labels * 1.12, *(b.labels_then for b in curve.bands)])
    x = alt.X(
        "labels:Q",
        scale=alt.Scale(type="log", domain=[left, right], nice=False),
        axis=_rows_axis(left, right, inner),
    )
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    y = alt.Y("score:Q", scale=scale, axis=alt.Axis(title=metric_name(curve.metric), format=".2f"))
    layers: list[Any] = [*_ahead(curve, given, x, y), *_level_lines(curve, given)]
    lead = next(iter(curve.orders()))
    for lever in curve.levers():
        for order in curve.orders():
            points = [p for p in curve.points if p.lever == lever and p.order == order]
            bold = lever == pulled
            layers += _line(points, given[lever], x, y, lead=order == lead, bold=bold)
    layers += _crossings(curve, given, lead, x, y)
    layers += _names(curve, given, pulled, (inner, height), (low, high))
    return dressed(alt.layer(*layers).properties(width=inner, height=height))


def _rows_axis(left: float, right: float, pixels: int) -> alt.Axis:
    """Ticks at 1, 2 and 5 of each power of ten, or at the powers alone where they would crowd."""
    powers = range(math.floor(math.log10(left)), math.ceil(math.log10(right)) + 1)
    for steps in ((1, 2, 5), (1,)):
        ticks = [m * 10.0**p for p in powers for m in steps]
        ticks = [t for t in ticks if left <= t <= right]
        if len(ticks) * 48 <= pixels:
            break
    return alt.Axis(title="labelled rows (train + valid)", values=ticks, labelExpr=ROWS)


def _levels(curve: Curve) -> list[Any]:
    """Level lines that are drawn: the majority floor would only stretch the axis."""
    return [level for level in curve.levels if level.lever != "majority"]


def _scores(curve: Curve) -> tuple[float, float]:
    """The domain: every interval, and the band at twice the labels."""
    figures = [p.score for p in curve.points] + [level.score for level in _levels(curve)]
    lows = [f.value if f.low is None else f.low for f in figures]
    highs = [f.value if f.high is None else f.high for f in figures]
    lows += [b.low for b in curve.bands]
    highs += [b.high for b in curve.bands]
    return max(0.0, min(lows) - 0.02), min(1.0, max(highs) + 0.02)


def _line(
    points: Sequence[Point], mark: Mark, x: alt.X, y: alt.Y, *, lead: bool, bold: bool
) -> list[Any]:
    rows = [
        {
            "labels": p.labels, "score": p.score.value,
            "low": p.score.value if p.score.low is None else p.score.low,
            "high": p.score.value if p.score.high is None else p.score.high,
        }
        for p in points
    ]  # fmt: skip
    if len(rows) < 2:
        return []
    order = points[0].order
    if len(rows) == 2 and not lead:  # one part only: a point, and no line to the whole
        alone = inline(rows[:1]).mark_point(
            size=34, opacity=1, fill="#ffffff", stroke=mark.colour, strokeWidth=1.4,
            shape="triangle-down",
        )  # fmt: skip
        return [alone.encode(x=x, y=y)]
    base = inline(rows)
    thick = (2.8 if bold else 1.9) if lead else 1.3
    layers = [
        base.mark_line(
            color=mark.colour, strokeWidth=thick, strokeDash=DASHES[order], clip=True
        ).encode(x=x, y=y),
        base.mark_point(
            size=46 if lead else 18, opacity=1, fill=mark.colour, strokeWidth=0, shape=mark.shape
        ).encode(x=x, y=y),
    ]
    if lead:
        area = base.mark_area(color=mark.colour, opacity=0.13, clip=True)
        layers.insert(0, area.encode(x=x, y=alt.Y("low:Q"), y2="high:Q"))
    return layers


def _ahead(curve: Curve, given: Mapping[str, Mark], x: alt.X, y: alt.Y) -> list[Any]:
    """Where more labels may lead, from the last point on."""
    layers: list[Any] = []
    for lever in curve.levers():
        bands = sorted((b for b in curve.bands if b.lever == lever), key=lambda b: b.times)
        last = next(
            (p for p in curve.points if p.lever == lever and p.labels == curve.labels), None
        )
        if not bands or last is None:
            continue
        start = {
            "labels": curve.labels,
            "low": last.score.value if last.score.low is None else last.score.low,
            "high": last.score.value if last.score.high is None else last.score.high,
        }
        rows = [start, *(_reach(b) for b in bands)]
        area = inline(rows).mark_area(color=given[lever].colour, opacity=0.07, clip=True)
        layers.append(area.encode(x=x, y=alt.Y("low:Q"), y2="high:Q"))
    if layers:
        rule = inline([{"labels": curve.labels}]).mark_rule(color=INK, strokeDash=[4, 3])
        layers.append(rule.encode(x=x))
        said = inline([{"labels": curve.labels, "name": "all labels"}])
        layers.append(
            said.mark_text(align="right", dx=-5, dy=8, y=0, fontSize=11, color=MUTED).encode(
                x=x, text="name:N"
            )
        )
    return layers


def _reach(band: Band) -> dict[str, float]:
    return {"labels": band.labels_then, "low": band.low, "high": band.high}


def _level_lines(curve: Curve, given: Mapping[str, Mark]) -> list[Any]:
    rows = [
        {
            "score": level.score.value, "colour": given[level.lever].colour,
            "dash": [1, 0] if not level.learns else [1, 4],
        }
        for level in _levels(curve)
    ]  # fmt: skip
    return [
        inline([row])
        .mark_rule(strokeWidth=1.3, opacity=0.85, strokeDash=row["dash"], color=row["colour"])
        .encode(y=alt.Y("score:Q"))
        for row in rows
    ]


def _crossings(
    curve: Curve, given: Mapping[str, Mark], lead: Order, x: alt.X, y: alt.Y
) -> list[Any]:
    """A ring where the leading order's curves cross a level line, and its interval as a bar."""
    level = {found.lever: found.score.value for found in _levels(curve) if not found.learns}
    layers: list[Any] = []
    for found in curve.crossings:
        if found.order != lead or found.at is None or found.other not in level:
            continue
        row = {
            "labels": found.at, "score": level[found.other],
            "low": found.smallest if found.low is None else found.low,
            "high": found.largest if found.high is None else found.high,
        }  # fmt: skip
        colour = given[found.lever].colour
        base = inline([row])
        layers.append(
            base.mark_rule(strokeWidth=5, opacity=0.4, color=colour).encode(
                x=alt.X("low:Q"), x2="high:Q", y=y
            )
        )
        layers.append(
            base.mark_point(
                size=95, shape="circle", fill="#ffffff", stroke=colour, strokeWidth=2, opacity=1
            ).encode(x=x, y=y)
        )
    return layers


def _names(
    curve: Curve,
    given: Mapping[str, Mark],
    pulled: str | None,
    size: tuple[int, int],
    domain: tuple[float, float],
) -> list[Any]:
    """Each line's name at its right end."""
    ends = [(level.lever, level.score.value) for level in _levels(curve)]
    for lever in curve.levers():
        own = [p for p in curve.points if p.lever == lever and p.labels == curve.labels]
        ends += [(p.lever, p.score.value) for p in own[:1]]
    reach = domain[1] - domain[0]
    wanted = [size[1] * (domain[1] - score) / reach for _, score in ends]
    places = spread(wanted, 14, 4, size[1] - 4)
    return [
        inline([{"name": shortened(lever, NAME_CHARS)}])
        .mark_text(
            x=size[0] + 8, y=math.floor(place), align="left", baseline="middle", fontSize=11.5,
            clip=False, color=given[lever].colour,
            fontWeight="bold" if lever == pulled else "normal",
        )
        .encode(text="name:N")
        for (lever, _), place in zip(ends, places, strict=True)
    ]  # fmt: skip
