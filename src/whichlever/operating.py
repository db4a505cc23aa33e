"""A run's operating points by false alarms: chosen on calibration rows, told on test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from whichlever import trials
from whichlever.bundle.finished import Finished
from whichlever.calibrate.false_alarms import (
    AlarmRates,
    alarm_rates,
    alarm_threshold,
    rows_needed,
    shares_by,
    sure_threshold,
)
from whichlever.errors import RunError

MOST_GROUPS = 20
"""Groups whose false alarms are told one by one; more are threads or campaigns, not sources."""


@dataclass(frozen=True)
class Point:
    """One threshold: what it means, what it does to calibration and test rows, and by group."""

    threshold: float
    means: str
    calibrate: AlarmRates
    test: AlarmRates
    groups: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class OperatingPoints:
    """A lever's thresholds; ``needed`` rows are asked for where the sure one cannot be given."""

    lever: str
    points: tuple[Point, ...]
    needed: int

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def operating_points(
    run: Path, label: str, share: float, lever: str | None = None
) -> OperatingPoints:
    """Choose thresholds for a share of false alarms.

    Parameters
    ----------
    run
        A finished run of `kind: classify`.
    label
        The label whose probability is the score; every other label deserves no alarm.
    share
        Of false alarms among rows that deserve none, 0 to 1.
    lever
        Whose scores; the pulled lever's where None, or else the best owned one's.

    Raises
    ------
    RunError
        There is no such label or lever, it gives no probabilities, or no calibration row deserves
        no alarm.
    """
    frame, labels = trials.read(run / "trials.parquet")
    if label not in labels:
        known = ", ".join(map(repr, labels[:10]))
        raise RunError(f"{run}: no label {label!r} (--label); there are {known}")
    name = lever or _chosen(run)
    place = labels.index(label)
    rows = frame.filter((pl.col("lever") == name) & pl.col("scores").is_not_null())
    sides = {role: _scores(rows.filter(pl.col("role") == role), label, place)
             for role in ("calibrate", "test")}  # fmt: skip
    (wanted, deserved, _), (wanted_test, deserved_test, groups) = (
        sides["calibrate"], sides["test"]
    )  # fmt: skip
    if not len(wanted):
        raise RunError(
            f"{run}: {name!r} has no scored calibration row that is not {label!r}; name a lever "
            "that gives probabilities (--lever), or give split: a larger calibrate share"
        )
    sure = sure_threshold(wanted, share)
    choices = [(alarm_threshold(wanted, share), "keeps to it on the calibration rows")]
    if sure is not None:
        choices.append((sure, "keeps to it on rows like them, with 95 % confidence"))
    shown = groups if len(set(groups)) <= MOST_GROUPS else [None] * len(groups)
    points = tuple(
        Point(
            threshold,
            means,
            alarm_rates(wanted, deserved, threshold),
            alarm_rates(wanted_test, deserved_test, threshold),
            shares_by(shown, wanted_test, threshold),
        )
        for threshold, means in choices
    )
    return OperatingPoints(name, points, 0 if sure is not None else rows_needed(share))


def _chosen(run: Path) -> str:
    """The lever that a bundle of this run would answer with."""
    from whichlever.bundle.choice import choose_lever

    return choose_lever(Finished.read(run)).lever


def _scores(
    rows: pl.DataFrame, label: str, place: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[str | None]]:
    """Scores of rows that deserve no alarm, of those that do, and the groups of the first."""
    score = np.array([s[place] for s in rows["scores"].to_list()], np.float64)
    hit = (rows["target"] == label).to_numpy().astype(bool)
    groups = [g for g, h in zip(rows["group"].to_list(), hit.tolist(), strict=True) if not h]
    return score[~hit], score[hit], groups
