"""A folder of documents that answers are cited from, as it is now.

Nothing is written out of the documents but what stands in them: passages are cited with where they
stand, and a slot of an answer, ``{fee for a crown}``, gets the value of the one line that names
it. No model reads the documents.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from whichlever.documents.folder import Document, Folder, read_folder, stamp_of
from whichlever.documents.located import Fact, Piece, facts_of, pieces_of
from whichlever.documents.postings import Postings, common
from whichlever.documents.words import words
from whichlever.errors import DataError, InputError, WhichleverError

LOOK_SECONDS = 0.25
"""How long what was read is taken for what is there."""

MOST_PASSAGES = 50_000
MOST_CITED = 3

NEAR = 0.5
"""A passage is cited where it speaks at least half as much of the question as the best."""

SLOT = re.compile(r"\{([^{}\n]{1,80})\}")

SAYS_NOTHING = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "per", "the", "to",
     "with", "das", "der", "die", "für", "im", "je", "und", "von")
)  # fmt: skip
"""Words that a slot may have and a line need not."""

Key = tuple[str, int]
"""A document's name and a number in it."""

Why = Literal["", "not found", "documents disagree"]


class Citation(NamedTuple):
    """A piece of a document: ``text`` with its headings, code points of its own text."""

    document: str
    start: int
    end: int
    text: str


class Filled(NamedTuple):
    """A slot, its value and the line that gives it; why there is none, where there is none."""

    slot: str
    value: str | None
    line: Citation | None
    why: Why = ""


@dataclass(frozen=True)
class Sourced:
    """An answer with its slots filled, and what it is cited from."""

    text: str
    slots: tuple[Filled, ...]
    citations: tuple[Citation, ...]


class CitedFolder:
    """A folder that is looked at again whenever something is asked, and searched by its words.

    Parameters
    ----------
    root
        The folder of text and markdown files.

    Raises
    ------
    InputError
        There is no such folder, or it holds too much.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._folder = Folder({}, ())
        self._pieces: dict[Key, Piece] = {}
        self._facts: dict[Key, Fact] = {}
        self._passages: Postings[Key] = Postings()
        self._by_word: dict[str, set[Key]] = {}
        self._next_look = 0.0
        try:
            self._read()
        except WhichleverError as error:
            raise InputError(str(error)) from None
        if not self._pieces:
            raise InputError(f"{root}: no text or markdown file with something in it")

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Files that were not read, and why."""
        return self._folder.left_out

    def source(self, question: str, answer: str) -> Sourced:
        """Fill an answer's slots and cite it, from the documents as they are now."""
        with self._lock:
            self._follow()
            slots = tuple(self._fill(name) for name in dict.fromkeys(SLOT.findall(answer)))
            values = {s.slot: s.value for s in slots if s.value is not None}
            text = SLOT.sub(lambda m: values.get(m.group(1), m.group(0)), answer)
            lines = [s.line for s in slots if s.line is not None]
            found = self._passages.best(f"{question} {SLOT.sub(_bare, answer)}", MOST_CITED)
            near = [key for key, score in found if score >= NEAR * found[0][1]]
            cited = [self._cited(key) for key in near]
            return Sourced(text, slots, tuple(dict.fromkeys([*lines, *cited])))

    def _cited(self, key: Key) -> Citation:
        piece = self._pieces[key]
        return Citation(key[0], piece.start, piece.end, piece.text)

    def _fill(self, slot: str) -> Filled:
        wanted = frozenset(words(slot)) - SAYS_NOTHING
        if not wanted:
            return Filled(slot, None, None, "not found")
        keys = common([self._by_word.get(word, set()) for word in wanted])
        found = [(key, self._facts[key]) for key in keys if self._facts[key].own & wanted]
        if not found:
            return Filled(slot, None, None, "not found")
        more = {key: len(fact.own - wanted - SAYS_NOTHING) for key, fact in found}
        nearest = sorted((key, f) for key, f in found if more[key] == min(more.values()))
        (name, _), fact = nearest[0]
        if len({f.value for _, f in nearest}) > 1:
            return Filled(slot, None, None, "documents disagree")
        text = (self._folder.documents[name].text or "")[fact.start : fact.end]
        return Filled(slot, fact.value, Citation(name, fact.start, fact.end, text))

    def _follow(self) -> None:
        """Read what has changed. A folder that cannot be read for a moment stays as it was."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        try:
            if stamp_of(self.root) != self._folder.stamp:
                self._read()
        except (WhichleverError, OSError):
            return

    def _read(self) -> None:
        before = self._folder.documents
        folder = read_folder(self.root, before, texts=True)
        changed = {n: d for n, d in folder.documents.items() if _text(d) != _text(before.get(n))}
        made = {name: list(pieces_of(d.text or "")) for name, d in changed.items()}
        gone = [key for key in self._pieces if key[0] in changed or key[0] not in folder.documents]
        if len(self._pieces) - len(gone) + sum(map(len, made.values())) > MOST_PASSAGES:
            raise DataError(f"{self.root}: more than {MOST_PASSAGES:,} passages")
        for key in gone:
            self._passages.remove(key)
            del self._pieces[key]
        for key in [k for k in self._facts if k[0] in changed or k[0] not in folder.documents]:
            for word in self._facts.pop(key).words:
                self._by_word[word].discard(key)
        for name, pieces in made.items():
            for i, piece in enumerate(pieces):
                self._pieces[name, i] = piece
                self._passages.add((name, i), piece.text)
            for i, fact in enumerate(facts_of(changed[name].text or "")):
                self._facts[name, i] = fact
                for word in fact.words:
                    self._by_word.setdefault(word, set()).add((name, i))
        self._folder = folder


def _text(document: Document | None) -> str | None:
    return None if document is None else document.text


def _bare(match: re.Match[str]) -> str:
    return match.group(1)
