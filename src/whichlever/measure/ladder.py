"""The rung ladder: how far up it pays to fine-tune, told from validation rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import percentile
from whichlever.measure.scores import Answers
from whichlever.prices import Frozen

ENOUGH_SEEDS = 3

Ints = npt.NDArray[np.int64]


class Rung(Frozen):
    """One rung, and what it gains over the one stood on when it was tried.

    ``seed_scores`` are validation scores of trainings that differ in their seed alone; ``score``
    is of the first. ``gain`` is paired, over the same validation rows; None for the lowest.
    """

    lever: str
    score: float
    seed_scores: tuple[float, ...]
    over: str | None
    gain: Interval | None
    affordable: bool
    climbed: bool
    text: str


class Ladder(Frozen):
    """Every rung in order, and the one that it ends on.

    Validation rows decide, not test rows: a run reads its test rows once. The scores are from
    before any rung learned from those rows.
    """

    metric: str
    margin: float
    rows: int
    rungs: tuple[Rung, ...]
    stands_on: str


@dataclass(frozen=True, eq=False)
class Tried:
    """A rung's answers to the validation rows.

    Attributes
    ----------
    predicted
        Index of the answered label, shape (n,).
    seed_scores
        As in `Rung`; empty for the floor, which is not trained with seeds.
    too_dear
        Why it cannot be afforded, in words; None where it can.
    """

    lever: str
    predicted: Ints
    seed_scores: tuple[float, ...] = ()
    too_dear: str | None = None


def climb(
    tried: Sequence[Tried],
    targets: Ints,
    metric: str,
    margin: float,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> Ladder:
    """Climb while the next rung is better by more than the margin, and affordable.

    The lowest is the linear floor. A rung that is no better, or too dear, is not stood on, and
    the next is measured against the same one; a gain counts when it is above the margin and its
    interval above 0.

    Parameters
    ----------
    tried
        Lowest first; at least one.
    targets
        Index of the true label of each validation row, shape (n,); -1 is outside the labels.
    groups
        Group per row, None where rows are independent.
    """
    answers = {t.lever: Answers(targets, t.predicted) for t in tried}
    scores = _scores(answers, metric, Draws.over(len(targets), groups, seed=seed))
    units = len(set(groups)) if groups is not None else len(targets)
    standing = tried[0]
    rungs = [
        Rung(
            lever=standing.lever, score=scores[standing.lever][0],
            seed_scores=standing.seed_scores, over=None, gain=None,
            affordable=standing.too_dear is None, climbed=True,
            text=standing.too_dear or "where the climb begins",
        )
    ]  # fmt: skip
    for rung in tried[1:]:
        (value, drawn), (base, below) = scores[rung.lever], scores[standing.lever]
        gain = percentile(value - base, drawn - below, units=units)
        better = gain.value > margin and gain.low is not None and gain.low > 0
        climbed = better and rung.too_dear is None
        rungs.append(
            Rung(
                lever=rung.lever, score=value, seed_scores=rung.seed_scores,
                over=standing.lever, gain=gain, affordable=rung.too_dear is None,
                climbed=climbed, text=_said(rung, standing.lever, gain, margin, better),
            )
        )  # fmt: skip
        if climbed:
            standing = rung
    return Ladder(
        metric=metric, margin=margin, rows=len(targets), rungs=tuple(rungs),
        stands_on=standing.lever,
    )  # fmt: skip


def _scores(
    answers: Mapping[str, Answers], metric: str, draws: Draws
) -> dict[str, tuple[float, npt.NDArray[np.float64]]]:
    """Each rung's score, and the same under every draw; the draws are shared."""
    one = np.ones((len(draws.units), 1))
    drawn: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in answers}
    for weights in draws.chunks():
        for name, given in answers.items():
            drawn[name].append(given.metric(metric, weights))
    return {
        name: (float(given.metric(metric, one)[0]), np.concatenate(drawn[name]))
        for name, given in answers.items()
    }


def _said(rung: Tried, below: str, gain: Interval, margin: float, better: bool) -> str:
    if not better:
        if gain.value > margin:
            return f"its gain over {below} may be chance"
        how = "no better than" if gain.value <= 0 else "better, but within the margin of,"
        return f"{how} {below}"
    if rung.too_dear is not None:
        return f"better than {below}, but {rung.too_dear}"
    seeds = len(rung.seed_scores)
    luck = (
        ""
        if seeds >= ENOUGH_SEEDS or not seeds
        else f"; {seeds} training seed only" + ("s" if seeds > 1 else "")
    )
    return f"better than {below} by more than the margin{luck}"
