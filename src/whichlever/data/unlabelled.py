"""Rows without a label, read as a task's other rows are."""

from __future__ import annotations

from whichlever.data.columns import cell, word
from whichlever.data.files import find_source
from whichlever.data.records import read_records
from whichlever.errors import DataError
from whichlever.predict import Row
from whichlever.render import find_pack
from whichlever.render.record import NoText, RecordText
from whichlever.task import Task


def read_unlabelled(task: Task, name: str) -> list[Row]:
    """Read the rows of a file; a label that stands there is not looked at.

    Parameters
    ----------
    name
        The file, from the task's folder.

    Raises
    ------
    DataError
        The file cannot be read, a row has no text, or an id stands twice; one line with its place.
    """
    pack = find_pack(task.pack) if task.pack else None
    way = RecordText.of_task(task, pack)
    rows: list[Row] = []
    seen: set[str] = set()
    source = find_source(name, task.path(name))
    for number, record in read_records(source, pack[0] if pack else None):
        where, column = f"{name}:{number}", task.data.id
        row_id = where if column is None else word(cell(record, column, where), column, "id", where)
        if row_id in seen:
            raise DataError(f"{where}: id {row_id!r} stands there twice; ids must be unique")
        seen.add(row_id)
        try:
            rows.append(Row(row_id, way.of(record)))
        except NoText as error:
            raise DataError(f"{where}: {error}") from error
    if not rows:
        raise DataError(f"{name}: no rows in it; it should hold one row per line")
    return rows
