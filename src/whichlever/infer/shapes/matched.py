"""A shape's answer: a Parsed whose spans and fields are made when somebody looks at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.fields.spans import Parsed, Span
from whichlever.infer.shapes.known import spans_of
from whichlever.infer.shapes.shape import Skeleton
from whichlever.infer.shapes.values import FieldPlan


@dataclass(slots=True, eq=False)
class Matcher:
    """A shape ready to be tried on lines of one source.

    Attributes
    ----------
    fullmatch
        Of the compiled expression.
    rivals
        Shapes that gave other spans on some line and are supported as well: where one of them
        matches too, nobody answers.
    hits
        Lines answered so far.
    due
        Hits at which an answer is to be checked against the tagger.
    """

    skeleton: Skeleton
    name: str
    fullmatch: Callable[[str], re.Match[str] | None]
    plan: FieldPlan
    confidence: float
    rank: tuple[float, int, str]
    rivals: tuple[Callable[[str], re.Match[str] | None], ...] = ()
    hits: int = 0
    due: int = 1


class Matched(Parsed):
    """What a compiled shape says of a line; equal to the Parsed with the same content."""

    __slots__ = ("_fields", "_spans", "match", "matcher")
    __setattr__ = object.__setattr__  # the base is frozen; what it keeps in slots is made here

    match: re.Match[str]
    matcher: Matcher

    @property
    def spans(self) -> tuple[Span, ...]:
        """Ascending by start, the longer first."""
        try:
            return self._spans
        except AttributeError:
            self._spans: tuple[Span, ...] = spans_of(self.matcher.skeleton, self.match)
            return self._spans

    @property
    def fields(self) -> Mapping[str, Any]:
        """Field name → value or values."""
        try:
            return self._fields
        except AttributeError:
            self._fields: Mapping[str, Any] = self.matcher.plan.fields(self.match)
            return self._fields

    @property
    def confidence(self) -> float:
        """Of the shape."""
        return self.matcher.confidence

    @property
    def shape(self) -> str:
        """Name of the shape."""
        return self.matcher.name

    def places(self) -> dict[str, list[list[int]]]:
        """Name → start and end of each of its spans, without making the spans."""
        found: dict[str, list[list[int]]] = {}
        span = self.match.span
        for group, one in enumerate(self.matcher.skeleton.named, 1):
            place = list(span(group))
            for name in one.names:
                if name in found:
                    found[name].append(place)
                else:
                    found[name] = [place]
        return found

    def settled(self) -> Parsed:
        """Return the same as a plain Parsed, which holds no line and no match."""
        return Parsed(self.spans, self.confidence, self.shape, dict(self.fields))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parsed):
            return NotImplemented
        return (self.spans, self.confidence, self.shape, self.fields) == (
            other.spans,
            other.confidence,
            other.shape,
            other.fields,
        )

    def __hash__(self) -> int:
        return hash((self.spans, self.confidence, self.shape))

    def __repr__(self) -> str:
        return repr(self.settled())


def matched(match: re.Match[str], matcher: Matcher) -> Matched:
    """Wrap a match; nothing else is done until somebody looks."""
    made = Matched.__new__(Matched)
    made.match = match
    made.matcher = matcher
    return made
