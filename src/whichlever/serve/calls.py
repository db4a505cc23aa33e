"""One HTTP request over ASGI, read within bounds; replies and problems (RFC 9457)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from whichlever.serve.wire import NotJson, dumped, loaded

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MOST_EXPLAINED = 20
"""Words that are named for one row."""

MOST_TOP = 100_000
"""Labels that scores can be asked of: more than any bundle has."""

MOST_ROWS_EXPLAINED = 32
"""Rows of one request whose words are named: an encoder is asked again for every word."""

JSON = b"application/json"
PROBLEM = b"application/problem+json"

Headers = tuple[tuple[bytes, bytes], ...]

CLOSE: Headers = ((b"connection", b"close"),)

LINGER_BYTES, LINGER_SECONDS = 64 * 2**20, 2.0
"""What is still read, and for how long, of a body that was refused."""


class Reply(NamedTuple):
    """What goes back."""

    body: bytes
    status: int = 200
    kind: bytes = JSON
    headers: Headers = ()


class Stream(NamedTuple):
    """What goes back piece by piece; it is left unfinished where its caller has gone."""

    parts: AsyncIterator[bytes]
    kind: bytes
    status: int = 200
    headers: Headers = ()


def reply(value: object, status: int = 200) -> Reply:
    """A JSON value."""
    return Reply(dumped(value), status)


class Problem(Exception):
    """What is wrong with a request; it never repeats what the request held."""

    def __init__(self, status: int, title: str, detail: str = "", headers: Headers = ()) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers

    def reply(self) -> Reply:
        """As ``application/problem+json``."""
        said = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            said["detail"] = self.detail
        return Reply(orjson.dumps(said), self.status, PROBLEM, self.headers)


class Room:
    """Bytes of requests that are in hand at once; beyond ``most`` there is no room for more."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, size: int) -> bool:
        """Take room, or say that there is none."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        """Give it back."""
        self._left += size


class Call:
    """A request as its handler sees it.

    Attributes
    ----------
    key, rows
        Who asks, and for how many rows; for the log.
    held
        Bytes of the server's `Room` that it holds until it is answered.
    """

    __slots__ = ("_headers", "_receive", "held", "key", "method", "path", "rows")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive
        self.key: str | None = None
        self.rows: int | None = None
        self.held = 0

    def header(self, name: bytes) -> str:
        """A header by its lower-case name; empty where it is not there."""
        for have, value in self._headers:
            if have == name:
                return value.decode("latin-1")
        return ""

    @property
    def kind(self) -> str:
        """The type of the body as the caller gives it, in lower case and without parameters."""
        return self.header(b"content-type").split(";")[0].strip().lower()

    async def body(self, most: int, seconds: float, room: Room) -> bytes:
        """The body, of bounded size and within bounded time.

        Raises
        ------
        Problem
            413 too large, 408 too slow, 429 too many bytes are in hand already.
        """
        said = self.header(b"content-length")
        if said.isdecimal() and (len(said) > 15 or int(said) > most):
            raise Problem(413, "The body is too large", f"at most {most} bytes", CLOSE)
        try:
            async with asyncio.timeout(seconds):
                return await self._body(most, room)
        except TimeoutError:
            raise Problem(408, "The body came too slowly", headers=CLOSE) from None

    async def rest(self) -> None:
        """Read what the caller still sends and forget it, for a while.

        A connection that is closed with bytes unread is reset, and a reset can overtake the answer
        that was just written.
        """
        left = LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while left > 0:
                    message = await self._receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        return
                    left -= len(message.get("body", b""))

    async def json(self, most: int, seconds: float, room: Room) -> tuple[dict[str, Any], bytes]:
        """The body as a JSON object, and its bytes.

        Raises
        ------
        Problem
            As `body`; 415 not JSON by its type, 400 not a JSON object.
        """
        kind = self.kind
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise Problem(415, "The body is to be JSON", "Content-Type: application/json")
        body = await self.body(most, seconds, room)
        try:
            given = loaded(body)
        except NotJson:
            raise Problem(400, "The body is not JSON") from None
        if not isinstance(given, dict):
            raise Problem(400, "The body is not a JSON object")
        return given, body

    async def _body(self, most: int, room: Room) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "The connection was closed")
            chunk: bytes = message.get("body", b"")
            if chunk:
                if self.held + len(chunk) > most:
                    raise Problem(413, "The body is too large", f"at most {most} bytes", CLOSE)
                if not room.take(len(chunk)):
                    raise Problem(429, "Too much is in hand already", headers=(*CLOSE, *later(1)))
                self.held += len(chunk)
                parts.append(chunk)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


def later(seconds: float) -> Headers:
    """When to come again."""
    return ((b"retry-after", str(max(1, int(seconds + 1))).encode()),)


def rows_of(given: dict[str, Any], most: int) -> tuple[list[Any], bool]:
    """The rows of a `/v1/predict` body, and whether it was one row alone.

    Raises
    ------
    Problem
        422: neither ``row`` nor ``rows``, an unknown member, or too many rows.
    """
    if not given.keys() <= {"row", "rows", "explain", "top"}:
        raise Problem(422, "An unknown member", "rows, row, explain and top are known")
    if ("row" in given) == ("rows" in given):
        raise Problem(422, "Give rows (a list) or row (one)")
    if "row" in given:
        return [given["row"]], True
    rows = given["rows"]
    if not isinstance(rows, list) or not rows:
        raise Problem(422, "rows is to be a list with something in it")
    if len(rows) > most:
        raise Problem(422, "Too many rows", f"at most {most} in one request")
    return rows, False


def explain_of(given: dict[str, Any], rows: int) -> int:
    """How many words to name of each row; 422 where it is no such number, or rows are too many."""
    asked = _whole(given.get("explain", 0))
    if asked is None or not 0 <= asked <= MOST_EXPLAINED:
        raise Problem(422, f"explain is a whole number from 0 to {MOST_EXPLAINED}")
    if asked and rows > MOST_ROWS_EXPLAINED:
        raise Problem(422, "Too many rows to explain", f"at most {MOST_ROWS_EXPLAINED} in one")
    return asked


REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Of a caller's X-Request-ID, what is taken over; anything else gets one of ours."""


def top_of(given: dict[str, Any]) -> int | None:
    """How many of the most probable labels to give scores of; None for all; 422 for no number."""
    asked = _whole(given.get("top", MOST_TOP))
    if asked is None or not 1 <= asked <= MOST_TOP:
        raise Problem(422, f"top is a whole number from 1 to {MOST_TOP}")
    return asked if "top" in given else None


def _whole(value: object) -> int | None:
    """A whole number as JSON has it, 4.0 among them; None of anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


async def sent(stream: Stream, receive: Receive, send: Send) -> None:
    """Send a stream's parts as they come, until its caller has gone."""
    gone = asyncio.ensure_future(receive())
    try:
        async for part in stream.parts:
            if gone.done():
                break
            await send({"type": "http.response.body", "body": part, "more_body": True})
    finally:
        gone.cancel()
        close = getattr(stream.parts, "aclose", None)
        if close is not None:
            await close()
    await send({"type": "http.response.body", "body": b""})
