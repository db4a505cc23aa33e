"""Beside the AUC: equal error rate, recall with few impostors let in, and own false alarms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from whichlever.measure.intervals import percentile
from whichlever.measure.scores import Floats, Ints
from whichlever.measure.summary import Interval
from whichlever.measure.verify_answers import GENUINE

NOMINAL = 0.05
LET_IN = 0.01
DRAWS = 500
FIGURES = ("eer", "recall_at_1", "own_flagged_at_5")


def verification(
    scores: Floats,
    targets: Ints,
    persons: npt.NDArray[np.str_],
    calibrate: Mapping[str, Floats],
    seed: int = 0,
) -> dict[str, Interval]:
    """Figures of each person, as means over persons, with bootstrap intervals over rows.

    ``eer``: the error rate at the threshold where as many impostors are let in as genuine mails
    are kept out. ``recall_at_1``: genuine mails above the score that 1 % of the impostors' are
    above. ``own_flagged_at_5``: genuine mails below the threshold that calibration rows set for
    5 % (a conformal one: (1 + as low) / (n + 1) ≤ .05).

    Parameters
    ----------
    scores, targets, persons
        As for `VerifyAnswers`, without nan.
    calibrate
        Scores of genuine calibration rows by person; a person without is left out of the last.
    """
    parts = []
    for person in np.unique(persons):
        own = persons == person
        yes, no = scores[own & (targets == GENUINE)], scores[own & (targets != GENUINE)]
        if len(yes) and len(no):
            parts.append((yes, no, calibrate.get(str(person), np.zeros(0))))
    if not parts:
        return {}
    rng = np.random.default_rng([seed, 5])
    drawn = [
        _figures([(rng.choice(yes, len(yes)), rng.choice(no, len(no)), c) for yes, no, c in parts])
        for _ in range(DRAWS)
    ]
    now = _figures(parts)
    return {
        name: percentile(now[name], np.array([one[name] for one in drawn]))
        for name in FIGURES
        if np.isfinite(now[name])
    }


def _figures(parts: list[tuple[Floats, Floats, Floats]]) -> dict[str, float]:
    flagged = [conformal_flags(yes, known) for yes, _, known in parts if len(known)]
    return {
        "eer": float(np.mean([equal_error_rate(yes, no) for yes, no, _ in parts])),
        "recall_at_1": float(np.mean([recall_at(yes, no) for yes, no, _ in parts])),
        "own_flagged_at_5": float(np.mean(flagged)) if flagged else float("nan"),
    }


def equal_error_rate(yes: Floats, no: Floats) -> float:
    """Mean of both error rates where they are nearest to each other."""
    edges = np.sort(yes)
    let_in = 1 - np.searchsorted(np.sort(no), edges, side="left") / len(no)
    kept_out = np.searchsorted(edges, edges, side="left") / len(yes)
    best = int(np.argmin(np.abs(let_in - kept_out)))
    return float(let_in[best] + kept_out[best]) / 2


def recall_at(yes: Floats, no: Floats, rate: float = LET_IN) -> float:
    """Share of genuine scores above the one that at most this share of impostors' are above."""
    above = np.sort(no)[::-1][int(rate * len(no))]
    return float(np.mean(yes > above))


def conformal_flags(yes: Floats, known: Floats, nominal: float = NOMINAL) -> float:
    """Share of genuine rows whose conformal p-value by known genuine scores is small."""
    low = np.searchsorted(np.sort(known), yes, side="right")
    return float(np.mean((1 + low) / (len(known) + 1) <= nominal))
