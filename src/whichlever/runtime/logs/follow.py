"""Files that grow, followed through rotation: renamed, copied and truncated, packed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from whichlever.runtime.logs.lines import Line, Origin
from whichlever.runtime.logs.opened import OpenedFile
from whichlever.runtime.logs.position import Position
from whichlever.runtime.logs.trail import Trail

GRACE = 2.0
"""Seconds for which a renamed file is still read: its writer opens the new one a little later."""


@dataclass
class _Tail:
    trail: Trail
    moved: float | None = None
    """Since when the name means another file."""
    until: int | None = None
    """After stop: the byte to read up to."""
    done: bool = False


class Follow:
    """Several files followed at once.

    Parameters
    ----------
    paths
        Path → the source that writes it, or None; a file need not be there yet.
    after
        Where an earlier run stood, by path.
    keep_unfinished
        On stop, leave a last line without line end unread (a checkpoint holds the place before
        it); otherwise it is given as it stands.
    """

    def __init__(
        self,
        paths: Mapping[Path, str | None],
        after: Mapping[str, Position],
        *,
        keep_unfinished: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keep, self._clock = keep_unfinished, clock
        self._tails = [
            _Tail(Trail(path, source, after.get(str(path)))) for path, source in paths.items()
        ]
        self.unfinished = 0
        """Bytes of unfinished last lines that were left unread."""

    @property
    def ended(self) -> bool:
        """Whether reading was stopped and everything from before was given."""
        return all(tail.done for tail in self._tails)

    @property
    def warnings(self) -> list[str]:
        """Files that could not be found again, and a line that waits for its end."""
        said = [tail.trail.warning for tail in self._tails if tail.trail.warning is not None]
        if self.unfinished:
            said.append(
                f"{self.unfinished:,} bytes of an unfinished line are left for the next run"
            )
        return said

    def take(self) -> list[Line]:
        """What has been added, each file in turn."""
        lines: list[Line] = []
        for tail in self._tails:
            if not tail.done:
                lines += self._read(tail)
        return lines

    def _read(self, tail: _Tail) -> list[Line]:
        opened = tail.trail.current()
        if opened is None:
            tail.done = tail.until is not None
            return []
        if opened.rewritten():
            # It goes on in the copy made before, if there is one; without one nothing tells
            # whether something was cut off unread.
            tail.trail.leave(finished=False)
            return [Line(None, opened.origin)]
        lines, ended = opened.read()
        if not ended:
            return lines
        if tail.trail.moved():
            tail.moved = self._clock() if tail.moved is None else tail.moved
            waited = self._clock() - tail.moved >= GRACE or tail.until is not None
            if waited and not lines:
                tail.moved = None
                tail.trail.leave(finished=True)
                return [*opened.rest(), Line(None, opened.origin)]
            return lines
        tail.moved = None
        if tail.until is not None:
            return lines + self._stopped(tail, opened)
        return lines

    def _stopped(self, tail: _Tail, opened: OpenedFile) -> list[Line]:
        tail.done = True
        tail.trail.close()
        if self._keep and opened.pending:
            self.unfinished += opened.pending
            return [Line(None, opened.origin)]
        return [*opened.rest(), Line(None, opened.origin)]

    def stop(self) -> None:
        """Read on to the end of what is there, then end."""
        for tail in self._tails:
            tail.until = 0

    def close(self) -> None:
        """Close what is open."""
        for tail in self._tails:
            tail.trail.close()

    def descriptors(self) -> list[int]:
        """None: a file says nothing when it grows."""
        return []

    def begun(self) -> list[tuple[Origin, int]]:
        """Files opened since this was last asked, each with the byte it was begun at."""
        return [opened for tail in self._tails for opened in tail.trail.begun()]

    def lost(self) -> dict[str, int]:
        """Files that were rotated away while nobody read."""
        gone = sum(tail.trail.warning is not None for tail in self._tails)
        return {"files": gone} if gone else {}
