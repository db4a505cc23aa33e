"""Promises about closed rows: set on calibration rows, then shown on test rows.

The threshold is chosen on calibration rows alone. Test rows say what it really did; nothing is
chosen by them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from whichlever.calibrate import promises
from whichlever.calibrate.closing import CAP, GUARD, NEVER, closing_scores, odds
from whichlever.measure.autoclosing import (
    Autoclose,
    LeverAutoclose,
    PathPoint,
    Promise,
    Scope,
    Stratum,
)
from whichlever.measure.happened import Closing, happened
from whichlever.measure.outcome import Outcome
from whichlever.measure.promise_words import promise_text, refusal_text
from whichlever.settings import AutocloseSettings

PATH_POINTS = 60
STRATA_KEPT = 40


def measure_autoclose(
    settings: AutocloseSettings,
    labels: Sequence[str],
    levers: Sequence[tuple[Outcome | None, Outcome]],
) -> Autoclose:
    """Measure what each lever can promise.

    Parameters
    ----------
    settings
        The task's ``autoclose:``.
    labels
        The run's label order.
    levers
        Each lever's answers to the calibration rows (None: it answered none) and the test rows.
    """
    groups = [c.groups for c, _ in levers if c is not None and c.groups is not None]
    default: Scope = "new_groups" if groups else "deployment"
    scope: Scope = settings.scope or default
    if not groups:
        scope = "deployment"
    return Autoclose(
        label=settings.label,
        protect=tuple(settings.protect),
        at_most=settings.at_most,
        confidence=settings.confidence,
        review=settings.review,
        scope=scope,
        groups=len(set(groups[0])) if groups else None,
        levers=tuple(_lever(settings, scope, labels, c, t) for c, t in levers),
    )


def closing(settings: AutocloseSettings, labels: Sequence[str], outcome: Outcome) -> Closing | None:
    """A lever's rows with their closing scores; None where it gives no scores.

    Scores from before calibration are used: the temperature was fitted on these very rows.
    """
    scores = outcome.scores if outcome.raw_scores is None else outcome.raw_scores
    if scores is None or not len(outcome):
        return None
    place = {name: i for i, name in enumerate(labels)}
    protect = [place[name] for name in settings.protect]
    return Closing(
        closing_scores(scores, outcome.predicted, place[settings.label], protect),
        outcome.targets,
        outcome.groups,
        tuple(labels),
        place[settings.label],
        tuple(protect),
    )


def _lever(
    settings: AutocloseSettings,
    scope: Scope,
    labels: Sequence[str],
    calibrate: Outcome | None,
    test: Outcome,
) -> LeverAutoclose:
    given = None if calibrate is None else closing(settings, labels, calibrate)
    tested = closing(settings, labels, test)
    if given is None or tested is None:
        why = "it answered no calibration rows" if not calibrate else "it gives no scores"
        return LeverAutoclose(
            lever=test.lever,
            rows=0 if calibrate is None else len(calibrate),
            refusal=f"{test.lever} can promise nothing: {why} to set a threshold by.",
        )
    rest: list[Scope] = ["deployment", "each_group", "new_groups"] if given.groups else []
    job = _Job(settings, given, tested)
    return LeverAutoclose(
        lever=test.lever,
        rows=len(given),
        high_confidence=job.promise("high confidence", scope),
        expected_loss=job.promise("expected loss", scope),
        others=tuple(job.promise("high confidence", other) for other in rest if other != scope),
        path=job.path(scope),
    )


def strata_of(given: Closing, scope: Scope) -> list[promises.Stratum]:
    """The protected calibration rows as evidence for a scope.

    Raises
    ------
    ValueError
        A scope of groups, and rows without groups.
    """
    out = []
    for c in given.protect:
        name, mine = given.labels[c], given.targets == c
        scores = given.scores[mine]
        if scope == "deployment":
            out.append(promises.Stratum.of_rows(name, scores))
            continue
        if given.groups is None:
            raise ValueError(f"{scope} needs groups")
        groups = np.asarray(given.groups, dtype=object)
        if scope == "new_groups":
            out.append(promises.Stratum.of_groups(name, scores, groups[mine].tolist()))
            continue
        for group in sorted(set(given.groups)):
            own = scores[groups[mine] == group]
            out.append(promises.Stratum.of_rows(name, own, group))
    return out


@dataclass(frozen=True)
class _Job:
    settings: AutocloseSettings
    given: Closing
    tested: Closing

    def promise(self, kind: promises.Kind, scope: Scope) -> Promise:
        at_most, confidence = self.settings.at_most, self.settings.confidence
        strata = strata_of(self.given, scope)
        needed = promises.units_needed(kind, at_most, confidence)
        more = sum(max(0, needed - s.units) for s in strata)
        found = promises.promised_threshold(strata, kind, at_most, confidence, NEVER)
        made = Promise(
            kind=kind,
            scope=scope,
            text=promise_text(self.settings, kind, scope, self._groups()),
            held=found is not None,
            at_most=at_most,
            confidence=confidence if kind == "high confidence" else None,
            unit="group" if scope == "new_groups" else "row",
            units=min(s.units for s in strata),
            needed=needed,
            more=more,
            more_rows=self._rows_for(strata, needed) if more else 0,
            strata=_shown(strata, None if found is None else found.value, kind, confidence),
        )
        if found is None:
            refusal = refusal_text(made, strata)
            return made.model_copy(update={"refusal": refusal})
        return made.model_copy(update=self._kept(kind, strata, found))

    def _kept(
        self, kind: promises.Kind, strata: Sequence[promises.Stratum], found: promises.Threshold
    ) -> dict[str, object]:
        value = found.value + GUARD
        return {
            "binding": found.binding,
            "threshold": value,
            "odds": odds(value),
            "bound": max(_bound(s, value, kind, self.settings.confidence) for s in strata),
            "calibration": happened(self.given, value),
            "test": happened(self.tested, value),
        }

    def _groups(self) -> int | None:
        return None if self.given.groups is None else len(set(self.given.groups))

    def _rows_for(self, strata: Sequence[promises.Stratum], needed: int) -> int | None:
        """About how many more calibration rows hold the units that are missing."""
        rows = len(self.given)
        wanted = [
            math.ceil(rows * (needed - s.units) / s.units) if s.units else None
            for s in strata
            if s.units < needed
        ]
        known = [n for n in wanted if n is not None]
        return max(known) if len(known) == len(wanted) else None

    def path(self, scope: Scope) -> tuple[PathPoint, ...]:
        strata = strata_of(self.given, scope)
        marks = np.unique(np.concatenate([s.scores for s in strata]))
        # From closing everything that is answered so to closing nothing.
        marks = np.concatenate([[NEVER], marks[(marks > NEVER) & (marks < CAP)], [CAP]])
        if len(marks) > PATH_POINTS:
            marks = marks[np.linspace(0, len(marks) - 1, PATH_POINTS).round().astype(int)]
        confidence = self.settings.confidence
        mine = self.given.scores[self.given.targets == self.given.label]
        protected = self.given.scores[np.isin(self.given.targets, self.given.protect)]
        return tuple(
            PathPoint(
                threshold=float(t),
                noise=_above(mine, t),
                missed=_above(protected, t),
                bound=max(_bound(s, t, "high confidence", confidence) for s in strata),
                expected=max(_bound(s, t, "expected loss", confidence) for s in strata),
            )
            for t in marks.tolist()
        )


def _above(scores: npt.NDArray[np.float64], threshold: float) -> float:
    return float((scores > threshold).mean()) if len(scores) else 0.0


def _bound(
    stratum: promises.Stratum, threshold: float, kind: promises.Kind, confidence: float
) -> float:
    loss = stratum.loss(threshold)
    if kind == "expected loss":
        return promises.expected_bound(loss, stratum.units)
    return promises.upper_bound(loss, stratum.units, confidence, stratum.grouped)


def _shown(
    strata: Sequence[promises.Stratum],
    threshold: float | None,
    kind: promises.Kind,
    confidence: float,
) -> tuple[Stratum, ...]:
    """The strata with the least evidence first."""
    ordered = sorted(strata, key=lambda s: (s.units, s.name))[:STRATA_KEPT]
    return tuple(
        Stratum(
            name=s.name,
            units=s.units,
            rows=len(s.scores),
            closed=None if threshold is None else int((s.scores > threshold + GUARD).sum()),
            bound=None if threshold is None else _bound(s, threshold + GUARD, kind, confidence),
        )
        for s in ordered
    )
