"""The scores of curve points under the run's bootstrap draws, paired over all points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from whichlever.measure.draws import Draws
from whichlever.measure.field_answers import FieldAnswers
from whichlever.measure.field_counts import FieldCounts
from whichlever.measure.intervals import centre, centred, share, student, widest
from whichlever.measure.jackknife import delete_one, standard_error
from whichlever.measure.scores import Answers, Scored
from whichlever.measure.summary import Interval

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRAWS = 1_000
KEPT_CELLS = 8_000_000


@dataclass(frozen=True, eq=False)
class Answered:
    """One fit's answers to the test rows, in the frozen order.

    Attributes
    ----------
    order
        "newest", "random" or "oldest" part of the rows; "all" of them; "delay": all but the
        newest ``days`` days; "level": a lever without a curve.
    predicted
        Label indices, shape (n,), or (m,) for a lever that answered the first m rows; −1 is no
        answer. Of fields, their counts.
    """

    lever: str
    order: str
    predicted: Ints | FieldCounts
    labels: int = 0
    fraction: float = 1.0
    draw: int = 0
    days: float | None = None


@dataclass(frozen=True, eq=False)
class Score:
    """A score and its draws: shape (draws,), paired with those of every other score."""

    value: float
    draws: Floats
    interval: Interval


@dataclass
class Board:
    """Scores of answers on the first so many test rows, each worked out once.

    Parameters
    ----------
    targets
        True label indices of the test rows, shape (n,); of fields only their number counts.
    """

    targets: Ints
    groups: Sequence[str] | None
    metric: str
    seed: int = 0
    _kept: list[Floats] | None = None
    _found: dict[tuple[int, int], Score] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draws = Draws.over(len(self.targets), self.groups, draws=DRAWS, seed=self.seed)
        self.grouped = self.draws.count < len(self.draws.units)

    def score(self, answered: Answered, rows: int | None = None) -> Score:
        """The score on the first ``rows`` rows; all that were answered where None."""
        m = len(answered.predicted) if rows is None else rows
        key = (id(answered), m)
        if key not in self._found:
            self._found[key] = self._score(self._answers(answered, m), m)
        return self._found[key]

    def _answers(self, answered: Answered, m: int) -> Scored:
        said = answered.predicted
        if isinstance(said, FieldCounts):
            return FieldAnswers(said).head(m)
        return Answers(self.targets[:m], said[:m])

    def _weights(self) -> Iterable[Floats]:
        """The draws' weights; kept where they are small, else made again, which is the same."""
        if self._kept is None and len(self.targets) * DRAWS <= KEPT_CELLS:
            self._kept = list(self.draws.chunks())
        return self.draws.chunks() if self._kept is None else self._kept

    def _score(self, answers: Scored, m: int) -> Score:
        units = self.draws.units[:m]
        value = float(answers.metric(self.metric, np.ones((m, 1)))[0])
        drawn = np.concatenate([answers.metric(self.metric, w[:m]) for w in self._weights()])
        error = 0.0
        if self.metric != answers.share:
            error = standard_error(delete_one(answers, self.metric, units))
        held = len(np.unique(units))
        right = share(
            float(answers.correct.sum()), m, held if self.grouped else None,
            np.concatenate([answers.accuracy(w[:m]) for w in self._weights()])
            if self.grouped else None,
        )  # fmt: skip
        moved = centre(value, drawn, error)
        if self.metric == answers.share:
            interval = right
        else:
            interval = centred(value, drawn, error, units=held)
            if answers.correct.all() or not value:
                interval = widest(interval, right)
        # Few groups show little of their own spread: the draws are widened as intervals are.
        few = student(held) if held > 1 else 1.0
        return Score(value, np.asarray(value + (moved - value) * few), interval)


def quantiles(value: float, draws: Floats, level: float = 0.95) -> Interval:
    """Interval of a difference from its draws; without ends where they do not vary."""
    if len(draws) == 0 or float(np.ptp(draws)) == 0.0:
        return Interval(value=value, level=level)
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(
        value=value, low=min(float(low), value), high=max(float(high), value), level=level
    )
