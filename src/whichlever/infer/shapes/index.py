"""Which shapes are worth trying on a line: by its marks, then by one word of it."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence

from whichlever.infer.shapes.classes import STRUCTURE
from whichlever.infer.shapes.matched import Matcher
from whichlever.infer.shapes.shape import Skeleton

PREFIX = 128
"""Code points of a line whose marks make its key."""
MAX_KEYS = 65_536
_DROPPED = bytes(i for i in range(256) if i >= 128 or chr(i) not in STRUCTURE)

Bucket = tuple[int, dict[str, tuple[Matcher, ...]], tuple[Matcher, ...]]
"""Index of the word to look at (negative: none), word → matchers, matchers for other words."""


def marks(text: str) -> bytes:
    """Structuring characters of a text, in order; two blanks are one, as days are padded."""
    return text.replace("  ", " ").encode("utf-8", "surrogatepass").translate(None, _DROPPED)


class Index:
    """Shapes by the marks of the lines they may match; what it remembers is bounded."""

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        self._matchers = sorted(matchers, key=lambda m: m.rank)
        self._heads = [_beginning(m.skeleton) for m in self._matchers]
        self._buckets: dict[bytes, Bucket] = {}

    def add(self, matcher: Matcher) -> None:
        """Enter a matcher; keys that it may match are looked at anew."""
        at = bisect.bisect([m.rank for m in self._matchers], matcher.rank)
        head = _beginning(matcher.skeleton)
        self._matchers.insert(at, matcher)
        self._heads.insert(at, head)
        self._unknow(head)

    def remove(self, name: str) -> None:
        """Take a matcher out."""
        for at, matcher in enumerate(self._matchers):
            if matcher.name == name:
                self._unknow(self._heads[at])
                del self._matchers[at], self._heads[at]
                return

    def _unknow(self, head: tuple[bytes, bool]) -> None:
        for key in [key for key in self._buckets if _may_match(head, key)]:
            del self._buckets[key]

    def candidates(self, line: str) -> tuple[Matcher, ...]:
        """Return every shape that may match, best first."""
        head = line[:PREFIX].replace("  ", " ")
        key = head.encode("utf-8", "surrogatepass").translate(None, _DROPPED)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._bucket(key)
        at, by_word, others = bucket
        if at < 0:
            return others
        return by_word.get(head.split(" ", at + 1)[at], others)

    def _bucket(self, key: bytes) -> Bucket:
        if len(self._buckets) >= MAX_KEYS:
            self._buckets.clear()
        able = [
            matcher
            for matcher, head in zip(self._matchers, self._heads, strict=True)
            if _may_match(head, key)
        ]
        made = self._buckets[key] = _by_word(able, key)
        return made


def _beginning(skeleton: Skeleton) -> tuple[bytes, bool]:
    """Marks that a line of the shape begins with, and whether they are all it has."""
    text = ""
    for part in skeleton.parts:
        stand_in = part if isinstance(part, str) else part.stand_in
        if stand_in is None:
            return marks(text), False
        text += stand_in
    return marks(text), True


def _may_match(head: tuple[bytes, bool], key: bytes) -> bool:
    """Whether a line with this key may match; never False for one that does.

    Up to the first variable that may hold marks the key must begin as the shape does; after it,
    anything may stand. The key may end before the line does.
    """
    begins, whole = head
    return begins.startswith(key) or (not whole and key.startswith(begins))


def _by_word(able: Sequence[Matcher], key: bytes) -> Bucket:
    """Choose the word that tells most of the shapes apart."""
    everyone = tuple(able)
    if len(able) < 3:
        return -1, {}, everyone
    words = [_words(m.skeleton) for m in able]
    # A word in the key's prefix ends before the prefix does: as many as there are spaces.
    places = range(key.count(b" "))
    best = max(places, key=lambda at: len({w[at] for w in words if at in w}), default=-1)
    if best < 0 or len({w[best] for w in words if best in w}) < 2:
        return -1, {}, everyone
    known = {w[best] for w in words if best in w}
    by_word = {
        word: tuple(m for m, w in zip(able, words, strict=True) if w.get(best, word) == word)
        for word in known
    }
    others = tuple(m for m, w in zip(able, words, strict=True) if best not in w)
    return best, by_word, others


_OPEN = "\x01"


def _words(skeleton: Skeleton) -> dict[int, str]:
    """Index → word between spaces, for the words that are literal and whose index is certain."""
    text = ""
    for part in skeleton.parts:
        if isinstance(part, str):
            text += part
        elif part.stand_in is None:
            break
        else:
            text += "".join(_OPEN if c in "a9YP" else c for c in part.stand_in)
    words = text.replace("  ", " ").split(" ")[:-1]
    return {at: word for at, word in enumerate(words) if _OPEN not in word}
