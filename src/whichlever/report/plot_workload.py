"""The charts of the desk: what is reached, and how soon the queue yields what is urgent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from whichlever.measure.figure import Interval
from whichlever.measure.workload import LeverShift
from whichlever.report.look import INK, MUTED, NAME_CHARS, WIDE, dressed, inline
from whichlever.report.palette import GREY, Mark
from whichlever.report.placement import CHARACTER, spread
from whichlever.report.visible import shortened

ROW = 26
"""Pixels of one lever's line."""


def reached(
    before: Interval,
    levers: Sequence[tuple[str, Interval]],
    given: Mapping[str, Mark],
    *,
    what: str,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """Before and after: the share looked at within a day, as a bar each with its interval."""
    lines = [("as it is", before, GREY[0]), *((n, f, given[n].colour) for n, f in levers)]
    margin = CHARACTER * max(len(shortened(name, NAME_CHARS)) for name, _, _ in lines) + 14
    inner = int(width - margin - 30)
    rows = [
        {
            "name": shortened(name, NAME_CHARS), "at": ROW * (i + 0.5), "colour": colour,
            "value": figure.value,
            "low": figure.value if figure.low is None else figure.low,
            "high": figure.value if figure.high is None else figure.high,
        }
        for i, (name, figure, colour) in enumerate(lines)
    ]  # fmt: skip
    height = ROW * len(rows)
    axis = alt.Axis(
        title=f"share of {shortened(what, 30)} looked at within a day", format=".0%", tickCount=5
    )
    scale = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("value:Q", scale=scale, axis=axis)
    y = alt.Y("at:Q", scale=alt.Scale(domain=[height, 0], nice=False), axis=None)
    paint = alt.Color("colour:N", scale=None)
    base = inline(rows)
    layers: list[Any] = [
        base.mark_bar(size=13, opacity=0.85).encode(
            x=x, x2=alt.datum(0), y=y, color=paint
        ),
        base.mark_rule(strokeWidth=1.6, color=INK).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", y=y
        ),
        inline([{"value": before.value}])
        .mark_rule(strokeDash=[4, 3], color=MUTED)
        .encode(x=alt.X("value:Q", scale=scale)),
        base.mark_text(x=-8, align="right", baseline="middle", fontSize=11.5).encode(
            y=y, text="name:N", color=paint
        ),
    ]  # fmt: skip
    return dressed(alt.layer(*layers).properties(width=inner, height=height))


def gains(
    levers: Sequence[LeverShift],
    given: Mapping[str, Mark],
    *,
    room: float,
    what: str,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """Cumulative gain: urgent alerts found against the share of the queue looked at.

    The dashed diagonal is the order of arrival, the dashed upright line what the desk can do in
    a day (``room``, a share of the day's alerts).
    """
    height = 340 if width > 500 else 280
    margin = CHARACTER * max(len(shortened(s.lever, NAME_CHARS)) for s in levers) + 14
    inner = int(width - 66 - margin)
    scale = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X(
        "looked:Q", scale=scale,
        axis=alt.Axis(title="share of the day's queue looked at", format=".0%", tickCount=5),
    )  # fmt: skip
    y = alt.Y(
        "found:Q", scale=scale,
        axis=alt.Axis(title=f"share of {shortened(what, 30)} found", format=".0%", tickCount=5),
    )  # fmt: skip
    paint = alt.Color("colour:N", scale=None)
    ends = [{"looked": 0, "found": 0}, {"looked": 1, "found": 1}]
    layers: list[Any] = [
        inline(ends).mark_line(strokeDash=[4, 3], color=MUTED, strokeWidth=1.3).encode(x=x, y=y)
    ]
    rows = [
        {"lever": str(i), "colour": given[s.lever].colour, **point}
        for i, s in enumerate(levers)
        for point in [
            {"looked": 0.0, "found": 0.0},
            *({"looked": g.looked, "found": g.reached.value} for g in s.gain),
        ]
    ]
    layers.append(
        inline(rows)
        .mark_line(strokeWidth=2.2, clip=True)
        .encode(x=x, y=y, detail="lever:N", color=paint)
    )
    if room < 1:
        wall = inline([{"looked": room, "text": "the desk, in a day"}])
        layers.append(wall.mark_rule(color=INK, strokeDash=[4, 3]).encode(x=x))
        layers.append(
            wall.mark_text(
                align="left" if room < 0.7 else "right", dx=5 if room < 0.7 else -5, y=height - 10,
                fontSize=11, color=INK, baseline="middle",
            ).encode(x=x, text="text:N")
        )  # fmt: skip
    layers += _names(levers, given, room, (inner, height))
    return dressed(alt.layer(*layers).properties(width=inner, height=height))


def _names(
    levers: Sequence[LeverShift],
    given: Mapping[str, Mark],
    room: float,
    size: tuple[int, int],
) -> list[alt.Chart]:
    """Names at the right edge, in the order of what is found in a day."""

    def found(lever: LeverShift) -> float:
        return lever.shift.value if lever.shift is not None else 0.0

    ordered = sorted(levers, key=found, reverse=True)
    wanted = [size[1] * (1 - found(s)) for s in ordered]
    return [
        inline([{"name": shortened(s.lever, NAME_CHARS), "colour": given[s.lever].colour}])
        .mark_text(x=size[0] + 8, y=pixel, align="left", baseline="middle", fontSize=11.5)
        .encode(text="name:N", color=alt.Color("colour:N", scale=None))
        for s, pixel in zip(ordered, spread(wanted, 14, 6, size[1] - 6), strict=True)
    ]
