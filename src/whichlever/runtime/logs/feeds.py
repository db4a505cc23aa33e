"""What a stream is read from: the protocol, and a pipe."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence
from typing import Protocol

from whichlever.errors import DataError
from whichlever.runtime.logs.lines import Line, Origin, Splitter

CHUNK = 2**18
"""Bytes read at once."""


class Feed(Protocol):
    """Something that lines come from.

    Nothing is read before it is asked for, so whoever writes too fast waits; only UDP cannot make
    its senders wait.
    """

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What the user should be told, a sentence each."""
        ...

    def take(self) -> list[Line]:
        """The lines that are there now, about `CHUNK` bytes at most; never waits.

        Raises
        ------
        DataError
            The input breaks off; what came before it was given.
        """
        ...

    def stop(self) -> None:
        """Take nothing new in: give what has been received, then end."""
        ...

    def close(self) -> None:
        """Let go of files and sockets."""
        ...

    def descriptors(self) -> list[int]:
        """File descriptors that tell when more is there; [] where only looking tells."""
        ...

    def begun(self) -> list[tuple[Origin, int]]:
        """Files opened since this was last asked, each with the byte it was begun at."""
        ...

    def lost(self) -> dict[str, int]:
        """What could not be kept, by kind, counted; {} where nothing was."""
        ...


class Pipe:
    """Standard input or another pipe, read as it comes.

    Parameters
    ----------
    descriptor
        An open file descriptor.
    """

    def __init__(self, descriptor: int, source: str | None = None) -> None:
        self._descriptor = descriptor
        self._lines = Splitter(Origin("-", source))
        self._stopping = False
        self.ended = False
        self.warnings: tuple[str, ...] = ()

    def take(self) -> list[Line]:
        """The lines that have come; the last one, too, once the pipe is closed."""
        if self.ended:
            return []
        ready, _, _ = select.select([self._descriptor], [], [], 0)
        if not ready:
            return self._end() if self._stopping else []
        try:
            chunk = os.read(self._descriptor, CHUNK)
        except OSError as error:
            raise DataError(f"standard input: breaks off ({error.strerror})") from error
        if not chunk:
            return self._end()
        lines = self._lines.push(chunk)
        return lines + self._end() if self._stopping else lines

    def _end(self) -> list[Line]:
        self.ended = True
        return [*self._lines.rest(), Line(None, self._lines.origin)]

    def stop(self) -> None:
        """End after what is in the pipe now."""
        self._stopping = True

    def close(self) -> None:
        """Leave the descriptor to whoever opened it."""

    def descriptors(self) -> list[int]:
        """The pipe's."""
        return [] if self.ended else [self._descriptor]

    def begun(self) -> list[tuple[Origin, int]]:
        """None: a pipe cannot be gone back to."""
        return []

    def lost(self) -> dict[str, int]:
        """Nothing: a writer waits until it is read."""
        return {}
