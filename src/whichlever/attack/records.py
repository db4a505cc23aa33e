"""Which fields of a task's records an attacker writes."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.attack.surface import Fields, TextEnd
from whichlever.data.kept import records_of
from whichlever.errors import TaskError
from whichlever.measure.attack_ways import Place
from whichlever.predict import Row
from whichlever.render import find_pack
from whichlever.render.record import RecordText
from whichlever.task import Task


def surface_of(
    task: Task, rows: Sequence[Row], controls: Sequence[str], place: Place = "behind"
) -> TextEnd | Fields:
    """Where text may be added to these rows: the fields the task names, else the text itself.

    Raises
    ------
    DataError
        The task's files cannot be read (any more).
    TaskError
        No row has any of the fields.
    """
    if not controls:
        return TextEnd(task.data.max_chars, place)
    reading = RecordText.of_task(task, find_pack(task.pack) if task.pack else None)
    surface = Fields(records_of(task, rows), reading, controls, place)
    if rows and not surface.reach(rows):
        raise TaskError(
            f"attack.controls: no protected test row has {' or '.join(controls)} as a text, a "
            "list or an object; name a column or a JSON pointer (/a/b) of the records"
        )
    return surface


def where_of(controls: Sequence[str], place: Place = "behind") -> str:
    """Where text may be added, in words."""
    if not controls:
        plain = {"before": "before the text", "inside": "inside the text"}
        return plain.get(place, "at the end of the text")
    more = {"before": " (before what is there)", "inside": " (inside what is there)"}
    return f"in {' or '.join(controls)}{more.get(place, '')}"
