"""From answers to rows: whose row each one answers, and which answer of several stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from whichlever.errors import DataError
from whichlever.levers.recorded_files import Format, open_answers
from whichlever.levers.recorded_raw import Raw, row_keys
from whichlever.llm.reply import one_line
from whichlever.llm.requests import safe_id
from whichlever.predict import Row, Usage

MOST_MODELS = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """One recorded answer; what is not known is None."""

    prediction: str | None
    error: str | None
    usage: Usage


@dataclass(frozen=True)
class Settled:
    """A file's answers by row.

    Attributes
    ----------
    format, model
        What kind of file it is, and the model that answered, where the file says.
    by_id
        Answers by the row's id.
    by_input
        Answers to a text, where a log holds no id that is a row's.
    unknown
        Answers whose id is no row's and that hold no text to look them up by.
    repeated
        Answers to a text that was answered before; the first one stands.
    retried
        Failed answers that a later one of the same row replaced.
    """

    format: Format
    model: str | None
    by_id: Mapping[str, Answer]
    by_input: Mapping[bytes, Answer] = field(default_factory=dict)
    unknown: int = 0
    repeated: int = 0
    retried: int = 0

    def answer(self, row: Row) -> Answer | None:
        """The answer to a row, by its id, else by its text; None where there is none."""
        found = self.by_id.get(row.id)
        if found is None and self.by_input:
            keys = row_keys(row.text)
            found = next((self.by_input[key] for key in keys if key in self.by_input), None)
        return found


def read_settled(
    name: str, path: Path, *, model: str | None = None, known: Collection[str] | None = None
) -> Settled:
    """Read a file of answers and settle whose they are.

    Parameters
    ----------
    name, path
        What errors call the file, and where it is.
    model
        Which model's answers are meant, where the file holds several models'.
    known
        The ids that rows have; None where they are not known yet.

    Raises
    ------
    DataError
        One line: a malformed record, two answers to one row, several models and none named, or no
        answers at all.
    """
    file = open_answers(name, path)
    settling = _Settling(known)
    models: dict[str, int] = {}
    for raw in file.answers:
        said = None if raw.model is None else one_line(raw.model, 120)
        if said is not None and len(models) < MOST_MODELS:
            models[said] = models.get(said, 0) + 1
        if model is None or _same(said, model):
            settling.take(raw)
    if model is not None and not settling.taken:
        raise DataError(f"{name}: no answers of {model!r}{_held(models)}")
    if model is None and len(models) > 1:
        raise DataError(
            f"{name}: answers of {len(models)} models{_held(models)}; name one of them: "
            f"{{path: {name}, model: {next(iter(models))!r}}}, or --model"
        )
    if not settling.taken:
        raise DataError(f"{name}: holds no answers; write one object per line with id, prediction")
    return Settled(
        format=file.format,
        model=next((said for said in models if model is None or _same(said, model)), None),
        by_id=settling.by_id,
        by_input=settling.by_input,
        unknown=settling.unknown,
        repeated=settling.repeated,
        retried=settling.retried,
    )


def _held(models: Mapping[str, int]) -> str:
    shown = ", ".join(f"{said} {count}" for said, count in list(models.items())[:6])
    return f" (it holds {shown}{', …' if len(models) > 6 else ''})" if shown else ""


def _same(said: str | None, model: str) -> bool:
    """Whether a model's name in a file is the one meant; the provider before it may be left out."""
    return said is not None and (said == model or said.endswith((f":{model}", f"/{model}")))


class _Settling:
    """Takes answers one after another."""

    def __init__(self, known: Collection[str] | None) -> None:
        self._known = None if known is None else frozenset(known)
        # What a provider's rules made of an id is found again.
        self._ids = {safe_id(id_): id_ for id_ in known or ()}
        self._places: dict[str, str] = {}
        self.by_id: dict[str, Answer] = {}
        self.by_input: dict[bytes, Answer] = {}
        self.taken = self.unknown = self.repeated = self.retried = 0

    def take(self, raw: Raw) -> None:
        self.taken += 1
        answer = Answer(raw.said, raw.error, raw.usage)
        id_ = self._row(raw)
        if id_ is not None:
            self._by_id(id_, raw, answer)
        elif raw.inputs:
            self._by_input(raw, answer)
        else:
            self.unknown += 1

    def _row(self, raw: Raw) -> str | None:
        """The id of the row that is answered."""
        if self._known is None:
            # Without rows to look in, only a format that names the row does so.
            return raw.ids[0] if raw.ids and not raw.inputs else None
        for id_ in raw.ids:
            if id_ in self._known:
                return id_
            if id_ in self._ids:
                return self._ids[id_]
        # Kept under its own name, so that it can be counted and shown.
        return raw.ids[0] if raw.ids and not raw.inputs else None

    def _by_id(self, id_: str, raw: Raw, answer: Answer) -> None:
        before = self.by_id.get(id_)
        if before is not None and before.error is None:
            if answer.error is not None:  # a failed try after the answer
                self.retried += 1
                return
            first = self._places[id_]
            raise DataError(
                f"{raw.where}: id {id_!r} was answered on line {first.rpartition(':')[2]} already; "
                "keep one answer per id"
            )
        self.retried += before is not None
        self.by_id[id_] = answer
        self._places[id_] = raw.where

    def _by_input(self, raw: Raw, answer: Answer) -> None:
        for key in raw.inputs:
            before = self.by_input.get(key)
            if before is None or (before.error is not None and answer.error is None):
                self.retried += before is not None
                self.by_input[key] = answer
            else:
                self.repeated += 1
                return


def each_row(settled: Settled, rows: Iterator[Row]) -> Iterator[tuple[Row, Answer]]:
    """The rows that were answered, with their answers, in the order of the rows."""
    for row in rows:
        answer = settled.answer(row)
        if answer is not None:
            yield row, answer
