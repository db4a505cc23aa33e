"""A small language for simulated log lines: text with slots, whose names say what is in them.

``{ip_in:source.ip,client.ip}`` draws an inside address and records that this piece of the line is
both fields; ``{pid}`` draws noise that no field wants; ``{=source.ip}`` repeats, as noise, what was
drawn for that name; ``{!4624:event.code}`` is a fixed text that is a field, ``{#4:event.severity}``
a fixed number; ``[? … ?]`` is there every second time; ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.packs.logs.clock import STAMPS, Moment
from whichlever.packs.logs.slots import SLOTS, Share

_TOKEN = re.compile(
    r"(?P<brace>\{\{|\}\})|\{(?P<slot>=?[a-z0-9_.@]+|[!#][^{}:]+)(?::(?P<names>[^{}]+))?\}"
    r"|(?P<open>\[\?)|(?P<shut>\?\])|(?P<text>[^{}\[?]+|.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece: a literal, a slot, or the repetition of a slot.

    ``option`` numbers the optional segment it belongs to, 0 where it is always there.
    """

    text: str
    slot: str
    names: tuple[str, ...]
    option: int


Step = tuple[
    int, Callable[[Share], str] | None, Callable[[Moment], str] | None, str, tuple[str, ...]
]
"""Option, dice, clock, literal text, and the names whose text a later piece repeats."""

AGAIN = ("",)
"""In place of names: this piece repeats what was drawn for the name that is its text."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn line and, for every named piece, its offsets, names and slot."""

    text: str
    spans: tuple[tuple[int, int, tuple[str, ...], str], ...]


class Pattern:
    """A compiled pattern.

    Raises
    ------
    ValueError
        A slot is not known, or an optional segment is not closed.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.pieces = tuple(_pieces(source))
        self.options = max((p.option for p in self.pieces), default=0)
        again = {p.slot[1:] for p in self.pieces if p.slot[:1] == "="}
        self._plan = [_step(piece, again) for piece in self.pieces]

    def line(self, moment: Moment) -> str:
        """Only the text, which is what speed tests want."""
        return "".join(self._texts(moment))

    def draw(self, moment: Moment) -> Drawn:
        """The text and where every named piece stands in it."""
        at, texts, spans = 0, self._texts(moment), []
        for piece, text in zip(self.pieces, texts, strict=True):
            if piece.names and text:
                spans.append((at, at + len(text), piece.names, piece.slot))
            at += len(text)
        return Drawn("".join(texts), tuple(spans))

    def _texts(self, moment: Moment) -> list[str]:
        """The text of every piece; "" for one that is not there this time."""
        share = moment.share
        there = [True]
        for _ in range(self.options):
            there.append(share() < 0.5)
        kept: dict[str, str] = {}
        texts = []
        for option, draw, stamp, text, names in self._plan:
            if not there[option]:
                texts.append("")
                continue
            if draw is not None:
                text = draw(share)
            elif stamp is not None:
                text = stamp(moment)
            elif names == AGAIN:
                text = kept.get(text, "-")
                names = ()
            for name in names:
                kept[name] = text
            texts.append(text)
        return texts


def _step(piece: Piece, again: set[str]) -> Step:
    """How a piece is drawn: by dice, by the clock, or as it stands."""
    slot = piece.slot
    if slot[:1] == "=":
        return piece.option, None, None, slot[1:], AGAIN
    names = tuple(name for name in piece.names if name in again)
    if not slot or slot in "!#":
        return piece.option, None, None, piece.text, names
    stamp = STAMPS.get(slot)
    return piece.option, None if stamp else SLOTS[slot].draw, stamp, "", names


def fields_of(drawn: Drawn, moment: Moment) -> dict[str, Any]:
    """Field name → value (a list where a name stands several times), as a parser should give it."""
    fields: dict[str, Any] = {}
    many: set[str] = set()
    for start, end, names, slot in drawn.spans:
        text = drawn.text[start:end]
        value = _value(slot, text, moment)
        for name in names:
            if name not in fields:
                fields[name] = value
            elif name in many:
                fields[name].append(value)
            else:
                fields[name] = [fields[name], value]
                many.add(name)
    return dict(sorted(fields.items()))


def _value(slot: str, text: str, moment: Moment) -> Any:  # noqa: ANN401 - text or number
    if slot in "!#":
        return int(text) if slot == "#" else text
    return moment.iso(slot) if slot in STAMPS else SLOTS[slot].value(text)


def cut(drawn: Drawn, end: int) -> Drawn:
    """The line broken off at ``end``; only fields that are whole remain."""
    return Drawn(drawn.text[:end], tuple(s for s in drawn.spans if s[1] <= end))


def names_in(source: Mapping[str, Pattern]) -> set[str]:
    """Every field name that these patterns can give."""
    return {name for p in source.values() for piece in p.pieces for name in piece.names}


def _pieces(source: str) -> list[Piece]:
    pieces: list[Piece] = []
    option = count = 0
    literal = ""

    def close() -> None:
        nonlocal literal
        if literal:
            pieces.append(Piece(literal, "", (), option))
        literal = ""

    for match in _TOKEN.finditer(source):
        if match["text"] or match["brace"]:
            literal += match["text"] or match["brace"][0]
            continue
        close()
        if match["open"]:
            count += 1
            option = count
        elif match["shut"]:
            option = 0
        else:
            pieces.append(_slot(match["slot"], match["names"], option))
    close()
    if option:
        raise ValueError(f"an optional segment is not closed: {source[:80]}")
    return pieces


def _slot(slot: str, names: str | None, option: int) -> Piece:
    carried = tuple(sorted(names.split(","))) if names else ()
    if slot[0] in "!#":
        return Piece(slot[1:], slot[0], carried, option)
    if slot[0] != "=" and slot not in SLOTS and slot not in STAMPS:
        raise ValueError(f"no slot is called {slot!r}")
    return Piece("", slot, carried, option)
