"""The rows that a run learned from, found again: digests, time spans, rows to check int8 on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from whichlever.bundle.card import DataFacts
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import file_name
from whichlever.data import Dataset, Splits, read_dataset, split_rows
from whichlever.errors import WhichleverError
from whichlever.predict import Row
from whichlever.task import Task
from whichlever.taskfile import read_text


@dataclass(frozen=True)
class Found:
    """The run's rows by role, or in ``facts.why`` why they could not be had.

    ``task`` is the run's with the folder that its files were found from.
    """

    facts: DataFacts
    splits: Splits | None = None
    dataset: Dataset | None = None
    task: Task | None = None


def find_data(finished: Finished, beside: Path | None = None) -> Found:
    """Read the run's rows again, where its data files are still what they were.

    RUN does not hold them: they are looked for as the task names them, from the folder of
    ``beside`` (the task file that was compared), else from RUN, the two folders above it, and the
    working folder. Rows whose fingerprint is not the run's are not used.
    """
    why = "the task's data files are not found from RUN; name the task file with --task"
    text = read_text(finished.run / "task.yaml")
    for folder in _folders(finished.run, beside):
        task = Task.parse(text, folder=folder)
        names = _names(task)
        if not all(task.path(name).is_file() for name in names):
            continue
        try:
            dataset = read_dataset(task)
            splits = split_rows(dataset, task)
        except WhichleverError as error:
            why = f"the data files cannot be read as they were: {error}"
            continue
        if dataset.fingerprint != finished.environment.get("rows_sha256"):
            why = "the data files have changed since the run"
            continue
        files = {_once(name, names): _sha256(task.path(name)) for name in names}
        return Found(_facts(finished, dataset, splits, files), splits, dataset, task)
    return Found(DataFacts(why=why))


def _folders(run: Path, beside: Path | None) -> Iterator[Path]:
    if beside is not None:
        yield beside.parent
        return
    run = run.resolve()
    yield from dict.fromkeys((run, run.parent, run.parent.parent, Path.cwd()))


def _names(task: Task) -> list[str]:
    data = task.data
    named = (data.rows, data.train, data.valid, data.calibrate, data.test)
    return [name for name in named if name is not None]


def _once(name: str, names: Sequence[str]) -> str:
    """A file's bare name; with its number in the task where another has the same one."""
    bare = file_name(name)
    same = [other for other in names if file_name(other) == bare]
    return bare if len(same) == 1 else f"{names.index(name) + 1}/{bare}"


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _facts(
    finished: Finished, dataset: Dataset, splits: Splits, files: dict[str, str]
) -> DataFacts:
    counts = Counter(
        label
        for row in splits.train
        for label in ((row.target,) if row.fields is None else row.fields)
    )
    groups = {row.group for row in dataset.rows if row.group is not None}
    spans = {
        role: span
        for role in ("train", "valid", "calibrate", "test")
        if (span := _span(getattr(splits, role))) is not None
    }
    return DataFacts(
        files=files,
        labels={label: counts[label] for label in finished.labels},
        spans=spans,
        groups=len(groups) or None,
    )


def _span(rows: Sequence[Row]) -> tuple[str, str] | None:
    times = [row.time for row in rows if row.time is not None]
    if not times or len(times) < len(rows):
        return None
    first, last = (
        datetime.fromtimestamp(t, UTC).date().isoformat() for t in (min(times), max(times))
    )
    return first, last
