"""What a parser of lines is taught with and what it answers: spans that carry names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line and the names it carries.

    ``start`` and ``end`` are half-open code-point offsets into the line; ``names`` are sorted and
    at least one: the same piece may be ``source.ip`` and ``client.ip``.
    """

    start: int
    end: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """One line's answer.

    Attributes
    ----------
    spans
        Ascending by start, the longer first. A span may lie inside another one (``url.domain``
        inside ``url.original``, ``user.name`` inside ``user.id``): in the shared data that is one
        value in fifty. Two spans of the same name never overlap.
    confidence
        Calibrated probability that every field of the line is right.
    shape
        The compiled shape that matched; None where the tagger read the line.
    fields
        Field name → value, or list of values in the order of the line; every value is a span of
        the line or made from one by the field's declared normaliser.
    """

    spans: tuple[Span, ...]
    confidence: float
    shape: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A raw line with the fields that a person or a SIEM says are in it.

    ``source`` names the kind of device or program that wrote it, None where unknown.
    """

    text: str
    fields: Mapping[str, Any]
    source: str | None = None
