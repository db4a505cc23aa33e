"""The hybrid of a comparison: two levers' answers, already given, joined by a threshold.

Nothing is asked again. The threshold is chosen on calibration rows, which no lever was fitted on;
what comes of it is measured on test rows, like every other lever's answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from whichlever import trials
from whichlever.errors import TaskError
from whichlever.infer.hybrid import Score, doubts
from whichlever.measure import Measures, Outcome
from whichlever.measure.hybrid import PERSON, HybridLeftOut
from whichlever.measure.hybrid_bill import measured
from whichlever.measure.hybrid_choice import (
    Handing,
    Option,
    Picked,
    choose,
    choose_by_share,
    mean_loss,
)
from whichlever.measure.hybrid_curve import joined_latency
from whichlever.measure.oracle import ORACLES
from whichlever.measure.scores import Answers, mistake_costs
from whichlever.measure.summary import Latency
from whichlever.prices import family
from whichlever.prices.joined import review_dollars
from whichlever.settings import HybridSettings
from whichlever.step import Step
from whichlever.task import Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

OWNED = ("linear", "finetune")
"""Families that may answer first without being named."""

FIRST = ("linear", "finetune", "rag-vote")
"""Levers that may be named as the first: they answer every row, with scores, on this machine."""

LEAST_ROWS = 20
"""Calibration rows below which no threshold is chosen from what both parts say of them."""


def check_hybrid(task: Task, levers: Sequence[str], only: Collection[str] | None) -> bool:
    """Tell whether a hybrid is wanted, before anything runs.

    Raises
    ------
    TaskError
        It names a lever that does not run, or one that cannot play the part.
    """
    settings = task.levers.hybrid
    if settings is None or (only is not None and "hybrid" not in only):
        return False
    have = f"this run has: {', '.join(levers) or 'none'}"
    first, then = settings.first, settings.then
    if first is not None and (first not in levers or not first.startswith(FIRST)):
        raise TaskError(
            f"levers.hybrid.first is {first!r}; name a lever that runs here and gives scores: "
            f"linear, rag-vote or a finetune rung ({have})"
        )
    if first is None and not any(family(name) in OWNED for name in levers):
        raise TaskError(f"levers.hybrid needs linear or finetune to answer first ({have})")
    if then == "best":
        if not _candidates(levers, first):
            raise TaskError(
                "levers.hybrid.then is best, but neither rag nor prompt runs; name one, or "
                f"person ({have})"
            )
    elif then != PERSON and (then not in levers or then in (first, "majority")):
        raise TaskError(
            f"levers.hybrid.then is {then!r}; name person, best, or another lever that runs "
            f"({have})"
        )
    if family(then) == "recorded" and settings.budget_share is None:
        raise TaskError(
            f"levers.hybrid.then is {then}, which has no answers to calibration rows, so no "
            "threshold can be chosen by them; say levers.hybrid.budget_share"
        )
    return True


@dataclass(frozen=True, eq=False)
class Joined:
    """A hybrid as a step like any other, and what its curve is worked out from.

    ``calibrate`` is None where ``then`` answered too few calibration rows.
    """

    step: Step
    first: str
    picked: Picked
    calibrate: Handing | None
    test: Handing
    unanswered: int


def join_hybrid(
    task: Task, labels: Sequence[str], steps: Sequence[Step], seed: int = 0
) -> Joined | HybridLeftOut:
    """Choose the parts and the threshold on calibration rows, and join the answers.

    Parameters
    ----------
    steps
        The run's finished steps, their frames priced (`trials.priced`).
    """
    settings = task.levers.hybrid
    assert settings is not None
    costs = cost_matrix(labels, task)
    parts = {str(s.facts["lever"]): _Part.of(s, labels) for s in steps}
    first = parts[settings.first] if settings.first else _best_owned(parts, task, labels)
    if first is None or first.calibrate.scores is None:
        return HybridLeftOut(why="there is no calibration row that an owned lever scored")
    names = [settings.then]
    if settings.then == "best":
        names = [n for n in _candidates(list(parts), first.name) if len(parts[n].calibrate)]
    others = [
        _person(first, settings, task, seed, labels) if n == PERSON else parts[n] for n in names
    ]
    picked = _pick(first, others, task, labels, costs)
    if isinstance(picked, HybridLeftOut):
        return picked
    then = next(o for o in others if o.name == picked.name)
    rows = min(len(first.test), len(then.test))
    if rows == 0:
        return HybridLeftOut(why=f"{then.name} answered no test row; give it a larger budget")
    common = min(len(first.calibrate), len(then.calibrate))
    calibrate = _handing(first.calibrate, then.calibrate, common, costs, task) if common else None
    test = _handing(first.test, then.test, rows, costs, task)
    mask = test.handed(picked.score, picked.threshold)
    failed = int((mask & ~_ok(then.test, rows)).sum())
    facts = _facts(first, then, picked, mask, settings, common or len(first.calibrate), task)
    frames = [_frame(first.frames["test"], then, "test", mask)]
    if calibrate is not None:
        handed = calibrate.handed(picked.score, picked.threshold)
        frames.insert(0, _frame(first.frames["calibrate"], then, "calibrate", handed))
    step = Step(pl.concat(frames), facts)
    return Joined(step, first.name, picked, calibrate, test, failed)


def with_hybrid(
    measures: Measures, task: Task, joined: Joined | HybridLeftOut | None, seed: int = 0
) -> Measures:
    """Fill in what only the parts' summaries tell: the hybrid's cost, bill and whole curve."""
    if joined is None:
        return measures
    if isinstance(joined, HybridLeftOut):
        return measures.model_copy(update={"hybrid": joined})
    return measured(
        measures, task, joined.picked, joined.first, joined.calibrate, joined.test,
        cost_matrix(measures.labels, task), unanswered=joined.unanswered,
        calibration_rows=int(joined.step.facts["chosen"]["calibration_rows"]), seed=seed,
    )  # fmt: skip


def cost_matrix(labels: Sequence[str], task: Task) -> Floats:
    """Mistake cost of true label (row) → said label (column), shape (classes, classes)."""
    k = len(labels)
    true, said = np.divmod(np.arange(k * k), k)
    return mistake_costs(true, said, labels, task.mistakes).reshape(k, k)


@dataclass(frozen=True, eq=False)
class _Part:
    """One part's answers: a lever's, or a person's (whose frames hold what is assumed)."""

    name: str
    frames: Mapping[str, pl.DataFrame]
    calibrate: Outcome
    test: Outcome
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, step: Step, labels: Sequence[str]) -> _Part:
        frames = {r: step.frame.filter(pl.col("role") == r) for r in ("calibrate", "test")}
        cal, test = (
            trials.outcome(frames[r], labels, step.facts, frozenset())
            for r in ("calibrate", "test")
        )
        return cls(str(step.facts["lever"]), frames, cal, test, step.facts)

    def price(self) -> float | None:
        """Mean dollars of an answer to a calibration row; None is not known."""
        frame = self.frames["calibrate"]
        known = frame["dollars"].drop_nulls()
        return float(known.mean()) if len(known) else None  # type: ignore[arg-type]


def _candidates(levers: Sequence[str], first: str | None) -> list[str]:
    """Who ``best`` chooses among: what retrieves or asks, and is a lever of its own."""
    return [
        name
        for name in levers
        if family(name) in ("rag", "prompt") and name not in ORACLES and name != first
    ]


def _best_owned(parts: Mapping[str, _Part], task: Task, labels: Sequence[str]) -> _Part | None:
    """The owned lever with the least mistake cost (or best goal metric) on calibration rows."""
    owned = [
        p
        for p in parts.values()
        if family(p.name) in OWNED
        and not p.name.endswith("-guarded")
        and len(p.calibrate)
        and p.calibrate.scores is not None
    ]

    def worth(part: _Part) -> float:
        o = part.calibrate
        if task.mistakes:
            return -mean_loss(o.targets, o.predicted, task, labels)
        answers = Answers(o.targets, o.predicted)
        return float(answers.metric(task.goal.metric, np.ones((len(o), 1)))[0])

    return max(owned, key=worth, default=None)


def _pick(
    first: _Part, others: Sequence[_Part], task: Task, labels: Sequence[str], costs: Floats
) -> Picked | HybridLeftOut:
    settings = task.levers.hybrid
    assert settings is not None
    common = min((len(first.calibrate), *(len(o.calibrate) for o in others)))
    if common >= LEAST_ROWS:
        options = [
            Option(o.name, _handing(first.calibrate, o.calibrate, common, costs, task), o.price())
            for o in others
        ]
        return choose(options, task, labels, costs, settings.budget_share)
    if settings.budget_share is not None and len(others) == 1 and len(first.calibrate):
        own = _handing(first.calibrate, first.calibrate, len(first.calibrate), costs, task)
        return choose_by_share(
            others[0].name, own.doubts, costs, settings.budget_share,
            priced_mistakes=bool(task.mistakes),
        )  # fmt: skip
    who = " and ".join(o.name for o in others) or settings.then
    return HybridLeftOut(
        why=f"{first.name} and {who} answered only {common} calibration rows in common, fewer than "
        f"the {LEAST_ROWS} that a threshold is chosen on: give a larger budget or more calibration "
        "rows, or name one lever in levers.hybrid.then and say levers.hybrid.budget_share"
    )


def _handing(first: Outcome, then: Outcome, rows: int, costs: Floats, task: Task) -> Handing:
    """Both parts' answers to the rows they have in common."""
    if first.ids[:rows] != then.ids[:rows]:
        raise ValueError(f"{first.lever} and {then.lever} answered different rows")
    scores = first.scores
    assert scores is not None
    found: dict[Score, Floats] = {"doubt": doubts(scores, first.predicted)}
    if task.mistakes:
        found["cost"] = doubts(scores, first.predicted, costs)
    stands = np.where(_ok(then, len(then)), then.predicted, -2)[:rows]
    return Handing(
        targets=first.targets[:rows],
        first=first.predicted[:rows],
        then=np.where(stands == -2, first.predicted[:rows], stands),
        alone=then.predicted[:rows],
        doubts={name: d[:rows] for name, d in found.items()},
        groups=None if first.groups is None else first.groups[:rows],
    )


def _ok(answers: Outcome, rows: int) -> npt.NDArray[np.bool_]:
    return np.array([s == "ok" for s in answers.statuses[:rows]], dtype=bool)


def _person(
    first: _Part, settings: HybridSettings, task: Task, seed: int, labels: Sequence[str]
) -> _Part:
    """A person who is right as often as the task says; errors are seeded by row."""
    step = Step(
        pl.concat([_read(frame, settings, task, seed, labels) for frame in first.frames.values()]),
        {
            **first.facts,
            "lever": PERSON,
            "place": "here",
            "latency": Latency(
                rows=0,
                **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), task.prices.review_minutes * 60e3),
                rows_per_second=None,
            ).model_dump(mode="json"),
            "fit_seconds": 0.0,
            "rows_seen": 0,
        },
    )
    return _Part.of(step, labels)


def _read(
    frame: pl.DataFrame, settings: HybridSettings, task: Task, seed: int, labels: Sequence[str]
) -> pl.DataFrame:
    said = [
        reviewed(str(row), target, labels, settings.review_accuracy, seed)
        for row, target in frame.select("id", "target").iter_rows()
    ]
    return frame.with_columns(
        pl.lit(PERSON).alias("lever"),
        pl.Series("predicted", said, dtype=pl.String),
        pl.lit(None, pl.List(pl.Float32)).alias("scores"),
        pl.lit(None, pl.List(pl.Float32)).alias("raw_scores"),
        pl.lit("ok").alias("status"),
        pl.lit(None, pl.String).alias("error"),
        pl.lit(task.prices.review_minutes * 60).alias("seconds"),
        pl.lit(review_dollars(task.prices)).alias("dollars"),
        pl.lit(0, pl.Int64).alias("bytes_out"),
        *(pl.lit(None, pl.Int64).alias(c) for c in ("tokens_in", "tokens_cached", "tokens_out")),
    )


def reviewed(
    row: str, target: str | None, labels: Sequence[str], accuracy: float, seed: int
) -> str | None:
    """What a person says of a row: the truth, or with chance 1 − accuracy another label."""
    drawn = hashlib.sha256(f"{seed}:{row}".encode()).digest()
    if accuracy >= 1 or int.from_bytes(drawn[:8]) / 2**64 < accuracy:
        return target
    others = [label for label in labels if label != target]
    return others[int.from_bytes(drawn[8:16]) % len(others)]


def _frame(
    first: pl.DataFrame, then: _Part, role: str, mask: npt.NDArray[np.bool_]
) -> pl.DataFrame:
    """The joined answers as trial rows."""
    rows = len(mask)
    own, other = first.head(rows), then.frames[role].head(rows)
    handed = pl.Series(mask)
    stands = handed & (other["status"] == "ok")

    def joined(column: str) -> pl.Series:
        chosen = pl.when(stands).then(other[column]).otherwise(own[column])
        return pl.select(chosen.alias(column)).to_series()

    def added(column: str, *, unknown_is_none: bool) -> pl.Series:
        more = other[column]
        if unknown_is_none:
            both = own[column] + more
        else:  # tokens: whoever counts none has none
            both = pl.select(pl.coalesce(own[column] + more, more, own[column])).to_series()
        return pl.select(
            pl.when(handed).then(both).otherwise(own[column]).alias(column)
        ).to_series()

    return own.with_columns(
        pl.lit("hybrid").alias("lever"),
        *(joined(c) for c in ("predicted", "scores", "status", "error")),
        pl.lit(None, pl.List(pl.Float32)).alias("raw_scores"),
        *(added(c, unknown_is_none=True) for c in ("seconds", "dollars", "bytes_out")),
        *(added(c, unknown_is_none=False) for c in ("tokens_in", "tokens_cached", "tokens_out")),
        (own["estimated"] | (other["estimated"] & handed)).alias("estimated"),
    )


def _facts(
    first: _Part,
    then: _Part,
    picked: Picked,
    mask: npt.NDArray[np.bool_],
    settings: HybridSettings,
    calibration_rows: int,
    task: Task,
) -> dict[str, Any]:
    share = float(mask.mean())
    none = picked.share == 0 and not mask.any()
    unsure = (
        "it is least sure of"
        if picked.score == "doubt"
        else "where a mistake of its own is expected to cost most"
    )
    who = then.name
    if who == PERSON:
        who = (
            f"a person, who is assumed to be right on {100 * settings.review_accuracy:g} % of them"
        )
    latency = joined_latency(
        Latency.model_validate(first.facts["latency"]),
        Latency.model_validate(then.facts["latency"]),
        share,
    )
    return {
        **first.facts,
        "lever": "hybrid",
        "what": f"{first.name}, which hands nothing over to {then.name}: none of it paid on "
        "calibration rows"
        if none
        else f"{first.name}, which hands the {100 * share:.1f} % of rows {unsure} to {who}",
        "place": then.facts["place"],
        "chosen": {
            "first": first.name, "then": then.name, "score": picked.score,
            "threshold": picked.threshold, "rule": picked.rule,
            "handed_over_on_calibration_rows": picked.share, "calibration_rows": calibration_rows,
        },
        "rows_seen": max(int(first.facts["rows_seen"]), int(then.facts["rows_seen"])),
        "fit_seconds": float(first.facts["fit_seconds"]) + float(then.facts["fit_seconds"]),
        "temperature": None,
        "latency": latency.model_dump(mode="json"),
        "price_as": None,
        "token_prices": None,
        "priced": False,
    }  # fmt: skip
