"""Answers that some other system already gave, judged on the same test rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whichlever.errors import DataError, TaskError
from whichlever.levers.base import Context, Fit
from whichlever.levers.recorded_promptfoo import model_name
from whichlever.levers.recorded_rows import CHARS_PER_TOKEN
from whichlever.levers.recorded_settle import Answer, Settled, read_settled
from whichlever.llm.reading import LabelReader
from whichlever.predict import Prediction, Predictor, Row, Usage
from whichlever.prices import token_price
from whichlever.task import RecordedAnswers, Task

__all__ = ["CHARS_PER_TOKEN", "Answer", "Answers", "Recorded", "read_answers", "slug"]


class Recorded:
    """A system that is not here, by what it answered to the test rows.

    Nothing leaves this machine and no row is asked again. A test row without an answer is
    "missing", one with an error is "error", an answer that names no label or several is "refused";
    all three count as wrong and are shown. The file may be in any format of
    `whichlever.levers.recorded_files`.

    Parameters
    ----------
    name
        What the task calls the system, e.g. "gpt-4".
    answers
        Where its answers are and what is known of how they were made.
    """

    def __init__(self, name: str, answers: RecordedAnswers) -> None:
        self.name = name
        self.answers = answers
        self.id = f"recorded-{slug(name)}"

    @property
    def files(self) -> tuple[str, ...]:
        """The files, as the task names them, whose content the results depend on."""
        return (self.answers.path,)

    def settings(self) -> Mapping[str, Any]:
        """The file's name and what is said about it (its content is in `files`)."""
        return {"name": self.name, **self.answers.model_dump(mode="json", exclude_none=True)}

    def check(self, task: Task) -> None:
        """Read the whole file, so that a malformed line is told before anything runs.

        Raises
        ------
        DataError
            As `fit`, but for which rows were answered.
        """
        read_settled(self.answers.path, task.path(self.answers.path), model=self.answers.model)

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Reading a file; no bar needed."""
        return 0.0

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Read the answers; nothing is learnt.

        Raises
        ------
        DataError
            The file cannot be read, a row is malformed or stands twice, or none of its ids is
            that of a test row.
        """
        path = context.task.path(self.answers.path)
        known = context.test_ids or None
        found = read_settled(self.answers.path, path, model=self.answers.model, known=known)
        chosen: dict[str, Any] = {
            "answers": len(found.by_id) + len(found.by_input), "sha256": _sha256(path),
            "format": found.format,
        }  # fmt: skip
        if context.test_ids:
            used = sum(1 for id_ in found.by_id if id_ in context.test_ids)
            if not used and not found.by_input:
                said = next(iter(found.by_id), "none")
                raise DataError(
                    f"{self.answers.path}: none of its {len(found.by_id)} ids is a test row's "
                    f"(answers say e.g. {said!r}, test rows e.g. {min(context.test_ids)!r}); "
                    "look at data.id, or record the answers to these test rows"
                )
            chosen |= {
                "test_rows_answered": used,
                "test_rows_missing": len(context.test_ids) - used,
                "answers_not_in_test": len(found.by_id) - used,
            }
            if found.by_input:  # which rows have these texts is seen when they are answered
                chosen["answers_by_text"] = len(found.by_input)
        how = self.answers.what or "how they were made is not stated"
        by = f"{found.model}, " if found.model and found.model != self.name else ""
        return Fit(
            predictor=self.predictor(found, context),
            what=f"recorded answers of {self.name} ({by}{how})",
            chosen=chosen,
            place="recorded",
            price_as=self.answers.price_as or priced_as(found.model),
        )

    def predictor(self, found: Settled, context: Context) -> Predictor:
        """What looks the answers up."""
        return Answers(found, context.labels)


class Answers:
    """Looks answers up by row id, or by the row's text where a log holds no ids."""

    def __init__(self, answers: Settled, labels: Sequence[str]) -> None:
        self._answers = answers
        self._reader = LabelReader(labels)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row as recorded; scores are never known."""
        return [read_prediction(row.id, self._answers.answer(row), self._reader) for row in rows]


def read_prediction(id_: str, answer: Answer | None, reader: LabelReader) -> Prediction:
    """A recorded answer as a prediction, its words read as one of the labels."""
    if answer is None:
        unknown = Usage(bytes_out=None)
        return Prediction(id_, None, status="missing", error="no answer", usage=unknown)
    if answer.error is not None:
        return Prediction(id_, None, status="error", error=answer.error, usage=answer.usage)
    said = answer.prediction
    if said is None:
        return Prediction(id_, None, status="missing", error="null answer", usage=answer.usage)
    label = reader.read(said)
    if label is None:
        error = f"{said[:200]!r} is not one of the labels"
        return Prediction(id_, None, status="refused", error=error, usage=answer.usage)
    return Prediction(id_, label, usage=answer.usage)


def read_answers(name: str, path: Path) -> Mapping[str, Answer]:
    """Read a file of answers that names its rows, by id; see `recorded_settle.read_settled`.

    Raises
    ------
    DataError
        One line: the file, the line, and what is wrong with it.
    """
    return read_settled(name, path).by_id


def slug(name: str) -> str:
    """A name as part of a lever id, safe as a folder name: "ChatGPT 4" is "chatgpt-4".

    A name of which nothing readable is left is told by its digest.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
    return plain or hashlib.sha256(name.encode()).hexdigest()[:8]


def priced_as(model: str | None) -> str | None:
    """The model's name in the price table, where the answers name a model that stands there."""
    if model is None:
        return None
    for name in dict.fromkeys((model, model_name(model))):
        try:
            token_price(name)
        except TaskError:
            continue
        return name
    return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
