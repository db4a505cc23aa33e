"""Which captured text becomes which field, and how: the same for every format of export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.fields.normalise import Rule
from whichlever.fields.schema import Schema
from whichlever.infer.shapes.classes import Variable
from whichlever.infer.shapes.exports.moments import Format, format_of
from whichlever.infer.shapes.shape import Skeleton


@dataclass(frozen=True, slots=True)
class Captured:
    """One field of a shape.

    Attributes
    ----------
    name
        Of the field, with dots.
    captures
        Indices into the shape's named spans; more than one where the field holds several values.
    rule
        Of the field.
    format
        Of a timestamp, where one is known.
    """

    name: str
    captures: tuple[int, ...]
    rule: Rule
    format: Format | None


def captured(skeleton: Skeleton, schema: Schema) -> list[Captured]:
    """Fields of a shape in the order of the line, as its own source makes them."""
    places: dict[str, list[int]] = {}
    for index, one in enumerate(skeleton.named):
        for name in one.names:
            if name in schema.rules:
                places.setdefault(name, []).append(index)
    found = []
    for name, captures in places.items():
        rule = schema.rule(name, skeleton.source)
        kept = tuple(captures) if rule.many else tuple(captures[:1])
        found.append(Captured(name, kept, rule, _format(skeleton, captures[0], rule)))
    return found


def _format(skeleton: Skeleton, capture: int, rule: Rule) -> Format | None:
    if rule.normalise != "timestamp":
        return None
    one = skeleton.named[capture]
    part = skeleton.parts[one.first]
    if one.first != one.last or not isinstance(part, Variable):
        return None
    return format_of(part, rule)


def not_made(fields: Sequence[Captured]) -> list[str]:
    """Names of fields whose values an export leaves as the text of the line."""
    return sorted(
        one.name
        for one in fields
        if (one.rule.normalise == "timestamp" and one.format is None)
        or one.rule.normalise in ("json", "percent")
    )
