"""A line as items: values that are recognised by their form, words, spaces, punctuation."""

from __future__ import annotations

import re
from typing import NamedTuple

# What lies beyond is one item: a line of a megabyte costs what a long one costs.
MAX_CHARS = 8_192


class Item(NamedTuple):
    """A piece of a line; the pieces of a line joined are the line.

    ``kind`` is the form it was recognised by: one of ``VALUE_KINDS``, ``WORD_KINDS``, ``space``
    or ``punct``.
    """

    text: str
    start: int
    kind: str

    @property
    def end(self) -> int:
        """Offset one past the last code point."""
        return self.start + len(self.text)


# Every branch begins where no word is under way, or always succeeds, and repeats possessively:
# the scan is linear in the line (see the test on adversarial lines).
_BRANCHES = r"""
(?P<url>(?<![\w+.-])[A-Za-z][\w+.-]*+://[^\s,;"'<>()\[\]{}]++)
|(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)
|(?P<mac>\b[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}\b)
|(?P<date>
    \b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},?\ )?
      (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\ {1,2}\d{1,2},?(?:\ \d{4})?
      \ {1,2}\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?:\ [A-Z]{3,4})?(?:\ \d{4})?\b
    |\b\d{4}[-/]\d\d[-/]\d\d
      (?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-]))
|(?P<ip>(?<![\w./-])(?:[A-Za-z][\w.-]{0,250}?/)?/?\d{1,3}(?:\.\d{1,3}){3}(?!\.?\w)
    (?:[:/]\d{1,5})*(?!\w))
|(?P<path>(?<![\w.)\]>*-])(?:[A-Za-z]:(?=[\\/])|\.{1,2}(?=/)|~(?=/))?(?:/|\\(?!\d))
    [^\s,;"'<>()\[\]{}:=|]++(?::(?=[\\/])[^\s,;"'<>()\[\]{}:=|]++)*+)
|(?P<hostport>(?<![\w.-])(?:localhost|[A-Za-z0-9][\w-]*+(?:\.[\w-]++)++|[A-Za-z]++(?:-\w++)++
    |[A-Za-z]++\d[\w-]*+):\d{2,5}(?![\w:.]))
|(?P<clock>(?<![\w:.])\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?![\w:]))
|(?P<hex>\b0[xX][0-9a-fA-F]++\b)
|(?P<num>(?<![\w.)])[-+]?\d++(?:[.,]\d++){0,8}+(?![\w]|[.,]\d)
    |(?<=\.)(?<!\d\.)\d++(?:\.\d++){0,8}+\b(?![.-]\w))
|(?P<word>\w++(?:(?:[-$@/\\+]|\.(?!\d+(?![\w.-])))\w++)*+)
|(?P<space>\s++)
|(?P<punct>.)"""
_SCAN = re.compile(_BRANCHES, re.VERBOSE | re.DOTALL)

WORD_KINDS = frozenset(
    {"dotted", "joined", "literal", "snake", "upper", "camel", "capital", "lower"}
)
VALUE_KINDS = frozenset(
    {
        "url",
        "uuid",
        "mac",
        "date",
        "ip",
        "path",
        "hostport",
        "clock",
        "hex",
        "num",
        "hexid",
        "number_unit",
        "snake_id",
        "word_digit",
        "alnum",
        "joined_id",
        "host",
        "tail",
    }
)

_HEXID = re.compile(r"[0-9a-f]{8,}|[0-9A-F]{8,}")
_WORD_DIGIT = re.compile(r"[A-Za-z]+\d")
_SHORT_HEX = re.compile(r"[0-9a-fA-F]{6,}")
_NUMBER_UNIT = re.compile(r"\d+[A-Za-z]{1,3}")
_LITERALS = frozenset({"true", "false", "null", "none", "nil", "nan"})
_NOT_WORD = re.compile(r"\W")
_DIGIT = re.compile(r"\d")
_DOTTED = re.compile(r"[\w.$]+")
_CAMEL = re.compile(r"[a-z][A-Z]")


def items(line: str) -> list[Item]:
    """Take a line apart; the items' texts joined are the line."""
    found: list[Item] = []
    for match in _SCAN.finditer(line[:MAX_CHARS]):
        kind = match.lastgroup or "punct"
        text, start = match.group(), match.start()
        if kind == "word":
            found.append(Item(text, start, word_kind(text)))
            continue
        if kind in ("url", "path"):
            bare = text.rstrip(".!?")
            if bare and bare != text:
                found.append(Item(bare, start, kind))
                start += len(bare)
                found += (Item(c, start + i, "punct") for i, c in enumerate(text[len(bare) :]))
                continue
        found.append(Item(text, start, kind))
    if len(line) > MAX_CHARS:
        found.append(Item(line[MAX_CHARS:], MAX_CHARS, "tail"))
    return found


def word_kind(text: str) -> str:
    """Kind of a word: by digits, case and joining characters."""
    if _HEXID.fullmatch(text):
        return "hexid"
    joined = _NOT_WORD.search(text) is not None
    if _DIGIT.search(text):
        return "joined_id" if joined else _with_digits(text)
    if joined:
        return "dotted" if _DOTTED.fullmatch(text) else "joined"
    if text.lower() in _LITERALS:
        return "literal"
    if "_" in text:
        return "snake"
    if text.isupper() and len(text) > 1:
        return "upper"
    if _CAMEL.search(text):
        return "camel"
    return "capital" if text[0].isupper() else "lower"


def _with_digits(text: str) -> str:
    if _WORD_DIGIT.fullmatch(text):
        return "word_digit"  # L3, ssh2, eth0: often a name, not a value
    if _SHORT_HEX.fullmatch(text):
        return "hexid"
    if _NUMBER_UNIT.fullmatch(text):
        return "number_unit"
    return "snake_id" if "_" in text else "alnum"


_UPPER_RUN = re.compile("[A-Z]+")
_LOWER_RUN = re.compile("[a-z]+")
_DIGIT_RUN = re.compile(r"\d+")


def shape(text: str) -> str:
    """Letters and digits of a text by class, runs as one: ``blk_-38865`` is ``a_-9``."""
    text = _UPPER_RUN.sub("A", text[:120])
    text = _DIGIT_RUN.sub("9", _LOWER_RUN.sub("a", text))
    return text.replace("Aa", "a")[:40]
