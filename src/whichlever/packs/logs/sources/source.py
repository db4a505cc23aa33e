"""One simulated source of logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from whichlever.packs.logs.pattern import Pattern


@dataclass(frozen=True)
class Source:
    """A kind of device: how it begins its lines, and its shapes from the most frequent down.

    Attributes
    ----------
    name
        ``vendor.stream``; the vendor is invented.
    zone
        Minutes that its clock is ahead of UTC.
    shapes
        Name → pattern, as `pattern` reads it; every pattern begins with ``head``.
    """

    name: str
    shapes: Mapping[str, str]
    head: str = ""
    zone: int = 0

    @cached_property
    def patterns(self) -> dict[str, Pattern]:
        """Shape name → compiled pattern."""
        return {name: Pattern(self.head + text) for name, text in self.shapes.items()}

    @cached_property
    def weights(self) -> dict[str, float]:
        """Shape name → frequency, falling as 1/rank: few shapes are most of a log."""
        return {name: 1 / (rank + 1) for rank, name in enumerate(self.shapes)}
