"""Where to write names in a chart so that they lie on nothing: greedy, deterministic, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHARACTER = 6.3
"""Mean width of a character at 11.5 pixels, in pixels; a little generous."""
LINE = 14.0


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Shared area in square pixels."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across * down if across > 0 and down > 0 else 0.0


@dataclass(frozen=True)
class Label:
    """A name to write at ``dx, dy`` pixels from its point; ``align`` as in Vega."""

    dx: float
    dy: float
    align: str


_SPOTS = (
    Label(10, -9, "left"), Label(10, 10, "left"), Label(-10, -9, "right"), Label(-10, 10, "right"),
    Label(10, 0, "left"), Label(-10, 0, "right"), Label(10, -22, "left"), Label(10, 23, "left"),
    Label(-10, -22, "right"), Label(-10, 23, "right"), Label(10, -36, "left"),
    Label(10, 37, "left"), Label(-10, -36, "right"), Label(-10, 37, "right"),
)  # fmt: skip


def place_labels(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    taken: Sequence[Box],
    frame: Box,
) -> list[Label]:
    """Choose a spot beside each point.

    Parameters
    ----------
    points
        Pixel positions, shape (n, 2), y downwards.
    names
        What is written at each, length n.
    taken
        Boxes that should stay free (whiskers, marks).
    frame
        The drawing area; a label that leaves it is the last resort.
    """
    used = list(taken) + [Box(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    placed: list[Label] = []
    for (x, y), name in zip(points, names, strict=True):
        best = min(_SPOTS, key=lambda spot: _badness(_box(x, y, name, spot), used, frame))
        placed.append(best)
        used.append(_box(x, y, name, best))
    return placed


def _box(x: float, y: float, name: str, spot: Label) -> Box:
    width = CHARACTER * len(name)
    left = x + spot.dx if spot.align == "left" else x + spot.dx - width
    middle = y + spot.dy
    return Box(left, middle - LINE / 2, left + width, middle + LINE / 2)


def _badness(box: Box, used: Sequence[Box], frame: Box) -> float:
    outside = (
        max(0.0, frame.left - box.left)
        + max(0.0, box.right - frame.right)
        + max(0.0, frame.top - box.top)
        + max(0.0, box.bottom - frame.bottom)
    )
    return sum(box.overlap(other) for other in used) + 50 * outside


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Push positions apart to at least ``gap``, keeping their order and staying within bounds.

    Where there is no room for all, the gap shrinks.
    """
    if not positions:
        return []
    gap = min(gap, (high - low) / max(1, len(positions) - 1))
    order = sorted(range(len(positions)), key=lambda i: (positions[i], i))
    out = [0.0] * len(positions)
    floor = low
    for i in order:
        out[i] = max(positions[i], floor)
        floor = out[i] + gap
    ceiling = high
    for i in reversed(order):
        out[i] = min(out[i], ceiling)
        ceiling = out[i] - gap
    return out
