"""A template as a matcher, and a line's values in it: linear time, nothing tried twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

WILDCARD = "<*>"
Piece = tuple[int, int]


def collapse(line: str) -> str:
    """Runs of white space as one space, ends stripped, as the labels of the benchmark are."""
    return " ".join(line.split())


def literal_length(template: str) -> int:
    """Code points of a template that are not wildcards: how specific it is."""
    return len(template.replace(WILDCARD, ""))


def has_word(template: str) -> bool:
    """Whether a template holds two letters in a row beside its wildcards."""
    return re.search(r"[^\W\d_]{2}", template.replace(WILDCARD, "")) is not None


def align(line: str, template: str) -> list[Piece] | None:
    """Where a template's wildcards lie in a collapsed line: half-open offsets, None: no match.

    Each wildcard takes as little as it can (leftmost), and may be empty.
    """
    pieces = collapse(template).split(WILDCARD)
    if len(pieces) == 1:
        return [] if line == pieces[0] else None
    first, last = pieces[0], pieces[-1]
    if not line.startswith(first) or len(line) < len(first) + len(last):
        return None
    if not line.endswith(last):
        return None
    at, stop = len(first), len(line) - len(last)
    spans = []
    for piece in pieces[1:-1]:
        found = line.find(piece, at, stop)
        if found < 0:
            return None
        spans.append((at, found))
        at = found + len(piece)
    spans.append((at, stop))
    return spans


def matcher(template: str, values: Sequence[str] = ()) -> re.Pattern[str]:
    """Compile a template; ``values`` are what its wildcards held where it was labelled.

    A wildcard holds no space unless its labelled value did, and is empty only if that was. Each
    wildcard and the literal after it are an atomic group, so that no match is tried twice: within
    a word, the leftmost place of each literal is enough (as for file-name globs).
    """
    pieces = template.split(WILDCARD)
    pattern = re.escape(pieces[0])
    for number, piece in enumerate(pieces[1:]):
        value = values[number] if number < len(values) else "x"
        some = "." if " " in value else r"\S"
        repeat = "+?" if value else "*?"
        end = r"\Z" if number == len(pieces) - 2 else ""
        pattern += f"(?>{some}{repeat}{re.escape(piece)}{end})"
    return re.compile(pattern, re.DOTALL)


def specific_first(templates: Sequence[str]) -> Iterator[str]:
    """Templates with the most literal text first; equal ones in alphabetical order."""
    yield from sorted(set(templates), key=lambda t: (-literal_length(t), t))
