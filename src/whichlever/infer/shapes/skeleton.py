"""One parsed line as a skeleton: what of it is taken as literal, what may vary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from whichlever.fields import timestamps
from whichlever.fields.spans import Span
from whichlever.infer.shapes.classes import STRUCTURE, Variable, variable_for
from whichlever.infer.shapes.shape import MAX_PARTS, Named, Part, Skeleton, tidy
from whichlever.infer.templates.items import VALUE_KINDS, items

MAX_LINE = 8_192
"""Longer lines make no shape, and no shape is tried on them."""
# Digits in these may be part of a name (ssh2, %ASA-6-302013): literal until other lines differ.
_NAMES = frozenset({"word_digit", "alnum", "joined_id", "snake_id", "hexid", "host", "tail"})
VARYING = VALUE_KINDS - _NAMES
_RUN = re.compile(f"[^{re.escape(STRUCTURE)}]+")
_COLUMN = re.compile(" {3,}")
Piece = tuple[int, int, bool]
"""Start, end, and whether the text there may vary."""


def skeleton(line: str, spans: Sequence[Span], source: str | None) -> Skeleton | None:
    """Make a skeleton that matches the line and gives these spans; None where there is none.

    Text in a span that holds no other span is a variable; beside spans, what has the form of a
    value is one too, and words and punctuation are literal.
    """
    if not line or len(line) > MAX_LINE:
        return None
    edges = sorted({0, len(line), *(s.start for s in spans), *(s.end for s in spans)})
    leaves = _leaves(spans)
    pieces: list[Piece] = []
    for start, end in pairwise(edges):
        if (start, end) in leaves:
            pieces.append((start, end, True))
        else:
            pieces += _glued(_gap(line, start, end))
    pieces = _apart(line, pieces, leaves)
    if len(pieces) > MAX_PARTS:
        return None
    parts: list[Part] = []
    for index, (start, end, varies) in enumerate(pieces):
        text = line[start:end]
        parts.append(_variable(text, line, pieces, index, leaves) if varies else text)
    at_start = {start: index for index, (start, _, _) in enumerate(pieces)}
    at_end = {end: index for index, (_, end, _) in enumerate(pieces)}
    named = [
        Named(at_start[span.start], at_end[span.end], tuple(span.names))
        for span in sorted(spans, key=lambda s: (s.start, -s.end))
        if span.start < span.end
    ]
    return tidy(parts, named, source)


def _leaves(spans: Sequence[Span]) -> set[tuple[int, int]]:
    """Places of the spans that hold no other one."""
    ordered = sorted({(s.start, s.end) for s in spans}, key=lambda p: (p[0], -p[1]))
    following = [place[0] for place in ordered[1:]] + [len(ordered) and ordered[-1][1]]
    return {
        (start, end)
        for (start, end), after in zip(ordered, following, strict=False)
        if after >= end
    }


def _gap(line: str, start: int, end: int) -> Iterator[Piece]:
    """Cut the text between spans: timestamps, then words between structuring characters."""
    at = start
    moments = [(start + a, start + b) for a, b in timestamps.find(line[start:end])]
    for first, last in [*moments, (end, end)]:
        yield from _words(line, at, first)
        if first < last:
            yield first, last, True
        at = last


def _words(line: str, start: int, end: int) -> Iterator[Piece]:
    at = start
    for match in _RUN.finditer(line, start, end):
        yield from _marks(line, at, match.start())
        at = match.start()
        for item in items(match.group()):
            varies = item.kind in VARYING and any(c.isalnum() for c in item.text)
            yield at + item.start, at + item.end, varies
        at = match.end()
    yield from _marks(line, at, end)


def _marks(line: str, start: int, end: int) -> Iterator[Piece]:
    """Structuring characters: literal, but for blanks that set columns."""
    at = start
    for match in _COLUMN.finditer(line, start, end):
        if at < match.start():
            yield at, match.start(), False
        yield *match.span(), True
        at = match.end()
    if at < end:
        yield at, end, False


def _glued(pieces: Iterator[Piece]) -> list[Piece]:
    """Literal neighbours as one."""
    out: list[Piece] = []
    for piece in pieces:
        if out and not piece[2] and not out[-1][2]:
            out[-1] = (out[-1][0], piece[1], False)
        else:
            out.append(piece)
    return out


def _apart(line: str, pieces: Sequence[Piece], leaves: set[tuple[int, int]]) -> list[Piece]:
    """Between two neighbouring variables, take the second one's first mark as literal.

    Only of text beside spans; ``TCP_MISS/200`` with a span on its first word is word, slash,
    number.
    """
    out: list[Piece] = []
    for start, end, varies in pieces:
        beside = varies and bool(out) and out[-1][2] and (start, end) not in leaves
        if beside and not line[start].isalnum():
            out.append((start, start + 1, False))
            if start + 1 < end:
                out.append((start + 1, end, True))
        else:
            out.append((start, end, varies))
    return out


def _variable(
    text: str, line: str, pieces: Sequence[Piece], index: int, leaves: set[tuple[int, int]]
) -> Variable:
    found = variable_for(text, _following(line, pieces, index))
    # Only a named value is none where a dash stands for it; beside spans a dash is text as any.
    return found if pieces[index][:2] in leaves else replace(found, nothing=True)


def _following(line: str, pieces: Sequence[Piece], index: int) -> str:
    if index + 1 == len(pieces) or pieces[index + 1][2]:
        return ""
    start, end, _ = pieces[index + 1]
    return line[start:end]
