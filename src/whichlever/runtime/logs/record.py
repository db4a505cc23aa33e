"""A parsed event as one line of JSON: ECS (nested or dotted), OCSF, or the parser's own answer."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Literal

from whichlever.errors import InputError
from whichlever.fields.nested import nest
from whichlever.fields.spans import Parsed
from whichlever.runtime.lines import dump, error_line
from whichlever.runtime.logs.events import Event, visible

Manner = Literal["ecs", "dotted", "ocsf", "answers"]
MANNERS: tuple[Manner, ...] = ("ecs", "dotted", "ocsf", "answers")

Mapped = Callable[[Mapping[str, Any], str, str | None, Mapping[str, Any]], dict[str, Any]]
"""Fields, raw line, source and what the parser says of itself → a document of another schema."""

LAYOUTS = 4096
"""Layouts of documents that are remembered: one for each set of names."""


class Records:
    """Writes events.

    Parameters
    ----------
    manner
        ``ecs`` nests names, ``dotted`` does not, ``ocsf`` hands them to ``mapped``, ``answers`` is
        the line that `run` writes for rows.
    below
        An event is abstained from where its confidence is less than this.

    Raises
    ------
    InputError
        ``manner`` is not known, or needs a mapping that is not given.
    """

    def __init__(
        self, manner: str = "ecs", below: float | None = None, mapped: Mapped | None = None
    ) -> None:
        if manner not in MANNERS or (manner == "ocsf" and mapped is None):
            raise InputError(f"--as {manner[:40]!r}: give one of {', '.join(MANNERS)}")
        self._manner, self._below, self._mapped = manner, below, mapped
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def abstains(self, parsed: Parsed) -> bool:
        """Whether the event is left to a person."""
        return self._below is not None and parsed.confidence < self._below

    def line(self, number: int, event: Event, parsed: Parsed) -> bytes:
        """One event as a line: ASCII, valid JSON for strict readers, whatever the event holds."""
        said = self._said(number, event)
        said["confidence"] = round(parsed.confidence, 4)
        if parsed.shape is not None:
            said["shape"] = parsed.shape
        fields = parsed.fields
        unsure = said["abstain"] = self.abstains(parsed)
        if event.raw is not None:
            fields = {name: _visible(value) for name, value in fields.items()}
        if self._manner == "answers":
            spans: dict[str, list[list[int]]] = {}
            for span in parsed.spans:
                for name in span.names:
                    spans.setdefault(name, []).append([span.start, span.end])
            return dump({
                "id": number, "fields": dict(fields), "spans": spans, "shape": parsed.shape,
                "abstain": unsure,
            })  # fmt: skip
        if unsure:  # what nobody vouches for must not be found by a search for it
            said["guess"] = dict(fields)
            fields = {}
        return self._document(event, fields, said)

    def error(self, number: int, event: Event, message: str) -> bytes:
        """What stands in place of an event that cannot be parsed; the event is in it whole."""
        said = self._said(number, event)
        if self._manner == "answers":
            line = error_line(message, number)
            line["raw"] = visible(event.text)
            return dump(line)
        safe = error_line(message)["error"]
        if self._manner == "ocsf":
            said["error"] = safe
            return self._document(event, {}, said)
        return self._document(event, {"error.message": safe}, said)

    def _said(self, number: int, event: Event) -> dict[str, Any]:
        """What is told of an event beside its fields, under ``whichlever``."""
        said: dict[str, Any] = {"id": number}
        if event.origin.source is not None:
            said["source"] = event.origin.source
        if event.raw is not None:
            said["original_base64"] = base64.b64encode(event.raw).decode("ascii")
        return said

    def _document(self, event: Event, fields: Mapping[str, Any], said: dict[str, Any]) -> bytes:
        text = event.text if event.raw is None else visible(event.text)
        if self._manner == "ocsf":
            assert self._mapped is not None
            return dump(self._mapped(fields, text, event.origin.source, said | _about(event)))
        values = {**_about(event), **fields, "event.original": text}
        values |= {f"whichlever.{name}": value for name, value in said.items()}
        names = tuple(values)
        layout = self._layouts.get(names)
        if layout is None:
            if len(self._layouts) >= LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[names] = Layout(names, nested=self._manner == "ecs")
        return layout.filled(list(values.values()))


class Layout:
    """A document of some names with a place for each value.

    Nesting is worked out once for each set of names, not for each event.
    """

    def __init__(self, names: tuple[str, ...], *, nested: bool) -> None:
        at = {name: place for place, name in enumerate(names)}
        self._order: list[int] = []
        document = dict.fromkeys(names)
        self._text = self._object(nest(document) if nested else document, "", at) + "\n"

    def _object(self, mapping: Mapping[str, Any], before: str, at: Mapping[str, int]) -> str:
        parts = []
        for key, value in mapping.items():
            name = f"{before}{key}"
            if isinstance(value, dict):
                said = self._object(value, f"{name}.", at)
            else:
                self._order.append(at[name])
                said = "%s"
            parts.append(json.dumps(key).replace("%", "%%") + ": " + said)
        return "{" + ", ".join(parts) + "}"

    def filled(self, values: list[Any]) -> bytes:
        """The document with these values, which stand in the order of the names."""
        said = [encode_basestring_ascii(v) if type(v) is str else _json(v) for v in values]
        return (self._text % tuple([said[place] for place in self._order])).encode("ascii")


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON value
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else "null"
    return json.dumps(value)


def _visible(value: Any) -> Any:  # noqa: ANN401 - a field's value
    if isinstance(value, str):
        return visible(value)
    return [_visible(item) for item in value] if isinstance(value, list) else value


def _about(event: Event) -> dict[str, Any]:
    """What is known of the event without reading it, by its ECS names."""
    origin = event.origin
    about: dict[str, Any] = {}
    if origin.source is not None:
        about["event.dataset"] = origin.source
    if origin.path is not None:
        about["log.file.path"] = visible(origin.path)
    if origin.peer is not None:
        about["log.source.address"] = origin.peer
    if event.flags:
        about["log.flags"] = list(event.flags)
    return about
