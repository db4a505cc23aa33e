"""The chart of attacks: how many rows each kind of attack turned, lever by lever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from whichlever.report.look import INK, MUTED, WIDE, dressed, inline
from whichlever.report.palette import Mark
from whichlever.report.placement import CHARACTER
from whichlever.report.visible import shortened

ROW = 22
"""Pixels that one lever's mark takes on one line of the chart."""


def flip_rates(
    rows: Sequence[Mapping[str, Any]],
    levers: Sequence[str],
    given: Mapping[str, Mark],
    *,
    at_most: float | None,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """Shares of rows turned, with their intervals; one line per kind of attack.

    Parameters
    ----------
    rows
        ``attack``, ``lever``, ``value``, ``low``, ``high``, in the order to be shown.
    levers
        Those drawn, each with its colour and shape, one below the other on every line.
    """
    limit = 34 if width > 500 else 20
    drawn = []
    for row in rows:
        place = levers.index(row["lever"])
        mark = given[row["lever"]]
        drawn.append(
            {
                "attack": shortened(row["attack"], limit), "place": place,
                "value": row["value"], "low": row["low"], "high": row["high"],
                "colour": mark.colour, "shape": mark.shape,
            }
        )  # fmt: skip
    names = list(dict.fromkeys(row["attack"] for row in drawn))
    inner = int(width - CHARACTER * max(map(len, names)) - 40)
    scale = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X(
        "value:Q",
        scale=scale,
        axis=alt.Axis(title="share of rows turned", format=".0%", tickCount=5),
    )
    y = alt.Y(
        "attack:N",
        sort=names,
        axis=alt.Axis(
            title=None, labelColor=INK, labelLimit=260, ticks=False, domain=False, grid=False
        ),
    )
    beside = alt.YOffset("place:O")
    base = inline(drawn)
    layers: list[Any] = [
        base.mark_rule(strokeWidth=2.2, opacity=0.55).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", y=y, yOffset=beside,
            color=alt.Color("colour:N", scale=None),
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x=x, y=y, yOffset=beside, fill=alt.Fill("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
        ),
    ]  # fmt: skip
    if at_most is not None:
        layers.insert(
            0,
            inline([{"value": at_most}])
            .mark_rule(color=MUTED, strokeDash=[4, 3])
            .encode(x=alt.X("value:Q", scale=scale)),
        )
    height = len(names) * max(ROW, ROW // 2 * (len(levers) + 1))
    return dressed(alt.layer(*layers).properties(width=inner, height=height))
