"""A parsed event as one line of JSON: ECS (nested or dotted), OCSF, or the parser's own answer."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from operator import itemgetter
from typing import Any, Literal

from whichlever.errors import InputError
from whichlever.fields.nested import nest
from whichlever.fields.spans import Parsed
from whichlever.runtime.lines import dump, error_line
from whichlever.runtime.logs.events import Event, visible
from whichlever.runtime.logs.lines import Origin

Manner = Literal["ecs", "dotted", "ocsf", "answers"]
MANNERS: tuple[Manner, ...] = ("ecs", "dotted", "ocsf", "answers")

Sure = Callable[[float], float]
Mapped = Callable[[Mapping[str, Any], str, str | None, Mapping[str, Any]], dict[str, Any]]
"""Fields, raw line, source and what the parser says of itself → a document of another schema."""

REMEMBERED = 4096
"""Layouts of documents, one for each set of names, and calibrated confidences."""


class Records:
    """Writes events.

    Parameters
    ----------
    manner
        ``ecs`` nests names, ``dotted`` does not, ``ocsf`` hands them to ``mapped``, ``answers`` is
        the line that `run` writes for rows.
    below
        An event is abstained from where its confidence is less than this.
    sure
        Calibrates a confidence; None takes it as it is.

    Raises
    ------
    InputError
        ``manner`` is not known, or needs a mapping that is not given.
    """

    def __init__(
        self,
        manner: str = "ecs",
        below: float | None = None,
        mapped: Mapped | None = None,
        sure: Sure | None = None,
    ) -> None:
        if manner not in MANNERS or (manner == "ocsf" and mapped is None):
            raise InputError(f"--as {manner[:40]!r}: give one of {', '.join(MANNERS)}")
        self._manner, self._below, self._mapped, self._sure = manner, below, mapped, sure
        self._layouts: dict[tuple[tuple[str, ...], ...], Layout] = {}
        self._calibrated: dict[float, float] = {}

    def confidence(self, parsed: Parsed) -> float:
        """Calibrated, to four digits; each value is worked out once, and remembered."""
        own = parsed.confidence
        found = self._calibrated.get(own)
        if found is None:
            if len(self._calibrated) >= REMEMBERED:
                self._calibrated.clear()
            found = round(own if self._sure is None else self._sure(own), 4)
            self._calibrated[own] = found
        return found

    def abstains(self, confidence: float) -> bool:
        """Whether an event is left to a person."""
        return self._below is not None and confidence < self._below

    def line(self, number: int, event: Event, parsed: Parsed) -> bytes:
        """One event as a line: ASCII, valid JSON for strict readers, whatever the event holds."""
        confidence = self.confidence(parsed)
        unsure, fields = self.abstains(confidence), parsed.fields
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
        said = _said(number, event)
        said["confidence"], said["abstain"] = confidence, unsure
        if (shape := parsed.shape) is not None:
            said["shape"] = shape
        if unsure:  # what nobody vouches for must not be found by a search for it
            said["guess"] = dict(fields)
            fields = {}
        return self._document(event, fields, said)

    def error(self, number: int, event: Event, message: str) -> bytes:
        """What stands in place of an event that cannot be parsed; the event is in it whole."""
        if self._manner == "answers":
            line = error_line(message, number)
            line["raw"] = visible(event.text)
            return dump(line)
        safe = error_line(message)["error"]
        if self._manner == "ocsf":
            return self._document(event, {}, _said(number, event) | {"error": safe})
        return self._document(event, {"error.message": safe}, _said(number, event))

    def _document(self, event: Event, fields: Mapping[str, Any], said: dict[str, Any]) -> bytes:
        text = event.text if event.raw is None else visible(event.text)
        about: Mapping[str, Any] = event.origin.about or _about(event.origin)
        if event.flags:
            about = {**about, "log.flags": list(event.flags)}
        if self._mapped is not None and self._manner == "ocsf":
            return dump(self._mapped(fields, text, event.origin.source, {**said, **about}))
        # Values are written in the order of their names here, and then put in their places.
        names = (tuple(about), tuple(fields), tuple(said))
        layout = self._layouts.get(names)
        if layout is None:
            if len(self._layouts) >= REMEMBERED:
                self._layouts.clear()
            layout = Layout(
                (*about, *fields, *(f"whichlever.{name}" for name in said), "event.original"),
                nested=self._manner == "ecs",
            )
            self._layouts[names] = layout
        return layout.filled([*about.values(), *fields.values(), *said.values(), text])


class Layout:
    """A document of some names with a place for each value.

    Nesting is worked out once for each set of names, not for each event. Of a name that stands
    twice the last value counts.
    """

    def __init__(self, names: tuple[str, ...], *, nested: bool) -> None:
        at = {name: place for place, name in enumerate(names)}
        order: list[int] = []
        document = dict.fromkeys(names)
        self._text = _object(nest(document) if nested else document, "", at, order) + "\n"
        # A getter of one item gives it bare; the text is the last value, and always there.
        self._ordered: Callable[[list[str]], tuple[str, ...]] = itemgetter(
            *order, at["event.original"]
        )
        self._text += "%.0s"

    def filled(self, values: list[Any]) -> bytes:
        """The document with these values, which stand in the order of the names."""
        said = [encode_basestring_ascii(v) if type(v) is str else _json(v) for v in values]
        return (self._text % self._ordered(said)).encode("ascii")


def _object(
    mapping: Mapping[str, Any], before: str, at: Mapping[str, int], order: list[int]
) -> str:
    """A document with ``%s`` for each value; ``order`` gains the values' places."""
    parts = []
    for key, value in mapping.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            said = _object(value, f"{name}.", at, order)
        else:
            order.append(at[name])
            said = "%s"
        parts.append(json.dumps(key).replace("%", "%%") + ": " + said)
    return "{" + ", ".join(parts) + "}"


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


def _said(number: int, event: Event) -> dict[str, Any]:
    """What is told of an event beside its fields, under ``whichlever``."""
    said: dict[str, Any] = {"id": number}
    if event.origin.source is not None:
        said["source"] = event.origin.source
    if event.raw is not None:
        said["original_base64"] = base64.b64encode(event.raw).decode("ascii")
    return said


def _about(origin: Origin) -> dict[str, str]:
    """What is known of an event without reading it, by its ECS names; worked out once."""
    about: dict[str, str] = {}
    if origin.source is not None:
        about["event.dataset"] = origin.source
    if origin.path is not None:
        about["log.file.path"] = visible(origin.path)
    if origin.peer is not None:
        about["log.source.address"] = origin.peer
    origin.about = about
    return about
