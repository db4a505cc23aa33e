"""Shapes that differ in one word: one shape, where the words seen say there will be more."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whichlever.infer.shapes.classes import Variable, variable_for
from whichlever.infer.shapes.known import Example, Known, compiled, total
from whichlever.infer.shapes.shape import Named, Part, Skeleton, tidy

MERGE_AT = 4
"""Different words in one place that make it a variable; three where all hold digits."""
NEW_SHARE = 0.1
"""Least chance of yet another word: words seen on one line, by all lines (Good 1953)."""
WORD = re.compile(r"[^\W_](?:[\w.@$-]*[^\W_])?")
_DIGIT = re.compile(r"\d")

Hole = int
"""Hash of a skeleton with one word of one literal left open."""


@dataclass(frozen=True, slots=True)
class Place:
    """A word of a literal: part, and offsets in it."""

    part: int
    start: int
    end: int


class Holes:
    """Which words stand in each place of otherwise equal shapes."""

    def __init__(self) -> None:
        self._words: dict[Hole, dict[str, str]] = defaultdict(dict)

    def add(self, known: Known) -> None:
        """Enter a shape under each of its words."""
        for hole, place in holes(known.skeleton):
            self._words[hole][_word(known.skeleton, place)] = known.name

    def remove(self, known: Known) -> None:
        """Take a shape out again."""
        for hole, place in holes(known.skeleton):
            words = self._words.get(hole, {})
            words.pop(_word(known.skeleton, place), None)
            if not words:
                self._words.pop(hole, None)

    def alike(self, known: Known) -> Iterator[tuple[Place, dict[str, str]]]:
        """Places of a shape where others have other words: (place, word → name of its shape)."""
        for hole, place in holes(known.skeleton):
            if len(words := self._words[hole]) >= MERGE_AT - 1:
                yield place, words


def holes(skeleton: Skeleton) -> Iterator[tuple[Hole, Place]]:
    """Each literal word of a skeleton with the hash of the rest."""
    tokens: list[object] = []
    places: list[tuple[int, Place]] = []
    for number, part in enumerate(skeleton.parts):
        if not isinstance(part, str):
            tokens.append((part.form,))
            continue
        at = 0
        for match in WORD.finditer(part):
            tokens.append(part[at : match.start()])
            places.append((len(tokens), Place(number, *match.span())))
            tokens.append(match.group())
            at = match.end()
        tokens.append(part[at:])
    hashes = [hash((index, token)) for index, token in enumerate(tokens)]
    whole = sum(hashes)
    for index, place in places:
        # A place beside a variable would be one text with it: two variables need a mark between.
        if not _touches_variable(skeleton.parts, place):
            yield hash((whole - hashes[index], index, skeleton.source, skeleton.named)), place


def _word(skeleton: Skeleton, place: Place) -> str:
    part = skeleton.parts[place.part]
    assert isinstance(part, str)
    return part[place.start : place.end]


def _touches_variable(parts: Sequence[Part], place: Place) -> bool:
    part = parts[place.part]
    assert isinstance(part, str)
    before = place.start == 0 and place.part > 0
    after = place.end == len(part) and place.part + 1 < len(parts)
    return before or after


def worth_merging(lines_by_word: dict[str, int]) -> bool:
    """Whether the words of a place are an open class."""
    words = len(lines_by_word)
    if words >= MERGE_AT - 1 and all(_DIGIT.search(word) for word in lines_by_word):
        return True
    seen_once = sum(lines == 1 for lines in lines_by_word.values())
    return words >= MERGE_AT and seen_once / sum(lines_by_word.values()) >= NEW_SHARE


def merged(shapes: Sequence[Known], place: Place) -> Known | None:
    """Make one shape with a variable in place of the word; None if it does not hold for all."""
    skeleton = opened(shapes[0].skeleton, [place])
    for other in shapes[1:]:
        same = _same(other, place)
        parallel = () if same is None else opened(other.skeleton, [same]).parts
        if len(parallel) != len(skeleton.parts):
            return None
        parts = tuple(
            a.joined(b) if isinstance(a, Variable) and isinstance(b, Variable) else a
            for a, b in zip(skeleton.parts, parallel, strict=True)
        )
        skeleton = Skeleton(parts, skeleton.named, skeleton.source)
    examples: list[Example] = [example for shape in shapes for example in shape.examples]
    return compiled(skeleton, examples, total([shape.evidence for shape in shapes]))


def _same(known: Known, place: Place) -> Place | None:
    """Return the place in another shape, whose word there has another length.

    None where it has no word there: places are found by a hash, which lines of an attacker's
    making may share without being alike.
    """
    parts = known.skeleton.parts
    part = parts[place.part] if place.part < len(parts) else None
    match = WORD.match(part, place.start) if isinstance(part, str) else None
    return None if match is None else Place(place.part, *match.span())


def opened(skeleton: Skeleton, places: Sequence[Place]) -> Skeleton:
    """Return a skeleton with a variable in each of these places."""
    by_part: dict[int, list[Place]] = defaultdict(list)
    for place in places:
        by_part[place.part].append(place)
    parts: list[Part] = []
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, part in enumerate(skeleton.parts):
        first[number] = len(parts)
        if isinstance(part, str):
            at = 0
            for place in sorted(by_part[number], key=lambda p: p.start):
                parts += [part[at : place.start]] if at < place.start else []
                word, after = part[place.start : place.end], part[place.end :]
                after = after or skeleton.following(number)
                parts.append(Variable("token", nothing=True).joined(variable_for(word, after)))
                at = place.end
            parts += [part[at:]] if at < len(part) else []
        else:
            parts.append(part)
        last[number] = len(parts) - 1
    named = [Named(first[n.first], last[n.last], n.names) for n in skeleton.named]
    return tidy(parts, named, skeleton.source)
