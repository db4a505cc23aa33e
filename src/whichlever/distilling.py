"""Distillation as a job: a comparison of floor, teacher and students, and what each kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from whichlever.comparison import Comparison, compare, prepare
from whichlever.errors import TaskError
from whichlever.levers.log_evidence import LogEvidence, log_evidence
from whichlever.levers.logged import Log, read_log
from whichlever.levers.recorded import priced_as
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import share
from whichlever.measure.latency import from_seconds
from whichlever.measure.summary import LeverSummary
from whichlever.prices import CallTotals, build_bill, call_cost
from whichlever.progress import Progress
from whichlever.report.distill import write_page
from whichlever.run import write_json
from whichlever.settings_decoder import DistillSettings
from whichlever.task import Task
from whichlever.verdict.at_volume import AtVolume, at_volume
from whichlever.verdict.kept import Gap, Kept, agreement_of, said, what_was_kept

FLOOR = "linear"

FEWEST = 30
"""Test rows that a log must answer for its teacher to be put beside the floor."""


@dataclass(frozen=True)
class Distillation:
    """What came of it.

    Attributes
    ----------
    comparison
        The run: floors, teacher (where it is a lever) and students.
    kept
        What each student kept of its teacher; empty where a log answers too few test rows.
    volume
        A month of 50 million calls for each of them.
    text
        What is to be said besides, one sentence each.
    """

    comparison: Comparison
    kept: tuple[Kept, ...]
    volume: tuple[AtVolume, ...]
    text: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "students": [kept.as_json() for kept in self.kept],
            "volume": [own.model_dump(mode="json") for own in self.volume],
            "text": list(self.text),
        }


def distill(
    task: Task,
    run: str | Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    allow_egress: Collection[str] = (),
    **given: Any,  # noqa: ANN401 - fields of DistillSettings
) -> Distillation:
    """Teach small models what a lever or a log says, and measure all on the same test rows.

    Parameters
    ----------
    task
        Its ``levers.distill``, where it has one, is what is not given here.
    run
        Folder for the results; the same call goes on where an earlier one stopped, and a RUN of
        `compare` on the same task lends its fits.
    given
        Fields of `DistillSettings`; None is not given.

    Raises
    ------
    TaskError
        No teacher is named, or it is not one of the task's levers.
    """
    own = _settings(task.levers.distill, {k: v for k, v in given.items() if v is not None})
    levers = task.levers.model_copy(update={"distill": own})
    task = task.model_copy(update={"levers": levers})
    floors = ["majority", *([FLOOR] if task.answers != "open" else [])]
    students = [
        "finetune-distilled" if rung == "static" else f"finetune-distilled-{rung}"
        for rung in own.students
    ]
    named = [] if own.teacher is None else [own.teacher]
    done = compare(
        task, run, only=list(dict.fromkeys([*floors, *named, *students])), seed=seed,
        progress=progress, allow_egress=allow_egress,
    )  # fmt: skip
    if own.log is None:
        assert own.teacher is not None
        found = _beside_lever(done, own.teacher, students, seed)
    else:
        found = _beside_log(done, task, own, students, seed)
    write_json(done.run / "distill.json", found.as_json())
    write_page(done.run, done.verdict.headline, found.kept, found.volume, found.text)
    return found


def _settings(known: DistillSettings | None, given: dict[str, Any]) -> DistillSettings:
    before = {} if known is None else known.model_dump(exclude_unset=True)
    if "teacher" in given:
        before.pop("logs", None)
    if "logs" in given:
        before.pop("teacher", None)
    told = {**before, **given}
    if "teacher" not in told and "logs" not in told:
        raise TaskError(
            "no teacher: give --teacher LEVER or --logs FILE, or levers.distill in the task"
        )
    try:
        return DistillSettings.model_validate(told)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in ("levers.distill", *problem["loc"][:1]))
        raise TaskError(f"{where}: {problem['msg'].removeprefix('Value error, ')}") from error


def _beside_lever(
    done: Comparison, teacher: str, students: Sequence[str], seed: int
) -> Distillation:
    measures, metric = done.measures, done.measures.metric
    known = {own.lever for own in measures.levers}
    floor = FLOOR if FLOOR in known else "majority"
    tested = done.trials().filter(pl.col("role") == "test")
    kept = []
    for student in students:
        levers = (measures.lever(teacher), measures.lever(student), measures.lever(floor))
        first, second, third = (own.metrics[metric] for own in levers)
        frames = [tested.filter(pl.col("lever") == name) for name in (teacher, student)]
        kept.append(
            what_was_kept(
                metric, levers, (first, second, third),
                (_gap(done, teacher, floor), _gap(done, student, floor)),
                agreement_of(frames[0], frames[1], seed),
            )
        )  # fmt: skip
    order = [teacher, *students, floor]
    return Distillation(done, tuple(kept), at_volume([measures.lever(n) for n in order]))


def _gap(done: Comparison, lever: str, floor: str) -> Gap:
    if lever == floor:
        return Gap(0.0, 1.0)
    pair = done.measures.pair(lever, floor)
    return Gap(pair.difference.value * (1 if pair.a == lever else -1), pair.p_holm)


def _beside_log(
    done: Comparison, task: Task, own: DistillSettings, students: Sequence[str], seed: int
) -> Distillation:
    """The same where the teacher's answers lie in a log: on the test rows that it answers."""
    assert own.log is not None
    prepared = prepare(task)
    splits = prepared.splits
    labelled = [*splits.train, *splits.valid, *splits.calibrate, *splits.test]
    log = read_log(
        own.log, task.path(own.log.path), prepared.dataset.labels, rows=labelled,
        max_chars=task.data.max_chars,
    )  # fmt: skip
    seen = log_evidence(log, labelled)
    text = [
        f"{len(seen.said):,} labelled rows have a text of the log; its answers are right on "
        f"{said(share(len(seen.right), len(seen.said), None, None))} of them."
        if seen.said
        else "No labelled row has a text of the log: how often its answers are right is not known."
    ]
    among = [row.id for row in splits.test if row.id in seen.said]
    teacher = _as_lever(done, task, own, log, seen, len(splits.test))
    known = {lever.lever for lever in done.measures.levers}
    floor = FLOOR if FLOOR in known else "majority"
    rest = [done.measures.lever(name) for name in (*students, floor)]
    volume = at_volume([teacher, *rest])
    if len(among) < FEWEST:
        text.append(
            f"The log answers {len(among)} test rows; with fewer than {FEWEST} it is not put "
            f"beside {floor}. Whether there is anything to teach is not shown."
        )
        return Distillation(done, (), volume, tuple(text))
    text.append(f"Teacher, students and {floor} are compared on the {len(among):,} test rows that "
                "the log answers, by the share that is right (McNemar's exact test).")  # fmt: skip
    tested = done.trials().filter((pl.col("role") == "test") & pl.col("id").is_in(among))
    right = {name: _right(tested.filter(pl.col("lever") == name)) for name in (*students, floor)}
    right[teacher.lever] = {id_: id_ in seen.right for id_ in among}
    answered = pl.DataFrame(
        {"id": among, "group": [None] * len(among), "predicted": [seen.said[i] for i in among]},
        schema={"id": pl.String, "group": pl.String, "predicted": pl.String},
    )
    kept = [
        what_was_kept(
            "accuracy",
            (teacher, done.measures.lever(student), done.measures.lever(floor)),
            (_share(right[teacher.lever]), _share(right[student]), _share(right[floor])),
            (_paired(right[teacher.lever], right[floor]), _paired(right[student], right[floor])),
            agreement_of(answered, tested.filter(pl.col("lever") == student), seed, among),
        )
        for student in students
    ]
    return Distillation(done, tuple(kept), volume, tuple(text))


def _right(frame: pl.DataFrame) -> dict[str, bool]:
    same = (frame["predicted"] == frame["target"]).fill_null(value=False)
    return dict(zip(frame["id"].to_list(), same.to_list(), strict=True))


def _share(right: dict[str, bool]) -> Interval:
    return share(sum(right.values()), len(right), None, None)


def _paired(first: dict[str, bool], second: dict[str, bool]) -> Gap:
    from scipy.stats import binomtest

    rows = [i for i in first if i in second]
    ahead = sum(first[i] and not second[i] for i in rows)
    behind = sum(second[i] and not first[i] for i in rows)
    p = 1.0 if ahead + behind == 0 else float(binomtest(ahead, ahead + behind, 0.5).pvalue)
    return Gap((ahead - behind) / max(len(rows), 1), p)


def _as_lever(
    done: Comparison, task: Task, own: DistillSettings, log: Log, seen: LogEvidence, test: int
) -> LeverSummary:
    """The log's teacher as the bills and the page of volumes know levers."""
    assert own.log is not None
    tokens = tuple(
        (float(u.tokens_in), float(u.tokens_cached or 0), float(u.tokens_out))
        for u in seen.usage
        if u.tokens_in is not None and u.tokens_out is not None
    )
    totals = CallTotals(rows=log.answers, tokens=tokens)
    cost = call_cost(totals, "recorded", task, price_as=own.log.price_as or priced_as(log.model))
    bill = build_bill(
        "recorded-log", "recorded", cost, task, rows_seen=0, fit_seconds=0.0, test_rows=test
    )
    return LeverSummary(
        lever="the log's teacher",
        what=f"answers of {log.model or 'a model that the log does not name'}, as logged",
        place="recorded",
        rows=len(seen.said),
        all_rows=test,
        statuses={"ok": len(seen.said)},
        metrics={},
        calibration=None,
        latency=from_seconds([u.seconds for u in seen.usage]),
        cost=cost,
        rows_seen=0,
        fit_seconds=0.0,
        chosen={},
        bill=bill,
    )
