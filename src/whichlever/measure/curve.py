"""What learning curves say: records, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from whichlever.measure.figure import Interval
from whichlever.prices import Frozen

Order = Literal["newest", "random", "oldest"]


class Point(Frozen):
    """One lever fitted on a part of the labelled rows.

    ``labels`` are training and validation rows together; ``score`` is the goal metric on the test
    rows, the mean of ``draws`` fits, its interval counting test rows and, where there are several
    draws, ``between``: the standard deviation of the score from draw to draw.
    """

    lever: str
    order: Order
    fraction: float
    labels: int
    draws: int
    score: Interval
    between: float | None = None


class Level(Frozen):
    """A lever without a curve: one score, on its first ``rows`` test rows.

    ``learns`` is False where no labelled row goes into it (recorded answers, zero-shot prompts,
    the majority floor), so that its line is level by nature and not for want of fits.
    """

    lever: str
    score: Interval
    rows: int
    learns: bool


class Crossing(Frozen):
    """From how many labels on ``lever`` is ahead of ``other``.

    Attributes
    ----------
    outcome
        Of the scores as measured: "crosses" (at ``at`` labels), "ahead" (already at the smallest
        count) or "behind" (not within the rows there are).
    low, high
        The interval of the count; ``low`` is None where it lies at or below ``smallest``
        (``from_smallest``) or beyond ``largest``; ``high`` is None where it lies beyond
        ``largest``.
    ahead
        Share of bootstrap draws in which it is ahead with all the labels.
    """

    lever: str
    other: str
    order: Order
    outcome: Literal["crosses", "ahead", "behind"]
    at: int | None
    low: int | None
    high: int | None
    from_smallest: bool
    smallest: int
    largest: int
    ahead: float
    level: float = 0.95


class Age(Frozen):
    """``first`` minus ``second`` labels at equal counts, on the goal metric."""

    lever: str
    fraction: float
    labels: int
    first: Order
    second: Order
    difference: Interval


class Delay(Frozen):
    """A lever fitted without the labels of the last ``days`` days; ``difference`` is to none late.

    All labels that old are used, so that there are fewer of them too.
    """

    lever: str
    days: float
    labels: int
    score: Interval
    difference: Interval


class Band(Frozen):
    """Where ``times`` the labels would lead: the widest of the plausible curves.

    ``gain_low`` to ``gain_high`` is the change from the score with all labels there are.
    ``families`` are the curves that were kept, ``luck`` the standard deviation of one more fit's
    score. ``outcome``: "flat" where it stays below the goal's margin, "grows" where all of it is
    above 0, "falls" where all of it is below 0, else "open".
    """

    lever: str
    order: Order
    times: int
    labels_then: int
    low: float
    high: float
    gain_low: float
    gain_high: float
    outcome: Literal["flat", "grows", "falls", "open"]
    families: tuple[str, ...]
    luck: float
    level: float = 0.95


class Curve(Frozen):
    """Every learning curve of a run, on its test rows.

    ``labels`` are all the training and validation rows; ``delay_from`` says which time lateness is
    counted from; ``notes`` what was left out and why; ``seconds`` what the fits took in all.
    """

    metric: str
    rows: int
    groups: int | None
    labels: int
    points: tuple[Point, ...]
    levels: tuple[Level, ...]
    crossings: tuple[Crossing, ...]
    ages: tuple[Age, ...]
    delays: tuple[Delay, ...]
    bands: tuple[Band, ...]
    delay_from: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def figures(self) -> Mapping[str, Mapping[str, Frozen]]:
        """The records by name, as a verdict's sentences cite them."""
        return {
            "crossings": {f"{c.order}.{c.lever}~{c.other}": c for c in self.crossings},
            "ages": {f"{a.lever}.{a.first}-{a.second}.{a.labels}": a for a in self.ages},
            "delays": {f"{d.lever}.{d.days:g}": d for d in self.delays},
            "bands": {f"{b.lever}.{b.times}": b for b in self.bands},
        }

    def levers(self) -> tuple[str, ...]:
        """The levers that have a curve, in the order of their points."""
        return tuple(dict.fromkeys(p.lever for p in self.points))

    def orders(self) -> tuple[Order, ...]:
        """The orders that were fitted, the leading one first."""
        found = {p.order for p in self.points}
        return tuple(o for o in ORDERS if o in found)


ORDERS: tuple[Order, ...] = ("newest", "random", "oldest")
