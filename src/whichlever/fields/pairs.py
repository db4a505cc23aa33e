"""Fields as (name, value) pairs that can be compared: what every score of a line is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from whichlever.fields.normalise import canonical
from whichlever.fields.schema import Schema

Pairs = Counter[tuple[str, str | int | float]]


def flat(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(name, value), lists laid open."""
    return [
        (name, item)
        for name, value in fields.items()
        for item in (value if isinstance(value, list) else [value])
    ]


def pairs_of(fields: Mapping[str, Any], schema: Schema, source: str | None = None) -> Pairs:
    """The (name, canonical value) pairs of a line, as a multiset.

    A name that the schema does not know is compared as text.
    """
    return Counter(
        (name, canonical(value, schema.rule(name, source).normalise))
        if name in schema.rules
        else (name, str(value))
        for name, value in flat(fields)
    )
