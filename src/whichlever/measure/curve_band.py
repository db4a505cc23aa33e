"""What more labels would bring: several families of curves, and the widest band they allow.

Learning curves are roughly power laws over a stretch (Hestness et al. 2017; Viering and Loog 2023,
"The Shape of Learning Curves"), but which family holds is rarely seen from a few noisy points, and
no family holds for ever. So the last points are fitted by each, every family that fits about as
well as the best one stays. So does that the curve goes no further, while the last two points may be
one, or else that it bends at once. The band takes in all of them. `bench/curve_band.py` checks how
often the truth lies in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LAST = 4
"""Points that are fitted: the newest ones, since a law that holds over all is rare."""

FARTHEST = 4
"""Nothing is said beyond this many times the labels."""

POWERS = (0.1, 0.25, 0.5, 1.0, 2.0)
LUCK = 0.01
"""Standard deviation of one fit's score by luck (rows drawn, seeds), where draws do not tell."""

BEND = 1 / 2
"""What is left of the last doubling's gain at each further one, where a curve bends at once."""

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Reach:
    """Draws of the score at a multiple of the labels and of the gain, by family."""

    times: int
    low: float
    high: float
    gain_low: float
    gain_high: float
    families: tuple[str, ...]
    luck: float


def extrapolate(
    labels: Floats,
    values: Floats,
    draws: Floats,
    noise: Floats,
    luck: float | None,
    times: int,
    seed: int = 0,
) -> Reach | None:
    """Band of the score with ``times`` the labels of the last point.

    Parameters
    ----------
    labels
        Label counts, ascending, shape (points,).
    values
        Scores, between 0 and 1, shape (points,).
    draws
        Bootstrap draws of the scores, paired, shape (draws, points).
    noise
        Standard deviation of the luck of fits that each point's draws hold already, shape
        (points,).
    luck
        Standard deviation of the score of one fit on all the labels; None where not measured.
    times
        2 to 4.

    Returns
    -------
    Reach or None
        None where there are fewer than three points.

    Raises
    ------
    ValueError
        ``times`` is beyond what can be said.
    """
    if not 1 < times <= FARTHEST:
        raise ValueError(f"nothing is said beyond {FARTHEST} times the labels")
    if len(labels) < 3:
        return None
    labels, values, draws = labels[-LAST:], values[-LAST:], draws[:, -LAST:]
    noise = noise[-LAST:]
    random = np.random.default_rng([seed, 11])
    own = LUCK if luck is None else luck
    fits = {name: _misfit(name, labels, values) for name in _families()}
    best = min(fits.values())
    # What even the best family misses beyond the luck that is known of, by degrees of freedom.
    known = np.mean(np.where(noise > 0, noise, own) ** 2)
    missed = np.sqrt(max(best**2 * len(labels) / (len(labels) - 2) - known, 0.0))
    spread = float(np.hypot(own, missed))
    kept = [name for name, misfit in fits.items() if misfit <= max(2 * best, spread)]
    lacking = np.where(noise > 0, missed, spread)
    noisy = draws + lacking * random.standard_normal(draws.shape)
    later = np.hypot(own / np.sqrt(times), missed) * random.standard_normal(len(draws))
    now = draws[:, -1]
    kept.append("flat" if _may_be_flat(noisy) else "bend")
    tail = (1 - LEVEL) / 2
    ends = []
    for name in kept:
        there = now if name == "flat" else _predict(name, labels, noisy, times * labels[-1])
        there = np.clip(there + later, 0.0, 1.0)
        ends.append((*np.quantile(there, [tail, 1 - tail]),
                     *np.quantile(there - now, [tail, 1 - tail])))  # fmt: skip
    low, high, gain_low, gain_high = np.array(ends).T
    return Reach(
        times=times,
        low=float(low.min()),
        high=float(high.max()),
        gain_low=float(gain_low.min()),
        gain_high=float(gain_high.max()),
        families=tuple(kept),
        luck=spread,
    )


def _may_be_flat(draws: Floats) -> bool:
    """Whether the last two points may be one: their difference is not shown to be above 0."""
    return bool(np.quantile(draws[:, -1] - draws[:, -2], (1 - LEVEL) / 2) <= 0)


def _families() -> tuple[str, ...]:
    return (*(f"power {c:g}" for c in POWERS), "logarithm", "power of the error")


def _predict(name: str, labels: Floats, scores: Floats, at: float) -> Floats:
    """Least-squares prediction at ``at`` labels, for scores of shape (draws, points)."""
    if name == "power of the error":
        wrong = np.log(np.clip(1 - scores, 1e-4, None))
        return np.asarray(1 - np.exp(_line(np.log(labels), wrong, np.log(at))))
    if name == "bend":
        doublings = np.log2(labels[-1] / labels[-2])
        step = (scores[:, -1] - scores[:, -2]) / doublings
        more = np.log2(at / labels[-1])
        return np.asarray(scores[:, -1] + step * BEND * (1 - BEND**more) / (1 - BEND))
    if name == "logarithm":
        return _line(np.log(labels), scores, np.log(at))
    power = float(name.removeprefix("power "))
    return _line(labels**-power, scores, at**-power)


def _line(x: Floats, y: Floats, at: float) -> Floats:
    """Straight-line fits of y, shape (draws, points), on x, each read at ``at``."""
    middle = x.mean()
    slope = (y - y.mean(axis=1, keepdims=True)) @ (x - middle) / np.sum((x - middle) ** 2)
    return np.asarray(y.mean(axis=1) + slope * (at - middle))


def _misfit(name: str, labels: Floats, values: Floats) -> float:
    """Root mean square of what a family misses of the scores."""
    said = np.array([_predict(name, labels, values[None], n)[0] for n in labels])
    return float(np.sqrt(np.mean((said - values) ** 2)))
