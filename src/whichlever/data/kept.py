"""The records that rows were made of, read again for those rows alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from whichlever.data.read import Reader, _files
from whichlever.data.rows import Role
from whichlever.predict import Row
from whichlever.render import find_pack
from whichlever.task import Task


@dataclass
class _Keeping(Reader):
    """A reader that keeps the records of some rows, by row id, and no other."""

    wanted: frozenset[str] = frozenset()
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def row_of(
        self, record: Mapping[str, Any], name: str, number: int, role: Role | None
    ) -> Row | None:
        """As `Reader.row_of`; the record stays where it is wanted."""
        row = super().row_of(record, name, number, role)
        if row is not None and row.id in self.wanted:
            self.records[row.id] = dict(record)
        return row

    def columns(self) -> list[str] | None:
        """Every column: those that nobody reads may be asked for too."""
        return None


def records_of(task: Task, rows: Collection[Row]) -> dict[str, Mapping[str, Any]]:
    """The records of some rows, by row id.

    Raises
    ------
    DataError
        The task's files cannot be read (any more).
    """
    reader = _Keeping(
        task,
        find_pack(task.pack) if task.pack else None,
        wanted=frozenset(row.id for row in rows),
    )
    for role, name in _files(task):
        reader.read(name, role)
    return reader.records
