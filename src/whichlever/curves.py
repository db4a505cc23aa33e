"""Learning curves: the levers that learn from rows, fitted on nested parts of them.

Each point is a step kept under ``fits/curve/<lever>/<key>/``, the key a hash of everything its
answers depend on, so that a killed run goes on and no point is ever fitted twice. Test rows are
answered at every point; nothing is chosen from those answers. Calibration rows take no part: they
set temperatures, which change no answer.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from whichlever import trials
from whichlever.curve_plan import Planned, plan
from whichlever.data import Dataset, Splits
from whichlever.data.learn_fields import learn_fields
from whichlever.errors import TaskError
from whichlever.levers import Lever, build
from whichlever.measure.curve import Curve
from whichlever.measure.curve_draws import Answered, Board
from whichlever.measure.curve_summary import summarise_curve
from whichlever.measure.field_counts import FieldCounts
from whichlever.progress import Progress
from whichlever.run import read_json, write_json
from whichlever.step import CHUNK, Step, fit_lever, step_key
from whichlever.task import CurveSettings, Task
from whichlever.trials_fields import counts_of, with_fields

BY_DEFAULT = ("linear", "rag-vote", "finetune-static", "finetune-tagger")
"""Quick to fit; an encoder's curve must be asked for."""

FILE = "curves.parquet"


@dataclass(frozen=True, eq=False)
class _Done:
    """A finished point: what was planned, and its answers."""

    point: Planned
    lever: str
    facts: dict[str, Any]
    frame: pl.DataFrame


def check_curve(task: Task, levers: Collection[str]) -> None:
    """Say before anything runs that ``curve.levers`` names what has no curve.

    Parameters
    ----------
    levers
        Ids of the levers that run.

    Raises
    ------
    TaskError
        A lever is not in the run, or does not learn from labelled rows by itself.
    """
    if task.curve is None or task.curve.levers is None:
        return
    can = [name for name in levers if _learns(name)]
    for name in task.curve.levers:
        if name not in levers or not _learns(name):
            why = "has no curve" if name in levers else "is not in this run"
            raise TaskError(f"curve.levers: {name!r} {why} (it may name: {', '.join(can)})")


def curve_levers(settings: CurveSettings, levers: Sequence[str]) -> tuple[str, ...]:
    """The levers of a run that get a curve."""
    wanted = BY_DEFAULT if settings.levers is None else settings.levers
    return tuple(name for name in levers if name in wanted)


def _learns(lever: str) -> bool:
    return lever in ("linear", "rag-vote") or lever.startswith("finetune-")


def run_curve(
    run: Path,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    steps: Sequence[Step],
    seed: int,
    progress: Progress,
) -> Curve | None:
    """Fit every point within the budget, write ``curves.parquet``, and measure.

    Parameters
    ----------
    steps
        The finished steps of the run: the points with all rows, and the levels of the others.

    Returns
    -------
    Curve or None
        None where the task asks for no curve, or no lever of the run has one.
    """
    if task.curve is None:
        return None
    whole = {step.facts["lever"]: step for step in steps}
    names = curve_levers(task.curve, list(whole))
    if not names:
        return None
    planned = plan(task.curve, task, splits, seed)
    done, left, seconds = _fit_all(
        run, task, names, planned.points, dataset, splits, seed, progress
    )
    notes = [*planned.notes, *left]
    with progress.step("learning curves: measure"):
        labels = len(splits.train) + len(splits.valid)
        _write(run / FILE, done, {n: whole[n].frame for n in names}, labels, dataset.labels)
        index = {label: i for i, label in enumerate(dataset.labels)}
        targets = _numbers([row.target for row in splits.test], index)
        groups = [row.group for row in splits.test]
        known = [g for g in groups if g is not None]
        board = Board(targets, known if len(known) == len(groups) else None, task.goal.metric, seed)
        answered = [
            *(_answered(d, index) for d in done),
            *(
                Answered(name, "all", _tested(whole[name].frame, index), labels)
                for name in names
            ),
        ]  # fmt: skip
        levels = [
            (Answered(name, "level", _tested(step.frame, index)), _reads_rows(step.facts))
            for name, step in whole.items()
            if name not in names and len(_tested(step.frame, index))
        ]
        return summarise_curve(
            answered, board, margin=task.goal.margin, levels=levels,
            delay_from=planned.delay_from, notes=notes, seconds=seconds,
        )  # fmt: skip


def _fit_all(
    run: Path,
    task: Task,
    names: Sequence[str],
    points: Sequence[Planned],
    dataset: Dataset,
    splits: Splits,
    seed: int,
    progress: Progress,
) -> tuple[list[_Done], list[str], float]:
    """Every point within the budget, most telling first; the seconds are those once recorded."""
    assert task.curve is not None
    levers = {lever.id: lever for lever in build(_one_seed(task), names) if lever.id in names}
    budget = task.curve.minutes * 60
    spent, pace = 0.0, dict.fromkeys(names, 0.0)
    done: list[_Done] = []
    left: dict[str, int] = {}
    guesses = (
        lever.estimate_seconds(len(point.train), len(point.valid)) or 0.0
        for point in points
        for lever in levers.values()
        if _read(run, lever, task, dataset, splits, point, seed) is None
    )
    about = min(budget, sum(guesses))
    with progress.step("learning curves", len(points) * len(names), about or None) as bar:
        for point in points:
            for name in names:
                found = _read(run, levers[name], task, dataset, splits, point, seed)
                if found is None:
                    guess = pace[name] * point.labels or (
                        levers[name].estimate_seconds(len(point.train), len(point.valid)) or 0.0
                    )
                    if done and spent + guess > budget:
                        left[name] = left.get(name, 0) + 1
                        bar.advance()
                        continue
                    found = _fit(run, levers[name], task, dataset, splits, point, seed, progress)
                took = float(found.facts["seconds"])
                spent += took
                pace[name] = max(pace[name], took / point.labels)
                done.append(found)
                bar.advance()
    said = [
        f"{count} point{'s' * (count > 1)} of {name} left out: over the budget of "
        f"{task.curve.minutes:g} minutes (curve.minutes)"
        for name, count in left.items()
    ]
    return done, said, spent


def _one_seed(task: Task) -> Task:
    """The task whose fine-tunes train once: the first training is the one that is measured."""
    if task.levers.finetune is None or task.levers.finetune.seeds == 1:
        return task
    once = task.levers.finetune.model_copy(update={"seeds": 1})
    levers = task.levers.model_copy(update={"finetune": once})
    return task.model_copy(update={"levers": levers})


def _place(
    run: Path,
    lever: Lever,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    point: Planned,
    seed: int,
) -> tuple[Path, Splits]:
    """The point's folder, and the splits it is fitted with."""
    part = replace(splits, train=point.train, valid=point.valid)
    key = step_key(lever, task, dataset, part, seed + point.draw)
    return run / "fits" / "curve" / lever.id / key[:16], part


def _read(
    run: Path,
    lever: Lever,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    point: Planned,
    seed: int,
) -> _Done | None:
    """A point that is already done."""
    folder, _ = _place(run, lever, task, dataset, splits, point, seed)
    if not (folder / "point.json").exists():
        return None
    frame, _ = trials.read(folder / "answers.parquet")
    return _Done(point, lever.id, read_json(folder / "point.json"), frame)


def _fit(
    run: Path,
    lever: Lever,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    point: Planned,
    seed: int,
    progress: Progress,
) -> _Done:
    """Fit one point, answer the test rows, and keep the answers alone."""
    folder, part = _place(run, lever, task, dataset, splits, point, seed)
    fitted = folder / "fit"
    fitted.mkdir(parents=True, exist_ok=True)
    known = dataset
    if dataset.schema is not None:  # what fewer labels say of the names and their values
        learned = learn_fields(replace(part, calibrate=()), task)
        known = replace(dataset, schema=learned.schema)
    with progress.step(f"{lever.id}: {point.name}"):
        fit, seconds = fit_lever(lever, task, known, part, fitted, seed + point.draw, progress)
        answers = []
        for start in range(0, len(splits.test), CHUNK):
            answers.extend(fit.predictor.predict(splits.test[start : start + CHUNK]))
    frame = trials.table(lever.id, seed + point.draw, "test", splits.test, answers, None)
    if dataset.schema is not None:
        frame = with_fields(frame, splits.test, answers, dataset.labels, dataset.schema, keep=False)
    # Scores of every point would be most of the file, and no figure of the curve needs them.
    frame = frame.with_columns(pl.lit(None, frame.schema["scores"]).alias("scores"))
    trials.write(folder / "answers.parquet", frame, dataset.labels)
    facts = {
        "lever": lever.id,
        "order": point.order,
        "fraction": point.fraction,
        "draw": point.draw,
        "days": point.days,
        "labels": point.labels,
        "rows_seen": fit.rows_seen,
        "what": fit.what,
        "seconds": seconds,
    }
    write_json(folder / "point.json", facts)  # last: its being there is what makes the point done
    shutil.rmtree(fitted, ignore_errors=True)
    return _Done(point, lever.id, facts, frame)


def _write(
    path: Path,
    done: Sequence[_Done],
    whole: dict[str, pl.DataFrame],
    labels: int,
    names: Sequence[str],
) -> None:
    """Write the answers of all points, as trials with the columns that tell points apart."""
    frames = [
        _marked(d.frame, d.point.order, d.point.draw, d.point.fraction, d.point.days,
                d.point.labels, d.facts["rows_seen"])
        for d in done
    ]  # fmt: skip
    for frame in whole.values():
        test = frame.filter(pl.col("role") == "test")
        frames.append(_marked(test, "all", 0, 1.0, None, labels, None))
    trials.write(path, pl.concat(frames), names)


def _marked(
    frame: pl.DataFrame,
    order: str,
    draw: int,
    fraction: float,
    days: float | None,
    labels: int,
    rows_seen: int | None,
) -> pl.DataFrame:
    counts = ("hit", "said", "true", "invented", "exact") if "exact" in frame.columns else ()
    kept = frame.select(
        "lever", "seed", "role", "id", "group", "target", "predicted", "status", "error", *counts
    )
    if counts:  # the fields themselves quote the line
        kept = kept.with_columns(pl.lit(None, pl.String).alias(c) for c in ("target", "predicted"))
    return kept.with_columns(
        pl.lit(order, pl.String).alias("order"),
        pl.lit(draw, pl.Int32).alias("draw"),
        pl.lit(fraction, pl.Float32).alias("fraction"),
        pl.lit(days, pl.Float64).alias("days"),
        pl.lit(labels, pl.Int64).alias("labels"),
        pl.lit(rows_seen, pl.Int64).alias("rows_seen"),
    )


def _answered(done: _Done, index: dict[str, int]) -> Answered:
    point = done.point
    return Answered(
        done.lever, point.order, _tested(done.frame, index), point.labels,
        point.fraction, point.draw, point.days,
    )  # fmt: skip


def _tested(frame: pl.DataFrame, index: dict[str, int]) -> np.ndarray | FieldCounts:
    tested = frame.filter(pl.col("role") == "test")
    if "exact" in frame.columns:
        return counts_of(tested)
    return _numbers(tested["predicted"].to_list(), index)


def _numbers(values: Sequence[str | None], index: dict[str, int]) -> np.ndarray:
    return np.array([-1 if v is None else index.get(v, -1) for v in values], dtype=np.int64)


def _reads_rows(facts: dict[str, Any]) -> bool:
    """Whether labelled rows go into a lever without a curve."""
    return (
        bool(facts["rows_seen"]) and facts["place"] != "recorded" and facts["lever"] != "majority"
    )


__all__ = ["BY_DEFAULT", "FILE", "check_curve", "curve_levers", "run_curve"]
