"""Which entities are everywhere: a domain controller or a resolver ties every alert to every other.

Counted are windows of time, not alerts: an address that sends a thousand alerts in one hour is an
attack, one that stands in every hour's alerts is furniture. Memory stays bounded by lossy counting
(Manku and Motwani 2002, VLDB, section 4.2), whose counts never exceed the truth and fall short of
it by at most `SLACK` of all windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

SHARE = 0.25
"""An entity in more than this share of the windows that hold alerts links nothing."""
LEAST = 12
"""Windows an entity must stand in before it can be called everywhere."""
SLACK = SHARE / 10
_BUCKET = math.ceil(1 / SLACK)


class Presence:
    """Counts, for each entity, the windows it stands in; alerts come in order of time."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._windows = 0
        self._now: int | None = None
        # Windows counted, windows that may have been forgotten before, and the last one.
        self._counts: dict[str, tuple[int, int, int]] = {}

    def add(self, time: float, entities: Iterable[str]) -> None:
        """Take in one alert's time (seconds) and entities."""
        place = math.floor(time / self._window)
        if self._now is None or place > self._now:
            self._now = place
            self._windows += 1
            if self._windows % _BUCKET == 0:
                self._forget()
        bucket = self._windows // _BUCKET
        for entity in entities:
            known = self._counts.get(entity)
            if known is None:
                self._counts[entity] = (1, bucket, self._now)
            elif known[2] < self._now:
                self._counts[entity] = (known[0] + 1, known[1], self._now)

    def everywhere(self, entity: str) -> bool:
        """Whether an entity links nothing, by all that was taken in so far."""
        known = self._counts.get(entity)
        if known is None or known[0] < LEAST:
            return False
        return known[0] + known[1] > SHARE * self._windows

    def names(self) -> frozenset[str]:
        """Every entity that links nothing."""
        return frozenset(entity for entity in self._counts if self.everywhere(entity))

    def _forget(self) -> None:
        bucket = self._windows // _BUCKET
        self._counts = {e: k for e, k in self._counts.items() if k[0] + k[1] > bucket}
