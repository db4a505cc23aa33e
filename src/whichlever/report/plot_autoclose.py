"""The chart of auto-closing: share closed against what may be missed, along the threshold path."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from whichlever.measure.autoclosing import Autoclose, LeverAutoclose, PathPoint, Promise
from whichlever.report.look import INK, MUTED, WIDE, dressed, inline
from whichlever.report.palette import Mark

LEAST = 1e-3
"""Shares below this are drawn here, at the lower edge of the logarithmic axis."""

PERCENT = (
    "datum.value >= 0.01 ? format(datum.value * 100, '~f') + ' %' : "
    "format(datum.value * 100, '~g') + ' %'"
)


def autoclose_curve(
    found: Autoclose, lever: LeverAutoclose, mark: Mark, width: int = WIDE
) -> alt.TopLevelMixin:
    """Upper bounds of the protected share closed, against the share closed of the label.

    The line is the high-confidence bound at each threshold of the calibration path, the dashed
    one the expected loss; filled marks are what was promised, hollow ones what the test rows show.
    """
    height = 300 if width > 500 else 260
    inner = width - 76
    lowest = min([found.at_most, *(_shown(p.expected) for p in lever.path)])
    low = max(LEAST, 10 ** math.floor(math.log10(lowest)))
    x = alt.X(
        "noise:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(title=f"share closed of {found.label}", format=".0%", tickCount=5),
    )
    y = alt.Y(
        "bound:Q",
        scale=alt.Scale(type="log", domain=[low, 1], nice=False),
        axis=alt.Axis(
            title="protected share closed, at most",
            values=[v for v in (0.001, 0.01, 0.1, 1) if v >= low],
            labelExpr=PERCENT,
        ),
    )
    layers: list[Any] = [_rule(found.at_most, y, inner)]
    for dashed, name in ((False, "bound"), (True, "expected")):
        rows = [
            {"noise": p.noise, "bound": max(low, getattr(p, name)), "order": i}
            for i, p in enumerate(_outline(lever.path, name))
        ]
        layers.append(
            inline(rows)
            .mark_line(
                clip=True, color=mark.colour, strokeWidth=1.5 if dashed else 2.5,
                strokeDash=[4, 3] if dashed else [1, 0], interpolate="step-before",
            )
            .encode(x=x, y=y, order="order:Q")
        )  # fmt: skip
    for promise in (lever.high_confidence, lever.expected_loss):
        layers += _marks(promise, mark, x, y, low)
    return dressed(alt.layer(*layers).properties(width=inner, height=height))


def _outline(path: tuple[PathPoint, ...], name: str) -> list[PathPoint]:
    """Strict to loose, and of one share closed only the strictest."""
    out: dict[tuple[float, float], PathPoint] = {}
    for point in sorted(path, key=lambda p: -p.threshold):
        out.setdefault((point.noise, getattr(point, name)), point)
    return list(out.values())


def _shown(share: float) -> float:
    return max(LEAST, share)


def _rule(at_most: float, y: alt.Y, inner: int) -> alt.LayerChart:
    base = inline([{"bound": at_most, "text": "your limit"}])
    line = base.mark_rule(color=INK, strokeDash=[4, 3]).encode(y=y)
    word = base.mark_text(
        x=inner - 4, dy=-7, align="right", baseline="middle", fontSize=11, color=MUTED
    ).encode(y=y, text="text:N")
    return alt.layer(line, word)


def _marks(
    promise: Promise | None, mark: Mark, x: alt.X, y: alt.Y, low: float
) -> list[alt.Chart | alt.LayerChart]:
    """A filled mark for the promise, a hollow one with its interval for the test rows."""
    if promise is None or not promise.held or promise.calibration is None:
        return []
    shape = "circle" if promise.kind == "high confidence" else "diamond"
    out: list[alt.Chart | alt.LayerChart] = []
    if promise.calibration.noise is not None:
        at = {"noise": promise.calibration.noise.value, "bound": max(low, promise.bound or low)}
        out.append(
            inline([at])
            .mark_point(shape=shape, filled=True, size=110, color=mark.colour, opacity=1)
            .encode(x=x, y=y)
        )
    tested = promise.test
    if tested is None or tested.noise is None or tested.missed is None:
        return out
    around = {
        "noise": tested.noise.value,
        "bound": max(low, tested.missed.low or low),
        "high": max(low, tested.missed.high or low),
    }
    out.append(
        inline([around]).mark_rule(color=mark.colour, opacity=0.6).encode(x=x, y=y, y2="high:Q")
    )
    base = inline([{"noise": tested.noise.value, "bound": max(low, tested.missed.value)}])
    out.append(
        base.mark_point(
            shape=shape, filled=True, fill="#ffffff", stroke=mark.colour, size=90, strokeWidth=1.6,
            opacity=1,
        ).encode(x=x, y=y)
    )  # fmt: skip
    return out
