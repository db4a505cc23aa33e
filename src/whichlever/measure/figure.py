"""A figure with its interval: what every other record of a measurement is made of."""

from __future__ import annotations

from whichlever.prices import Frozen


class Interval(Frozen):
    """A figure with its interval; ``low`` and ``high`` are None where no interval can be had."""

    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.95
