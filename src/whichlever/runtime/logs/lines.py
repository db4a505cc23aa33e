"""Bytes cut into lines, each with its origin and the byte after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MAX_LINE = 8 * 2**20
"""Bytes of one line that are held; a longer one comes in pieces, so that none of it is lost."""


@dataclass(eq=False)
class Origin:
    """Where lines come from: one file (one generation of it), one connection, one sender, a pipe.

    Attributes
    ----------
    key
        What a checkpoint knows it by: the path as given, or the address.
    source
        Which kind of device or program writes it, where that was said.
    path
        The file, as the output tells it.
    peer
        The sender's address, for syslog.
    head
        The first bytes of a file, which identify it after it was renamed.
    about
        What the output says of its lines, once it was worked out.
    """

    key: str
    source: str | None = None
    path: str | None = None
    peer: str | None = None
    head: bytes = field(default=b"", repr=False)
    inode: int = 0
    about: dict[str, str] = field(default_factory=dict, repr=False)


class Line(NamedTuple):
    """One line without its end.

    ``data`` is None where the origin has ended and nothing more comes of it. ``end`` is the byte
    after the line in its file (its line end included), where reading can go on. ``piece`` is 0 for
    a whole line, else the number of the piece of one that is too long to be held.
    """

    data: bytes | None
    origin: Origin
    end: int = 0
    piece: int = 0


class Splitter:
    """Cuts the bytes of one origin into lines.

    Parameters
    ----------
    at
        The byte that the first chunk begins at.
    most
        Bytes of a line that are held at most.
    """

    def __init__(self, origin: Origin, at: int = 0, most: int = MAX_LINE) -> None:
        self.origin, self._most = origin, most
        self.at = at
        """The byte after the last line that was given out."""
        self._held = bytearray()
        self._piece = 0

    def push(self, chunk: bytes) -> list[Line]:
        """The lines that ``chunk`` completes."""
        origin, at = self.origin, self.at
        lines: list[Line] = []
        first, *rest = chunk.split(b"\n")
        self._held += first
        if len(self._held) > self._most:
            lines += self._pieces()
            at = self.at
        if rest:
            last = rest.pop()
            at += len(self._held) + 1
            lines.append(Line(bytes(self._held), origin, at, self._next_piece()))
            for data in rest:
                at += len(data) + 1
                lines.append(Line(data, origin, at))
            self._held = bytearray(last)
            self.at = at
            if len(last) > self._most:
                lines += self._pieces()
        return lines

    @property
    def pending(self) -> int:
        """Bytes of a line whose end has not come yet."""
        return len(self._held)

    def rest(self) -> list[Line]:
        """What stands after the last line end, as a line of its own."""
        if not self._held:
            return []
        self.at += len(self._held)
        line = Line(bytes(self._held), self.origin, self.at, self._next_piece())
        self._held = bytearray()
        return [line]

    def _pieces(self) -> list[Line]:
        """Give out what is held, in pieces of the most that may be held."""
        lines = []
        while len(self._held) > self._most:
            self._piece += 1
            self.at += self._most
            lines.append(Line(bytes(self._held[: self._most]), self.origin, self.at, self._piece))
            del self._held[: self._most]
        return lines

    def _next_piece(self) -> int:
        """The number of the last piece of a line that came in pieces; 0 for a whole line."""
        piece, self._piece = self._piece, 0
        return piece + 1 if piece else 0
