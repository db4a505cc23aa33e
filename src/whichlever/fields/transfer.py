"""Where a solved line's values stand in another line of about the same shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Self

from whichlever.fields.align import Aligned
from whichlever.fields.spans import LabelledLine, Span
from whichlever.fields.tokens import Token, tokens

Place = tuple[int, int]

MOST_TOKENS = 400
"""Tokens of a line that are looked at; what stands behind them is not carried over."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A labelled line, cut into tokens, with where its values stand.

    ``keys`` are what its tokens are compared by.
    """

    line: LabelledLine
    spans: tuple[Span, ...]
    cut: tuple[Token, ...]
    keys: tuple[str, ...]

    @classmethod
    def of(cls, aligned: Aligned) -> Self:
        """A labelled line as it is laid beside others."""
        return cls(aligned.line, aligned.spans, *cut_line(aligned.line.text))


def cut_line(text: str) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    """A line's tokens, and what each is compared by: its own word, or only its kind."""
    cut = tuple(tokens(text, MOST_TOKENS))
    keys = tuple(
        text[t.start : t.end].lower()
        if t.kind in ("word", "mark", "run") and not _digits(text[t.start : t.end])
        else f"<{t.kind}>"
        for t in cut
    )
    return cut, keys


def _digits(word: str) -> bool:
    return any(c.isdigit() for c in word)


def transfer(solved: Solved, cut: Sequence[Token], keys: Sequence[str]) -> tuple[float, list[Span]]:
    """Lay two lines' tokens beside each other and carry the spans over.

    Parameters
    ----------
    solved
        The labelled line.
    cut, keys
        The other line's tokens, and what they are compared by.

    Returns
    -------
    alike : float
        Share of tokens that are the same in order (Ratcliff and Obershelp), 0 to 1.
    spans : list of Span
        In the other line; one whose place is not found is left out.
    """
    matcher = SequenceMatcher(None, solved.keys, keys, autojunk=False)
    to: dict[int, int] = {}
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and b - a == d - c):
            to.update(zip(range(a, b), range(c, d), strict=True))
    spans = []
    for span in solved.spans:
        inside = [i for i, t in enumerate(solved.cut) if t.start < span.end and t.end > span.start]
        if not inside:
            continue
        place = _carried(inside[0], inside[-1] + 1, to, len(solved.cut), len(cut))
        if place is None:
            continue
        start = cut[place[0]].start + max(0, span.start - solved.cut[inside[0]].start)
        end = cut[place[1] - 1].end - max(0, solved.cut[inside[-1]].end - span.end)
        if start < end:
            spans.append(Span(start, end, span.names))
    return matcher.ratio(), spans


def _carried(a: int, b: int, to: dict[int, int], tokens: int, others: int) -> Place | None:
    """The other line's tokens for tokens a to b, told by what stands around and at their edges."""
    start = to.get(a)
    if a == 0:
        start = 0 if start is None else start
    elif a - 1 in to:
        start = to[a - 1] + 1
    end = None if b - 1 not in to else to[b - 1] + 1
    if b == tokens:
        end = others
    elif b in to:
        end = to[b]
    if start is None or end is None or not start < end <= others:
        return None
    return start, end


def vote(found: Sequence[tuple[float, Sequence[Span]]]) -> list[Span]:
    """The (name, place) pairs that more than half of the weight of all neighbours gives."""
    total = sum(weight for weight, _ in found)
    mass: dict[tuple[str, int, int], float] = defaultdict(float)
    for weight, spans in found:
        for span in spans:
            for name in span.names:
                mass[name, span.start, span.end] += weight
    names: dict[Place, list[str]] = defaultdict(list)
    for (name, start, end), weight in mass.items():
        if weight > total / 2:
            names[start, end].append(name)
    ordered = sorted(names, key=lambda place: (place[0], -place[1]))
    return [Span(start, end, tuple(sorted(names[start, end]))) for start, end in ordered]
