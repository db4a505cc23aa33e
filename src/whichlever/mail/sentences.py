"""Sentences of plain mail text, with where they stand."""

from __future__ import annotations

import re

_END = re.compile(
    r"[.!?…][\"'”’)\]]{0,3}(?=\s)|[。！？]|\n[ \t]*\n|\n(?=[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t])"
)
_SHORT_WORDS = (
    "mr mrs ms dr prof st no nr vs e.g i.e z.b etc inc ltd co corp u.s a.m p.m approx fig ca bzw"
)
_ABBREVIATIONS = frozenset(_SHORT_WORDS.split())
_MOST = 600
"""Characters of a sentence; a longer one (a table, a text without stops) is cut at a space."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open offsets of each sentence, ascending, without the space around it.

    A sentence ends at a stop before space, at an empty line, before a list's next point, or after
    600 characters; not after a common abbreviation or a single initial. Linear in the text.
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for stop in _END.finditer(text):
        end = stop.end()
        if text[stop.start()] == "." and _goes_on(text, begin, stop.start()):
            continue
        _cut(text, begin, end, found)
        begin = end
    _cut(text, begin, len(text), found)
    return found


def _goes_on(text: str, begin: int, stop: int) -> bool:
    word_begin = stop
    while word_begin > max(begin, stop - 12) and not text[word_begin - 1].isspace():
        word_begin -= 1
    word = text[word_begin:stop].strip("(\"'").lower()
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")


def _cut(text: str, begin: int, end: int, found: list[tuple[int, int]]) -> None:
    while begin < end:
        while begin < end and text[begin].isspace():
            begin += 1
        stop = end
        if end - begin > _MOST:
            space = text.rfind(" ", begin + _MOST // 2, begin + _MOST)
            stop = space if space > 0 else begin + _MOST
        last = stop
        while last > begin and text[last - 1].isspace():
            last -= 1
        if last > begin:
            found.append((begin, last))
        begin = stop
