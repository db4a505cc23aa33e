"""Distillation: a small model that learns what another lever says, of rows nobody labelled.

The student is the static rung. It learns the teacher's probabilities rather than its best guess
alone (Hinton, Vinyals and Dean 2015): each row stands `DRAWS` times in its training rows, with
labels drawn from the teacher's probabilities, whose expected loss is the cross-entropy with them.
Validation rows keep their true labels, and choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.data.unlabelled import read_unlabelled
from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit, Lever
from whichlever.predict import Prediction, Row
from whichlever.run import read_json, write_json, written_aside
from whichlever.task import DistillSettings, Task

DRAWS = 4
CHUNK = 64
"""Rows asked between two writings of what the teacher said."""

SAID, FACTS = "teacher.npz", "distilled.json"

Floats = npt.NDArray[np.float32]


class Distilled:
    """The static rung, taught by another lever of the same run.

    Parameters
    ----------
    settings
        Who teaches, and on which rows.
    teacher
        The lever that teaches; it is fitted before, or read back.
    student
        The static rung, one seed.
    """

    id = "finetune-distilled"

    def __init__(self, settings: DistillSettings, teacher: Lever, student: Lever) -> None:
        self._settings, self._student = settings, student
        self.parts = (teacher,)

    def settings(self) -> Mapping[str, Any]:
        """The teacher's settings and the student's: the answers depend on both."""
        teacher = self.parts[0]
        return {
            "teacher": {teacher.id: dict(teacher.settings())}, "rows": self._settings.rows,
            "max_rows": self._settings.max_rows, "student": dict(self._student.settings()),
            "draws": DRAWS, "method": 1,
        }  # fmt: skip

    @property
    def files(self) -> tuple[str, ...]:
        """The unlabelled rows, and what teacher and student read."""
        own = () if self._settings.rows is None else (self._settings.rows,)
        return (
            *own,
            *(f for lever in (self._student, *self.parts) for f in getattr(lever, "files", ())),
        )

    def check(self, task: Task) -> None:
        """Raise early what teacher or student would raise late, or that the file is missing."""
        for lever in (*self.parts, self._student):
            early = getattr(lever, "check", None)
            if early is not None:
                early(task)
        if self._settings.rows is not None and not task.path(self._settings.rows).is_file():
            raise DataError(
                f"levers.distill.rows: {self._settings.rows} is no file; give the rows that the "
                "teacher is to label, or leave it out"
            )

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """As the student; how long the teacher takes is told by its bar."""
        return self._student.estimate_seconds(DRAWS * train, valid)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Ask the teacher, keep what it says, and train the student on it.

        Raises
        ------
        DataError
            The teacher answered no row.
        """
        teacher = context.parts[self.parts[0].id]
        rows = list(train)
        if self._settings.rows is not None:
            held = {row.text for row in rows}
            more = read_unlabelled(context.task, self._settings.rows)
            # A text that is a test row's cannot be told here; ids of test rows are left out.
            rows += [r for r in more if r.text not in held and r.id not in context.test_ids]
        most = min(self._settings.max_rows or len(rows), teacher.max_rows or len(rows))
        if most < len(rows):
            kept = np.random.default_rng(context.seed).permutation(len(rows))[:most]
            rows = [rows[i] for i in sorted(kept.tolist())]
        said, right = self._asked(teacher, rows, context)
        answered = np.flatnonzero(said.sum(axis=1) > 0)
        if not len(answered):
            raise DataError(f"{self.id}: the teacher ({self.parts[0].id}) answered no row")
        drawn = drawn_labels(said[answered], DRAWS, context.seed)
        taught = [
            replace(rows[i], id=f"{rows[i].id}#{k}", target=context.labels[label])
            for i, labels in zip(answered.tolist(), drawn, strict=True)
            for k, label in enumerate(labels)
        ]
        fit = self._student.fit(taught, valid, context)
        facts = {
            "teacher": self.parts[0].id,
            "rows_taught": len(answered),
            "rows_unanswered": len(rows) - len(answered),
            "rows_without_label": sum(rows[i].target is None for i in answered),
            "soft": bool((said[answered].max(axis=1) < 1).any()),
            "teacher_seconds": right,
            "draws": DRAWS,
        }
        what = (
            f"static token embeddings taught by {self.parts[0].id} on {len(answered):,} rows, "
            f"{facts['rows_without_label']:,} of them without a label"
        )
        return replace(
            fit, what=what, chosen={**fit.chosen, "distilled": facts}, rows_seen=teacher.rows_seen,
            seeds=1,
        )  # fmt: skip

    def _asked(
        self, teacher: Fit, rows: Sequence[Row], context: Context
    ) -> tuple[Floats, float | None]:
        """The teacher's probabilities, (rows, labels), zeros where it gave no answer; its seconds.

        What it said is written down as it comes: an answer that was paid for is never asked again.
        """
        file, labels = context.folder / SAID, context.labels
        ids = [row.id for row in rows]
        said = np.zeros((len(rows), len(labels)), np.float32)
        seconds: list[float] = []
        done = _kept(file, ids, said, context.folder / FACTS, seconds)
        left = len(rows) - done
        with context.progress.step(f"{self.id}: ask the teacher", total=len(rows)) as bar:
            bar.advance(done)
            for start in range(done, done + left, CHUNK):
                part = rows[start : start + CHUNK]
                for i, answer in enumerate(teacher.predictor.predict(part), start):
                    said[i] = _probabilities(answer, labels)
                    seconds.append(answer.usage.seconds or 0.0)
                with written_aside(file) as aside, aside.open("wb") as out:
                    np.savez(out, said=said[: start + len(part)])
                write_json(
                    context.folder / FACTS,
                    {"ids": ids[: start + len(part)], "seconds": sum(seconds)},
                )
                bar.advance(len(part))
        return said, sum(seconds) / max(len(rows), 1)


def drawn_labels(said: Floats, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Labels drawn from each row's probabilities by systematic sampling, shape (rows, draws).

    Evenly spaced points from one random start: every label comes within one of its share's number.
    """
    start = np.random.default_rng([seed, 7]).random(len(said))
    points = (start[:, None] + np.arange(draws)) / draws
    edges = np.cumsum(said.astype(np.float64), axis=1)
    edges /= edges[:, -1:]
    found = (points[:, :, None] >= edges[:, None, :]).sum(axis=2)
    return np.asarray(np.minimum(found, said.shape[1] - 1), np.int64)


def _probabilities(answer: Prediction, labels: Sequence[str]) -> Floats:
    out = np.zeros(len(labels), np.float32)
    if answer.status != "ok":
        return out
    if answer.scores is not None:
        return np.asarray(answer.scores, np.float32)
    if answer.label in labels:
        out[labels.index(answer.label)] = 1.0
    return out


def _kept(file: Path, ids: Sequence[str], said: Floats, facts: Path, seconds: list[float]) -> int:
    """Put back what an earlier start was told; how many rows that is."""
    if not (file.exists() and facts.exists()):
        return 0
    known = read_json(facts)
    with np.load(file, allow_pickle=False) as held:
        before = held["said"]
    count = min(len(before), len(known["ids"]))
    if known["ids"][:count] != list(ids[:count]) or before.shape[1] != said.shape[1]:
        return 0
    said[:count] = before[:count]
    seconds.append(float(known["seconds"]))
    return count
