"""Syslog over TCP: by line feed, or by length (RFC 6587, 3.4.1), told by its first message.

Nothing is read from a connection before it is asked for, so a sender that is too fast waits.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections.abc import Callable
from typing import Literal

from whichlever.runtime.logs.lines import MAX_LINE, Line, Origin, Splitter
from whichlever.runtime.logs.listen import Address

CONNECTIONS = 512
"""Connections at a time; another one is closed at once, and counted."""
READ = 2**16
TURN = 64
"""Connections read in one turn."""
_COUNTED = re.compile(rb"([1-9]\d{0,8}) <")
"""A length, a space and a message; a line that begins with a number and a space has no ``<``."""
_LENGTH = re.compile(rb"([1-9]\d{0,8}) ")
_MAYBE = re.compile(rb"[1-9]\d{0,8} ?\Z")


class Frames:
    """The bytes of one connection as messages; the first tells how all of them are framed."""

    def __init__(self, origin: Origin, most: int = MAX_LINE) -> None:
        self._origin, self._most = origin, most
        self._lines = Splitter(origin, most=most)
        self._framing: Literal["unknown", "lines", "counted"] = "unknown"
        self._held = b""
        self._left = self._piece = 0
        self._message = bytearray()

    def push(self, chunk: bytes) -> list[Line]:
        """The messages that ``chunk`` completes."""
        if self._framing == "lines":
            return self._lines.push(chunk)
        data, self._held = self._held + chunk, b""
        if self._framing == "unknown":
            if not data or _MAYBE.match(data):
                self._held = data
                return []
            self._framing = "counted" if _COUNTED.match(data) else "lines"
            return self.push(data)
        return self._counted(data)

    def _counted(self, data: bytes) -> list[Line]:
        lines: list[Line] = []
        at = 0
        while at < len(data):
            if self._left:
                part = data[at : at + min(self._left, self._most - len(self._message))]
                self._message += part
                self._left -= len(part)
                at += len(part)
                if self._left == 0 or len(self._message) >= self._most:
                    lines.append(self._line())
                continue
            found = _LENGTH.match(data, at)
            if found is not None:
                self._left, at = int(found[1]), found.end()
            elif _MAYBE.match(data, at):
                self._held = data[at:]
                return lines
            else:  # what follows has no length: read on by line feed, lest anything be lost
                self._framing = "lines"
                return lines + self._lines.push(data[at:])
        return lines

    def _line(self) -> Line:
        """The message that is held; a piece of it, where it is too long to be held."""
        data = bytes(self._message) if self._left else bytes(self._message).rstrip(b"\r\n\0")
        self._message.clear()
        self._piece += 1
        piece = self._piece if self._left or self._piece > 1 else 0
        if not self._left:
            self._piece = 0
        return Line(data, self._origin, 0, piece)

    def rest(self) -> list[Line]:
        """What came of a message that was not finished."""
        lines = []
        if self._message:
            self._left = 0
            lines.append(self._line())
        if self._held:
            lines += self._lines.push(self._held)
        return [*lines, *self._lines.rest(), Line(None, self._origin)]


class Tcp:
    """One TCP port with its connections."""

    def __init__(
        self, address: Address, source_of: Callable[[str], str | None] = lambda _: None
    ) -> None:
        self._source_of = source_of
        self._listener = address.bind()
        self._listener.listen(128)
        self._listener.setblocking(False)
        self.address = Address("tcp", *self._listener.getsockname()[:2])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._frames: dict[socket.socket, Frames] = {}
        self._stopping = False
        self.refused = self.opened = 0
        self.warnings: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether listening was stopped and every connection given."""
        return self._stopping and not self._frames

    def take(self) -> list[Line]:
        """What has come on any connection, a little of each."""
        lines: list[Line] = []
        for key, _ in self._selector.select(0)[:TURN]:
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket):
                lines += self._read(key.fileobj)
        if self._stopping and not lines:
            for connection in list(self._frames):
                lines += self._drop(connection)
        return lines

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:
            return
        if len(self._frames) >= CONNECTIONS:
            self.refused += 1
            connection.close()
            return
        connection.setblocking(False)
        self.opened += 1
        origin = Origin(f"tcp:{peer[0]}:{peer[1]}", self._source_of(peer[0]), peer=peer[0])
        self._frames[connection] = Frames(origin)
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> list[Line]:
        try:
            chunk = connection.recv(READ)
        except BlockingIOError:
            return []
        except OSError:
            chunk = b""
        return self._frames[connection].push(chunk) if chunk else self._drop(connection)

    def _drop(self, connection: socket.socket) -> list[Line]:
        lines = self._frames.pop(connection).rest()
        self._selector.unregister(connection)
        connection.close()
        return lines

    def stop(self) -> None:
        """Take no new connection; give what the others have sent."""
        if not self._stopping:
            self._stopping = True
            self._accept_all()
            self._selector.unregister(self._listener)
            self._listener.close()

    def _accept_all(self) -> None:
        """Connections that stand in line have sent something, too."""
        before = -1
        while self.opened + self.refused != before:
            before = self.opened + self.refused
            self._accept()

    def close(self) -> None:
        """Close every socket."""
        for connection in self._frames:
            connection.close()
        self._frames = {}
        self._listener.close()
        self._selector.close()

    def descriptors(self) -> list[int]:
        """The selector's own, which is readable when any socket is."""
        found = getattr(self._selector, "fileno", None)
        return [] if found is None else [found()]

    def begun(self) -> list[tuple[Origin, int]]:
        """None: what a socket gave cannot be gone back to."""
        return []

    def lost(self) -> dict[str, int]:
        """Connections that were refused because there were too many."""
        return {"tcp_refused": self.refused} if self.refused else {}
