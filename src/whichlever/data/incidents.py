"""Alerts that belong to one incident: linked by shared entities within a window of time.

Two alerts are linked when they share an entity (a host, an account, an address) and lie no further
apart than the window; an incident is what hangs together by such links. In order of time an alert
need only look at the last one of each of its entities, so the work is linear in alerts times
entities (with the near-constant cost of union-find; Tarjan 1975), and what is kept is one window
of alerts, never the whole stream.

Nothing links through an entity that is everywhere (`whichlever.data.presence`), and an incident
takes in no more than `MAX_ALERTS` alerts and `MAX_WINDOWS` windows of time: beyond that a new one
begins, so a chain of chance links cannot swallow the month.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from whichlever.data.presence import Presence

MAX_ALERTS = 10_000
"""Alerts of one incident."""
MAX_WINDOWS = 24
"""Windows that one incident may last."""
ENTITIES_SHOWN = 50
"""Entities that an incident names, the commonest first."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: its id, time in seconds, entities, and label where one is known."""

    id: str
    time: float
    entities: tuple[str, ...] = ()
    label: str | None = None


@dataclass(frozen=True)
class Incident:
    """Alerts that hang together.

    ``id`` is made from the first alert's id and time, so the same alerts give the same id;
    ``entities`` are the commonest with their counts; ``labels`` counts the alerts of each label.
    """

    id: str
    first: float
    last: float
    alerts: tuple[str, ...]
    entities: tuple[tuple[str, int], ...]
    labels: dict[str, int]


def group_alerts(alerts: Iterable[Alert], window: float) -> list[Incident]:
    """Group alerts that are all at hand; their order changes nothing.

    Parameters
    ----------
    alerts
        Ids are unique.
    window
        Seconds that two alerts of one entity may lie apart to be linked.
    """
    ordered = sorted(alerts, key=_key)
    presence = Presence(window)
    for alert in ordered:
        presence.add(alert.time, alert.entities)
    grouper = Grouper(window, presence.names())
    found = [incident for alert in ordered for incident in grouper.add(alert)]
    found += grouper.finish()
    return sorted(found, key=lambda incident: (incident.first, incident.id))


class Grouper:
    """Groups a stream of alerts that comes (nearly) in order of time.

    Parameters
    ----------
    window
        Seconds that two alerts of one entity may lie apart to be linked.
    everywhere
        Entities that link nothing, known beforehand; None judges each by the stream so far.
    late
        Seconds that an alert may come after a younger one. It is held back so long. What comes
        later still is an incident of its own, counted in ``too_late``.
    """

    def __init__(
        self, window: float, everywhere: frozenset[str] | None = None, late: float = 0.0
    ) -> None:
        if not (window > 0 and math.isfinite(window)):
            raise ValueError("a window is a number of seconds above 0")
        self.too_late = 0
        self._window, self._late = window, late
        self._everywhere = everywhere
        self._presence = Presence(window) if everywhere is None else None
        self._held: list[tuple[float, str, Alert]] = []
        self._youngest = -math.inf
        self._released = -math.inf
        self._last_of: dict[str, tuple[float, _Open]] = {}
        self._entities: deque[tuple[float, str]] = deque()
        self._open: deque[tuple[float, _Open]] = deque()

    def add(self, alert: Alert) -> Iterator[Incident]:
        """Take in one alert; gives the incidents that nothing can join any more."""
        if alert.time < self._released:
            self.too_late += 1
            yield _Open(alert).closed()
            return
        heapq.heappush(self._held, (alert.time, alert.id, alert))
        self._youngest = max(self._youngest, alert.time)
        while self._held and self._held[0][0] <= self._youngest - self._late:
            yield from self._link(heapq.heappop(self._held)[2])

    def finish(self) -> Iterator[Incident]:
        """The incidents that are still open when the stream ends."""
        while self._held:
            yield from self._link(heapq.heappop(self._held)[2])
        yield from self._close(math.inf)

    def _link(self, alert: Alert) -> Iterator[Incident]:
        self._released = alert.time
        yield from self._close(alert.time - self._window)
        if self._presence is not None:
            self._presence.add(alert.time, alert.entities)
        linking = [e for e in dict.fromkeys(alert.entities) if not self._is_everywhere(e)]
        known = (self._last_of.get(entity) for entity in linking)
        roots = {id(root): root for last in known if last for root in (last[1].root(),)}
        mine = _Open(alert)
        for root in sorted(roots.values(), key=lambda root: (root.first, root.name)):
            if root.takes(mine, MAX_WINDOWS * self._window):
                mine = root.join(mine)
        for entity in linking:
            self._last_of[entity] = (alert.time, mine)
            self._entities.append((alert.time, entity))
        self._open.append((alert.time, mine))

    def _is_everywhere(self, entity: str) -> bool:
        if self._presence is not None:
            return self._presence.everywhere(entity)
        return entity in (self._everywhere or ())

    def _close(self, before: float) -> Iterator[Incident]:
        """Let go of what is older than ``before``."""
        while self._entities and self._entities[0][0] < before:
            time, entity = self._entities.popleft()
            if entity in self._last_of and self._last_of[entity][0] == time:
                del self._last_of[entity]
        while self._open and self._open[0][0] < before:
            root = self._open.popleft()[1].root()
            if root.last < before and not root.done:
                root.done = True
                yield root.closed()


@dataclass(eq=False)
class _Open:
    """An incident that may still grow; ``into`` points to the one it was joined to."""

    alert: Alert
    into: _Open | None = None
    done: bool = False
    first: float = field(init=False)
    last: float = field(init=False)
    name: str = field(init=False)
    alerts: list[str] = field(init=False)
    entities: Counter[str] = field(init=False)
    labels: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.last = self.alert.time
        self.name = self.alert.id
        self.alerts = [self.alert.id]
        self.entities = Counter(dict.fromkeys(self.alert.entities, 1))
        self.labels = Counter([self.alert.label] if self.alert.label is not None else [])

    def root(self) -> _Open:
        """The incident that this one is part of now; paths are halved on the way."""
        here = self
        while here.into is not None:
            if here.into.into is not None:
                here.into = here.into.into
            here = here.into
        return here

    def takes(self, other: _Open, longest: float) -> bool:
        """Whether both together keep within the bounds."""
        span = max(self.last, other.last) - min(self.first, other.first)
        return len(self.alerts) + len(other.alerts) <= MAX_ALERTS and span <= longest

    def join(self, other: _Open) -> _Open:
        """Make one of two; the larger takes in the smaller."""
        big, small = (self, other) if len(self.alerts) >= len(other.alerts) else (other, self)
        if (small.first, small.name) < (big.first, big.name):
            big.first, big.name = small.first, small.name
        big.last = max(big.last, small.last)
        big.alerts += small.alerts
        big.entities.update(small.entities)
        big.labels.update(small.labels)
        small.into = big
        small.alerts, small.entities, small.labels = [], Counter(), Counter()
        return big

    def closed(self) -> Incident:
        """What is told of it."""
        digest = hashlib.sha256(f"{self.first!r} {self.name}".encode()).hexdigest()
        shown = sorted(self.entities.items(), key=lambda item: (-item[1], item[0]))
        return Incident(
            id=f"inc-{digest[:12]}",
            first=self.first,
            last=self.last,
            alerts=tuple(self.alerts),
            entities=tuple(shown[:ENTITIES_SHOWN]),
            labels=dict(self.labels),
        )


def _key(alert: Alert) -> tuple[float, str]:
    return alert.time, alert.id
