"""The milter protocol, version 6, as its filter side speaks it: packets in, packets out.

A packet is a length (32 bits, big-endian), a command of one letter, and that many bytes less one;
names and codes are those of Sendmail's ``mfdef.h``, which Postfix speaks too. Everything that a
sender writes stays bytes: the libraries there are decode it first, and fail on what is not theirs.
"""

from __future__ import annotations

import asyncio
import struct
from typing import NamedTuple

VERSION = 6

MOST_PACKET = 2**20
"""Bytes of one packet; Postfix sends at most 65,536 of a body, and 102,400 of a header."""

NEGOTIATE, MACRO, CONNECT, HELO, MAIL, RCPT, DATA = b"O", b"D", b"C", b"H", b"M", b"R", b"T"
HEADER, END_OF_HEADERS, BODY, END_OF_MESSAGE = b"L", b"N", b"B", b"E"
UNKNOWN, ABORT, QUIT, QUIT_NEW = b"U", b"A", b"Q", b"K"

GATHERED = frozenset((CONNECT, HELO, MAIL, RCPT, DATA, HEADER, END_OF_HEADERS, BODY, UNKNOWN))
"""Commands that are answered with "go on", where they are answered at all."""

ADD_HEADERS, CHANGE_HEADERS, QUARANTINES = 0x01, 0x10, 0x20
"""Actions (SMFIF_*) that a filter may take."""

NO_CONNECT, NO_HELO, NO_RCPT, NO_UNKNOWN, NO_DATA = 0x01, 0x02, 0x08, 0x100, 0x200
SILENT_HEADER, SILENT_MAIL, SILENT_EOH, SILENT_BODY = 0x80, 0x4000, 0x40000, 0x80000
LEADING_SPACE = 0x100000
"""Steps (SMFIP_*): what need not be sent, what is not answered, and values with their space."""

SILENT = {HEADER: SILENT_HEADER, MAIL: SILENT_MAIL, END_OF_HEADERS: SILENT_EOH, BODY: SILENT_BODY}

CONTINUE = b"c"


class Broken(Exception):
    """The other side does not speak the protocol; its connection is closed."""


class Packet(NamedTuple):
    """One command of the mail server."""

    command: bytes
    content: bytes


class Offer(NamedTuple):
    """What is negotiated: version, actions and steps."""

    version: int
    actions: int
    steps: int


async def read_packet(reader: asyncio.StreamReader) -> Packet | None:
    """The next packet; None where the other side has closed.

    Raises
    ------
    Broken
        A length that no server sends, or half a packet.
    """
    try:
        (size,) = struct.unpack("!I", await reader.readexactly(4))
        if not 0 < size <= MOST_PACKET:
            raise Broken(f"a packet of {size} bytes")
        content = await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Broken("half a packet") from None
        return None
    return Packet(content[:1], content[1:])


def packet(command: bytes, content: bytes = b"") -> bytes:
    """A packet's bytes."""
    return struct.pack("!I", len(content) + 1) + command + content


def read_offer(content: bytes) -> Offer:
    """What the server offers.

    Raises
    ------
    Broken
        It is no offer.
    """
    if len(content) < 12:
        raise Broken("an offer that is cut short")
    return Offer(*struct.unpack("!III", content[:12]))


def offer(chosen: Offer) -> bytes:
    """What is taken of it."""
    return packet(NEGOTIATE, struct.pack("!III", *chosen))


def strings(content: bytes) -> list[bytes]:
    """Strings that end with a NUL each; a last one without is taken as it is."""
    return content.removesuffix(b"\0").split(b"\0") if content else []


def insert_header(name: str, value: str, at: int = 0) -> bytes:
    """Put a header in front of the others (SMFIR_INSHEADER)."""
    said = f"{name}\0{value}\0".encode("ascii")
    return packet(b"i", struct.pack("!I", at) + said)


def delete_header(name: bytes, number: int) -> bytes:
    """Remove the ``number``-th header of this name, counted from 1 (SMFIR_CHGHEADER)."""
    return packet(b"m", struct.pack("!I", number) + name + b"\0\0")


def quarantine(reason: str) -> bytes:
    """Have the mail put on hold (SMFIR_QUARANTINE); a final answer follows."""
    return packet(b"q", reason.encode("ascii") + b"\0")


def reply_code(text: str) -> bytes:
    """End with a reply of one's own (SMFIR_REPLYCODE), such as ``451 4.7.1 later``."""
    return packet(b"y", text.encode("ascii") + b"\0")
