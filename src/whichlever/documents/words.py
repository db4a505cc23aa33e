"""Words for lexical search in security text.

What an analyst would search for stays whole (``CVE-2024-1234``, ``10.0.0.1``, ``win_proc_create``,
``powershell.exe``) and its parts are words too, so that either finds the other. Lower case, no
stemming, no stop words: inverse document frequency already makes common words count little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

LONGEST = 64
"""Longer words (encoded blobs) are known by their first characters."""

LOOKED_AT = 4 * LONGEST
"""Characters of a word in which parts are looked for; also bounds what is remembered of it."""

SHORTEST_NUMBER = 3
"""A part that is a shorter number says too little by itself: an octet, a minor version."""

# Addresses with colons first; then words joined by single dots, dashes, underscores or at signs.
# Each character is looked at a bounded number of times: no nested repetition can match it twice.
_WORD = re.compile(r"[0-9A-Fa-f]{1,4}(?::{1,2}[0-9A-Fa-f]{1,4}){2,7}(?![\w:])|\w+(?:[.@-]\w+)*")
_PARTS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\WA-Za-z]+")


def words(text: str) -> list[str]:
    """The words of a text, in order, compounds followed by their parts."""
    return [word for found in _WORD.findall(text) for word in _forms(found[:LOOKED_AT])]


class Vocabulary:
    """Numbers for words, given in the order in which they are first met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def numbers(self) -> dict[str, int]:
        """Word to number; not to be changed."""
        return self._numbers

    def learn(self, texts: Iterable[str]) -> list[list[int]]:
        """Numbers of every text's words, new words getting new numbers."""
        numbers = self._numbers
        return [[numbers.setdefault(w, len(numbers)) for w in words(text)] for text in texts]

    def known(self, text: str) -> list[int]:
        """Numbers of the text's different words, leaving out those never met."""
        numbers = self._numbers
        return [numbers[w] for w in dict.fromkeys(words(text)) if w in numbers]


@lru_cache(maxsize=1 << 16)
def _forms(word: str) -> tuple[str, ...]:
    """A word as found in the text: itself and its parts, in lower case, each once."""
    forms = {word[:LONGEST].lower(): None}
    for part in _PARTS.findall(word):
        _add(forms, part)
        if not any(c.isdigit() for c in part):
            for piece in _CAMEL.findall(part):
                _add(forms, piece)
    return tuple(forms)


def _add(forms: dict[str, None], part: str) -> None:
    if len(part) > 1 and not (part.isdigit() and len(part) < SHORTEST_NUMBER):
        forms.setdefault(part[:LONGEST].lower())
