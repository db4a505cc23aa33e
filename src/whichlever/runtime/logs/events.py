"""Lines joined to events by rule, with bounds, and decoded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from whichlever.runtime.logs.lines import Line, Origin
from whichlever.runtime.logs.masks import Begins

MAX_LINES = 500
"""Lines of one event."""
MAX_BYTES = 2**20
"""Bytes of one event of several lines; what comes after is the next event, and says so."""
WAIT = 1.0
"""Seconds after which an event is taken as complete though no other has begun."""

_LONE = re.compile("[\ud800-\udfff]")


class Event(NamedTuple):
    """One event, decoded.

    Attributes
    ----------
    text
        Its lines with line feeds between; bytes that are not UTF-8 are lone surrogates (PEP 383),
        so that offsets count code points.
    raw
        Its bytes where they are not UTF-8, else None.
    end
        The byte after it in its file.
    lines
        How many lines it is.
    flags
        ``multiline``, ``split`` (a bound was met, the rest is the next event), ``piece:N``.
    """

    text: str
    raw: bytes | None
    origin: Origin
    end: int
    lines: int = 1
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class _Held:
    origin: Origin
    since: float
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    end: int = 0
    split: bool = False


class Joiner:
    """Joins the lines of each origin to events.

    Parameters
    ----------
    begins
        The rule; None makes each line an event.
    lines, bytes_, wait
        Bounds of one event, and seconds it is held for its next line.
    """

    def __init__(
        self,
        begins: Begins | None = None,
        *,
        lines: int = MAX_LINES,
        bytes_: int = MAX_BYTES,
        wait: float = WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._begins, self._lines, self._bytes, self._wait = begins, lines, bytes_, wait
        self._clock = clock
        self._held: dict[Origin, _Held] = {}

    def push(self, lines: Iterable[Line]) -> list[Event]:
        """The events that these lines complete, in order."""
        if self._begins is None:
            return [
                event(line.data, line.origin, line.end, piece=line.piece)
                for line in lines
                if line.data is not None
            ]
        done: list[Event] = []
        now = self._clock()
        for line in lines:
            if line.data is None:
                done += self._close(line.origin)
            elif line.piece:
                done += self._close(line.origin)
                done.append(event(line.data, line.origin, line.end, piece=line.piece))
            else:
                done += self._joined(line, now)
        return done

    def _joined(self, line: Line, now: float) -> list[Event]:
        done: list[Event] = []
        data = line.data or b""
        held = self._held.get(line.origin)
        if held is not None:
            full = len(held.lines) >= self._lines or held.size + len(data) > self._bytes
            if self._begins is None or self._begins(data):
                done.append(_event(held))
                held = None
            elif full:
                held.split = True
                done.append(_event(held))
                held = None
                self._hold(line, now, split=True)
                return done
        if held is None:
            self._hold(line, now)
        else:
            held.lines.append(data)
            held.size += len(data) + 1
            held.end, held.since = line.end, now
        return done

    def _hold(self, line: Line, now: float, split: bool = False) -> None:
        data = line.data or b""
        self._held[line.origin] = _Held(line.origin, now, [data], len(data), line.end, split)

    def _close(self, origin: Origin) -> list[Event]:
        held = self._held.pop(origin, None)
        return [] if held is None else [_event(held)]

    def due(self) -> list[Event]:
        """The events that have waited long enough."""
        if not self._held:
            return []
        before = self._clock() - self._wait
        old = [origin for origin, held in self._held.items() if held.since <= before]
        return [event for origin in old for event in self._close(origin)]

    def rest(self) -> list[Event]:
        """Every event that is still held."""
        return [event for origin in list(self._held) for event in self._close(origin)]

    @property
    def waiting(self) -> bool:
        """Whether an event is held."""
        return bool(self._held)


def _event(held: _Held) -> Event:
    data = b"\n".join(line.removesuffix(b"\r") for line in held.lines)
    return event(data, held.origin, held.end, lines=len(held.lines), split=held.split)


def event(
    data: bytes, origin: Origin, end: int, *, lines: int = 1, split: bool = False, piece: int = 0
) -> Event:
    """Decode the bytes of one event."""
    if data.endswith(b"\r"):
        data = data[:-1]
    raw = None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, raw = data.decode("utf-8", "surrogateescape"), data
    if lines == 1 and not split and not piece:
        return Event(text, raw, origin, end)
    flags = ("multiline",) * (lines > 1) + ("split",) * split + (f"piece:{piece}",) * bool(piece)
    return Event(text, raw, origin, end, lines, flags)


def visible(text: str) -> str:
    """Text without lone surrogates, as long as before: what strict readers of JSON accept."""
    return _LONE.sub("\N{REPLACEMENT CHARACTER}", text)
