"""One lever's test answers as arrays: what every score and test is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from whichlever.measure.field_answers import FieldAnswers
from whichlever.measure.field_counts import FieldCounts
from whichlever.measure.scores import Answers, Scored
from whichlever.measure.summary import Latency
from whichlever.measure.text_answers import RATIOS, TextAnswers, TextScores
from whichlever.measure.verify_answers import GENUINE, VerifyAnswers

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One lever's answers to the first n test rows, in the frozen test order.

    Attributes
    ----------
    lever, what, place
        As in `levers.base.Fit`; ``what`` is the scope of every claim made from these rows.
    ids
        Row ids, length n.
    targets
        Index of the true label in the run's labels, shape (n,); -1 is a label outside them, which
        no lever can get right.
    predicted
        Index of the answered label, shape (n,); -1 is not answered, which counts as wrong.
    statuses
        A `predict.Status` per row.
    scores, raw_scores
        Probability per label after and before calibration, shape (n, classes); rows of nan where
        the lever gave none; None where it never gives any. ``raw_scores`` is None too where
        calibration changed nothing.
    groups
        A group name per row, None where rows are independent.
    leaked
        True for test rows with a (near) duplicate in training, shape (n,); None is not audited.
    seconds, tokens_in, tokens_cached, tokens_out, bytes_out
        Per row, shape (n,); nan is not measured.
    estimated
        Tokens were worked out from characters.
    all_rows
        Test rows there are; n is smaller where a budget limited the lever.
    latency, temperature, rows_seen, fit_seconds, chosen, price_as, token_prices, seeds, priced
        As in `LeverSummary` and `levers.base.Fit`; ``token_prices`` is in dollars per million
        tokens (in, cached, out), ``fit_seconds`` in seconds of wall time.
    fields
        `kind: extract`: the counts that every score is made of. ``targets`` is then 1 where the
        line is right as a whole, else 0, ``predicted`` 1 where it was answered, else -1, and
        ``scores`` the probabilities of wrong and right.
    texts
        `kind: generate`: how like the truth each answer is, which every score is made of;
        ``targets`` and ``predicted`` are places in the closed set of answers, else -1.
    persons
        `kind: verify`: whose name each row bears, shape (n,).
    """

    lever: str
    what: str
    place: Literal["here", "remote", "recorded"]
    ids: tuple[str, ...]
    targets: Ints
    predicted: Ints
    statuses: tuple[str, ...]
    scores: Scores | None
    raw_scores: Scores | None
    groups: tuple[str, ...] | None
    leaked: Bools | None
    seconds: Floats
    tokens_in: Floats
    tokens_cached: Floats
    tokens_out: Floats
    bytes_out: Floats
    estimated: bool
    all_rows: int
    latency: Latency
    temperature: float | None
    rows_seen: int
    fit_seconds: float
    chosen: Mapping[str, Any]
    price_as: str | None = None
    token_prices: tuple[float, float, float] | None = None
    seeds: int = 1
    priced: bool = True
    fields: FieldCounts | None = None
    texts: TextScores | None = None
    persons: npt.NDArray[np.str_] | None = None

    def answers(self, metric: str | None = None) -> Scored:
        """The answers, ready for counting; ``metric`` is the goal's, where it is one of several."""
        if self.fields is not None:
            return FieldAnswers(self.fields)
        if self.texts is not None:
            ratio = metric if metric in RATIOS else RATIOS[0]
            return TextAnswers(self.texts, self.targets, self.predicted, ratio)
        if self.persons is not None:
            return VerifyAnswers(self.genuine(), self.targets, self.predicted, self.persons)
        return Answers(self.targets, self.predicted)

    def genuine(self) -> Floats:
        """`kind: verify`: probability of genuine, shape (n,); 1 or 0 by a label alone."""
        said = np.where(self.predicted == GENUINE, 1.0, 0.0)
        said[self.predicted < 0] = np.nan
        if self.scores is None:
            return said
        own = self.scores[:, GENUINE].astype(np.float64)
        return np.where(np.isnan(own), said, own)

    def __post_init__(self) -> None:
        n = len(self.ids)
        arrays = (
            self.targets, self.predicted, self.statuses, self.scores, self.raw_scores, self.groups,
            self.leaked, self.seconds, self.tokens_in, self.tokens_cached, self.tokens_out,
            self.bytes_out, self.fields, self.texts, self.persons,
        )  # fmt: skip
        if any(a is not None and len(a) != n for a in arrays):
            raise ValueError(f"{self.lever}: every array of an outcome has one entry per row ({n})")

    def __len__(self) -> int:
        return len(self.ids)
