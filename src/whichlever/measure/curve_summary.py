"""From the answers of curve points to everything the curves say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from whichlever.measure.curve import (
    ORDERS,
    Age,
    Band,
    Crossing,
    Curve,
    Delay,
    Level,
    Order,
    Point,
)
from whichlever.measure.curve_band import extrapolate
from whichlever.measure.curve_crossing import crossing, isotonic
from whichlever.measure.curve_draws import DRAWS, Answered, Board, quantiles
from whichlever.measure.summary import Interval

Floats = npt.NDArray[np.float64]
TIMES = (2, 4)
FLOOR = "majority"

USUAL, USUAL_FREEDOM = 0.5, 4
"""Luck's usual scale and how much is made of it; 0.24 to 1.0 on the sets of the benchmark."""


@dataclass(frozen=True)
class Luck:
    """How much the score of one fit on a part of the rows varies with which rows it got.

    A fit on n of N rows is taken to differ from the one on all of them by a standard deviation of
    ``scale`` · √(1/n − 1/N), the law of a mean of n out of N; ``freedom`` is what it was
    estimated with.
    """

    scale: float
    freedom: int
    whole: int

    def deviation(self, labels: float, fits: int = 1) -> float:
        """Standard deviation of the mean of so many fits on this many labels."""
        return self.scale * float(np.sqrt(max(1 / labels - 1 / self.whole, 0.0) / fits))

    def noise(self, labels: float, fits: int, key: Sequence[int]) -> Floats:
        """Draws of it, Student for what few fits tell of it, seeded by ``key``."""
        random = np.random.default_rng(list(key))
        return self.deviation(labels, fits) * random.standard_t(self.freedom, DRAWS)

    @classmethod
    def of(cls, parts: Sequence[tuple[int, Floats]], whole: int) -> Luck | None:
        """Estimate it from the scores of random draws by label count; None without repeats.

        Few draws tell little of a spread, so that what is usual counts too, as `USUAL_FREEDOM`
        more degrees of freedom (the posterior under a scaled inverse chi-square prior, Gelman et
        al. 2013, section 3.2).
        """
        repeated = [(n, v) for n, v in parts if len(v) > 1 and n < whole]
        freedom = sum(len(v) - 1 for _, v in repeated)
        if freedom < 1:
            return None
        squares = sum(float(np.sum((v - v.mean()) ** 2)) / (1 / n - 1 / whole) for n, v in repeated)
        total = freedom + USUAL_FREEDOM
        scale = np.sqrt((squares + USUAL_FREEDOM * USUAL**2) / total)
        return cls(float(scale), total, whole)


@dataclass(frozen=True, eq=False)
class _Series:
    """One lever's scores by label count, paired draws of shape (draws, points).

    ``noise`` is the standard deviation of the luck that the draws hold beside test rows.
    """

    lever: str
    order: Order
    fractions: tuple[float, ...]
    labels: Floats
    values: Floats
    draws: Floats
    intervals: tuple[Interval, ...]
    fits: tuple[int, ...]
    between: tuple[float | None, ...]
    noise: Floats
    luck: Luck | None


def summarise_curve(
    answered: Sequence[Answered],
    board: Board,
    *,
    margin: float,
    levels: Sequence[tuple[Answered, bool]] = (),
    delay_from: str | None = None,
    notes: Sequence[str] = (),
    seconds: float = 0.0,
) -> Curve:
    """Work out points, crossings, the effects of age and lateness, and what more would bring.

    Parameters
    ----------
    answered
        Every fit's answers; each lever has one with order "all".
    board
        Scores them under one set of bootstrap draws.
    margin
        The goal's margin: a gain below it is called flat.
    levels
        Levers without a curve, and whether labelled rows go into them.
    """
    names = list(dict.fromkeys(a.lever for a in answered if a.order == "all"))
    series = [
        found
        for name in names
        for order in ORDERS
        if (found := _series(name, order, answered, board, None)) is not None
    ]
    return Curve(
        metric=board.metric,
        rows=len(board.targets),
        groups=board.draws.count if board.grouped else None,
        labels=max(a.labels for a in answered),
        points=tuple(point for s in series for point in _points(s)),
        levels=tuple(_level(a, learns, board) for a, learns in levels),
        crossings=tuple(_crossings(series, answered, [a for a, _ in levels], board)),
        ages=tuple(age for name in names for age in _ages(name, series)),
        delays=tuple(_delays(answered, board)),
        bands=tuple(b for name in names for b in _bands(name, series, margin, board.seed)),
        delay_from=delay_from,
        notes=tuple(notes),
        seconds=seconds,
    )


def _luck(lever: str, answered: Sequence[Answered], board: Board, rows: int | None) -> Luck | None:
    own = [a for a in answered if a.lever == lever and a.order == "random"]
    whole = next(a.labels for a in answered if a.lever == lever and a.order == "all")
    counts = sorted({a.labels for a in own})
    parts = [
        (n, np.array([board.score(a, rows).value for a in own if a.labels == n])) for n in counts
    ]
    return Luck.of(parts, whole)


def _series(
    lever: str, order: Order, answered: Sequence[Answered], board: Board, rows: int | None
) -> _Series | None:
    """A lever's series on the first ``rows`` test rows; None where there is no part of that order.

    The score of random parts is the mean over draws. Draws of every part hold the luck of its
    fits too, so that two orders are not told apart by what one more draw would have changed.
    """
    own = [a for a in answered if a.lever == lever and a.order == order]
    if not own:
        return None
    whole = next(a for a in answered if a.lever == lever and a.order == "all")
    luck = _luck(lever, answered, board, rows)
    counts = sorted({a.labels for a in own if a.labels < whole.labels})
    values, draws, intervals, between, noise, fits, fractions = [], [], [], [], [], [], []
    for n in counts:
        part = [a for a in own if a.labels == n]
        scores = np.array([board.score(a, rows).value for a in part])
        drawn = np.mean([board.score(a, rows).draws for a in part], axis=0)
        interval, deviation = board.score(part[0], rows).interval, 0.0
        if luck is not None:
            deviation = luck.deviation(n, len(part))
            drawn = drawn + luck.noise(n, len(part), [board.seed, 7, ORDERS.index(order), n])
            interval = quantiles(float(scores.mean()), np.clip(drawn, 0.0, 1.0))
        values.append(float(scores.mean()))
        draws.append(drawn)
        intervals.append(interval)
        between.append(float(scores.std(ddof=1)) if len(part) > 1 else None)
        noise.append(deviation)
        fits.append(len(part))
        fractions.append(part[0].fraction)
    last = board.score(whole, rows)
    return _Series(
        lever=lever,
        order=order,
        fractions=(*fractions, 1.0),
        labels=np.array([*counts, whole.labels], dtype=np.float64),
        values=np.array([*values, last.value]),
        draws=np.column_stack([*draws, last.draws]),
        intervals=(*intervals, last.interval),
        fits=(*fits, 1),
        between=(*between, None),
        noise=np.array([*noise, 0.0]),
        luck=luck,
    )


def _points(series: _Series) -> list[Point]:
    return [
        Point(
            lever=series.lever, order=series.order, fraction=fraction, labels=int(labels),
            draws=fits, score=score, between=between,
        )
        for fraction, labels, fits, score, between in zip(
            series.fractions, series.labels, series.fits, series.intervals, series.between,
            strict=True,
        )
    ]  # fmt: skip


def _level(answered: Answered, learns: bool, board: Board) -> Level:
    score = board.score(answered).interval
    return Level(lever=answered.lever, score=score, rows=len(answered.predicted), learns=learns)


def _crossings(
    series: Sequence[_Series],
    answered: Sequence[Answered],
    levels: Sequence[Answered],
    board: Board,
) -> list[Crossing]:
    """Every curve with every other of the same order, and with every level line but the floor's.

    Two parts and the whole are the fewest that make a curve.
    """
    series = [s for s in series if len(s.labels) > 2]
    out = []
    for s in series:
        for level in levels:
            if level.lever == FLOOR:
                continue
            rows = len(level.predicted)
            own = _series(s.lever, s.order, answered, board, rows)
            assert own is not None
            other = board.score(level)
            found = _cross(own, level.lever, other.value, other.draws[:, None])
            if own.values[-1] < other.value < own.values[0]:
                # More labels brought the curve below the line: that is the line's crossing.
                line = np.full(own.values.shape, other.value)
                turned = replace(own, lever=level.lever, values=line, draws=(
                    np.repeat(other.draws[:, None], len(line), axis=1)
                ))  # fmt: skip
                found = _cross(turned, own.lever, own.values, own.draws)
            out.append(found)
    for a, b in combinations(series, 2):
        shared = len(np.intersect1d(a.labels, b.labels))
        if a.order == b.order and a.lever != b.lever and shared > 2:
            out.append(_between(a, b))
    return out


def _between(a: _Series, b: _Series) -> Crossing:
    """Two curves: said of the one that is ahead in the end (by the scores as measured)."""
    shared, in_a, in_b = np.intersect1d(a.labels, b.labels, return_indices=True)
    difference = a.values[in_a] - b.values[in_b]
    ahead, behind, place, other = a, b, in_a, in_b
    if isotonic(difference[None])[0, -1] < 0 or (difference[-1] < 0 < difference[0]):
        ahead, behind, place, other = b, a, in_b, in_a
    cut = replace(ahead, labels=shared, values=ahead.values[place], draws=ahead.draws[:, place])
    return _cross(cut, behind.lever, behind.values[other], behind.draws[:, other])


def _cross(s: _Series, other: str, value: float | Floats, draws: Floats) -> Crossing:
    found = crossing(s.labels, s.values - value, s.draws - draws)

    def whole(count: float | None) -> int | None:
        return None if count is None else round(count)

    return Crossing(
        lever=s.lever,
        other=other,
        order=s.order,
        outcome=found.outcome,
        at=whole(found.at),
        low=whole(found.low),
        high=whole(found.high),
        from_smallest=found.from_smallest,
        smallest=int(s.labels[0]),
        largest=int(s.labels[-1]),
        ahead=found.ahead,
    )


def _ages(lever: str, series: Sequence[_Series]) -> list[Age]:
    """Newest against random, newest against oldest, at every count that both have."""
    own = {s.order: s for s in series if s.lever == lever}
    out = []
    for first, second in (("newest", "random"), ("newest", "oldest")):
        a, b = own.get(first), own.get(second)  # type: ignore[call-overload]
        if a is None or b is None:
            continue
        shared, in_a, in_b = np.intersect1d(a.labels, b.labels, return_indices=True)
        for labels, i, j in zip(shared[:-1], in_a[:-1], in_b[:-1], strict=True):
            difference = quantiles(float(a.values[i] - b.values[j]), a.draws[:, i] - b.draws[:, j])
            out.append(
                Age(
                    lever=lever, fraction=a.fractions[i], labels=int(labels),
                    first=first, second=second, difference=difference,
                )
            )  # fmt: skip
    return out


def _delays(answered: Sequence[Answered], board: Board) -> list[Delay]:
    out = []
    for late in answered:
        if late.order != "delay" or late.days is None:
            continue
        whole = next(a for a in answered if a.lever == late.lever and a.order == "all")
        then, now = board.score(late), board.score(whole)
        luck = _luck(late.lever, answered, board, None)
        difference = then.draws - now.draws
        if luck is not None:
            key = [board.seed, 9, round(late.days * 1_000)]
            difference = difference + luck.noise(late.labels, 1, key)
        out.append(
            Delay(
                lever=late.lever,
                days=late.days,
                labels=late.labels,
                score=then.interval,
                difference=quantiles(then.value - now.value, difference),
            )
        )
    return out


def _bands(lever: str, series: Sequence[_Series], margin: float, seed: int) -> list[Band]:
    """What more labels of the same kind would bring: from random parts where they were fitted.

    The newest part reaches less far back, so its curve says what a longer history brings.
    """
    own = {s.order: s for s in series if s.lever == lever}
    out: list[Band] = []
    for s in (own[o] for o in ("random", "newest") if o in own):
        for times in TIMES:
            luck = None if s.luck is None else s.luck.scale / float(np.sqrt(s.labels[-1]))
            found = extrapolate(s.labels, s.values, s.draws, s.noise, luck, times, seed)
            if found is None:
                continue
            outcome = (
                "falls" if found.gain_high < 0
                else "flat" if found.gain_high < margin
                else "grows" if found.gain_low > 0 else "open"
            )  # fmt: skip
            out.append(
                Band(
                    lever=lever, order=s.order, times=times,
                    labels_then=round(times * float(s.labels[-1])), low=found.low, high=found.high,
                    gain_low=found.gain_low, gain_high=found.gain_high,
                    outcome=outcome,
                    families=found.families, luck=found.luck,
                )
            )  # fmt: skip
        if out:
            break
    return out


__all__ = ["DRAWS", "TIMES", "summarise_curve"]
