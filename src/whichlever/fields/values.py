"""Spans to a dictionary of fields, by each field's declared rule and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from whichlever.fields import normalise
from whichlever.fields.schema import Schema
from whichlever.fields.spans import Span


def fields_of(
    text: str,
    spans: Iterable[Span],
    schema: Schema,
    source: str | None = None,
    this_year: int | None = None,
) -> dict[str, Any]:
    """Make a line's fields: name → value, or a list where the field may hold several.

    Names that the schema does not know are left out. Where a field that holds one value has
    several spans, the first one counts.

    Parameters
    ----------
    this_year
        For timestamps whose year neither the text nor the schema knows; without it these stay as
        they are written.
    """
    found: dict[str, list[Any]] = {}
    for span in spans:
        for name in span.names:
            if name not in schema.rules:
                continue
            rule = schema.rule(name, source)
            value = normalise.apply(text[span.start : span.end], rule, this_year, text)
            kept = found.setdefault(name, [])
            if not kept or (rule.many and value not in kept):
                kept.append(value)
    return {name: kept[0] if len(kept) == 1 else kept for name, kept in found.items()}
