"""Rows from after a change, with the label that each would have had before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from whichlever.data.columns import cell, word
from whichlever.data.read import Reader, fingerprint
from whichlever.data.rows import Dataset, Role
from whichlever.errors import DataError, TaskError
from whichlever.predict import Row
from whichlever.render import find_pack
from whichlever.render.record import without
from whichlever.task import Task


@dataclass(frozen=True)
class Later:
    """Rows with today's truth as their target; ``was`` is the label before, by row id."""

    rows: tuple[Row, ...]
    was: Mapping[str, str]
    fingerprint: str

    def changed(self, row: Row) -> bool:
        """Whether the truth about a row is another than it was."""
        return self.was[row.id] != row.target


def read_later(task: Task, dataset: Dataset) -> Later:
    """Read the rows that ``change:`` names, as the task's other rows are read.

    Raises
    ------
    TaskError
        The task has no ``change:``.
    DataError
        The rows cannot be used: one line with file, row and remedy; or their ids stand among the
        task's other rows too, or no row's truth has changed.
    """
    if task.change is None:
        raise TaskError("the task has no change:; name the documents and rows of afterwards there")
    name = task.change.rows
    reader = _Later(task, find_pack(task.pack) if task.pack else None)
    reader.read(name, "test")
    known = {row.id for row in dataset.rows}
    twice = next((row.id for row in reader.rows if row.id in known), None)
    if twice is not None:
        raise DataError(f"{name}: id {twice!r} is also that of an earlier row; give it another")
    later = Later(
        tuple(reader.rows), reader.was, fingerprint(reader.rows, {}) + _digest(reader.was)
    )
    if not any(later.changed(row) for row in later.rows):
        raise DataError(
            f"{name}: {task.change.was!r} is the same as {task.data.target!r} in every row; rows "
            "whose truth has changed are what tells whether a lever follows"
        )
    return later


@dataclass
class _Later(Reader):
    was: dict[str, str] = field(default_factory=dict)

    def columns(self) -> list[str] | None:
        assert self.task.change is not None
        found = super().columns()
        return None if found is None else [*found, self.task.change.was]

    def row_of(
        self, record: Mapping[str, Any], name: str, number: int, role: Role | None
    ) -> Row | None:
        assert self.task.change is not None
        column, where = self.task.change.was, f"{name}:{number}"
        said = word(cell(record, column, where), column, "label", where)
        row = super().row_of(without(record, [column]), name, number, role)
        if row is not None:
            self.was[row.id] = said
        return row


def _digest(was: Mapping[str, str]) -> str:
    import hashlib
    import json

    return hashlib.sha256(json.dumps(sorted(was.items())).encode("ascii")).hexdigest()
