"""Where in a document its passages stand, and what its lines say of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from whichlever.documents.folder import blocks
from whichlever.documents.words import words

LONGEST_NAME, LONGEST_VALUE = 120, 200
"""Characters of what a line names and of the value that it gives; longer ones are prose."""

LONGEST_LINE, MOST_COLUMNS = 2_000, 32

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_RULE = re.compile(r"[\s|:+=-]*")
_GIVES = re.compile(r"(?P<name>[^:=\t]+?)\s*(?::\s|=|\t)\s*(?P<value>\S.*)")


class Piece(NamedTuple):
    """A passage: what it says with its headings, and where its own text stands."""

    text: str
    start: int
    end: int


class Fact(NamedTuple):
    """A line of the form ``name: value`` or ``name = value``, or a cell of a table's row.

    ``own`` are the words of the name alone, ``words`` also those of the headings that it stands
    under and of its column's title.
    """

    own: frozenset[str]
    words: frozenset[str]
    value: str
    start: int
    end: int


def pieces_of(text: str) -> Iterator[Piece]:
    """Passages in order; offsets are code points of the document."""
    at = 0
    for heading, paragraphs in blocks(text):
        start = -1
        for line in (line for paragraph in paragraphs for line in paragraph.splitlines()):
            found = text.find(line, at)
            if found < 0:
                continue
            start = found if start < 0 else start
            at = found + len(line)
        yield Piece("\n\n".join([*heading, *paragraphs]), max(start, 0), at)


def facts_of(text: str) -> Iterator[Fact]:
    """What lines say of what, in order."""
    path: list[tuple[int, frozenset[str]]] = []
    titles: list[frozenset[str]] = []  # of a table's columns, once the rule below them has come
    row: list[Fact] = []
    cells: list[str] = []
    at = 0
    for line in text.splitlines(keepends=True):
        bare = line.strip()
        start = at + line.find(bare)
        at += len(line)
        if "|" in bare and _RULE.fullmatch(bare):
            titles, row = [frozenset(words(cell)) for cell in cells], []
            continue
        yield from row
        row, cells = [], []
        heading = _HEADING.match(line)
        if heading:
            level = len(heading.group(1))
            above = [(n, w) for n, w in path if n < level]
            path = [*above, (level, frozenset(words(heading.group(2)[:LONGEST_VALUE])))]
        elif bare and len(bare) <= LONGEST_LINE:
            under = frozenset[str]().union(*(w for _, w in path))
            if "|" in bare:
                cells = [cell.strip() for cell in bare.strip("|").split("|")][:MOST_COLUMNS]
                row = list(_row(cells, titles, under, start, start + len(bare)))
                continue
            found = _GIVES.fullmatch(bare.lstrip("-*+> "))
            if found is not None:
                pair = (found["name"], found["value"])
                yield from _fact(*pair, under, start, start + len(bare))
        titles = []
    yield from row


def _row(
    cells: list[str], titles: list[frozenset[str]], under: frozenset[str], start: int, end: int
) -> Iterator[Fact]:
    """What a table's row says: its first cell names, and each other one gives."""
    for i, cell in enumerate(cells[1:], 1):
        title = titles[i] if i < len(titles) else frozenset[str]()
        yield from _fact(cells[0], cell, under | title, start, end)


def _fact(name: str, value: str, under: frozenset[str], start: int, end: int) -> Iterator[Fact]:
    value = "".join(c if c.isprintable() else " " for c in value).strip()
    if 0 < len(name) <= LONGEST_NAME and 0 < len(value) <= LONGEST_VALUE:
        own = frozenset(words(name))
        if own:
            yield Fact(own, own | under, value, start, end)
