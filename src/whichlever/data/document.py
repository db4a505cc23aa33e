"""One large JSON document read item by item: an export that is one array, not one line a row.

``json`` has no streaming parser. Its text is held, but only one item at a time becomes Python
objects (which take about ten times the room), and nothing beside the wanted list is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

MAX_DOCUMENT = 512 * 1024**2
"""Bytes of one document; more is asked for as one object a line."""

_SPACE = re.compile(r"[ \t\r\n]*")


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_constant)


def walk(text: str, path: Sequence[str] = ()) -> Iterator[tuple[int, Any]]:
    """Each item of the list at ``path`` as (line it begins on, value), in order.

    Several documents may follow each other. An item is decoded when it is asked for.

    Parameters
    ----------
    text
        One or more JSON documents.
    path
        Keys that lead to the list, as ``("hits", "hits")``; () where the document is the list. A
        document without it has no items.

    Raises
    ------
    ValueError
        It is not JSON, or an object stands where the list should; the message says where.
        RecursionError where it is nested too deeply.
    """
    lines = _Lines(text)
    at = _skip(text, 0)
    while at < len(text):
        reached = at
        for reached, found in _into(text, at, tuple(path)):  # noqa: B007 - read after the loop
            if found is not None:
                yield lines.at(found[0]), found[1]
        at = _skip(text, reached)


Step = tuple[int, tuple[int, Any] | None]


def _into(text: str, at: int, path: tuple[str, ...]) -> Iterator[Step]:
    """Steps through the value at ``at``: (position reached, item found or None)."""
    if not path:
        yield from _list(text, at)
        return
    if text[at : at + 1] != "{":
        raise ValueError(f"no object at character {at}; looked for {path[0]!r} in one")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = _DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise ValueError(f"a key is not text at character {at}")  # noqa: TRY004 - as json does
        at = _after(text, at, ":")
        if key == path[0] and text[at : at + 1] in "{[":
            for reached, found in _into(text, at, path[1:]):
                yield reached, found
            at = reached
        else:
            at = _DECODER.raw_decode(text, at)[1]
        at = _next(text, at, "}")
    yield at + 1, None


def _list(text: str, at: int) -> Iterator[Step]:
    if text[at : at + 1] != "[":
        raise ValueError(f"no list at character {at}")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        begin = at
        value, at = _DECODER.raw_decode(text, at)
        yield at, (begin, value)
        at = _next(text, at, "]")
    yield at + 1, None


def _next(text: str, at: int, end: str) -> int:
    """The position after a comma, or of the ``end`` that closes."""
    at = _skip(text, at)
    if text[at : at + 1] == ",":
        at = _skip(text, at + 1)
        if text[at : at + 1] == end:
            raise ValueError(f"a comma before {end} at character {at}")
        return at
    if text[at : at + 1] != end:
        raise ValueError(f"expected a comma or {end} at character {at}")
    return at


def _after(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != sign:
        raise ValueError(f"expected {sign} at character {at}")
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


class _Lines:
    """The line of a position; asked in growing order, so that counting is linear."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def at(self, position: int) -> int:
        self._line += self._text.count("\n", self._at, position)
        self._at = position
        return self._line
