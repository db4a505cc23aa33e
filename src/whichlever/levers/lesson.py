"""What a student is taught from: rows, and what a lever or a log says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.data.unlabelled import read_unlabelled
from whichlever.errors import TaskError
from whichlever.levers.base import Context, Lever
from whichlever.levers.logged import left_out, read_log
from whichlever.levers.recorded_raw import text_key
from whichlever.levers.taught import Floats, TeacherAnswers
from whichlever.levers.teaching import Teaching
from whichlever.predict import Row, Usage
from whichlever.prices import row_dollars
from whichlever.run import digest
from whichlever.task import DistillSettings, Task


@dataclass(frozen=True)
class Lesson:
    """Rows and what was said of them, shape (rows, labels) or as texts, and how it came about."""

    rows: Sequence[Row]
    said: Floats | list[str | None]
    facts: dict[str, Any]

    @property
    def answered(self) -> list[int]:
        """Places of the rows that have an answer."""
        if isinstance(self.said, list):
            return [i for i, text in enumerate(self.said) if text]
        return [int(i) for i in np.flatnonzero(self.said.sum(axis=1) > 0)]


def _pool(settings: DistillSettings, train: Sequence[Row], context: Context) -> list[Row]:
    """The rows to ask about: training rows unless their labels stand, and those without."""
    rows = [] if settings.labelled == "true" else list(train)
    if settings.rows is not None:
        held = {text_key(row.text) for row in train} | context.held_apart
        for row in read_unlabelled(context.task, settings.rows):
            key = text_key(row.text)
            if key not in held and row.id not in context.test_ids:
                rows.append(row)
                held.add(key)
    return rows


def from_lever(
    name: str,
    settings: DistillSettings,
    part: Lever,
    train: Sequence[Row],
    valid: Sequence[Row],
    context: Context,
) -> Lesson:
    """Ask a fitted lever; ``name`` is the student's, for the bar."""
    teacher = context.parts[part.id]
    answers = TeacherAnswers(_file(part, train, valid, context), context.labels)
    asking = Teaching(name, settings, teacher, answers, context)
    sure = list(train) if settings.labelled != "teacher" else []
    asked = asking.ask(_pool(settings, train, context), sure)
    seconds, dollars = (answers.taken(asked.rows, what) for what in ("seconds", "dollars"))
    open_texts = not context.labels
    said = answers.texts(asked.rows) if open_texts else answers.probabilities(asked.rows)
    return Lesson(
        asked.rows,
        said,
        {
            "soft": answers.soft(asked.rows),
            "teacher_seconds": sum(seconds) / max(len(asked.rows), 1),
            "teacher_dollars": sum(dollars) * len(asked.rows) / len(dollars) if dollars else None,
            "asked": len(asked.rows),
            "ask": settings.ask,
            "rounds": asked.rounds,
            "stopped": asked.stopped,
        },
    )


def _file(part: Lever, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Path:
    """Where the teacher's answers stand: the same for every student of the same teacher."""
    task = context.task
    rows = [[text_key(r.text).hex(), r.target] for part in (train, valid) for r in part]
    told = {
        "teacher": part.id, "settings": dict(part.settings()), "rows": rows,
        "labels": context.labels, "seed": context.seed, "about": task.about,
        "meanings": dict(task.labels), "llms": {n: m.model_dump() for n, m in task.llms.items()},
    }  # fmt: skip
    return context.folder.parents[1] / "teacher-answers" / f"{digest(told)[:16]}.jsonl"


def from_log(settings: DistillSettings, train: Sequence[Row], context: Context) -> Lesson:
    """Read a log: the rows asked about in it, and how often each was answered how."""
    task = context.task
    assert settings.log is not None
    more = [] if settings.rows is None else read_unlabelled(task, settings.rows)
    log = read_log(
        settings.log, task.path(settings.log.path), context.labels,
        rows=[*train, *more], max_chars=task.data.max_chars,
    )  # fmt: skip
    known = {text_key(row.text): row for row in train}
    entries = [(k, e) for k, e in log.entries.items() if k not in context.held_apart]
    held = len(log.entries) - len(entries)
    if settings.labelled == "true":
        entries = [(k, e) for k, e in entries if k not in known]
    if settings.max_rows is not None and settings.max_rows < len(entries):
        kept = np.random.default_rng(context.seed).permutation(len(entries))
        entries = [entries[i] for i in sorted(kept[: settings.max_rows].tolist())]
    rows = [known.get(key, entry.row) for key, entry in entries]
    said: Floats | list[str | None] = [entry.answers[0] for _, entry in entries]
    if context.labels:
        index = {label: i for i, label in enumerate(context.labels)}
        said = np.zeros((len(rows), len(context.labels)), np.float32)
        for own, (_, entry) in zip(said, entries, strict=True):
            for answer in entry.answers:
                own[index[answer]] += 1 / len(entry.answers)
    priced = settings.log.price_as or log.model
    dollars = [
        paid
        for _, entry in entries
        for used in entry.usage
        if (paid := _dollars(used, priced, task)) is not None
    ]
    seconds = [u.seconds for _, e in entries for u in e.usage if u.seconds is not None]
    return Lesson(
        rows,
        said,
        {
            "soft": any(len(set(entry.answers)) > 1 for _, entry in entries),
            "teacher_seconds": sum(seconds) / len(seconds) if seconds else None,
            "teacher_dollars": sum(dollars) if dollars else None,
            "asked": len(rows),
            "log": {
                "model": log.model, "answers": log.answers, "texts": len(log.entries),
                "held_apart": held, "left_out": left_out(log), "priced": len(dollars),
            },
        },
    )  # fmt: skip


def _dollars(used: Usage, price_as: str | None, task: Task) -> float | None:
    if price_as is None:
        return None
    try:
        return row_dollars(used, "recorded", price_as, None, task)
    except TaskError:  # the table does not know the name that the log gives
        return None


def drawn_labels(said: Floats, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Labels drawn from each row's probabilities by systematic sampling, shape (rows, draws).

    Evenly spaced points from one random start: every label comes within one of its share's number.
    One draw is the likeliest label.
    """
    if draws == 1:
        return np.asarray(said.argmax(axis=1)[:, None], np.int64)
    start = np.random.default_rng([seed, 7]).random(len(said))
    points = (start[:, None] + np.arange(draws)) / draws
    edges = np.cumsum(said.astype(np.float64), axis=1)
    edges /= edges[:, -1:]
    found = (points[:, :, None] >= edges[:, None, :]).sum(axis=2)
    return np.asarray(np.minimum(found, said.shape[1] - 1), np.int64)
