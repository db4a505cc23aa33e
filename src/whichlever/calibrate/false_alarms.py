"""The score from which to raise an alarm, chosen by how many false ones may be raised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.calibrate.binomial import clopper_pearson, rows_for_share

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AlarmRates:
    """What one threshold does to rows whose truth is known.

    Attributes
    ----------
    wanted, alarms
        Rows that deserve no alarm, and those of them that get one.
    false_share
        Their share with its Clopper-Pearson interval: (share, low, high).
    caught
        The same three of the rows that deserve one; (nan, 0, 1) without such rows.
    """

    wanted: int
    alarms: int
    false_share: tuple[float, float, float]
    caught: tuple[float, float, float]


def alarm_threshold(wanted: Floats, share: float) -> float:
    """The least threshold that at most a share of these scores reach.

    Parameters
    ----------
    wanted
        Scores of rows that deserve no alarm, shape (n,).
    share
        Of false alarms allowed, 0 to 1.

    Returns
    -------
    float
        A row is an alarm where its score is at least this. Above every score where not even one
        false alarm is allowed; it may then be over 1, which raises none.
    """
    ranked = np.sort(wanted)[::-1]
    allowed = math.floor(share * len(ranked) + 1e-9)
    if allowed >= len(ranked):
        return 0.0
    return float(np.nextafter(ranked[allowed], np.inf))


def sure_threshold(wanted: Floats, share: float, confidence: float = 0.95) -> float | None:
    """The least threshold whose true share of false alarms is at most ``share``, with confidence.

    The greatest number k of false alarms among n rows whose one-sided Clopper-Pearson bound is
    within the share gives the threshold; it is chosen by n and the share, not by the scores, so
    that the bound holds for it. None where n rows are too few even for no alarm at all:
    `rows_needed` says how many are not.
    """
    level = 1 - 2 * (1 - confidence)  # one side of a two-sided interval
    best = None
    for alarms in range(math.floor(share * len(wanted)) + 1):
        if clopper_pearson(alarms, len(wanted), level)[1] > share:
            break
        best = alarms
    return None if best is None else alarm_threshold(wanted, best / len(wanted))


def rows_needed(share: float, confidence: float = 0.95) -> int:
    """Rows without a false alarm that `sure_threshold` needs at least."""
    return rows_for_share(1 - share, confidence)


def alarm_rates(wanted: Floats, deserved: Floats, threshold: float) -> AlarmRates:
    """Count a threshold's false alarms and what it catches."""
    alarms, hits = int((wanted >= threshold).sum()), int((deserved >= threshold).sum())
    return AlarmRates(len(wanted), alarms, _share(alarms, len(wanted)), _share(hits, len(deserved)))


def shares_by(
    names: Sequence[str | None], wanted: Floats, threshold: float
) -> dict[str, tuple[int, int]]:
    """False alarms and rows of each name, such as the source of a mail; nameless ones left out."""
    found: dict[str, tuple[int, int]] = {}
    for name, score in zip(names, wanted.tolist(), strict=True):
        if name is not None:
            alarms, rows = found.get(name, (0, 0))
            found[name] = (alarms + (score >= threshold), rows + 1)
    return dict(sorted(found.items()))


def _share(hits: int, rows: int) -> tuple[float, float, float]:
    return (hits / rows if rows else math.nan, *clopper_pearson(hits, rows))
