"""Which labelled rows each point of a learning curve is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from whichlever.data import Splits
from whichlever.predict import Row
from whichlever.task import CurveSettings, Task

DAY = 86_400.0
SHARE_BEFORE = 0.9
"""Share of the labelled rows that must lie before the first test row for lateness to mean
anything."""
AGE_FRACTION = 0.25
"""The oldest rows are fitted at the share nearest to this one, unless they were asked for."""
CHOOSING = 0.15
"""Of a point's labels, the share that chooses settings, where the whole run's share is smaller.

Of 130,000 rows 1,500 are enough to choose with; of a thousand, the same share would be eleven, and
nobody would choose with so few.
"""
FEWEST = 10
"""Training rows below which a point is left out."""

Kind = Literal["newest", "random", "oldest", "delay"]


@dataclass(frozen=True, eq=False)
class Planned:
    """One point: its rows, and where it stands in the queue for the budget (lowest first)."""

    order: Kind
    fraction: float
    draw: int
    days: float | None
    train: tuple[Row, ...]
    valid: tuple[Row, ...]
    rank: tuple[int, ...]

    @property
    def labels(self) -> int:
        """Labelled rows, those that choose among them."""
        return len(self.train) + len(self.valid)

    @property
    def name(self) -> str:
        """What it is, in a few words."""
        if self.order == "delay":
            return f"labels {self.days:g} days late ({self.labels:,})"
        which = f"{self.order}, draw {self.draw + 1}" if self.order == "random" else self.order
        return f"{self.labels:,} labels, {which}"


@dataclass(frozen=True, eq=False)
class Plan:
    """All points but the one with every row; ``delay_from`` says what lateness is counted from."""

    points: tuple[Planned, ...]
    notes: tuple[str, ...]
    delay_from: str | None


def plan(settings: CurveSettings, task: Task, splits: Splits, seed: int) -> Plan:
    """Choose the rows of every point; of training and validation rows alike.

    A point with a share of the labels has so many training and validation rows together, so that
    its count is what its lever really had, to fit and to choose with (`CHOOSING` says how many
    choose). Shares are nested:
    a larger one holds the smaller ones of the same order and draw. Where every validation row is
    newer than every training row (a split by time), the newest (oldest) rows are taken from both
    together and the newest of them choose, so that no gap opens between them.

    Random parts are drawn by row, or by whole group where the task splits by group: fewer labels
    then also mean fewer groups.
    """
    pool = _Pool.of(splits, by_group=task.data.split.by == "group", seed=seed)
    fractions = sorted(f for f in settings.fractions if f < 1)
    notes: list[str] = []
    orders = list(settings.orders)
    points: list[Planned] = []
    if not pool.dated:
        if {"newest", "oldest"} & set(orders):
            notes.append("the rows have no times, so newest and oldest mean nothing here")
        orders = ["random"]
    for order in orders:
        for draw in range(settings.draws if order == "random" else 1):
            for fraction in fractions:
                rank = {"newest": (0, 0), "random": (1 + 3 * min(draw, 1), draw), "oldest": (2, 0)}
                points.append(pool.part(order, fraction, draw, (*rank[order], _size(fraction))))
    if pool.dated and fractions and "oldest" not in orders:
        fraction = min(fractions, key=lambda f: abs(f - AGE_FRACTION))
        points.append(pool.part("oldest", fraction, 0, (2, 0, _size(fraction))))
    delay_from, late = pool.late(settings.delays, splits, notes)
    points += late
    kept = []
    for point in sorted(points, key=lambda p: p.rank):
        if point.labels >= pool.labels:
            continue
        same = len({row.target for row in point.train}) < 2 and task.kind == "classify"
        if len(point.train) < FEWEST or same:
            notes.append(f"{point.name}: too few rows, or one label only, to fit on")
            continue
        kept.append(point)
    return Plan(tuple(kept), tuple(dict.fromkeys(notes)), delay_from if late else None)


def _size(fraction: float) -> int:
    return round(fraction * 1_000_000)


@dataclass(frozen=True, eq=False)
class _Pool:
    """Training and validation rows, and whether they can be ordered."""

    train: tuple[Row, ...]
    valid: tuple[Row, ...]
    dated: bool
    after: bool
    by_group: bool
    seed: int

    @classmethod
    def of(cls, splits: Splits, *, by_group: bool, seed: int) -> _Pool:
        train, valid = tuple(splits.train), tuple(splits.valid)
        times = [row.time for row in (*train, *valid)]
        dated = bool(train) and all(t is not None for t in times)
        after = (
            dated
            and bool(valid)
            and max(_time(row) for row in train) <= min(_time(row) for row in valid)
        )
        if dated:  # oldest first; equal times in a seeded order
            train, valid = (_by_time(rows, seed) for rows in (train, valid))
        return cls(train, valid, dated, after, by_group, seed)

    @property
    def labels(self) -> int:
        return len(self.train) + len(self.valid)

    def part(self, order: Kind, fraction: float, draw: int, rank: tuple[int, ...]) -> Planned:
        """A share of the rows in one order."""
        count = _share(fraction, self.labels)
        if order != "random" and self.after:
            both = (*self.train, *self.valid)
            train, valid = self._newest_choose(both[-count:] if order == "newest" else both[:count])
            return Planned(order, fraction, draw, None, train, valid, rank)
        choosing = self._choosing(count)
        parts = []
        for role, (rows, n) in enumerate(((self.train, count - choosing), (self.valid, choosing))):
            if order == "random":
                parts.append(tuple(self._random(rows, draw, role)[:n]))
            else:
                parts.append(tuple(rows[len(rows) - n :] if order == "newest" else rows[:n]))
        return Planned(order, fraction, draw, None, parts[0], parts[1], rank)

    def _choosing(self, count: int) -> int:
        """Of so many labels, how many choose."""
        if not self.valid:
            return 0
        share = max(len(self.valid) / self.labels, CHOOSING)
        return max(1, min(len(self.valid), round(count * share)))

    def late(
        self, delays: Sequence[float], splits: Splits, notes: list[str]
    ) -> tuple[str, list[Planned]]:
        """The rows that would be labelled, were labels so many days late."""
        if not self.dated or not delays:
            return "", []
        times = [row.time for row in splits.test]
        if all(t is not None for t in times) and times:
            first, said = min(t for t in times if t is not None), "the first test row"
            older = [row for row in (*self.train, *self.valid) if _time(row) <= first]
            if len(older) < SHARE_BEFORE * self.labels:
                notes.append(
                    "test rows do not come after the labelled ones (split by: random or group), so "
                    "what late labels cost is not measured"
                )
                return "", []
        else:
            known = (*self.train, *self.valid, *splits.calibrate)
            first = max(row.time for row in known if row.time is not None)
            said = "the newest labelled row (test rows have no times)"
        points = []
        for place, days in enumerate(sorted(delays)):
            cut = first - days * DAY
            train, valid = (
                tuple(row for row in rows if _time(row) <= cut) for rows in (self.train, self.valid)
            )
            if self.after:
                train, valid = self._newest_choose((*train, *valid))
            count = len(train) + len(valid)
            if count >= self.labels:
                notes.append(f"no label is less than {days:g} days old")
                continue
            fraction = count / max(self.labels, 1)
            points.append(Planned("delay", fraction, 0, days, train, valid, (3, place, 0)))
        return said, points

    def _newest_choose(self, rows: Sequence[Row]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """The newest share of the rows, as in the whole, choose."""
        count = self._choosing(len(rows))
        return tuple(rows[: len(rows) - count]), tuple(rows[len(rows) - count :])

    def _random(self, rows: Sequence[Row], draw: int, role: int) -> list[Row]:
        """The rows in the random order of one draw, whatever order they came in."""
        random = np.random.default_rng([self.seed, 13, draw, role])
        by_id = sorted(rows, key=lambda row: row.id)
        shuffled = [by_id[i] for i in random.permutation(len(by_id))]
        if not self.by_group:
            return shuffled
        groups = sorted({row.group or "" for row in by_id})
        place = {groups[i]: k for k, i in enumerate(random.permutation(len(groups)))}
        return sorted(shuffled, key=lambda row: place[row.group or ""])


def _share(fraction: float, rows: int) -> int:
    """That share of the rows, at least one where there are any."""
    return min(rows, max(1, round(fraction * rows)))


def _time(row: Row) -> float:
    assert row.time is not None
    return row.time


def _by_time(rows: Sequence[Row], seed: int) -> tuple[Row, ...]:
    shuffled = np.random.default_rng([seed, 17]).permutation(len(rows))
    by_id = sorted(rows, key=lambda row: row.id)
    return tuple(sorted((by_id[i] for i in shuffled), key=_time))
