"""Answers that some other system already gave, judged on the same test rows."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whichlever.data.files import find_source
from whichlever.data.records import read_records
from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit
from whichlever.llm.batch import recorded_row
from whichlever.llm.reply import one_line
from whichlever.predict import Prediction, Row, Usage
from whichlever.task import RecordedAnswers, Task
from whichlever.taskfile import nearest

CHARS_PER_TOKEN = 4
"""English prose in the tokenizers of 2023–2026; marked as an estimate wherever it is used."""

_KEYS = (
    "id", "prediction", "tokens_in", "tokens_out", "chars_in", "chars_out", "seconds", "error",
    "simulated",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded row; what is not known is None."""

    prediction: str | None
    error: str | None
    usage: Usage


class Recorded:
    """A system that is not here, by what it answered to the test rows.

    Nothing leaves this machine and no row is asked again. A test row without an answer is
    "missing", one with an error is "error", an answer outside the labels is "refused"; all three
    count as wrong and are shown.

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
        return {"name": self.name, **self.answers.model_dump(mode="json")}

    def check(self, task: Task) -> None:
        """Read the whole file, so that a malformed line is told before anything runs.

        Raises
        ------
        DataError
            As `fit`, but for which rows were answered.
        """
        read_answers(self.answers.path, task.path(self.answers.path))

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
        found = read_answers(self.answers.path, path)
        chosen: dict[str, Any] = {"answers": len(found), "sha256": _sha256(path)}
        if context.test_ids:
            used = sum(1 for id_ in found if id_ in context.test_ids)
            if not used:
                raise DataError(
                    f"{self.answers.path}: none of its {len(found)} ids is a test row's (answers "
                    f"say e.g. {next(iter(found))!r}, test rows e.g. {min(context.test_ids)!r}); "
                    "look at data.id, or record the answers to these test rows"
                )
            chosen |= {
                "test_rows_answered": used,
                "test_rows_missing": len(context.test_ids) - used,
                "answers_not_in_test": len(found) - used,
            }
        how = self.answers.what or "how they were made is not stated"
        return Fit(
            predictor=Answers(found, context.labels),
            what=f"recorded answers of {self.name} ({how})",
            chosen=chosen,
            place="recorded",
            price_as=self.answers.price_as,
        )


class Answers:
    """Looks answers up by row id."""

    def __init__(self, answers: Mapping[str, Answer], labels: Sequence[str]) -> None:
        self._answers = answers
        self._labels = frozenset(labels)
        self._folded: dict[str, str | None] = {}
        for label in labels:
            key = _fold(label)
            # Labels that differ in case alone are told apart only by their exact spelling.
            self._folded[key] = None if key in self._folded else label

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row as recorded; scores are never known."""
        return [self._one(row.id) for row in rows]

    def _one(self, id_: str) -> Prediction:
        answer = self._answers.get(id_)
        if answer is None:
            unknown = Usage(bytes_out=None)
            return Prediction(id_, None, status="missing", error="no answer", usage=unknown)
        if answer.error is not None:
            return Prediction(id_, None, status="error", error=answer.error, usage=answer.usage)
        said = answer.prediction
        if said is None:
            return Prediction(id_, None, status="missing", error="null answer", usage=answer.usage)
        label = said if said in self._labels else self._folded.get(_fold(said))
        if label is None:
            error = f"{said[:200]!r} is not one of the labels"
            return Prediction(id_, None, status="refused", error=error, usage=answer.usage)
        return Prediction(id_, label, usage=answer.usage)


def read_answers(name: str, path: Path) -> dict[str, Answer]:
    """Read a file of recorded rows (jsonl, csv or parquet, compressed or not), by id.

    The output file of a batch in OpenAI's format (``custom_id``, ``response``) is read as well.

    Parameters
    ----------
    name
        What errors call the file.
    path
        Where it is.

    Raises
    ------
    DataError
        One line: the file, the line, and what is wrong with it.
    """
    answers: dict[str, Answer] = {}
    lines: dict[str, int] = {}
    for number, record in read_records(find_source(name, path)):
        where = f"{name}:{number}"
        if "custom_id" in record:  # the output of a batch made from requests.jsonl
            record = recorded_row(record, where)
        id_ = _id(record, where)
        if id_ in lines:
            raise DataError(
                f"{where}: id {id_!r} was answered on line {lines[id_]} already; "
                "keep one answer per id"
            )
        lines[id_] = number
        answers[id_] = _answer(record, where)
    if not answers:
        raise DataError(f"{name}: holds no answers; write one object per line with id, prediction")
    return answers


def slug(name: str) -> str:
    """A name as part of a lever id, safe as a folder name: "ChatGPT 4" is "chatgpt-4".

    A name of which nothing readable is left is told by its digest.
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
    return plain or hashlib.sha256(name.encode()).hexdigest()[:8]


def _id(record: Mapping[str, Any], where: str) -> str:
    for key in record:
        if key not in _KEYS:
            raise DataError(f"{where}: unknown key {key!r}{nearest(key, _KEYS)}")
    id_ = record.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int) or id_ == "":
        raise DataError(f"{where}: id is missing; it names the test row that was answered")
    if "prediction" not in record and record.get("error") is None:
        raise DataError(f"{where}: prediction is missing; write null with an error where it failed")
    return str(id_)


def _answer(record: Mapping[str, Any], where: str) -> Answer:
    numbers = {
        key: _number(record.get(key), key, where)
        for key in ("tokens_in", "tokens_out", "chars_in", "chars_out", "seconds")
    }
    tokens = {side: numbers[f"tokens_{side}"] for side in ("in", "out")}
    estimated = False
    for side in tokens:
        chars = numbers[f"chars_{side}"]
        if tokens[side] is None and chars is not None:
            tokens[side] = math.ceil(chars / CHARS_PER_TOKEN)
            estimated = True
    usage = Usage(
        tokens_in=None if tokens["in"] is None else int(tokens["in"]),
        tokens_out=None if tokens["out"] is None else int(tokens["out"]),
        seconds=numbers["seconds"],
        bytes_out=None,  # what left some other machine, some other day, is not known
        estimated=estimated,
    )
    prediction = record.get("prediction")
    if isinstance(prediction, bool) or not isinstance(prediction, str | int | None):
        raise DataError(f"{where}: prediction is one label as text, or null")
    error = record.get("error")
    return Answer(
        prediction=None if prediction is None else str(prediction),
        error=None if error is None or error == "" else one_line(str(error)),
        usage=usage,
    )


def _number(value: Any, key: str, where: str) -> float | None:  # noqa: ANN401 - any JSON value
    """A count or a time; csv writes numbers as text and unknown as nothing."""
    if value is None or value == "":
        return None
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise DataError(f"{where}: {key} is {value!r}; write a number from 0 up, or null")
    return number


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
