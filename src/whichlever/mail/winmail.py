"""The attachments inside Outlook's ``winmail.dat`` (TNEF, MS-OXTNEF), bounded.

A short reader of its own: the kept ones are under the LGPL.
"""

from __future__ import annotations

from collections.abc import Iterator

_SIGNATURE = b"\x78\x9f\x3e\x22"
_TITLE, _DATA, _BEGIN, _BODY = 0x00018010, 0x0006800F, 0x00069002, 0x0002800C
_MOST = 200


def is_winmail(content: bytes) -> bool:
    """Whether the content begins as TNEF does."""
    return content.startswith(_SIGNATURE)


def read_winmail(content: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The plain body (often empty) and the attachments as (name, content).

    Damaged content gives what could be read before the damage.
    """
    body, name, data = "", "", b""
    found: list[tuple[str, bytes]] = []
    for kind, value in _attributes(content):
        if kind == _BEGIN:
            if data:
                found.append((name, data))
            name, data = "", b""
        elif kind == _TITLE:
            name = value.split(b"\0", 1)[0].decode("latin-1")[:500]
        elif kind == _DATA:
            data = value
        elif kind == _BODY:
            body = value.split(b"\0", 1)[0].decode("latin-1")
    if data:
        found.append((name, data))
    return body, found[:_MOST]


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(id, data) of each attribute: level (1 byte), id and length (4 each), data, checksum (2)."""
    at = 6  # signature and key
    for _ in range(20_000):
        if at + 11 > len(content):
            return
        kind = int.from_bytes(content[at + 1 : at + 5], "little")
        length = int.from_bytes(content[at + 5 : at + 9], "little")
        begin, end = at + 9, at + 9 + length
        if end + 2 > len(content):
            return
        value = content[begin:end]
        if sum(value) & 0xFFFF != int.from_bytes(content[end : end + 2], "little"):
            return
        yield kind, value
        at = end + 2
