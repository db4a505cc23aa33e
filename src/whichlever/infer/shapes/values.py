"""From a match straight to field values: as ``fields.values`` makes them, prepared once a shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from whichlever.fields import normalise
from whichlever.fields.normalise import Rule
from whichlever.fields.schema import Schema
from whichlever.infer.shapes.moments import Timestamps, reads_line
from whichlever.infer.shapes.shape import Skeleton

Converter = Callable[[str, str], Any]
"""From a span's text and its line to the value."""
MAX_REMEMBERED = 2_048
MAX_LENGTH = 256
"""Values of other normalisers are remembered: this many a rule, and no longer ones."""
MAX_DIGITS = 30
"""Longer runs of digits stay text, as the normaliser leaves them."""


class FieldPlan:
    """How the fields of one shape are made in one source."""

    __slots__ = ("_conversions", "_groups", "_integers", "_names", "_several")

    def __init__(
        self, skeleton: Skeleton, schema: Schema, source: str | None, converters: Converters
    ) -> None:
        groups: dict[str, list[int]] = {}
        for group, one in enumerate(skeleton.named, 1):
            for name in one.names:
                if name in schema.rules:
                    groups.setdefault(name, []).append(group)
        rules = {name: schema.rule(name, source) for name in groups}
        several = [name for name in sorted(groups) if len(groups[name]) > 1 and rules[name].many]
        single = [name for name in groups if name not in several]
        whole = [n for n in single if rules[n].normalise == "int" and _digits(skeleton, groups[n])]
        self._names = tuple(single)
        self._groups = tuple(groups[name][0] for name in single)
        self._integers = tuple(whole)
        self._conversions = tuple(
            (name, converters.of(rules[name], _form(skeleton, groups[name])))
            for name in single
            if rules[name].normalise != "none" and name not in whole
        )
        self._several = tuple(
            (name, tuple(groups[name]), converters.of(rules[name], "")) for name in several
        )

    def fields(self, match: re.Match[str]) -> dict[str, Any]:
        """Field → value of one match."""
        groups = self._groups
        if len(groups) > 1:
            found: dict[str, Any] = dict(zip(self._names, match.group(*groups)))  # noqa: B905 - hot
        elif groups:
            found = {self._names[0]: match.group(groups[0])}
        else:
            found = {}
        for name in self._integers:
            text = found[name]
            if len(text) <= MAX_DIGITS:
                found[name] = int(text)
        for name, convert in self._conversions:
            found[name] = convert(found[name], match.string)
        for name, several, convert in self._several:
            values: list[Any] = []
            for group in several:
                value = convert(match.group(group), match.string)
                if value not in values:
                    values.append(value)
            found[name] = values[0] if len(values) == 1 else values
        return found


def _digits(skeleton: Skeleton, groups: list[int]) -> bool:
    """Whether a group is one variable of ASCII digits, which ``int`` reads."""
    one = skeleton.named[groups[0] - 1]
    part = skeleton.parts[one.first]
    return one.first == one.last and not isinstance(part, str) and part.kind == "digits"


def _form(skeleton: Skeleton, groups: list[int]) -> str:
    part = skeleton.parts[skeleton.named[groups[0] - 1].first]
    return "" if isinstance(part, str) else part.form


class Converters:
    """What makes a rule's values, made once for all shapes; what they remember is bounded.

    Parameters
    ----------
    this_year
        For timestamps whose year neither the text nor the schema knows.
    """

    def __init__(self, this_year: int | None = None) -> None:
        self._this_year = this_year
        self._made: dict[tuple[str, str], Converter] = {}

    def of(self, rule: Rule, form: str) -> Converter:
        """Return the converter of a rule for texts of a form (empty: of any form)."""
        key = (repr(rule), form)
        if key not in self._made:
            self._made[key] = self._make(rule)
        return self._made[key]

    def _make(self, rule: Rule) -> Converter:
        year = self._this_year
        if rule.normalise == "timestamp" and not reads_line(rule):
            return Timestamps(rule, year)
        if rule.normalise == "timestamp":
            return lambda text, line: normalise.apply(text, rule, year, line)
        if rule.normalise == "none":
            return lambda text, _: text
        if rule.normalise in ("lower", "upper"):
            change = str.lower if rule.normalise == "lower" else str.upper
            return lambda text, _: change(text)

        @lru_cache(MAX_REMEMBERED)
        def made(text: str) -> Any:  # noqa: ANN401 - JSON value
            return normalise.apply(text, rule)

        return lambda text, _: made(text) if len(text) < MAX_LENGTH else normalise.apply(text, rule)
