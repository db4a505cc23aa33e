"""The chart of abstention: whole lines right among the surest, by the share that is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from whichlever.measure.line_scores import Answered
from whichlever.report.look import NAME_CHARS, WIDE, dressed, inline
from whichlever.report.palette import Mark
from whichlever.report.visible import shortened


def abstention(
    curves: Mapping[str, Sequence[Answered]], given: Mapping[str, Mark], width: int = WIDE
) -> alt.TopLevelMixin:
    """Draw a line per lever, with its interval as a band, its name at the left end.

    Parameters
    ----------
    curves
        Lever → points, by rising share.
    width
        Pixels.
    """
    rows: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for lever, curve in curves.items():
        for point in curve:
            value = point.line_exact
            rows.append(
                {
                    "lever": lever,
                    "share": point.share,
                    "right": value.value,
                    "low": value.value if value.low is None else value.low,
                    "high": value.value if value.high is None else value.high,
                    "colour": given[lever].colour,
                }
            )
        names.append({**rows[-1], "name": shortened(lever, NAME_CHARS)})
    _spread(names)
    x = alt.X(
        "share:Q",
        scale=alt.Scale(domain=[0, 1.22], nice=False),
        axis=alt.Axis(
            title="share of lines answered, the surest first", values=[0.2, 0.4, 0.6, 0.8, 1.0],
            format=".0%",
        ),
    )  # fmt: skip
    scale = alt.Scale(domain=[0, 1], nice=False)
    y = alt.Y("right:Q", scale=scale, axis=alt.Axis(title="whole lines right", format=".1f"))
    paint = alt.Color("colour:N", scale=None)
    base, ends = inline(rows), inline(names)
    by = alt.Detail("lever:N")
    chart = alt.layer(
        base.mark_area(opacity=0.13).encode(
            x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q", fill=paint, detail=by
        ),
        base.mark_line(strokeWidth=2).encode(x=x, y=y, color=paint, detail=by),
        base.mark_point(size=28, opacity=1, strokeWidth=0).encode(x=x, y=y, fill=paint),
        ends.mark_text(align="left", dx=7, fontSize=11.5).encode(
            x=x, y=alt.Y("at:Q", scale=scale), text="name:N", color=paint
        ),
    )
    return dressed(chart.properties(width=width - 70, height=260))


def _spread(names: list[dict[str, Any]], apart: float = 0.06) -> None:
    """Move the names' heights apart, so that none covers another."""
    names.sort(key=lambda row: row["right"])
    least = 0.0
    for row in names:
        row["at"] = max(row["right"], least)
        least = row["at"] + apart
    over = names[-1]["at"] - 1.0 if names else 0.0
    if over > 0:
        for row in names:
            row["at"] = max(0.0, row["at"] - over)
