"""What a token of a line looks like and stands next to, as integers, many lines at once.

Python reads each line once (tokens, keys, columns, quotes); everything after that is arithmetic on
arrays. Words enter as 64-bit hashes only, so that what is stored with a model holds no text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from whichlever.fields.tokens import KINDS, pattern

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
MAX_TOKENS = 6000
"""Tokens of one line that are looked at; what lies behind them carries no field."""
_KIND = {name: i for i, name in enumerate(KINDS)}
_WORD, _MARK, _NUMBER, _TIME, _RUN = (
    _KIND[k] for k in ("word", "mark", "number", "time", "run")
)  # fmt: skip
_MASK = (1 << 64) - 1
_MNEMONIC = re.compile(r"%[A-Za-z_]{2,20}-(?:[\w]{1,12}-)?\d-\w{3,40}")
_DELIMITERS = ",\t|;^"
_OPEN = {"(": ")", "[": "]", "{": "}", "<": ">"}
_TYPE_KEYS = frozenset(
    {
        "type", "subtype", "msg_id", "msgid", "logid", "log_id",
        "m", "event", "action", "eventtype", "event_type",
        "id", "sid", "op", "name",
        "category", "cat", "ev", "class", "act", "reason",
        "service", "operation", "recordtype", "messageid"
    }
)  # fmt: skip


def hash_of(text: str) -> int:
    """Return a stable 64-bit hash of a text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


_NONE = hash_of("")


@dataclass(frozen=True, slots=True)
class Looks:
    """Arrays over the tokens of many lines, line after line.

    Attributes
    ----------
    start, end
        Code-point offsets in the token's own line.
    line
        Which line.
    first
        (lines + 1,) where each line's tokens begin.
    columns
        Name → (tokens,) integers: see :func:`look`.
    """

    start: Ints
    end: Ints
    line: Ints
    first: Ints
    columns: dict[str, Hashes]


class Lexicon:
    """Hashes of tokens: the word itself, its class (digits masked) and its shape, remembered."""

    def __init__(self, remembered: int = 200_000) -> None:
        self._known: dict[str, tuple[int, int, int]] = {}
        self._remembered = remembered

    def of(self, word: str, kind: int) -> tuple[int, int, int]:
        """Return the hashes of the word, of its class and of its shape."""
        found = self._known.get(word)
        if found is None:
            if len(self._known) >= self._remembered:
                self._known.clear()
            found = self._known[word] = self._made(word, kind)
        return found

    @staticmethod
    def _made(word: str, kind: int) -> tuple[int, int, int]:
        name = KINDS[kind]
        if kind == _MARK:
            one = hash_of(word)
            return one, one, one
        if kind == _RUN:
            return hash_of(word[:3]), hash_of(word[:3]), hash_of("run")
        low = word[:64].lower()
        shape = re.sub(r"a{2,}", "aa", re.sub(r"[^\W\d_]", "a", re.sub(r"\d+", "0", low)))
        if word.isupper():
            shape = shape.upper()
        elif word[:1].isupper():
            shape = "A" + shape
        if kind == _NUMBER:
            size = min(len(word), 12)
            return hash_of(low), hash_of("#number"), hash_of(f"#{size}{'.' in word}")
        if kind == _TIME:  # the month: zones change with it, and formats
            month = low[:3] if low[:1].isalpha() else low[:7] if low[4:5] in "-/" else "#time"
            return hash_of(month), hash_of("#time"), hash_of("#time")
        if kind != _WORD:
            return hash_of(low), hash_of("#" + name), hash_of("#" + name)
        if word.isalpha() and len(word) <= 24:
            return hash_of(low), hash_of(low), hash_of(shape)
        masked = re.sub(r"\d+", "0", low) if len(low) <= 16 else shape[:8]
        return hash_of(low), hash_of("0" + masked), hash_of(shape[:12])


def _delimiter(text: str) -> str:
    """Return the mark that cuts a line into columns, or a blank."""
    head = text[:4000]
    counts = [head.count(mark) for mark in _DELIMITERS]
    best = max(range(len(counts)), key=counts.__getitem__)
    return _DELIMITERS[best] if counts[best] >= 5 else " "


@dataclass(slots=True)
class _Rows:
    """One growing list per column."""

    start: list[int]
    end: list[int]
    word: list[int]
    cls: list[int]
    shape: list[int]
    kind: list[int]
    gap: list[int]
    key: list[int]
    offset: list[int]
    apart: list[int]
    column: list[int]
    inside: list[int]
    blank: list[int]
    quote: list[int]
    order: list[int]
    part: list[int]
    field: list[int]


def _keyed(text: str, start: int) -> str:
    """Return the words that stand right before a mark: a key of one or two words."""
    at = start
    while at > 0 and start - at < 40 and (text[at - 1].isalnum() or text[at - 1] in "_-.@/"):
        at -= 1
    if at == start and at > 0 and text[at - 1] in "\"'":
        return _keyed(text, at - 1)
    return text[at:start].lower()


def look(lines: Sequence[str], lexicon: Lexicon) -> Looks:
    """Read lines into arrays.

    The columns are hashes (``word``, ``class``, ``shape``, ``key``: the key in force, ``type``,
    ``type2``, ``type3``: what kind of record the line says it is) and small numbers (``kind``,
    ``gap`` before it, ``offset`` from the key, ``apart``: separators since the key, ``column`` and
    ``inside``: which delimited column and which token of it, ``blank``: which word by blanks,
    ``quote``: which token of a quoted part, ``order``: how many of its kind came before, ``part``:
    which quoted part of the line, 0 outside, ``field``: which delimited column counted from 1, 0
    for delimiters and in lines without columns).
    """
    rows = _Rows(*([] for _ in range(17)))
    first = [0]
    types: list[tuple[int, int, int]] = []
    for text in lines:
        types.append(_read(text, rows, lexicon))
        first.append(len(rows.start))
    starts = np.array(first, np.int64)
    line = np.repeat(np.arange(len(lines)), np.diff(starts))
    made = {
        "word": rows.word, "class": rows.cls, "shape": rows.shape, "kind": rows.kind,
        "gap": rows.gap, "key": rows.key, "offset": rows.offset, "apart": rows.apart,
        "column": rows.column, "inside": rows.inside, "blank": rows.blank, "quote": rows.quote,
        "order": rows.order, "part": rows.part, "field": rows.field,
    }  # fmt: skip
    columns = {name: np.array(values, np.uint64) for name, values in made.items()}
    kinds = np.array(types, np.uint64).reshape(-1, 3)
    for i, name in enumerate(("type", "type2", "type3")):
        columns[name] = kinds[line, i]
    return Looks(
        np.array(rows.start, np.int64), np.array(rows.end, np.int64), line, starts, columns
    )


def _read(text: str, rows: _Rows, lexicon: Lexicon) -> tuple[int, int, int]:  # noqa: C901 - one pass
    begun = len(rows.start)
    add_start = rows.start.append
    add_end = rows.end.append
    add_word = rows.word.append
    add_cls = rows.cls.append
    add_shape = rows.shape.append
    add_kind = rows.kind.append
    add_gap = rows.gap.append
    add_key = rows.key.append
    add_offset = rows.offset.append
    add_apart = rows.apart.append
    add_column = rows.column.append
    add_inside = rows.inside.append
    add_blank = rows.blank.append
    add_quote = rows.quote.append
    add_order = rows.order.append
    add_part = rows.part.append
    add_field = rows.field.append
    delimiter = _delimiter(text)
    key, offset, apart = _NONE, 0, 0
    column = inside = blank = quoted = parts = 0
    quote = ""
    counts = [0] * len(KINDS)
    end = 0
    capitals: list[str] = []
    typed: list[str] = []
    said: list[str] = []
    key_text = ""
    waits = False
    for match in pattern.finditer(text):
        start = match.start()
        word = match[0]
        kind = min((match.lastindex or 9) - 1, _MARK)
        gap = start - end
        lap = text[end:start] if gap else ""
        if gap and not quote:
            blank += 1
            inside = inside if delimiter != " " else 0
            if delimiter == "\t" and "\t" in lap:
                column += lap.count("\t")
                inside = 0
            if "\n" in lap:
                apart = 3
        end = match.end()
        exact, cls, shape = lexicon.of(word, kind)
        add_start(start)
        add_end(end)
        add_word(exact)
        add_cls(cls)
        add_shape(shape)
        add_kind(kind)
        add_gap(3 if "\n" in lap else 2 if "\t" in lap or gap > 1 else 1 if gap else 0)
        add_key(key)
        add_offset(offset if offset < 5 else 5)
        add_apart(apart if apart < 3 else 3)
        add_column(column)
        add_inside(inside if inside < 6 else 6)
        add_blank(blank if blank < 60 else 60)
        add_quote(min(quoted, 4) if quote else 7)
        add_order(counts[kind] if counts[kind] < 12 else 12)
        add_part(parts if quote and word != quote else 0)
        add_field(column + 1 if delimiter != " " and (quote or word != delimiter) else 0)
        counts[kind] += 1
        offset += 1
        inside += 1
        quoted += 1
        if kind == _WORD:
            if waits and len(typed) < 4:
                typed.append(word.lower())
            waits = False
            if word.isalpha():
                if word.isupper() and len(word) > 2 and len(capitals) < 2:
                    capitals.append(word)
                if len(said) < 3 and blank > 1:
                    said.append(word.lower())
        elif kind == _MARK:
            if word in "=:":
                said_key = _keyed(text, start)
                if said_key and (word == "=" or _opens(text, end)):
                    key_text, offset, apart = said_key, 0, 0
                    key = hash_of(said_key)
                    waits = said_key in _TYPE_KEYS
                    if word == ":" and blank < 9 and gap == 0:
                        said = []
            elif word in "([{" and gap == 0 and start and text[start - 1].isalnum():
                key_text, offset, apart = _keyed(text, start) + word, 0, 0
                key = hash_of(key_text)
            elif word in "\"'":
                if quote == word:
                    quote = ""
                elif not quote and (word == '"' or _quotes(text, start)):
                    quote, quoted = word, 0
                    parts += 1
            elif not quote and word in ",;|)]}" and word != delimiter:
                apart += 1
            if word == delimiter and not quote:
                column += 1
                inside = 0
                apart += 1
        elif kind == _NUMBER:
            if waits and len(typed) < 4:
                typed.append(word)
            waits = False
        if len(rows.start) - begun >= MAX_TOKENS:
            break
    mnemonic = _MNEMONIC.search(text, 0, 2000)
    return (
        hash_of(mnemonic[0] if mnemonic else " ".join(typed) or " ".join(capitals)),
        hash_of(capitals[0] if capitals else ""),
        hash_of(" ".join(said)),
    )


def _opens(text: str, end: int) -> bool:
    """Say whether a colon that ends here ends a key: a blank, quote or value follows."""
    following = text[end : end + 1]
    return following in " \t\"'[(" or following.isalnum()


def _quotes(text: str, at: int) -> bool:
    """Say whether a single quote opens a quoted part rather than being an apostrophe."""
    return at == 0 or not text[at - 1].isalnum()


def mix(seed: int, *parts: Hashes) -> Hashes:
    """Hash columns into one: as many integers as each part has."""
    state = np.full(len(parts[0]) if parts else 0, (seed * 0x9E3779B97F4A7C15) & _MASK, np.uint64)
    for part in parts:
        state ^= part
        state *= np.uint64(0xFF51AFD7ED558CCD)
        state ^= state >> np.uint64(32)
    return state
