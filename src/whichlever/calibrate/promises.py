"""Thresholds that come with a promise about what is closed above them.

A rule closes a row when its score is *above* a threshold. A unit of evidence is one calibration
row of a protected label, or one group of them (whose loss is the share of its protected rows that
are closed). The loss M(t) of all units falls as the threshold t rises; so does the true risk R(t).

Two different promises are made from it, and neither may be read as the other:

**High confidence.** "With confidence 1 − δ the risk R(t̂) of the chosen threshold t̂ is at most α."
t̂ is the lowest threshold whose p-value for H(t): R(t) > α is at most δ. This is Learn-then-Test
with fixed-sequence testing from strict to loose (Angelopoulos, Bates, Candès, Jordan and Lei 2021,
section 3.2). It holds for the *chosen* threshold, over all real thresholds and with ties:

    Let the p-value p(t) fall (or stay) as t rises, as it does when it is a rising function of M(t),
    and let P(p(t) ≤ δ) ≤ δ for every fixed t with R(t) > α. Let t* be the upper end of the
    thresholds with R(t) > α. R(t̂) > α means that t̂ ≤ u for some fixed u with R(u) > α: u = t*
    itself where R(t*) > α, else u from a fixed sequence that rises to t*, whose events
    {t̂ ≤ u} grow to {t̂ < t*}. But t̂ ≤ u makes p(u) ≤ p(t̂) ≤ δ, which has probability ≤ δ.

For independent rows p is the binomial P(Bin(n, α) ≤ M): the chosen threshold is then an order
statistic of the protected rows' scores, and its bound is Clopper and Pearson's (1934) one-sided
one, or what is the same Wilks's (1941) tolerance limit. Where rows are independent but their risks
differ by group, n rows with the mean risk R give no more than the binomial does (Hoeffding 1956,
theorem 4), so that it holds for the very mixture of groups that was sampled. For groups the losses
lie between 0 and 1, and p is Hoeffding's and Bentkus's (Bates, Angelopoulos, Lei, Malik and Jordan
2021, section 3.1). With no loss at all both are (1 − α)^n: 299 units for 1 % at 95 %.

Several strata (labels, or each group on its own) are promised together by the strictest of their
thresholds. No correction is due: R of some stratum is too high only if its *own* threshold is, and
which stratum that is was fixed before the data (the intersection-union test of Berger 1982).

**Expected loss.** "The chance that the next protected unit is closed, averaged over calibration
samples too, is at most α." Conformal risk control (Angelopoulos, Bates, Fisch, Lei and Schuster
2022, theorem 1): the lowest t with (M(t) + 1) / (n + 1) ≤ α, for losses of at most 1 that fall in t
and are right-continuous in it, as 1[score > t] is. It needs exchangeable units only, fewer of them
(99 for 1 %), and says nothing of the one threshold that was drawn: about half of the draws may lie
above α. For several strata each has its own promise; the strictest threshold keeps all of them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from whichlever.calibrate.binomial import rows_for_share

Floats = npt.NDArray[np.float64]
Kind = Literal["high confidence", "expected loss"]

ROUNDING = 1e-9
"""Sums of shares are taken as whole numbers when they are this near to one."""


@dataclass(frozen=True, eq=False)
class Stratum:
    """The protected calibration rows that one promise speaks of.

    Attributes
    ----------
    label
        Their label.
    scores
        Closing scores, shape (n,).
    weights
        What each row adds to the loss when it is closed, shape (n,); the weights of one unit sum
        to 1.
    units
        Independent units: rows, or groups.
    grouped
        The units are groups, whose losses lie between 0 and 1.
    group
        The one group they are of, where each group is a stratum of its own.
    """

    label: str
    scores: Floats
    weights: Floats
    units: int
    grouped: bool = False
    group: str | None = None

    @classmethod
    def of_rows(cls, label: str, scores: npt.ArrayLike, group: str | None = None) -> Stratum:
        """Each row is a unit."""
        given = np.asarray(scores, dtype=np.float64)
        return cls(label, given, np.ones(len(given)), len(given), group=group)

    @classmethod
    def of_groups(cls, label: str, scores: npt.ArrayLike, groups: Sequence[object]) -> Stratum:
        """Each group is a unit; its loss is the share of its rows that are closed."""
        given = np.asarray(scores, dtype=np.float64)
        index: dict[object, int] = {}
        codes = np.array([index.setdefault(g, len(index)) for g in groups], dtype=np.intp)
        sizes = np.bincount(codes, minlength=len(index))
        return cls(label, given, 1.0 / sizes[codes], len(index), grouped=True)

    @property
    def name(self) -> str:
        """What it is called: its label, and its group where it is of one."""
        return self.label if self.group is None else f"{self.label} in {self.group}"

    def loss(self, threshold: float) -> float:
        """The loss of all units at a threshold: rows closed, or shares of groups summed."""
        return float(self.weights[self.scores > threshold].sum())


@dataclass(frozen=True)
class Threshold:
    """The lowest threshold that keeps a promise for every stratum: close above ``value``."""

    value: float
    binding: str


def promised_threshold(
    strata: Sequence[Stratum], kind: Kind, at_most: float, confidence: float, lowest: float
) -> Threshold | None:
    """Find the lowest threshold for which a promise holds in all strata.

    Parameters
    ----------
    strata
        What is promised of each holds of all of them together.
    at_most
        α, the largest share of protected units that may be closed.
    confidence
        1 − δ; only "high confidence" uses it.
    lowest
        A value below every score that can be closed.

    Returns
    -------
    Threshold or None
        None where a stratum has too few units for any threshold.
    """
    found: Threshold | None = None
    for stratum in strata:
        value = _lowest(stratum, kind, at_most, confidence, lowest)
        if value is None:
            return None
        if found is None or value > found.value:
            found = Threshold(value, stratum.name)
    return found


def _lowest(
    stratum: Stratum, kind: Kind, at_most: float, confidence: float, lowest: float
) -> float | None:
    order = np.argsort(-stratum.scores, kind="stable")
    scores = stratum.scores[order]
    before = np.concatenate([[0.0], np.cumsum(stratum.weights[order])])
    # At the threshold scores[j] only what is strictly above it is closed: ties stay open.
    above = np.searchsorted(-scores, -scores, side="left")
    thresholds = np.append(scores, lowest)
    closed = before[np.append(above, np.searchsorted(-scores, -lowest, side="left"))]
    # Losses rise along the path, so what is kept is its beginning.
    kept = bisect_right(
        range(len(closed)),
        False,
        key=lambda i: not _kept(float(closed[i]), stratum, kind, at_most, confidence),
    )
    return float(thresholds[kept - 1]) if kept else None


def _kept(loss: float, stratum: Stratum, kind: Kind, at_most: float, confidence: float) -> bool:
    if stratum.units == 0:
        return False
    if kind == "expected loss":
        return (loss + 1) <= at_most * (stratum.units + 1) + ROUNDING
    return bool(p_value(loss, stratum.units, at_most, stratum.grouped) <= 1 - confidence)


def p_value(
    loss: npt.ArrayLike, units: int, at_most: float, grouped: bool = False
) -> npt.NDArray[np.float64]:
    """p-value of "the risk is above ``at_most``", rising in ``loss``.

    Parameters
    ----------
    loss
        Sum of the units' losses, any shape.
    units
        Independent units, at least 1.
    grouped
        Losses lie anywhere between 0 and 1 (Hoeffding–Bentkus); else they are 0 or 1 (binomial).
    """
    from scipy.special import bdtr, xlogy

    given = np.asarray(loss, dtype=np.float64)
    if not grouped:
        return np.asarray(bdtr(np.floor(given + ROUNDING), units, at_most))
    mean = np.minimum(given / units, at_most)
    divergence = xlogy(mean, mean / at_most) + xlogy(1 - mean, (1 - mean) / (1 - at_most))
    bentkus = math.e * bdtr(np.ceil(given - ROUNDING), units, at_most)
    return np.asarray(np.minimum(np.minimum(np.exp(-units * divergence), bentkus), 1.0))


def upper_bound(loss: float, units: int, confidence: float, grouped: bool = False) -> float:
    """Upper confidence bound of the risk at a threshold that was fixed beforehand.

    Clopper and Pearson's for rows; for groups the largest risk that Hoeffding–Bentkus does not
    refute. 1 without units.
    """
    from scipy.optimize import brentq
    from scipy.special import betaincinv

    if units == 0 or loss >= units - ROUNDING:
        return 1.0
    if not grouped:
        missed = math.floor(loss + ROUNDING)
        return float(betaincinv(missed + 1, units - missed, confidence))

    def left(risk: float) -> float:
        return float(p_value(loss, units, risk, grouped=True)) - (1 - confidence)

    start = max(loss / units, 1e-12)
    if left(1 - 1e-12) > 0:
        return 1.0
    return float(brentq(left, start, 1 - 1e-12, xtol=1e-10))


def expected_bound(loss: float, units: int) -> float:
    """What conformal risk control promises on average: (loss + 1) / (units + 1)."""
    return (loss + 1) / (units + 1)


def units_needed(kind: Kind, at_most: float, confidence: float) -> int:
    """Fewest units, none of them closed, that a promise can be made with.

    299 for 1 % with high confidence at 95 %; 99 for 1 % in expectation.
    """
    if kind == "expected loss":
        return math.ceil(1 / at_most - 1 - ROUNDING)
    return rows_for_share(1 - at_most, confidence)


def allowed(kind: Kind, units: int, at_most: float, confidence: float) -> int:
    """Most protected rows of ``units`` that may be closed; −1 where none may."""
    if kind == "expected loss":
        return math.floor(at_most * (units + 1) - 1 + ROUNDING)
    counts = np.arange(units + 1)
    return int((p_value(counts, units, at_most) <= 1 - confidence).sum()) - 1 if units else -1
