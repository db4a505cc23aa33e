"""One lever's step of a comparison: fit, answer, calibrate, time, and keep the result."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from whichlever import trials
from whichlever.answer_schema import AnswerSchema
from whichlever.calibrate import Temperature
from whichlever.closed import as_choice
from whichlever.data import Dataset, Splits
from whichlever.levers import Context, Fit, Lever
from whichlever.levers.after import AfterFits
from whichlever.levers.build import family
from whichlever.levers.recorded_raw import row_keys
from whichlever.measure.latency import from_seconds, measure_latency
from whichlever.measure.summary import Latency
from whichlever.predict import Prediction, Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json
from whichlever.task import Task
from whichlever.trials_fields import exact_lines, line_scores, with_fields
from whichlever.trials_persons import with_persons
from whichlever.trials_texts import with_texts
from whichlever.version import VERSION

CHUNK = 2_048
"""Rows answered between two moves of the progress bar."""

SLOW_CHUNK = 8
"""The same for a lever that answers within a budget."""

CALIBRATE_SHARE = 0.2
"""Of the rows a budget pays for, the share spent on calibration rows."""


@dataclass(frozen=True)
class Step:
    """A finished step: its trials (roles calibrate and test) and the facts of its fit."""

    frame: pl.DataFrame
    facts: dict[str, Any]


def run_step(
    lever: Lever,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    run: Path,
    seed: int,
    progress: Progress,
    then: AfterFits | None = None,
    keep_texts: bool = True,
) -> Step:
    """Run one lever's step, or read it back where it is already done.

    ``then`` is given the fitted lever after its test rows are answered and kept; without
    ``keep_texts`` no field copied out of a line is kept, only counts of them.
    """
    key = step_key(lever, task, dataset, splits, seed)
    home = run / "fits" / lever.id
    folder = home / key[:16]
    done = folder / "step.json"
    if done.exists():
        facts = read_json(done)
        frame, _ = trials.read(folder / "trials.parquet")
        with progress.step(f"{lever.id}: already done") as bar:
            bar.note(f"read from {folder.name}")
        if then is not None:
            then(
                lever,
                folder,
                lambda: fit_lever(lever, task, dataset, splits, folder, seed, progress)[0],
            )
        return Step(frame, facts)
    _start_folder(home, folder)
    fit, fit_seconds = fit_lever(lever, task, dataset, splits, folder, seed, progress)
    within = fit if then is None else then.within(fit)
    step = _answer(lever, within, fit_seconds, task, dataset, splits, seed, progress, keep_texts)
    trials.write(folder / "trials.parquet", step.frame, dataset.labels)
    write_json(done, step.facts)  # last: its being there is what makes the step done
    for old in home.iterdir():
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    if then is not None:
        then(lever, folder, lambda: fit)
    return step


def train_step(
    lever: Lever,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    run: Path,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """Fit one lever in its step's folder and say what came of it."""
    home = run / "fits" / lever.id
    folder = home / step_key(lever, task, dataset, splits, seed)[:16]
    _start_folder(home, folder)
    fit, fit_seconds = fit_lever(lever, task, dataset, splits, folder, seed, progress)
    return {
        "lever": lever.id,
        "what": fit.what,
        "chosen": dict(fit.chosen),
        "rows_seen": fit.rows_seen,
        "fit_seconds": fit_seconds,
        "folder": str(folder),
    }


def fit_lever(
    lever: Lever,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    folder: Path,
    seed: int,
    progress: Progress,
) -> tuple[Fit, float]:
    """Fit one lever on training rows, choosing on validation rows, with an estimate first.

    The second value is the seconds it took when it was really fitted: a fit that an earlier call
    left in the folder is only read back, and its cost is what it was.
    """
    test_ids = frozenset(row.id for row in splits.test)
    parts = {}
    for part in getattr(lever, "parts", ()):  # fitted in their own steps' folders, or read back
        home = folder.parents[1] / part.id / step_key(part, task, dataset, splits, seed)[:16]
        home.mkdir(parents=True, exist_ok=True)
        parts[part.id], _ = fit_lever(part, task, dataset, splits, home, seed, progress)
    seen = task if task.answers == "open" else as_choice(task)
    context = Context(
        seen, dataset.labels, seed, folder, progress, test_ids, parts, dataset.schema,
        splits.calibrate, _held_apart(lever, splits),
    )  # fmt: skip
    seconds = lever.estimate_seconds(len(splits.train), len(splits.valid))
    took = folder / "fit_seconds.json"
    recorded = read_json(took) if took.exists() else None
    began = time.monotonic()
    with progress.step(f"{lever.id}: fit", seconds=None if recorded else seconds):
        fit = lever.fit(splits.train, splits.valid, context)
    if recorded is None:
        recorded = time.monotonic() - began
        write_json(took, recorded)
    return fit, float(recorded)


def _held_apart(lever: Lever, splits: Splits) -> frozenset[bytes]:
    if not getattr(lever, "reads_more", False):
        return frozenset()
    rows = (*splits.valid, *splits.calibrate, *splits.test)
    return frozenset(key for row in rows for key in row_keys(row.text))


def step_key(lever: Lever, task: Task, dataset: Dataset, splits: Splits, seed: int) -> str:
    """Hash everything that the lever's answers depend on; SHA-256 hex."""
    answers = AnswerSchema.of(task)
    roles = {role: digest([r.id for r in getattr(splits, role)]) for role in _ROLES}
    return digest(
        {
            "version": VERSION,
            "lever": lever.id,
            "settings": dict(lever.settings()),
            "seed": seed,
            "rows": dataset.fingerprint,
            "roles": roles,
            "labels": [[label, task.labels.get(label, "")] for label in dataset.labels],
            **({} if dataset.schema is None else {"schema": dataset.schema.to_json()}),
            **({} if answers is None else {"answers": answers.document}),
            "goal": task.goal.metric,
            "asked": _asked(task) if _asks(lever) else None,
            "files": {n: _digest_of(task.path(n)) for n in getattr(lever, "files", ())},
        }
    )


_ROLES = ("train", "valid", "calibrate", "test")


def _asks(lever: Lever) -> bool:
    """Whether it, or a lever that it learns from, asks a language model or retrieves."""
    return family(lever) in ("prompt", "rag") or any(map(_asks, getattr(lever, "parts", ())))


def _asked(task: Task) -> dict[str, Any]:
    """What only a lever that asks a language model, or retrieves, depends on."""
    return {
        "about": task.about,
        "llms": {name: llm.model_dump(mode="json") for name, llm in task.llms.items()},
        "may_leave": task.constraints.data_may_leave,
        "documents": _documents(task),
    }


def _documents(task: Task) -> list[tuple[str, str]]:
    """Name and digest of each document, so that a changed one makes a new step."""
    if task.documents is None:
        return []
    root = task.path(task.documents)
    if not root.is_dir():
        return []
    files = (p for p in sorted(root.rglob("*")) if p.is_file() and not p.is_symlink())
    return [(str(p.relative_to(root)), _digest_of(p)) for p in files]


def _digest_of(path: Path) -> str:
    """SHA-256 of a file; a missing one is left to whoever reads it to complain about."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return ""


def _start_folder(home: Path, folder: Path) -> None:
    """Make the step's folder, bringing along answers already paid for under other settings."""
    folder.mkdir(parents=True, exist_ok=True)
    others = [p for p in home.iterdir() if p != folder and p.is_dir()]
    for journal in (path for other in others for path in other.glob("*.journal.jsonl")):
        target = folder / journal.name
        if not target.exists():
            shutil.copyfile(journal, target)


def _answer(
    lever: Lever,
    fit: Fit,
    fit_seconds: float,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    seed: int,
    progress: Progress,
    keep_texts: bool,
) -> Step:
    calibrate, test = _affordable(fit, splits)
    answers = _predict(f"{lever.id}: calibrate", fit, calibrate, progress)
    temperature = _temperature(answers, _truth(answers, calibrate, dataset))
    began = time.monotonic()
    tested = _predict(f"{lever.id}: answer", fit, test, progress)
    batched = len(test) / max(time.monotonic() - began, 1e-9)
    facts = {
        "lever": lever.id,
        "what": fit.what,
        "place": fit.place,
        "chosen": dict(fit.chosen),
        "rows_seen": fit.rows_seen,
        "fit_seconds": fit_seconds,
        "all_rows": len(splits.test),
        "temperature": None if temperature is None else temperature.value,
        "latency": _latency(fit, tested, test, batched, progress).model_dump(mode="json"),
        "price_as": fit.price_as,
        "token_prices": fit.token_prices,
        "seeds": fit.seeds,
        "priced": fit.priced,
    }
    frames = [
        trials.table(lever.id, seed, role, rows, given, _calibrated(temperature, given))
        for role, rows, given in (("calibrate", calibrate, answers), ("test", test, tested))
    ]  # fmt: skip
    if dataset.schema is not None:
        parts = zip(frames, (calibrate, test), (answers, tested), strict=True)
        frames = [
            with_fields(frame, rows, given, dataset.labels, dataset.schema, keep=keep_texts)
            for frame, rows, given in parts
        ]
    elif task.kind == "verify":
        frames = [
            with_persons(frame, rows) for frame, rows in zip(frames, (calibrate, test), strict=True)
        ]
    elif task.kind == "generate":
        schema = AnswerSchema.of(task)
        parts = zip(frames, (calibrate, test), (answers, tested), strict=True)
        frames = [
            with_texts(frame, rows, given, dataset.labels, schema, keep=keep_texts)
            for frame, rows, given in parts
        ]
    return Step(pl.concat(frames), facts)


def _affordable(fit: Fit, splits: Splits) -> tuple[Sequence[Row], Sequence[Row]]:
    """Calibration and test rows within the lever's budget, sized before any test row is read."""
    if fit.place == "recorded":
        return (), splits.test
    if fit.max_rows is None or fit.max_rows >= len(splits.test) + len(splits.calibrate):
        return splits.calibrate, splits.test
    for_calibration = min(len(splits.calibrate), int(fit.max_rows * CALIBRATE_SHARE))
    return splits.calibrate[:for_calibration], splits.test[: fit.max_rows - for_calibration]


def _predict(name: str, fit: Fit, rows: Sequence[Row], progress: Progress) -> list[Prediction]:
    out: list[Prediction] = []
    if not rows:
        return out
    chunk = CHUNK if fit.max_rows is None else SLOW_CHUNK
    with progress.step(name, total=len(rows)) as bar:
        for start in range(0, len(rows), chunk):
            part = rows[start : start + chunk]
            out.extend(fit.predictor.predict(part))
            bar.advance(len(part))
    return [p if p.confidence is None else replace(p, scores=line_scores(p)) for p in out]


def _truth(answers: Sequence[Prediction], rows: Sequence[Row], dataset: Dataset) -> list[int]:
    """The place of each row's truth in its scores; -1 where it has none."""
    if dataset.schema is not None:
        return exact_lines(answers, rows, dataset.schema)
    index = {label: i for i, label in enumerate(dataset.labels)}
    return [index.get(row.target, -1) if row.target is not None else -1 for row in rows]


def _temperature(answers: Sequence[Prediction], truth: Sequence[int]) -> Temperature | None:
    pairs = [
        (p.scores, t)
        for p, t in zip(answers, truth, strict=True)
        if p.scores is not None and t >= 0
    ]
    if not pairs:
        return None
    return Temperature.fit(np.stack([s for s, _ in pairs]), np.array([t for _, t in pairs]))


def _calibrated(
    temperature: Temperature | None, answers: Sequence[Prediction]
) -> np.ndarray | None:
    if temperature is None or not answers:
        return None
    classes = next((len(p.scores) for p in answers if p.scores is not None), 0)
    out = np.full((len(answers), classes), np.nan, dtype=np.float32)
    have = [i for i, p in enumerate(answers) if p.scores is not None]
    if have:
        stacked = np.stack([s for p in answers if (s := p.scores) is not None])
        out[have] = temperature.apply(stacked)
    return out


def _latency(
    fit: Fit, answers: Sequence[Prediction], rows: Sequence[Row], batched: float, progress: Progress
) -> Latency:
    if fit.place == "recorded" or fit.max_rows is not None:
        timed = from_seconds([p.usage.seconds for p in answers])
        return timed.model_copy(update={"cores": fit.cores})
    with progress.step("time one row at a time", seconds=3.0):
        return measure_latency(fit.predictor, rows, seconds=3.0, rows_per_second=batched)
