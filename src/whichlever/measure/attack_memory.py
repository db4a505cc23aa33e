"""Membership and exposure: the figures of what a model remembers of its training rows.

Membership by loss is Yeom et al. 2018, "Privacy risk in machine learning"; the false positives that
matter are few, so the share caught at 1 % of them stands beside the AUC (Carlini et al. 2022,
"Membership inference attacks from first principles"). Comparing with a model that has not seen the
row is Watson et al. 2022, "On the importance of difficulty calibration in membership inference
attacks". Exposure is Carlini et al. 2019, "The secret sharer".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import percentile, share

FALSE_ALARMS = 0.01
"""Share of rows never seen that may be called training rows."""

Floats = npt.NDArray[np.float64]


def auc(members: Floats, others: Floats) -> float:
    """The chance that a member has the higher score, ties half; 0.5 where either side is empty."""
    if not len(members) or not len(others):
        return 0.5
    scores = np.concatenate([members, others])
    ones = np.ones((len(scores), 1))
    return float(_weighted_auc(scores, len(members), ones)[0])


def auc_interval(
    members: Floats,
    others: Floats,
    groups: tuple[Sequence[str | None], Sequence[str | None]],
    seed: int,
) -> Interval:
    """The AUC with a percentile interval over the groups of both sides, or over rows.

    Parameters
    ----------
    members, others
        Scores, higher where the row looks learned, shapes (m,) and (n,).
    groups
        The group of each member and of each other row; all None is rows by themselves.
    """
    value = auc(members, others)
    if not len(members) or not len(others):
        return Interval(value=value)
    names = _names(groups)
    draws = Draws.over(len(members) + len(others), names, seed=seed)
    scores = np.concatenate([members, others])
    drawn = np.concatenate(
        [_weighted_auc(scores, len(members), weights) for weights in draws.chunks()]
    )
    units = None
    if names is not None:
        units = float(min(len(set(names[: len(members)])), len(set(names[len(members) :]))))
    found = percentile(value, drawn, units=units)
    if found.low is None or found.high is None:
        return found
    return found.model_copy(update={"low": max(0.0, found.low), "high": min(1.0, found.high)})


def caught(
    members: Floats, others: Floats, groups: Sequence[str | None], false: float = FALSE_ALARMS
) -> Interval:
    """Share of members above the score that at most ``false`` of the others reach.

    With fewer others than 1/``false`` none of them may be called a member. The interval is
    Clopper–Pearson's, with as many rows as there are groups where all members agree.
    """
    if not len(members) or not len(others):
        return Interval(value=0.0)
    ranked = np.sort(others)[::-1]
    limit = ranked[min(int(false * len(others)), len(others) - 1)]
    hits = members > limit
    known = [group for group in groups if group is not None]
    if len(known) < len(members) or len(set(known)) == len(members):
        return share(int(hits.sum()), len(members), None, None)
    draws = Draws.over(len(members), known)
    drawn = np.concatenate(
        [hits.astype(float) @ w / np.maximum(w.sum(axis=0), 1e-12) for w in draws.chunks()]
    )
    return share(int(hits.sum()), len(members), draws.count, drawn)


def exposure(canary: float, candidates: Floats) -> float:
    """Bits: log₂ of how many strings there are, less log₂ of the canary's rank among them.

    Parameters
    ----------
    canary
        How likely the model finds the canary, on any scale.
    candidates
        The same of strings like it that stand in no row; a tie counts half.
    """
    rank = 1.0 + float((candidates > canary).sum()) + 0.5 * float((candidates == canary).sum())
    return math.log2(len(candidates) + 1) - math.log2(rank)


def _names(groups: tuple[Sequence[str | None], Sequence[str | None]]) -> list[str] | None:
    together = [*groups[0], *groups[1]]
    known = [name for name in together if name is not None]
    return known if len(known) == len(together) else None


def _weighted_auc(scores: Floats, members: int, weights: Floats) -> Floats:
    """AUC of each draw, shape (draws,), from weights of shape (members + others, draws)."""
    values, place = np.unique(scores, return_inverse=True)
    mine = np.zeros((len(values), weights.shape[1]))
    theirs = np.zeros_like(mine)
    np.add.at(mine, place[:members], weights[:members])
    np.add.at(theirs, place[members:], weights[members:])
    below = np.cumsum(theirs, axis=0) - theirs / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (mine * below).sum(axis=0) / (mine.sum(axis=0) * theirs.sum(axis=0))
    return np.asarray(found)
