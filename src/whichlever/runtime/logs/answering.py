"""Events answered by a parser, batch by batch; one that cannot be is an error in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from whichlever.errors import WhichleverError
from whichlever.fields.spans import Parsed
from whichlever.runtime.logs.events import Event
from whichlever.runtime.logs.record import Records

MAX_CHARS = 100_000
"""Characters of an event that are parsed; a longer one is kept whole and said to be too long."""
SHAPES = 1_000
"""Shapes and sources that are counted by name."""


class Parser(Protocol):
    """What reads lines: a bundle's cascade of shapes and tagger, or either alone."""

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """One answer a line, in order."""
        ...


class Answering:
    """Turns events into output lines and counts what it said."""

    def __init__(
        self, parser: Parser, records: Records, number: int = 0, max_chars: int = MAX_CHARS
    ) -> None:
        self._parser, self._records, self._max = parser, records, max_chars
        self.number = number
        """Events answered, by earlier runs too."""
        self.events = self.lines = self.errors = self.by_shape = self.unknown = self.abstained = 0
        self.shapes: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()

    def answer(self, events: Sequence[Event]) -> bytes:
        """Output lines, one an event, in order."""
        problems = [self._problem(event) for event in events]
        good = [event for event, problem in zip(events, problems, strict=True) if problem is None]
        answers = self._parse(good)
        following = iter(answers)
        number, out = self.number, []
        for event, problem in zip(events, problems, strict=True):
            number += 1
            said = next(following) if problem is None else problem
            if isinstance(said, Parsed):
                out.append(self._records.line(number, event, said))
            else:
                out.append(self._records.error(number, event, said))
        self.number = number
        self._count(events, [said for said in answers if isinstance(said, Parsed)])
        return b"".join(out)

    def _problem(self, event: Event) -> str | None:
        """Why an event is not parsed; None where it is."""
        if len(event.text) > self._max:
            what = f"{len(event.text):,} characters; at most {self._max:,} are parsed"
            return f"{what}, and the line is kept whole here"
        if event.flags and event.flags[-1].startswith("piece:"):
            return "a piece of a line that is too long to be parsed; the pieces follow each other"
        if not event.text or event.text.isspace():
            return "the line is empty"
        return None

    def _parse(self, events: Sequence[Event]) -> list[Parsed | str]:
        if not events:
            return []
        try:
            texts = [event.text for event in events]
            found = self._parser.parse(texts, [event.origin.source for event in events])
            if len(found) == len(events):
                return list(found)
            said = f"the parser gave {len(found)} answers for {len(events)} lines"
        except WhichleverError as error:
            said = str(error)
        except Exception as error:  # whatever a hostile line breaks: it is said and counted
            said = f"the parser failed on this line ({type(error).__name__})"
        if len(events) == 1:
            return [said]
        half = len(events) // 2  # the others of the batch are answered all the same
        return self._parse(events[:half]) + self._parse(events[half:])

    def _count(self, events: Sequence[Event], answers: list[Parsed]) -> None:
        self.events += len(events)
        self.lines += sum(event.lines for event in events)
        self.errors += len(events) - len(answers)
        shapes = Counter(parsed.shape for parsed in answers)
        self.unknown += shapes.pop(None, 0)
        records = self._records
        self.abstained += sum(records.abstains(records.confidence(said)) for said in answers)
        for shape, count in shapes.items():
            self.by_shape += count
            _add(self.shapes, str(shape), count)
        for source, count in Counter(event.origin.source for event in events).items():
            _add(self.sources, source or "-", count)


def _add(counts: Counter[str], name: str, count: int) -> None:
    """Count by name, for so many names as may be."""
    if name in counts or len(counts) < SHAPES:
        counts[name] += count
