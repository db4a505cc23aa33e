"""A line cut into tokens with offsets, in time linear in its length.

Timestamps, addresses and hardware addresses are one token each, so that a value is a run of whole
tokens; words (with their underscores), UUIDs and punctuation marks are tokens too; blanks are gaps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from whichlever.fields.timestamps import UNIT

KINDS = ("time", "mac", "ip6", "ip4", "number", "word", "run", "mark")
_EDGE = r"(?<![0-9A-Za-z_.:-])"
_H = "[0-9A-Fa-f]"
pattern = re.compile(
    rf"(?P<time>{UNIT})"
    rf"|(?P<mac>(?<![0-9A-Za-z:-])(?:{_H}{{2}}:){{5}}{_H}{{2}}(?![0-9A-Za-z:])"
    rf"|(?<![0-9A-Za-z:-])(?:{_H}{{2}}-){{5}}{_H}{{2}}(?![0-9A-Za-z-])"
    rf"|(?<![0-9A-Za-z.])(?:{_H}{{4}}\.){{2}}{_H}{{4}}(?![0-9A-Za-z.]))"
    rf"|(?P<ip6>(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]{{0,4}}:)"
    rf"(?:(?:{_H}{{1,4}}:){{7}}{_H}{{1,4}}|(?:{_H}{{1,4}}:){{1,6}}(?::{_H}{{1,4}}){{1,6}}"
    rf"|(?:{_H}{{1,4}}:){{1,7}}:|::(?:[Ff]{{4}}:\d{{1,3}}(?:\.\d{{1,3}}){{3}}"
    rf"|{_H}{{1,4}}(?::{_H}{{1,4}}){{0,6}}))(?![0-9A-Za-z:]))"
    r"|(?P<ip4>(?<![0-9A-Za-z.])\d{1,3}(?:\.\d{1,3}){3}(?![0-9A-Za-z])(?!\.\d))"
    r"|(?P<number>(?<![0-9A-Za-z.])\d+(?:\.\d+)?(?![0-9A-Za-z])(?!\.\d))"
    rf"|(?P<word>(?<![0-9A-Za-z]){_H}{{8}}(?:-{_H}{{4}}){{3}}-{_H}{{12}}(?![0-9A-Za-z])|\w+)"
    r"|(?P<run>(?P<_same>[-=*#~_+.<>])(?P=_same){2,})"
    r"|(?P<mark>\S)"
)


"""The tokeniser's expression; its first seven groups are ``KINDS`` without ``mark``."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line: half-open code-point offsets and what kind it is (one of ``KINDS``)."""

    start: int
    end: int
    kind: str


def tokens(text: str, limit: int | None = None) -> list[Token]:
    """Cut a text; at most ``limit`` tokens, the rest of the text is left."""
    found: list[Token] = []
    for match in pattern.finditer(text):
        found.append(Token(match.start(), match.end(), match.lastgroup or "mark"))
        if limit is not None and len(found) >= limit:
            break
    return found
