"""Where an attacker's text goes: the end of the text, or a field of the record.

A record's text is made anew from the changed record, by the function that training and serving
use, so that what a renderer cuts, quotes or leaves out is cut, quoted and left out here too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whichlever.measure.attack_ways import WAYS, Place, Way, beside, disguised
from whichlever.predict import Row
from whichlever.render.plain import pointer
from whichlever.render.record import NoText, RecordText, without

NOTE = "note"
"""The name of the field that text is added under, where a whole object is the attacker's."""


@dataclass(frozen=True, slots=True)
class Recorded(Row):
    """A row with the record that its text was made from, for a server that reads records."""

    record: Mapping[str, Any] | None = None


class TextEnd:
    """Text is added to a row's text, at one place; nothing is known of the record."""

    ways: tuple[Way, ...] = tuple(w for w in WAYS if w not in ("prepended", "field name"))

    def __init__(self, max_chars: int, place: Place = "behind") -> None:
        self._max_chars, self.place = max_chars, place

    def add(self, row: Row, text: str, way: Way) -> Row | None:
        """The row with the text beside its own; None where it would be too long to be read."""
        added = beside(row.text, disguised(text, way), way, self.place)
        return None if len(added) > self._max_chars else replace(row, text=added)


class Fields:
    """Text is added to the first controlled field that a record has.

    A text gets it before or behind; an object gets a new member, with the text as its value or as
    its name; so does a text that holds a JSON object; a list gets one more item.

    Parameters
    ----------
    records
        The record of each row, by row id.
    reading
        How records become text.
    controls
        Columns or JSON pointers that an attacker writes.
    place
        Where in them: of a text, behind, before or inside it; of an object, a new member at its
        end or its beginning, or behind the longest text that it holds.
    """

    def __init__(
        self,
        records: Mapping[str, Mapping[str, Any]],
        reading: RecordText,
        controls: Sequence[str],
        place: Place = "behind",
    ) -> None:
        self._records, self._reading, self.controls = records, reading, tuple(controls)
        self.place = place
        kinds = {
            _kind(found[1])
            for record in records.values()
            if (found := self._field(record)) is not None
        }
        closed = set()
        if "text" not in kinds or place != "behind":
            closed.add("prepended")
        if not kinds & {"object", "json"}:
            closed.add("field name")
        self.ways: tuple[Way, ...] = tuple(way for way in WAYS if way not in closed)

    def reach(self, rows: Sequence[Row]) -> int:
        """How many of the rows have a controlled field."""
        return sum(
            row.id in self._records and self._field(self._records[row.id]) is not None
            for row in rows
        )

    def add(self, row: Row, text: str, way: Way) -> Row | None:
        """The row as it reads with the text in its record; None where it cannot be read so."""
        record = self._records.get(row.id)
        found = None if record is None else self._field(record)
        if record is None or found is None:
            return None
        path, value = found
        changed = _added(value, disguised(text, way), way, self.place)
        if changed is None:
            return None
        record = _with(record, path, changed)
        try:
            made = self._reading.of(record)
        except NoText:
            return None
        return Recorded(
            row.id, made, row.target, row.group, row.time, row.document,
            trusted=self._reading.trusted(record),
            record=without(record, self._reading.hidden),
        )  # fmt: skip

    def _field(self, record: Mapping[str, Any]) -> tuple[str, Any] | None:
        for path in self.controls:
            try:
                value = pointer(record, path)
            except KeyError:
                continue
            if _kind(value) is not None:
                return path, value
        return None


def _kind(value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list):
        return "list"
    if isinstance(value, str):
        return "json" if _json_object(value) else "text"
    return None


def _json_object(text: str) -> bool:
    if not (text.lstrip().startswith("{") and text.rstrip().endswith("}")):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _added(value: Any, text: str, way: Way, place: Place) -> Any:  # noqa: ANN401 - any JSON value
    kind = _kind(value)
    name, said = (text, "") if way == "field name" else (NOTE, text)
    if kind == "text":
        return None if way == "field name" else beside(value, text, way, place)
    if way == "prepended" or (kind == "list" and way == "field name"):
        return None
    if kind == "list":
        return [text, *value] if place == "before" else [*value, text]
    if place == "inside" and way != "field name":
        inner = json.loads(value) if kind == "json" else value
        longer = _in_longest(inner, text)
        if longer is None:
            return None
        return json.dumps(longer, ensure_ascii=False) if kind == "json" else longer
    if kind == "json":
        return _with_member(value, name, said, first=place == "before")
    member = {_free(value, name): said}
    return {**member, **value} if place == "before" else {**value, **member}


def _in_longest(value: Mapping[str, Any], text: str) -> Mapping[str, Any] | None:
    """The object with the text behind the longest text among its own members; None without one."""
    texts = [name for name, inner in value.items() if isinstance(inner, str)]
    if not texts:
        return None
    name = max(texts, key=lambda name: len(value[name]))
    return {**value, name: f"{value[name]} {text}"}


def _with_member(text: str, name: str, said: str, *, first: bool = False) -> str:
    """A JSON object's text with one more member, its other characters as they were."""
    member = f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(said, ensure_ascii=False)}"
    if first:
        at = text.index("{") + 1
        comma = "" if text[at:].lstrip().startswith("}") else ", "
        return f"{text[:at]}{member}{comma}{text[at:]}"
    head, tail = text[: text.rindex("}")].rstrip(), text[text.rindex("}") :]
    comma = "" if head.endswith("{") else ", "
    return f"{head}{comma}{member}{tail}"


def _free(value: Mapping[str, Any], name: str) -> str:
    """A name that the object does not have: an attacker adds, and takes nothing away."""
    while name in value:
        name += "_"
    return name


def _with(record: Mapping[str, Any], path: str, value: Any) -> Mapping[str, Any]:  # noqa: ANN401
    """The record with another value at a column or JSON pointer; nothing is changed in place."""
    parts = path[1:].split("/") if path.startswith("/") else [path]
    if path.startswith("/"):
        parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]

    def put(inner: Any, rest: list[str]) -> Any:  # noqa: ANN401 - any JSON value
        if not rest:
            return value
        if isinstance(inner, list):
            at = int(rest[0])
            return [*inner[:at], put(inner[at], rest[1:]), *inner[at + 1 :]]
        return {**inner, rest[0]: put(inner[rest[0]], rest[1:])}

    changed: Mapping[str, Any] = put(record, parts)
    return changed
