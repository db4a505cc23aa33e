"""The chart of cost against volume: each lever's bill, and where break-even may lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from whichlever.report.look import (
    CALLS,
    DOLLARS,
    INK,
    MUTED,
    NAME_CHARS,
    WIDE,
    decade_axis,
    decades,
    dressed,
    inline,
)
from whichlever.report.palette import Mark
from whichlever.report.placement import CHARACTER, spread
from whichlever.report.visible import shortened
from whichlever.report.volume import Curve
from whichlever.report.wording import volume as calls_in_short
from whichlever.verdict.types import BreakEven

BELOW, LINE = 54, 15
"""Pixels from the plot's lower edge to the first line beneath the axis title, and between lines."""


def cost_volume(
    curves: Sequence[Curve],
    break_evens: Sequence[BreakEven],
    given: Mapping[str, Mark],
    *,
    volume: float,
    pulled: str | None,
    lead: str,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """Dollars a month against calls a month, both logarithmic.

    Beneath, on the same axis, where the break-evens of ``lead`` with the other levers may lie.
    """
    height = 370 if width > 500 else 300
    names = max((len(shortened(c.lever, NAME_CHARS)) for c in curves), default=0)
    margin = CHARACTER * names + 12
    inner = int(width - 66 - margin)
    ends = [y for c in curves for y in c.dollars if y > 0]
    low, high = decades(ends, room=0.1)
    left, right = curves[0].volumes[0], curves[0].volumes[-1]
    x_axis = decade_axis("calls a month", left, right, inner, CALLS)
    y_axis = decade_axis("dollars a month", low, high, height, DOLLARS)
    x = alt.X("calls:Q", scale=alt.Scale(type="log", domain=[left, right], nice=False), axis=x_axis)
    y = alt.Y("dollars:Q", scale=alt.Scale(type="log", domain=[low, high], nice=False), axis=y_axis)
    known = [b for b in break_evens if b.lever in given and b.against in given]
    found = spans(known, lead, left, right)
    layers: list[Any] = _band(found, given, lead, (inner, height))
    layers += [_uncertain(c, given[c.lever], x, y, low) for c in curves if c.lever == pulled]
    lines = [
        {
            "lever": str(i), "calls": v, "dollars": d, "colour": given[c.lever].colour,
            "weight": 3 if c.lever == pulled else 1.8,
        }
        for i, c in enumerate(sorted(curves, key=lambda c: c.lever == pulled))  # drawn last, on top
        for v, d in zip(c.volumes, c.dollars, strict=True)
        if d > 0
    ]  # fmt: skip
    layers.append(
        inline(lines)
        .mark_line(clip=True)
        .encode(
            x=x, y=y, detail="lever:N", color=alt.Color("colour:N", scale=None),
            strokeWidth=alt.StrokeWidth("weight:Q", scale=None),
        )
    )  # fmt: skip
    here = inline([{"calls": volume}])
    layers.append(here.mark_rule(color=INK, strokeDash=[4, 3]).encode(x=x))
    layers.append(
        here.mark_text(
            align="right", dx=-5, dy=8, y=0, baseline="middle", fontSize=11, color=INK,
            text=f"you: {calls_in_short(volume)}",
        ).encode(x=x)
    )  # fmt: skip
    layers.extend(_line_names(curves, given, pulled, (inner, height), (low, high)))
    return dressed(alt.layer(*layers).properties(width=inner, height=height))


@dataclass(frozen=True)
class Span:
    """Where break-even with ``other`` may lie, cut to the volumes that are shown."""

    other: str
    start: float
    end: float


def spans(break_evens: Sequence[BreakEven], lead: str, left: float, right: float) -> list[Span]:
    """The break-evens of one lever with the others, as far as they lie between two volumes.

    An open high end runs to the right edge; "never" and "at any volume" have no span.
    """
    found = []
    for even in break_evens:
        if even.low is None or lead not in (even.lever, even.against):
            continue
        high = right if even.high is None else even.high
        start, end = max(even.low / 1.02, left), min(high * 1.02, right)
        if start < end:
            found.append(Span(even.against if even.lever == lead else even.lever, start, end))
    return found


def _band(
    found: Sequence[Span], given: Mapping[str, Mark], lead: str, size: tuple[int, int]
) -> list[alt.Chart]:
    """A column behind the lines where there is one break-even, a row under the axis for each."""
    if not found:
        return []
    rows = [
        {
            "from": s.start, "to": s.end, "colour": given[s.other].colour,
            "name": shortened(s.other, NAME_CHARS),
        }
        for s in found
    ]  # fmt: skip
    paint = alt.Color("colour:N", scale=None)
    start = alt.X("from:Q")
    layers = []
    if len(rows) == 1:
        column = inline(rows).mark_rect(opacity=0.13, color=given[lead].colour)
        layers.append(column.encode(x=start, x2="to:Q"))
    top = size[1] + BELOW
    layers.append(
        inline([{"text": f"break-even of {shortened(lead, NAME_CHARS)} with"}])
        .mark_text(x=0, y=top, align="left", baseline="middle", fontSize=11, color=MUTED)
        .encode(text="text:N")
    )
    for i, row in enumerate(rows):
        y = top + LINE * (i + 1)
        layers.append(
            inline([row])
            .mark_rule(strokeWidth=7, opacity=0.55, strokeCap="butt", clip=False)
            .encode(x=start, x2="to:Q", y=alt.value(y), color=paint)
        )
        layers.append(
            inline([row])
            .mark_text(x=size[0] + 8, y=y, align="left", baseline="middle", fontSize=11.5)
            .encode(text="name:N", color=paint)
        )
    return layers


def _uncertain(curve: Curve, mark: Mark, x: alt.X, y: alt.Y, floor: float) -> alt.Chart:
    """The lever's bill from its low to its high end, as a pale band."""
    rows = [
        {"calls": v, "dollars": max(low, floor), "high": max(high, floor)}
        for v, low, high in zip(curve.volumes, curve.low, curve.high, strict=True)
    ]
    base = inline(rows)
    return base.mark_area(color=mark.colour, opacity=0.13, clip=True).encode(x=x, y=y, y2="high:Q")


def _line_names(
    curves: Sequence[Curve],
    given: Mapping[str, Mark],
    pulled: str | None,
    size: tuple[int, int],
    domain: tuple[float, float],
) -> list[alt.Chart]:
    def down(dollars: float) -> float:
        inside = min(max(dollars, domain[0]), domain[1])
        return size[1] * math.log(domain[1] / inside) / math.log(domain[1] / domain[0])

    wanted = [down(c.dollars[-1]) if c.dollars[-1] > 0 else float(size[1]) for c in curves]
    ratio = domain[0] / domain[1]
    rows = [
        {
            "name": shortened(curve.lever, NAME_CHARS), "colour": given[curve.lever].colour,
            "dollars": domain[1] * ratio ** (pixel / size[1]), "bold": curve.lever == pulled,
        }
        for curve, pixel in zip(curves, spread(wanted, 14, 4, size[1] - 4), strict=True)
    ]  # fmt: skip
    return [
        inline([r for r in rows if r["bold"] == bold])
        .mark_text(
            x=size[0] + 8, align="left", baseline="middle", fontSize=11.5, clip=False,
            fontWeight="bold" if bold else "normal",
        )
        .encode(y=alt.Y("dollars:Q"), text="name:N", color=alt.Color("colour:N", scale=None))
        for bold in sorted({r["bold"] for r in rows})
    ]  # fmt: skip
