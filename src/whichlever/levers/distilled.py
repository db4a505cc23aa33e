"""Distillation: a small model that learns what another lever, or a log, says.

The student learns the teacher's probabilities rather than its best guess alone (Hinton, Vinyals
and Dean 2015): each row stands ``draws`` times in its training rows, with labels drawn from the
teacher's probabilities, whose expected loss is the cross-entropy with them. Validation rows keep
their true labels, and choose; no text of theirs, or of a calibration or test row, is learned from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from whichlever.data.files import find_source
from whichlever.errors import DataError, TaskError
from whichlever.levers.base import Context, Fit, Lever
from whichlever.levers.lesson import Lesson, drawn_labels, from_lever, from_log
from whichlever.predict import Row
from whichlever.task import DistillSettings, Task

METHOD = 2

SMALL = ("encoder", "decoder")
"""Students that take so long for a row that each stands there once, with the likeliest label."""

NAMES = {
    "static": "static token embeddings",
    "linear": "a linear model",
    "encoder": "an encoder",
    "decoder": "a decoder",
}


class Distilled:
    """A rung, taught by another lever of the same run, or by a log.

    Parameters
    ----------
    settings
        Who teaches, and on which rows.
    teacher
        The lever that teaches; it is fitted before, or read back. None where a log does.
    student
        The rung that learns.
    rung
        Its name.
    """

    reads_more = True

    def __init__(
        self, settings: DistillSettings, teacher: Lever | None, student: Lever, rung: str
    ) -> None:
        self._settings, self._student, self._rung = settings, student, rung
        self.id = "finetune-distilled" if rung == "static" else f"finetune-distilled-{rung}"
        self.parts: tuple[Lever, ...] = () if teacher is None else (teacher,)
        self._draws = 1 if rung in SMALL else settings.draws

    def settings(self) -> Mapping[str, Any]:
        """The teacher's settings and the student's: the answers depend on both."""
        own = self._settings.model_dump(mode="json", exclude={"student", "draws", "teacher"})
        return {
            **own, "teacher": {part.id: dict(part.settings()) for part in self.parts},
            "student": dict(self._student.settings()), "draws": self._draws, "method": METHOD,
        }  # fmt: skip

    @property
    def files(self) -> tuple[str, ...]:
        """The unlabelled rows and the log, and what teacher and student read."""
        log = self._settings.log
        own = [self._settings.rows, None if log is None else log.path]
        return (
            *(name for name in own if name is not None),
            *(f for lever in (self._student, *self.parts) for f in getattr(lever, "files", ())),
        )

    def check(self, task: Task) -> None:
        """Raise early what teacher or student would raise late, or that a file is missing."""
        for lever in (*self.parts, self._student):
            early = getattr(lever, "check", None)
            if early is not None:
                early(task)
        if self._settings.rows is not None and not task.path(self._settings.rows).is_file():
            raise DataError(
                f"levers.distill.rows: {self._settings.rows} is no file; give the rows that the "
                "teacher is to label, or leave it out"
            )
        if self._settings.labelled == "true" and not (self._settings.rows or self._settings.logs):
            raise TaskError(
                "levers.distill.labelled: true asks the teacher about no training row; give rows: "
                "too, or say teacher or both"
            )
        log = self._settings.log
        if log is not None:
            find_source(log.path, task.path(log.path))

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """As the student; how long the teacher takes is told by its bar."""
        return self._student.estimate_seconds(self._draws * train, valid)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Ask the teacher, keep what it says, and train the student on it.

        Raises
        ------
        DataError
            The teacher answered no row.
        """
        if self.parts:
            lesson = from_lever(self.id, self._settings, self.parts[0], train, valid, context)
        else:
            lesson = from_log(self._settings, train, context)
        answered = lesson.answered
        if not answered:
            raise DataError(f"{self.id}: the teacher ({self._named}) answered no row")
        taught = self._taught(lesson, answered, context)
        true = [row for row in train if row.target is not None]
        if self._settings.labelled != "teacher":
            taught += [replace(r, id=f"{r.id}#t{k}") for r in true for k in range(self._draws)]
        fit = self._student.fit(taught, valid, context)
        rows = [lesson.rows[i] for i in answered]
        facts = {
            "teacher": self._named,
            "student": self._rung,
            "rows_taught": len(answered),
            "rows_unanswered": len(lesson.rows) - len(answered),
            "rows_without_label": sum(row.target is None for row in rows),
            "true_labels": 0 if self._settings.labelled == "teacher" else len(true),
            "labelled": self._settings.labelled,
            "draws": self._draws,
            **lesson.facts,
        }
        what = (
            f"{NAMES[self._rung]} taught by {self._named} on {len(answered):,} rows, "
            f"{facts['rows_without_label']:,} of them without a label"
        )
        seen = [context.parts[part.id].rows_seen for part in self.parts]
        return replace(
            fit, what=what, chosen={**fit.chosen, "distilled": facts}, seeds=1,
            rows_seen=max([*seen, facts["true_labels"], len(valid)]),
        )  # fmt: skip

    @property
    def _named(self) -> str:
        log = self._settings.log
        return self.parts[0].id if log is None else log.path

    def _taught(self, lesson: Lesson, answered: Sequence[int], context: Context) -> list[Row]:
        if isinstance(lesson.said, list):
            return [
                replace(lesson.rows[i], id=f"{lesson.rows[i].id}#0", target=lesson.said[i])
                for i in answered
            ]
        drawn = drawn_labels(lesson.said[answered], self._draws, context.seed)
        return [
            replace(lesson.rows[i], id=f"{lesson.rows[i].id}#{k}", target=context.labels[label])
            for i, labels in zip(answered, drawn, strict=True)
            for k, label in enumerate(labels)
        ]
