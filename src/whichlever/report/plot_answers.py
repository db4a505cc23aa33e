"""The charts of how answers come: how sure (reliability) and how fast (latency)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from whichlever.measure.summary import Calibration, LeverSummary
from whichlever.report.look import (
    INK,
    MUTED,
    NAME_CHARS,
    TIMES,
    WIDE,
    decade_axis,
    decades,
    dressed,
    inline,
)
from whichlever.report.palette import Mark
from whichlever.report.placement import CHARACTER
from whichlever.report.visible import shortened


def reliability(calibration: Calibration, mark: Mark, size: int = 190) -> alt.TopLevelMixin:
    """Accuracy against confidence; a point's area grows with the rows in its bin."""
    total = sum(b.rows for b in calibration.bins) or 1
    rows = [
        {"confidence": b.confidence, "accuracy": b.accuracy, "area": 24 + 420 * b.rows / total}
        for b in calibration.bins
        if b.rows
    ]
    scale = alt.Scale(domain=[-0.06, 1.06], nice=False)  # room for the largest dots
    x = alt.X(
        "confidence:Q", scale=scale, axis=alt.Axis(title="confidence", values=_HALVES, format=".1f")
    )
    y = alt.Y(
        "accuracy:Q", scale=scale, axis=alt.Axis(title="accuracy", values=_HALVES, format=".1f")
    )
    ideal = inline([{"a": 0.0}, {"a": 1.0}])
    base = inline(rows)
    chart = alt.layer(
        ideal.mark_line(color=MUTED, strokeDash=[3, 3], strokeWidth=1).encode(
            x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale)
        ),
        base.mark_line(color=mark.colour, strokeWidth=1.8).encode(x=x, y=y),
        base.mark_point(fill=mark.colour, stroke=None, opacity=0.85).encode(
            x=x, y=y, size=alt.Size("area:Q", scale=None)
        ),
    )
    return dressed(chart.properties(width=size, height=size))


_HALVES = [0, 0.5, 1]


def latency(
    levers: Sequence[LeverSummary],
    given: Mapping[str, Mark],
    *,
    limit_ms: float | None,
    width: int = WIDE,
) -> alt.TopLevelMixin:
    """p50 (filled), p95 (bar) and p99 (hollow) of one answer, in milliseconds on a log axis."""
    rows: list[dict[str, Any]] = []
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
    left, right = decades(values + ([limit_ms] if limit_ms else []), room=0.1)
    names = max(len(r["name"]) for r in rows)
    inner = int(width - CHARACTER * names - 34)
    axis = decade_axis("one answer", left, right, inner, TIMES)
    scale = alt.Scale(type="log", domain=[left, right], nice=False)
    y = alt.Y(
        "name:N",
        sort=[r["name"] for r in rows],
        axis=alt.Axis(
            title=None, labelColor=INK, labelLimit=200, ticks=False, domain=False, grid=False
        ),
    )
    base = inline(rows)
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
        limit = inline([{"limit": limit_ms}])
        layers.append(limit.mark_rule(color=INK, strokeDash=[4, 3]).encode(x="limit:Q"))
    return dressed(alt.layer(*layers).properties(width=inner, height=27 * len(rows)))
