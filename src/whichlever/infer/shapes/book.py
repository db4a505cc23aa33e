"""All compiled shapes of a parser: asked for answers, taught, and corrected by what turns up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat

from whichlever.fields.schema import Schema
from whichlever.fields.spans import Parsed, Span
from whichlever.infer.shapes import store
from whichlever.infer.shapes.index import Index
from whichlever.infer.shapes.known import EXAMPLES, Known, compiled, widened
from whichlever.infer.shapes.matched import Matched, Matcher, matched
from whichlever.infer.shapes.merging import Holes, merged, worth_merging
from whichlever.infer.shapes.shape import Evidence
from whichlever.infer.shapes.skeleton import MAX_LINE, skeleton
from whichlever.infer.shapes.store import FLOOR
from whichlever.infer.shapes.values import Converters, FieldPlan

MAX_SHAPES = 20_000
MAX_SEEN = 200_000
RIVAL = 4.0
"""How many times better supported a shape must be to answer where another one disagrees."""
WRONG_SHARE = 0.05
"""Share of checked answers in which the tagger disagreed, at which a shape is withdrawn."""


class ShapeBook:
    """Shapes by source, and the answers they give.

    Parameters
    ----------
    schema
        Which names may be produced and how values are made.
    this_year
        For timestamps whose year neither the text nor the schema knows.
    """

    def __init__(self, schema: Schema, this_year: int | None = None) -> None:
        self.schema = schema
        self.withdrawn: dict[str, str] = {}
        self._shapes: dict[str, Known] = {}
        self._holes = Holes()
        self._rivals: dict[str, set[str]] = {}
        self._converters = Converters(this_year)
        self._indexes: dict[str | None, Index] = {}
        self._sources: Counter[str | None] = Counter()
        self._seen: set[int] = set()
        self._merging = True

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Iterator[Known]:
        """Iterate over the shapes, best supported first."""
        return iter(sorted(self._shapes.values(), key=Known.rank))

    def get(self, name: str) -> Known | None:
        """Return a shape by its name."""
        return self._shapes.get(name)

    def contested(self, name: str) -> bool:
        """Whether another shape, supported as well, disagrees with this one on some line."""
        known = self._shapes[name]
        others = (self._shapes.get(other) for other in self._rivals.get(name, ()))
        return any(other is not None and not _outranks(known, other) for other in others)

    # -- as bytes ----------------------------------------------------------------------------

    def to_bytes(self, floor: int = FLOOR) -> bytes:
        """Write the book as plain JSON; no literal word of fewer lines than the floor is in it."""
        shapes = store.stored(list(self), floor)
        return store.to_bytes(self.schema, shapes, self._rivals, self.withdrawn)

    @classmethod
    def from_bytes(cls, content: bytes, this_year: int | None = None) -> ShapeBook:
        """Read what :meth:`to_bytes` wrote; expressions are compiled when first tried.

        Raises
        ------
        DataError
            It is no book of shapes, or one of a format that this version does not read.
        """
        found = store.from_bytes(content)
        book = cls(found.schema, this_year)
        book.withdrawn = found.withdrawn
        for one, other in found.rivals:
            book._rivals.setdefault(one, set()).add(other)
            book._rivals.setdefault(other, set()).add(one)
        for known in found.shapes:
            book._shapes[known.name] = known
            book._sources[known.skeleton.source] += 1
            book._holes.add(known)
        return book

    # -- answering ---------------------------------------------------------------------------

    def parse(self, line: str, source: str | None = None) -> Parsed | None:
        """Answer one line; None where no shape matches, or two disagree."""
        return self.parse_many([line], [source])[0]

    def parse_many(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Matched | None]:
        """Answer lines in their order."""
        if sources is None:
            return self._answer(lines, repeat(None))
        if len(sources) != len(lines):
            raise ValueError(f"{len(lines)} lines with {len(sources)} sources")
        return self._answer(lines, sources)

    def _answer(self, lines: Sequence[str], sources: Iterable[str | None]) -> list[Matched | None]:
        found: list[Matched | None] = []
        current: str | None = None
        candidates = self._index(None).candidates
        for line, source in zip(lines, sources):  # noqa: B905 - sources may be endless
            if source != current:
                current, candidates = source, self._index(source).candidates
            answer = None
            if len(line) <= MAX_LINE:
                for matcher in candidates(line):
                    match = matcher.fullmatch(line)
                    if match is not None:
                        if not matcher.rivals or not any(r(line) for r in matcher.rivals):
                            matcher.hits += 1
                            answer = matched(match, matcher)
                        break
            found.append(answer)
        return found

    def _index(self, source: str | None) -> Index:
        if source not in self._sources:
            source = None  # a source that taught nothing: every shape may be its
        if source not in self._indexes:
            names = [
                name
                for name, known in self._shapes.items()
                if source is None or known.skeleton.source == source
            ]
            self._indexes[source] = Index([self._matcher(name, source) for name in names])
        return self._indexes[source]

    def _matcher(self, name: str, source: str | None) -> Matcher:
        known = self._shapes[name]
        plan = FieldPlan(known.skeleton, self.schema, source, self._converters)
        rivals = tuple(
            self._trying(self._shapes[other])
            for other in sorted(self._rivals.get(name, ()))
            if other in self._shapes
            and (source is None or self._shapes[other].skeleton.source == source)
            and not _outranks(known, self._shapes[other])
        )
        share = known.evidence.share()
        made = Matcher(known.skeleton, name, _never, plan, share, known.rank(), rivals)

        def first(line: str) -> re.Match[str] | None:
            made.fullmatch = known.regex.fullmatch
            return made.fullmatch(line)

        made.fullmatch = first
        return made

    @staticmethod
    def _trying(known: Known) -> Callable[[str], re.Match[str] | None]:
        return lambda line: known.regex.fullmatch(line)

    # -- learning ----------------------------------------------------------------------------

    def learn(
        self, line: str, parsed: Parsed, source: str | None = None, *, labelled: bool = False
    ) -> str | None:
        """Learn from one line whose answer is known or confident.

        Parameters
        ----------
        labelled
            Whether a person (or a SIEM) says so, rather than the tagger.

        Returns
        -------
        Name of the shape that now stands for the line, None where none does: the line is too long,
        its spans cross, or its shape was withdrawn.
        """
        new = self._is_new(line, source)
        if new:
            self._hold_against(line, parsed.spans, source, labelled=labelled, checked=False)
        made = skeleton(line, parsed.spans, source)
        if made is None:
            return None
        for known in self._matching(line, source):
            if known.spans(line) == parsed.spans:
                if new:
                    self._count(known, (line, parsed.spans), parsed.confidence)
                return known.name
        name = made.name
        if name in self.withdrawn or len(self._shapes) >= MAX_SHAPES:
            return None
        example = (line, parsed.spans)
        if (before := self._shapes.get(name)) is not None:
            wider = widened(before, made, example)
            if wider is None:
                return None
            self._count(wider, example, parsed.confidence)
            self._put(wider)
            return name
        fresh = compiled(made, [example], Evidence(1, confidence=parsed.confidence))
        if fresh is None:
            return None
        self._put(fresh)
        return self._merge(fresh).name if self._merging else fresh.name

    def learn_many(
        self, rows: Iterable[tuple[str, Parsed, str | None]], *, labelled: bool = False
    ) -> int:
        """Learn from (line, answer, source); shapes are merged once all lines have been seen.

        Returns
        -------
        Number of lines that a shape now stands for.
        """
        self._merging = False
        try:
            taught = sum(
                self.learn(line, parsed, source, labelled=labelled) is not None
                for line, parsed, source in rows
            )
        finally:
            self._merging = True
        for known in list(self):
            if known.name in self._shapes:
                self._merge(known)
        self._indexes.clear()  # ranks follow what is known now
        return taught

    def check(
        self,
        line: str,
        spans: tuple[Span, ...],
        source: str | None = None,
        *,
        labelled: bool = False,
    ) -> list[str]:
        """Hold the shapes that match a line against its answer; withdraw those shown wrong.

        A label withdraws at once a shape that stands on fewer than ``RIVAL`` lines; beyond that,
        and where it is the tagger that disagrees, a shape goes at ``WRONG_SHARE`` of its lines,
        from two on.

        Returns
        -------
        Names of the shapes withdrawn.
        """
        return self._hold_against(line, spans, source, labelled=labelled, checked=True)

    def _hold_against(
        self,
        line: str,
        spans: tuple[Span, ...],
        source: str | None,
        *,
        labelled: bool,
        checked: bool,
    ) -> list[str]:
        gone = []
        for known in self._matching(line, source):
            evidence = known.evidence
            if known.spans(line) == spans:
                evidence.right += checked
                continue
            evidence.wrong += 1
            support = evidence.lines + evidence.right
            at_once = labelled and support < RIVAL
            too_often = evidence.wrong >= 2 and evidence.wrong >= WRONG_SHARE * support
            if at_once or too_often:
                why = "a labelled line" if labelled else "the tagger's answers"
                self.withdraw(known.name, f"{evidence.wrong} against {support}: {why}")
                gone.append(known.name)
        return gone

    def withdraw(self, name: str, why: str) -> None:
        """Take a shape out; it is not learned again."""
        known = self._shapes.pop(name, None)
        if known is None:
            return
        if len(self.withdrawn) < MAX_SHAPES:
            self.withdrawn[name] = why
        self._holes.remove(known)
        self._forget(known)

    def _matching(self, line: str, source: str | None) -> list[Known]:
        """Shapes of the source that match a line."""
        return [
            self._shapes[matcher.name]
            for matcher in self._index(source).candidates(line)
            if matcher.fullmatch(line) is not None
            and self._shapes[matcher.name].skeleton.source == source
        ]

    def _is_new(self, line: str, source: str | None) -> bool:
        key = hash((line, source))
        if key in self._seen:
            return False
        if len(self._seen) >= MAX_SEEN:
            self._seen.clear()
        self._seen.add(key)
        return True

    def _count(
        self, known: Known, example: tuple[str, tuple[Span, ...]], confidence: float
    ) -> None:
        evidence = known.evidence
        evidence.confidence += (confidence - evidence.confidence) / (evidence.lines + 1)
        evidence.lines += 1
        if len(known.examples) < EXAMPLES:
            known.examples.append(example)
        if self._rivals.get(known.name) and known.name in self._shapes:
            self._enter(known.name)

    def _put(self, known: Known) -> None:
        before = self._shapes.get(known.name)
        if before is not None:
            self._holes.remove(before)
            self._forget(before)
        self._shapes[known.name] = known
        self._holes.add(known)
        self._sources[known.skeleton.source] += 1
        rivals = self._find_rivals(known)
        if known.skeleton.source not in self._indexes:
            self._index(known.skeleton.source)
        for name in (known.name, *rivals):
            self._enter(name)

    def _enter(self, name: str) -> None:
        """Have every index know a shape as it is now."""
        for source, index in self._indexes.items():
            if source is None or source == self._shapes[name].skeleton.source:
                index.remove(name)
                index.add(self._matcher(name, source))

    def _forget(self, known: Known) -> None:
        for source, index in self._indexes.items():
            if source is None or source == known.skeleton.source:
                index.remove(known.name)
        for other in self._rivals.pop(known.name, set()):
            self._rivals.get(other, set()).discard(known.name)
            if other in self._shapes:
                self._enter(other)

    def _find_rivals(self, known: Known) -> list[str]:
        """Shapes that give other spans to a line that this one was learned from."""
        found = []
        for line, spans in known.examples:
            for other in self._matching(line, known.skeleton.source):
                if other.name != known.name and other.spans(line) != spans:
                    self._rivals.setdefault(known.name, set()).add(other.name)
                    self._rivals.setdefault(other.name, set()).add(known.name)
                    found.append(other.name)
        return sorted(set(found))

    def _merge(self, fresh: Known) -> Known:
        """Merge a shape with those that differ from it in one word, as far as that goes."""
        for place, words in list(self._holes.alike(fresh)):
            others = [self._shapes[name] for name in words.values() if name != fresh.name]
            lines = {word: self._shapes[name].evidence.lines for word, name in words.items()}
            if not others or not worth_merging(lines):
                continue
            wider = merged([fresh, *others], place)
            if wider is None or wider.name in self.withdrawn or self._contradicted(wider):
                continue
            for gone in (fresh, *others):
                self._shapes.pop(gone.name, None)
                self._holes.remove(gone)
                self._forget(gone)
            if (before := self._shapes.get(wider.name)) is not None:
                wider.evidence.lines += before.evidence.lines
            self._put(wider)
            return self._merge(wider)
        return fresh

    def _contradicted(self, wider: Known) -> bool:
        """Whether a shape would answer another shape's line otherwise."""
        return any(
            wider.spans(line) not in (None, spans)
            for other in self._shapes.values()
            if other.skeleton.source == wider.skeleton.source
            for line, spans in other.examples[:2]
        )


def _never(line: str) -> re.Match[str] | None:
    return None


def _outranks(known: Known, other: Known) -> bool:
    mine = known.evidence.lines + known.evidence.right
    return mine >= RIVAL * (other.evidence.lines + other.evidence.right)
