"""Distillation as a job: a comparison of floor, teacher and student, and what the student kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from whichlever.comparison import Comparison, compare
from whichlever.errors import TaskError
from whichlever.levers.build import DISTILLED
from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import share
from whichlever.progress import Progress
from whichlever.run import write_json
from whichlever.settings_decoder import DistillSettings
from whichlever.task import Task
from whichlever.verdict.breakeven import break_even

FLOOR = "linear"
CERTAIN = 0.05


@dataclass(frozen=True)
class Kept:
    """What the student kept of its teacher, on the test rows that both answered.

    Attributes
    ----------
    agreement
        Share of rows to which both say the same, right or wrong.
    teacher, student, floor
        Their goal metric, with intervals.
    of_teacher
        The student's metric over the teacher's; None where the teacher's is 0.
    cost_ratio
        Dollars of one more call, the teacher's over the student's, measured in the same run; None
        where either is not known.
    teacher_beats_floor
        Whether the teacher is ahead of the linear floor by the paired test after Holm.
    text
        All of it in sentences, what is against it first.
    """

    agreement: Interval
    teacher: Interval
    student: Interval
    floor: Interval
    of_teacher: float | None
    cost_ratio: float | None
    teacher_beats_floor: bool
    text: tuple[str, ...]


def distill(
    task: Task,
    run: str | Path,
    *,
    teacher: str | None = None,
    rows: str | None = None,
    max_rows: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    allow_egress: Collection[str] = (),
) -> tuple[Comparison, Kept]:
    """Teach a static model what a lever says, and measure both on the same test rows.

    Parameters
    ----------
    task
        Its ``levers.distill``, where it has one, is what is not given here.
    run
        Folder for the results; the same call goes on where an earlier one stopped, and a RUN of
        `compare` on the same task lends its fits.
    teacher
        A lever's id.
    rows
        A file of rows without a label, from the task's folder.

    Raises
    ------
    TaskError
        No teacher is named, or it is not one of the task's levers.
    """
    said = task.levers.distill
    name = teacher or (said.teacher if said is not None else None)
    if name is None:
        raise TaskError("no teacher: give --teacher LEVER, or levers.distill in the task")
    own = DistillSettings(
        teacher=name,
        rows=rows if rows is not None else (said.rows if said is not None else None),
        max_rows=max_rows if max_rows is not None else (said.max_rows if said else None),
    )
    levers = task.levers.model_copy(update={"distill": own})
    task = task.model_copy(update={"levers": levers})
    done = compare(
        task, run, only=["majority", FLOOR, name, DISTILLED], seed=seed, progress=progress,
        allow_egress=allow_egress,
    )  # fmt: skip
    kept = what_was_kept(done, name, seed)
    write_json(
        done.run / "distill.json",
        {
            "teacher": name,
            "agreement": kept.agreement.model_dump(mode="json"),
            "of_teacher": kept.of_teacher,
            "cost_ratio": kept.cost_ratio,
            "teacher_beats_floor": kept.teacher_beats_floor,
            "text": list(kept.text),
        },
    )
    return done, kept


def what_was_kept(done: Comparison, teacher: str, seed: int = 0) -> Kept:
    """Compare a student with its teacher and the floor, from a finished run."""
    measures, metric = done.measures, done.measures.metric
    old, new, floor = (measures.lever(name) for name in (teacher, DISTILLED, FLOOR))
    agreement = _agreement(done.trials(), teacher, seed)
    pair = measures.pair(teacher, FLOOR)
    ahead = pair.difference.value * (1 if pair.a == teacher else -1)
    beats = ahead > 0 and pair.p_holm < CERTAIN
    scores = [lever.metrics[metric] for lever in (old, new, floor)]
    of_teacher = scores[1].value / scores[0].value if scores[0].value else None
    costs = old.cost.marginal, new.cost.marginal
    ratio = costs[0] / costs[1] if costs[0] is not None and costs[1] else None
    text = []
    if not beats:
        text.append(
            f"{teacher} is not shown to beat {FLOOR} ({scores[0].value:.3f} against "
            f"{scores[2].value:.3f}, p {pair.p_holm:.3f}): there is nothing to teach that the "
            "floor does not know; use the floor."
        )
    facts = new.chosen["distilled"]
    text.append(
        f"{DISTILLED} learned from what {teacher} says of {facts['rows_taught']:,} rows "
        f"({facts['rows_without_label']:,} without a label), "
        f"{'probabilities' if facts['soft'] else 'labels alone'}."
    )
    if of_teacher is not None:
        text.append(
            f"It keeps {of_teacher:.1%} of the teacher's {metric} ({_said(scores[1])} of "
            f"{_said(scores[0])}) and says the same to {_said(agreement)} of the test rows."
        )
    if ratio is not None:
        text.append(f"One more call costs 1/{ratio:,.0f} of the teacher's, measured in this run.")
    crossing = break_even(new, old)
    if crossing is not None:
        text.append(crossing.text)
    return Kept(agreement, scores[0], scores[1], scores[2], of_teacher, ratio, beats, tuple(text))


def _agreement(frame: pl.DataFrame, teacher: str, seed: int) -> Interval:
    tested = frame.filter(pl.col("role") == "test")
    old, new = (tested.filter(pl.col("lever") == name) for name in (teacher, DISTILLED))
    both = old.select("id", "group", "predicted").join(
        new.select("id", said="predicted"), on="id", how="inner", maintain_order="left"
    )
    same = (both["predicted"] == both["said"]).fill_null(value=False).to_numpy().astype(float)
    groups = both["group"].to_list()
    if not len(same) or any(g is None for g in groups):
        return share(float(same.sum()), len(same), None, None)
    draws = Draws.over(len(same), tuple(groups), seed=seed)
    drawn = np.concatenate([same @ w / np.maximum(w.sum(axis=0), 1e-12) for w in draws.chunks()])
    return share(float(same.sum()), len(same), len(set(groups)), drawn)


def _said(figure: Interval) -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
