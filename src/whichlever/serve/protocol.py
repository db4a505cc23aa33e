"""uvicorn's HTTP protocol with an end to its patience and a bound on everything it holds."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
"""Who has not sent a request's head by then is cut off."""

WRITE_SECONDS = 30.0
"""Who does not read an answer by then is cut off, and the answer forgotten."""

MOST_HEAD = 64 * 2**10
"""Bytes of a request that are not body: its head, its trailers, what frames its chunks."""

FRAMING = 8
"""A body sent one byte a chunk takes six; bytes beyond `MOST_HEAD` and this many per byte of body
frame nothing."""

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)


class Patient(HttpToolsProtocol):
    """A connection must ask in time, and briefly.

    The parser underneath bounds neither a head's size nor how long it takes to come, and keeps all
    of it in memory.
    """

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own type
        """Start the clock: something must come."""
        super().connection_made(transport)
        self._hurry: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._came = self._body = 0
        self._reading = False  # a head is complete, its message is not
        self._start()

    def data_received(self, data: bytes) -> None:
        """Count what comes, and keep the clock running only while a head is incomplete."""
        self._came += len(data)
        super().data_received(data)
        if self.parser is None or self.transport.is_closing():
            return
        if self._came > MOST_HEAD + FRAMING * self._body:
            if not self._reading and (self.cycle is None or self.cycle.response_complete):
                self.transport.write(TOO_LARGE)
            self.transport.close()
        elif not self._reading and self._came and self._hurry is None:
            self._start()

    def on_headers_complete(self) -> None:
        """Stop the clock: the body has one of its own."""
        self._stop()
        self._reading = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count it apart: it is bounded by who reads it."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count anew."""
        self._came = self._body = 0
        self._reading = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Nobody reads: wait for that, but not for ever."""
        if self._unread is None:
            self._unread = asyncio.get_running_loop().call_later(
                WRITE_SECONDS, self.transport.abort
            )
        super().pause_writing()

    def resume_writing(self) -> None:
        """Somebody does."""
        self._read()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection, with what nobody has read of its answers."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop()
        self._read()
        super().connection_lost(exc)

    def _start(self) -> None:
        self._hurry = asyncio.get_running_loop().call_later(HEADER_SECONDS, self._too_slow)

    def _stop(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _too_slow(self) -> None:
        self._hurry = None
        if not self.transport.is_closing():
            self.transport.close()
