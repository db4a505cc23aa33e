"""One shape of a book: its skeleton, compiled, with the lines that bear it out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from whichlever.fields.spans import Span
from whichlever.infer.shapes.classes import Variable
from whichlever.infer.shapes.shape import Evidence, Skeleton

EXAMPLES = 8
"""Lines kept in memory to check a shape on when it is widened; a bundle holds none."""

Example = tuple[str, tuple[Span, ...]]


@dataclass(slots=True)
class Known:
    """A shape that matches every one of its examples and gives their spans."""

    skeleton: Skeleton
    evidence: Evidence
    examples: list[Example] = field(default_factory=list)
    name: str = ""
    _regex: re.Pattern[str] | None = None

    def __post_init__(self) -> None:
        self.name = self.skeleton.name

    @property
    def regex(self) -> re.Pattern[str]:
        """The compiled expression; made when first asked for, which takes milliseconds."""
        if self._regex is None:
            self._regex = self.skeleton.regex()
        return self._regex

    def spans(self, line: str) -> tuple[Span, ...] | None:
        """Spans that the shape gives a line; None where it does not match."""
        match = self.regex.fullmatch(line)
        return None if match is None else spans_of(self.skeleton, match)

    def rank(self) -> tuple[float, int, str]:
        """Sort key: better supported first, then the more literal."""
        support = self.evidence.lines + self.evidence.right - 20 * self.evidence.wrong
        literal = sum(len(p) for p in self.skeleton.parts if isinstance(p, str))
        return (-support, -literal, self.name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without examples."""
        evidence = self.evidence
        return self.skeleton.to_json() | {
            "lines": evidence.lines,
            "right": evidence.right,
            "wrong": evidence.wrong,
            "confidence": round(evidence.confidence, 4),
        }


def spans_of(skeleton: Skeleton, match: re.Match[str]) -> tuple[Span, ...]:
    """Spans of a match of the skeleton's expression."""
    return tuple(Span(*match.span(group), one.names) for group, one in enumerate(skeleton.named, 1))


def compiled(skeleton: Skeleton, examples: Sequence[Example], evidence: Evidence) -> Known | None:
    """Compile a skeleton; None unless it gives each example's spans and joins to its line again."""
    made = Known(skeleton, evidence, list(examples[:EXAMPLES]))
    try:
        right = all(made.spans(line) == spans for line, spans in examples)
    except (re.error, OverflowError, RecursionError):
        return None
    return made if right else None


def widened(known: Known, skeleton: Skeleton, example: Example) -> Known | None:
    """Return the shape that also holds what another line of its identity holds."""
    parts = tuple(
        part.joined(other) if isinstance(part, Variable) and isinstance(other, Variable) else part
        for part, other in zip(known.skeleton.parts, skeleton.parts, strict=True)
    )
    wider = replace(known.skeleton, parts=parts)
    return compiled(wider, [example, *known.examples], known.evidence)


def total(evidences: Sequence[Evidence]) -> Evidence:
    """Sum what is known of several shapes that become one."""
    lines = sum(e.lines for e in evidences)
    mean = sum(e.confidence * e.lines for e in evidences) / max(lines, 1)
    return Evidence(lines, sum(e.right for e in evidences), sum(e.wrong for e in evidences), mean)
