"""A day at the desk: alerts arrive, analysts take the first in the queue, some are never reached.

Arrivals are a Poisson process that is the same at every hour, looks all take equally long, and an
analyst takes the alert with the lowest key (the oldest among equals) and finishes what was begun.
Analysts are at work together, for the first hours of every day. An alert that nobody looked at for
`GIVE_UP` minutes is never looked at: yesterday's queue does not come back, which keeps an
overloaded desk at a level that can be told of.

With one analyst round the clock and no hurry this is the M/D/1 queue, whose mean wait is known
(Pollaczek and Khinchine), and with classes the non-preemptive priority queue of Cobham (1954); the
tests hold it against both.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY = 1440.0
"""Minutes of a day."""
GIVE_UP = DAY
"""Minutes after which an alert that was not looked at never is."""
OVERLOAD = 4.0
"""Alerts behind so many times the desk's looks are never reached, and need not be simulated."""
MOST_ANALYSTS = 64
"""A larger desk is simulated as this many with the same load: its waits come out a little long."""


@dataclass(frozen=True)
class Desk:
    """Who looks: analysts at work together, for so many minutes of every day; minutes a look."""

    analysts: int
    shift: float
    look: float

    @property
    def looks_per_day(self) -> float:
        """Looks that the desk can make in a day."""
        return self.analysts * self.shift / self.look


@dataclass(frozen=True, eq=False)
class Stream:
    """What arrives: kinds of alerts with their share, their place in the queue and their urgency.

    Attributes
    ----------
    per_day
        Alerts a day.
    shares
        Share of each kind, shape (k,), summing to one.
    keys
        Place in the queue, shape (k,): lower is looked at first, equal ones in order of arrival.
    urgent
        Whether the wait of a kind is of interest, shape (k,).
    """

    per_day: float
    shares: Floats
    keys: Floats
    urgent: Bools


def waits(
    times: Floats,
    keys: Floats,
    desk: Desk,
    probes: Bools | None = None,
    give_up: float = GIVE_UP,
) -> Floats:
    """Minutes each alert waits until its look begins; infinite where nobody ever looks.

    Parameters
    ----------
    times
        Minutes at which alerts arrive, ascending, shape (n,).
    keys
        Place in the queue, shape (n,); lower first.
    probes
        Alerts that wait but whose look takes no time, shape (n,): what one alert more would have
        waited, at any number of moments, without adding to the load.
    """
    found = np.full(len(times), math.inf)
    arrive, order = times.tolist(), keys.tolist()
    unreal = [False] * len(arrive) if probes is None else probes.tolist()
    free = [0.0] * desk.analysts
    queue: list[tuple[float, int]] = []
    coming, n, clock = 0, len(arrive), 0.0
    while coming < n or queue:
        # Whoever has been free for longest is free now: the clock never goes back.
        now = _at_work(max(heapq.heappop(free), clock), desk.shift)
        if not queue and arrive[coming] > now:
            now = _at_work(arrive[coming], desk.shift)
        clock = now
        while coming < n and arrive[coming] <= now:
            heapq.heappush(queue, (order[coming], coming))
            coming += 1
        while queue:
            taken = heapq.heappop(queue)[1]
            if now - arrive[taken] > give_up:
                continue
            found[taken] = now - arrive[taken]
            if not unreal[taken]:
                now += desk.look
                break
        heapq.heappush(free, now)
    return found


def urgent_waits(stream: Stream, desk: Desk, arrivals: int, probes: int, seed: int) -> Floats:
    """Waits of urgent alerts at random moments, in minutes; infinite is never.

    Parameters
    ----------
    arrivals
        Alerts to simulate, about; at least four days are.
    probes
        Urgent alerts whose waits are wanted; they come on top and take up nobody's time.
    seed
        The same seed gives the same days.
    """
    random = np.random.default_rng([seed, 77])
    stream, desk = _smaller(stream, desk)
    admitted = admission(stream, desk)
    chances = stream.shares * admitted
    rate = stream.per_day * float(chances.sum())
    wanted = np.where(stream.urgent, stream.shares, 0.0)
    if rate <= 0 or wanted.sum() <= 0:
        return np.array([])
    days = int(min(max(arrivals // max(rate, 1.0), 4), 400))
    count = int(random.poisson(rate * days))
    kinds = random.choice(len(chances), size=count, p=chances / chances.sum())
    # The first day fills the queue, and the last day's alerts would need one more.
    probed = random.choice(len(wanted), size=probes, p=wanted / wanted.sum())
    reachable = random.random(probes) < admitted[probed]
    times = np.concatenate([random.random(count) * days, 1 + random.random(probes) * (days - 2)])
    kinds = np.concatenate([kinds, probed])
    kept = np.concatenate([np.ones(count, dtype=bool), reachable])
    order = np.argsort(times, kind="stable")
    order = order[kept[order]]
    unreal = order >= count
    found = waits(times[order] * DAY, stream.keys[kinds[order]], desk, unreal)
    return np.concatenate([found[unreal], np.full(int((~reachable).sum()), math.inf)])


def admission(stream: Stream, desk: Desk) -> Floats:
    """The share of each kind that could ever be reached, shape (k,).

    Kinds are taken from the head of the queue until they alone make `OVERLOAD` times the desk's
    looks. What lies behind that is never reached: the head always holds more than can be done.
    Of the kinds on the edge, which are equal in the queue, a random share is let in.
    """
    room = OVERLOAD * desk.looks_per_day / stream.per_day
    admitted = np.zeros(len(stream.keys))
    for key in np.unique(stream.keys):
        here = stream.keys == key
        share = float(stream.shares[here].sum())
        part = 1.0 if share <= room else room / share
        admitted[here] = part
        room -= share * part
        if part < 1.0:
            break
    return admitted


def _smaller(stream: Stream, desk: Desk) -> tuple[Stream, Desk]:
    if desk.analysts <= MOST_ANALYSTS:
        return stream, desk
    factor = MOST_ANALYSTS / desk.analysts
    less = Stream(stream.per_day * factor, stream.shares, stream.keys, stream.urgent)
    return less, Desk(MOST_ANALYSTS, desk.shift, desk.look)


def _at_work(now: float, shift: float) -> float:
    """The first minute from ``now`` on at which analysts are at work."""
    return now if now % DAY < shift else (math.floor(now / DAY) + 1) * DAY
