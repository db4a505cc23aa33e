"""Known shapes first, the tagger for the rest; its confident answers become shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from whichlever.fields.spans import Parsed
from whichlever.infer.shapes import Matched, ShapeBook

CONFIDENT = 0.9
"""Confidence from which the tagger's answer makes a shape, and its disagreement counts."""
AUDIT_GROWTH = 4
"""A shape's answers are checked at its first line, the 4th, the 16th and so on."""


class LineParser(Protocol):
    """What reads lines of any shape."""

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Answer lines in their order; sources name what wrote each, where known."""
        ...


@dataclass(slots=True)
class Tally:
    """What a cascade has done so far, in lines, and in shapes for the last two."""

    shapes: int = 0
    parser: int = 0
    audited: int = 0
    learned: int = 0
    withdrawn: int = 0


class Cascade:
    """A parser that tries compiled shapes first.

    Parameters
    ----------
    shapes
        Known shapes; new ones are added to it.
    parser
        Reads what no shape matches, and checks the shapes' answers now and then.
    learn
        Whether confident answers become shapes. Answers to later lines then depend on earlier
        ones; without it every line is answered by itself alone.
    confident
        Confidence from which they do.
    """

    def __init__(
        self,
        shapes: ShapeBook,
        parser: LineParser,
        *,
        learn: bool = True,
        confident: float = CONFIDENT,
    ) -> None:
        self.shapes = shapes
        self.parser = parser
        self.tally = Tally()
        self._learn = learn
        self._confident = confident

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Answer lines in their order."""
        found: list[Parsed | None] = list(self.shapes.parse_many(lines, sources))
        unknown = [at for at, answer in enumerate(found) if answer is None]
        self.tally.shapes += len(lines) - len(unknown)
        if self._learn:
            self._audit(lines, sources, found)
        waiting: dict[tuple[str, str | None], list[int]] = {}
        for at in unknown:
            waiting.setdefault((lines[at], _source(sources, at)), []).append(at)
        if waiting:
            asked = list(waiting)
            answers = self.parser.parse([k[0] for k in asked], [k[1] for k in asked])
            for (line, source), answer in zip(asked, answers, strict=True):
                for at in waiting[line, source]:
                    found[at] = answer
                self.tally.parser += len(waiting[line, source])
                if self._learn and answer.confidence >= self._confident and answer.spans:
                    name = self.shapes.learn(line, answer, source)
                    self.tally.learned += name is not None
        return [answer for answer in found if answer is not None]

    def _audit(
        self,
        lines: Sequence[str],
        sources: Sequence[str | None] | None,
        found: list[Parsed | None],
    ) -> None:
        """Ask the parser about some of the shapes' answers; where it is sure, it is right."""
        due: list[int] = []
        for at, answer in enumerate(found):
            if isinstance(answer, Matched) and answer.matcher.hits >= answer.matcher.due:
                answer.matcher.due = AUDIT_GROWTH * max(answer.matcher.due, answer.matcher.hits)
                due.append(at)
        if not due:
            return
        said = self.parser.parse([lines[i] for i in due], [_source(sources, i) for i in due])
        self.tally.audited += len(due)
        for at, answer in zip(due, said, strict=True):
            if answer.confidence < self._confident:
                continue
            gone = self.shapes.check(lines[at], answer.spans, _source(sources, at))
            self.tally.withdrawn += len(gone)
            if getattr(found[at], "shape", None) in gone:
                found[at] = answer


def _source(sources: Sequence[str | None] | None, at: int) -> str | None:
    return None if sources is None else sources[at]
