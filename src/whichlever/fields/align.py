"""Labelled values to spans, over a whole set of lines.

Where a value stands several times in its line, the place is chosen whose surroundings (key,
neighbours, column) the same field has in other lines: expectation maximisation over places, within
a source and, weaker, over all sources. What stands nowhere is reported, not guessed.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.fields.occurrences import Place, places
from whichlever.fields.spans import LabelledLine, Span
from whichlever.fields.tokens import tokens

# Read from right to left, on the reversed text: a match from the start, never a search.
_KEY = re.compile(r"[\"'\[({<]{0,2}\s{0,2}[=:(]\s{0,2}[\"']?([\w.\-/]{1,40}(?: [\w.\-/]{1,40})?)")
_LEFT = re.compile(r"\s{0,4}(\w{1,40}|[^\w\s])(?:\s{0,4}(\w{1,40}|[^\w\s]))?")
_RIGHT = re.compile(r"\s{0,4}(\w{1,40}|[^\w\s])")
LONG = 50_000
"""Tokens of a line that are looked at."""
_CAPITALS = re.compile(r"\b[A-Z]{3,20}\b|$")
ABROAD = 0.3
"""Weight of one line of another source beside one line of the same source."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A labelled line and where its values stand; ``missing`` are (name, value) that do not."""

    line: LabelledLine
    spans: tuple[Span, ...]
    missing: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """What aligning a set found.

    ``missing`` maps (source, name) to how many values could not be aligned.
    """

    lines: tuple[Aligned, ...]
    values: int
    missing: dict[tuple[str | None, str], int]

    @property
    def share(self) -> float:
        """Share of the values that stand in their lines."""
        return 1.0 - sum(self.missing.values()) / self.values if self.values else 1.0


@dataclass(slots=True)
class _Choice:
    """One value of one line: its places, what surrounds each, and each one's weight."""

    row: int
    name: str
    source: str | None
    places: list[Place]
    around: list[tuple[str, ...]]
    weights: list[float]


def values_of(value: Any) -> list[Any]:  # noqa: ANN401 - JSON value
    """Return a field's values one by one, each once."""
    if not isinstance(value, list | tuple):
        return [value]
    found: list[Any] = []
    for one in value:
        if one not in found:
            found.append(one)
    return found


def align(lines: Sequence[LabelledLine], rounds: int = 4) -> Alignment:
    """Find each value's place in its line.

    Parameters
    ----------
    lines
        All labelled lines that are known: the more, the better the choice among places.
    rounds
        Of expectation maximisation.
    """
    choices: list[_Choice] = []
    missing: list[list[tuple[str, Any]]] = [[] for _ in lines]
    total = 0
    for row, line in enumerate(lines):
        known: dict[Place, tuple[str, ...]] = {}
        cut = tokens(line.text, LONG)
        starts, ends = {token.start for token in cut}, {token.end for token in cut}
        for name, value in line.fields.items():
            for one in values_of(value):
                total += 1
                found = _whole(places(line.text, one), starts, ends)
                if not found:
                    missing[row].append((name, one))
                    continue
                around = []
                for place in found:
                    if place not in known:
                        known[place] = _surroundings(line.text, *place)
                    around.append(known[place])
                even = [1.0 / len(found)] * len(found)
                choices.append(_Choice(row, name, line.source, found, around, even))
    for _ in range(rounds):
        _reweigh(choices)
    return _gathered(lines, choices, missing, total)


def _whole(found: list[Place], starts: set[int], ends: set[int]) -> list[Place]:
    """Keep places that cut no token: the 6 of 2031-05-06 is no field's value."""
    return [(start, end) for start, end in found if start in starts and end in ends]


def _gathered(
    lines: Sequence[LabelledLine],
    choices: list[_Choice],
    missing: list[list[tuple[str, Any]]],
    total: int,
) -> Alignment:
    named: list[dict[Place, set[str]]] = [defaultdict(set) for _ in lines]
    for choice in choices:
        best = max(range(len(choice.places)), key=lambda i: (choice.weights[i], -i))
        named[choice.row][choice.places[best]].add(choice.name)
    lost: Counter[tuple[str | None, str]] = Counter()
    aligned = []
    for row, line in enumerate(lines):
        spans, crossing = _nested(named[row])
        missing[row] += [(name, line.fields[name]) for name in crossing]
        lost.update((line.source, name) for name, _ in missing[row])
        aligned.append(Aligned(line, spans, tuple(missing[row])))
    return Alignment(tuple(aligned), total, dict(lost))


def _nested(named: dict[Place, set[str]]) -> tuple[tuple[Span, ...], list[str]]:
    """Order spans; one that crosses an earlier one's edge is given up."""
    kept: list[Span] = []
    lost: list[str] = []
    open_ends: list[int] = []
    for (start, end), names in sorted(named.items(), key=lambda item: (item[0][0], -item[0][1])):
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
        if open_ends and open_ends[-1] < end:
            lost += sorted(names)
            continue
        open_ends.append(end)
        kept.append(Span(start, end, tuple(sorted(names))))
    return tuple(kept), lost


def _surroundings(text: str, start: int, end: int) -> tuple[str, ...]:
    """Describe a place: one string per aspect, the same number for every place."""
    before = text[max(0, start - 90) : start]
    reverse = before[::-1]
    key = _KEY.match(reverse)
    left = _LEFT.match(reverse)
    right = _RIGHT.match(text[end : end + 48])
    first, second = (left[2] or "", left[1]) if left else ("", "^")
    after = right[1] if right else "$"
    head = text[:start] if start < 4000 else ""
    capitals = _CAPITALS.search(text, 0, 400)
    record = capitals[0] if capitals else ""
    quote = before[-1:] if before[-1:] in "\"'([<{" else ""
    return (
        f"k{key[1].lower()}" if key else "k",
        f"l{_class(first)} {_class(second)}",
        f"L{second}",
        f"r{_class(after)}",
        f"b{_class(second)} {_class(after)}",
        f"c{head.count(',')}",
        f"s{len(head.split())}" if start < 4000 else "s",
        f"t{head.count(chr(9))} {head.count('|')} {head.count(';')}",
        f"y{record}{head.count(',')}",
        f"q{quote}{text[end : end + 1] if not text[end : end + 1].isalnum() else 'a'}",
    )


def _class(word: str) -> str:
    return re.sub(r"\d+", "0", word.lower())


def _reweigh(choices: list[_Choice]) -> None:
    near: dict[tuple[str | None, str], Counter[str]] = defaultdict(Counter)
    far: dict[str, Counter[str]] = defaultdict(Counter)
    mass_near: Counter[tuple[str | None, str]] = Counter()
    mass_far: Counter[str] = Counter()
    for choice in choices:
        here, there = near[(choice.source, choice.name)], far[choice.name]
        mass_near[(choice.source, choice.name)] += 1
        mass_far[choice.name] += 1
        for around, weight in zip(choice.around, choice.weights, strict=True):
            for aspect in around:
                here[aspect] += weight  # type: ignore[assignment]
                there[aspect] += weight  # type: ignore[assignment]
    for choice in choices:
        if len(choice.places) == 1:
            continue
        here, there = near[(choice.source, choice.name)], far[choice.name]
        mass = mass_near[(choice.source, choice.name)] + ABROAD * mass_far[choice.name] + 1.0
        scores = [
            sum(math.log((here[a] + ABROAD * there[a] + 0.05) / mass) for a in around)
            for around in choice.around
        ]
        choice.weights = list(_softmax(scores))


def _softmax(scores: list[float]) -> Iterator[float]:
    top = max(scores)
    raised = [math.exp(score - top) for score in scores]
    total = sum(raised)
    return (value / total for value in raised)
