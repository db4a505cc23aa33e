"""A record as the text that a model reads: one function for training and for serving.

Whoever reads a task's files and whoever answers from a bundle call `RecordText.of`, so that what
is served is, to the byte, what was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from whichlever.errors import DataError
from whichlever.render.matching import matched
from whichlever.render.plain import plain, pointer
from whichlever.render.registry import Pack, find_pack
from whichlever.settings_guard import untrusted_fields

if TYPE_CHECKING:
    from whichlever.task import Task

BLANK = "\x00 \t\r\n\f\v\u00a0\u200b\ufeff"
"""A text of nothing but these is empty."""

Reason = Literal["column", "columns", "pack", "value", "empty", "long", "surrogate"]


class NoText(DataError):
    """A record has no text; the message names the task's columns and no content.

    Attributes
    ----------
    reason
        ``column`` or ``columns``: what is to be read is not there; ``pack``: its renderer refused
        the record; ``value``: what is there cannot be written as text; ``empty``, ``long`` and
        ``surrogate`` (half a character) speak of the text.
    field
        The column or columns concerned.
    number
        Characters of a ``long`` text; where in the text for ``surrogate``.
    """

    def __init__(self, reason: Reason, field: str, said: str, number: int = 0) -> None:
        super().__init__(said)
        self.reason, self.field, self.number = reason, field, number


@dataclass(frozen=True)
class RecordText:
    """How a record becomes text.

    Attributes
    ----------
    pack
        The pack and the version of its renderer; None for plain columns.
    inputs
        Without a pack: a column, or several columns or JSON pointers rendered in order.
    match
        Without a pack: the column whose words are looked for in the text (`matched`).
    hidden
        With a pack, whose renderer shows every field it does not know: columns or JSON pointers
        that it is never shown, the answer first among them.
    max_chars
        Characters of a text at most.
    untrusted
        Columns or JSON pointers that an attacker writes; `trusted` reads a record without them.
    """

    pack: tuple[Pack, int] | None = None
    inputs: str | tuple[str, ...] | None = None
    match: str | None = None
    hidden: tuple[str, ...] = ()
    max_chars: int = 100_000
    untrusted: tuple[str, ...] = ()

    @classmethod
    def of_task(cls, task: Task, pack: tuple[Pack, int] | None) -> RecordText:
        """As a task's rows are read; ``pack`` is the one it names."""
        data = task.data
        inputs = tuple(data.input) if isinstance(data.input, list) else data.input
        hidden = [data.target, data.split.column, data.document]
        hidden.append(task.workload.incident if task.workload else None)
        named = tuple(path for path in hidden if path is not None)
        untrusted = untrusted_fields(task.guard, task.attack)
        if pack is not None:
            return cls(pack, hidden=named, max_chars=data.max_chars, untrusted=untrusted)
        return cls(None, inputs, data.match, max_chars=data.max_chars, untrusted=untrusted)

    @property
    def field(self) -> str:
        """What the text is made of, for messages."""
        if self.pack is not None:
            return "the rendered record"
        return self.inputs if isinstance(self.inputs, str) else ", ".join(self.inputs or ())

    def of(self, record: Mapping[str, Any]) -> str:
        """The text of a record.

        Raises
        ------
        NoText
            Something to be read is missing, cannot be text, or makes an empty, overlong or broken
            text.
        """
        text = self._plain(record) if self.pack is None else self._rendered(self.pack, record)
        if not text.strip(BLANK):
            raise NoText("empty", self.field, f"{self.field!r} is empty")
        if len(text) > self.max_chars:
            said = f"{self.field!r} has {len(text)} characters; at most {self.max_chars} are read"
            raise NoText("long", self.field, said, len(text))
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError as error:
                said = f"{self.field!r} holds half a surrogate pair at character {error.start}"
                raise NoText("surrogate", self.field, said, error.start) from None
        return text

    def trusted(self, record: Mapping[str, Any]) -> str | None:
        """The text of a record as it would be if every untrusted field were missing.

        Nothing that stands in those fields, their names among it, changes one character of it.
        ``""`` where nothing is left to be read; None where no field is untrusted.
        """
        if not self.untrusted:
            return None
        try:
            return replace(self, untrusted=()).of(without(record, self.untrusted))
        except NoText:
            return ""

    def _rendered(self, pack: tuple[Pack, int], record: Mapping[str, Any]) -> str:
        blind = without(record, self.hidden)
        try:
            text = pack[0].render(blind, pack[1])
        except Exception as error:  # a pack is foreign code, and its record is hostile
            said = f"pack {pack[0].name!r} cannot render the record ({type(error).__name__})"
            raise NoText("pack", self.field, said) from error
        if not isinstance(text, str):
            said = f"pack {pack[0].name!r} rendered the record as no text"
            raise NoText("pack", self.field, said)
        return text

    def _plain(self, record: Mapping[str, Any]) -> str:
        assert self.inputs is not None
        try:
            text = plain(record, self.inputs)
            if self.match is not None:
                told = _told(record, self.match)
                text += "\n" + matched(told, text)
        except KeyError:
            if isinstance(self.inputs, str):
                raise NoText("column", self.inputs, f"no column {self.inputs!r}") from None
            said = f"none of the input columns {self.field} is there"
            raise NoText("columns", self.field, said) from None
        except (RecursionError, ValueError, TypeError) as error:
            said = f"the input cannot be written as text ({type(error).__name__})"
            raise NoText("value", self.field, said) from error
        return text


def _told(record: Mapping[str, Any], match: str) -> str:
    try:
        told = pointer(record, match)
    except KeyError:
        raise NoText("column", match, f"no column {match!r}") from None
    return told if isinstance(told, str) else json.dumps(told)


def reading(task: Task) -> dict[str, Any]:
    """A task's way of reading records as plain values: the fields of a bundle's reader.

    Raises
    ------
    TaskError
        The task's pack is not installed.
    """
    pack = find_pack(task.pack) if task.pack else None
    way = RecordText.of_task(task, pack)
    return {
        "pack": None if pack is None else f"{pack[0].name}@{pack[1]}",
        "input": way.inputs,
        "match": way.match,
        "id": task.data.id,
        "hidden": way.hidden,
        "max_chars": way.max_chars,
    }


def without(record: Mapping[str, Any], paths: Sequence[str | None]) -> Mapping[str, Any]:
    """The record less the values at these columns or JSON pointers; nothing is changed in place."""
    for path in paths:
        if path is not None and has(record, path):
            parts = path[1:].split("/") if path.startswith("/") else [path]
            record = _less(record, [p.replace("~1", "/").replace("~0", "~") for p in parts])
    return record


def has(record: Mapping[str, Any], path: str) -> bool:
    """Whether there is a value at a column or JSON pointer."""
    try:
        pointer(record, path)
    except KeyError:
        return False
    return True


def _less(value: Any, parts: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        at = int(parts[0])
        inner = [] if len(parts) == 1 else [_less(value[at], parts[1:])]
        return [*value[:at], *inner, *value[at + 1 :]]
    kept = {k: v for k, v in value.items() if k != parts[0]}
    if len(parts) > 1:
        kept[parts[0]] = _less(value[parts[0]], parts[1:])
    return kept
