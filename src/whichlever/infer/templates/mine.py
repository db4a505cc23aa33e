"""Templates of many lines from none to a few labelled ones: label evidence over a prior."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from whichlever.infer.templates.evidence import Context, Evidence, contexts, is_content, joins
from whichlever.infer.templates.items import Item, items
from whichlever.infer.templates.match import (
    WILDCARD,
    align,
    collapse,
    has_word,
    matcher,
    specific_first,
)
from whichlever.infer.templates.prior import Places, first_guess, place_hashes, prior

# Distinct lines that are mined; lines beyond are given to the templates found.
MAX_DISTINCT = 50_000
_URL_HOST = re.compile(r"[^:]+://(?:[^@/]*@)?([^/:]+)")
_MAYBE_HOST = frozenset({"dotted", "joined", "joined_id", "alnum", "word_digit"})


class TemplateSet:
    """Templates and what of a line they leave open.

    Parameters
    ----------
    known
        Templates with what their wildcards held in a labelled line, the most trusted first.
    mined
        Template → number of lines that it was mined from.
    reader
        Reads a line that no template matches.
    read
        Lines that it has read already, with their own templates.
    """

    def __init__(
        self,
        known: Mapping[str, Sequence[str]],
        mined: Mapping[str, int],
        reader: LineReader,
        read: dict[str, str] | None = None,
    ) -> None:
        self.counts = dict(mined)
        self._known = [(matcher(t, known[t]), t) for t in specific_first(list(known))]
        general = [t for t in specific_first(list(mined)) if WILDCARD in t and has_word(t)]
        self._general = [(matcher(t), t) for t in general]
        self.reader = reader
        # Lines read by themselves, and what their readings were merged into: bounded.
        self.read: dict[str, str] = {} if read is None else read
        self._merged: dict[str, str] = {}

    def template_of(self, line: str) -> str:
        """Template of a line; a labelled one where one matches, else the line's own reading."""
        line = collapse(line)
        for pattern, template in self._known:
            if pattern.fullmatch(line):
                return template
        if len(self.read) > MAX_DISTINCT:
            self.read.clear()
            self._merged.clear()
        own = self.read.get(line) or self.read.setdefault(line, self.reader.template(line))
        return self._merged.get(own) or self._merged.setdefault(own, self._merge(own))

    def _merge(self, own: str) -> str:
        """Find the mined template that says the same more generally and with as many lines."""
        seen = {own}
        while True:
            count = self.counts.get(own, 0)
            wider = next(
                (
                    template
                    for pattern, template in self._general
                    if template not in seen
                    and self.counts[template] >= count
                    and pattern.fullmatch(own)
                ),
                None,
            )
            if wider is None:
                return own
            own = wider
            seen.add(own)


class LineReader:
    """Reads single lines: which items are variable, by evidence over what their places hold."""

    def __init__(self, evidence: Evidence, counts: Mapping[str, int]) -> None:
        self._evidence = evidence
        read = {line: items(line) for line in counts}
        self._hosts = _hosts(read.values())
        self._first = Places()
        self._second = Places()
        named = {line: self._with_hosts(line_items) for line, line_items in read.items()}
        for line, line_items in named.items():
            self._first.add(line_items, [first_guess(i) for i in line_items], counts[line])
        # Once more with what the first pass found, so that a place beside a varying word is one.
        for line, line_items in named.items():
            around = contexts(line_items)
            guess = self._decide(line_items, around, None)
            self._second.add(line_items, guess, counts[line])

    def template(self, line: str) -> str:
        """Template of one collapsed line, read by itself."""
        line_items = self._with_hosts(items(line))
        around = contexts(line_items)
        first = self._decide(line_items, around, None)
        variable = self._decide(line_items, around, first)
        for at in range(1, len(line_items) - 1):
            if joins(line_items, at) and variable[at - 1] and variable[at + 1]:
                variable[at] = self._evidence.joined(*line_items[at - 1 : at + 2]) > 0.5
        return self._render(line_items, variable)

    def uncertain(self, line: str) -> list[tuple[Item, Context, float]]:
        """Words and values of a line with the probability that each is variable."""
        line_items = self._with_hosts(items(line))
        around = contexts(line_items)
        first = self._decide(line_items, around, None)
        estimates = self._estimates(line_items, around, first)
        return [
            (item, context, p)
            for item, context, p in zip(line_items, around, estimates, strict=True)
            if is_content(item)
        ]

    def _decide(
        self, line_items: Sequence[Item], around: Sequence[Context], first: list[bool] | None
    ) -> list[bool]:
        return [p > 0.5 for p in self._estimates(line_items, around, first)]

    def _estimates(
        self, line_items: Sequence[Item], around: Sequence[Context], first: list[bool] | None
    ) -> list[float]:
        guess = [first_guess(item) for item in line_items]
        pools = [(self._first, place_hashes(line_items, guess))]
        if first is not None:
            pools.append((self._second, place_hashes(line_items, first)))
        estimates = []
        for at, (item, context) in enumerate(zip(line_items, around, strict=True)):
            texts = max((pool.texts(places[at]) for pool, places in pools), key=len)
            believed = prior(item, context, texts)
            estimates.append(self._evidence.variable(item, context, believed))
        return estimates

    def _with_hosts(self, line_items: list[Item]) -> list[Item]:
        """Words that are hosts elsewhere, by having a port or a scheme there, are hosts here."""
        return [
            item._replace(kind="host")
            if item.kind in _MAYBE_HOST and item.text in self._hosts
            else item
            for item in line_items
        ]

    def _render(self, line_items: Sequence[Item], variable: Sequence[bool]) -> str:
        out = []
        for item, varies in zip(line_items, variable, strict=True):
            if not varies:
                out.append(item.text)
            elif is_content(item):
                head, tail = self._evidence.cut(item)
                out.append(f"{head}{WILDCARD}{tail}")
            else:
                out.append(WILDCARD)
        text = "".join(out)
        while WILDCARD + WILDCARD in text:
            text = text.replace(WILDCARD + WILDCARD, WILDCARD)
        return text


def mine_templates(lines: Iterable[str], labelled: Sequence[tuple[str, str]] = ()) -> TemplateSet:
    """Find the templates of lines.

    Parameters
    ----------
    lines
        Unlabelled lines, those that were labelled among them or not.
    labelled
        Pairs of a line and its template, in which ``<*>`` stands for each variable.
    """
    evidence = Evidence()
    known: dict[str, list[str]] = {}
    for line, template in labelled:
        line, template = collapse(line), collapse(template)
        evidence.add(line, template)
        spans = align(line, template)
        if spans is not None:
            values = [line[start:end] for start, end in spans]
            before = known.setdefault(template, values)
            known[template] = [_wider(a, b) for a, b in zip(before, values, strict=True)]
    counts: Counter[str] = Counter()
    for line in lines:
        line = collapse(line)
        if line in counts or len(counts) < MAX_DISTINCT:
            counts[line] += 1
    reader = LineReader(evidence, counts)
    matchers = TemplateSet(known, {}, reader)
    mined: Counter[str] = Counter()
    for line, count in counts.items():
        mined[matchers.template_of(line)] += count
    unlabelled = {t: n for t, n in mined.items() if t not in known}
    return TemplateSet(known, unlabelled, reader, matchers.read)


def _wider(one: str, other: str) -> str:
    """Of two labelled values of a wildcard, the one that makes its matcher accept more."""
    return max(one, other, key=lambda v: (" " in v, not v))


def _hosts(lines: Iterable[Sequence[Item]]) -> frozenset[str]:
    found = set()
    for line_items in lines:
        for item in line_items:
            if item.kind == "hostport":
                found.add(item.text.rpartition(":")[0])
            elif item.kind == "url" and (host := _URL_HOST.match(item.text)):
                found.add(host[1])
    return frozenset(found)
