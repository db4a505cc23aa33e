"""Files that grow, followed through rotation: renamed, copied and truncated, packed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from whichlever.errors import DataError
from whichlever.runtime.logs.lines import Line, Origin
from whichlever.runtime.logs.opened import OpenedFile
from whichlever.runtime.logs.position import Position, position, unread

GRACE = 1.0
"""Seconds for which a renamed file is still read: its writer opens the new one a little later."""


@dataclass
class _Tail:
    """One path: the file that is open, and what is to be read before the file of that name."""

    path: Path
    source: str | None
    chain: list[tuple[Path, int]] = field(default_factory=list)
    opened: OpenedFile | None = None
    moved: float | None = None
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
        self._tails: list[_Tail] = []
        self.warnings: list[str] = []
        self.unfinished = 0
        """Bytes of unfinished last lines that were left unread."""
        for path, source in paths.items():
            chain, gone = unread(path, after.get(str(path)))
            self.warnings += [gone] if gone else []
            self._tails.append(_Tail(path, source, chain))

    @property
    def ended(self) -> bool:
        """Whether reading was stopped and everything from before was given."""
        return all(tail.done for tail in self._tails)

    def take(self) -> list[Line]:
        """What has been added, each file in turn."""
        lines: list[Line] = []
        for tail in self._tails:
            if not tail.done:
                lines += self._read(tail)
        return lines

    def _read(self, tail: _Tail) -> list[Line]:
        opened = tail.opened or self._open(tail)
        if opened is None:
            tail.done = tail.until is not None
            return []
        if not tail.chain and opened.rewritten():
            return self._again(tail, opened)
        lines, ended = opened.read()
        if tail.chain:
            return lines + self._shut(tail) if ended else lines
        if ended and not lines and self._rotated(tail, opened):
            tail.chain = self._next(tail, opened)
            return self._shut(tail)
        if tail.until is not None and (ended or opened.position >= tail.until):
            return lines + self._stopped(tail)
        return lines

    def _again(self, tail: _Tail, opened: OpenedFile) -> list[Line]:
        """Go on in the copy that was made before the file was truncated, then with the new lines.

        Without a copy nothing tells whether something was cut off unread.
        """
        origin = opened.origin
        chain, gone = unread(tail.path, position(origin.head, origin.inode, opened.complete))
        tail.chain = [(tail.path, 0)] if gone else chain
        opened.close()
        tail.opened = None
        return [Line(None, origin)]

    def _open(self, tail: _Tail) -> OpenedFile | None:
        """The next file of the chain, or the one of that name where it is there now."""
        if not tail.chain and tail.path.is_file():
            tail.chain = [(tail.path, 0)]
        while tail.chain:
            found, at = tail.chain.pop(0)
            try:
                tail.opened = OpenedFile(found, Origin(str(tail.path), tail.source, str(tail.path)),
                                         at)  # fmt: skip
            except FileNotFoundError:
                continue  # renamed between looking and opening: found again by its beginning
            except OSError as error:
                raise DataError(f"{found}: {error.strerror}") from error
            tail.moved = None
            return tail.opened
        return None

    def _rotated(self, tail: _Tail, opened: OpenedFile) -> bool:
        """Whether another file has that name by now, for longer than the grace."""
        try:
            same = tail.path.stat().st_ino == opened.origin.inode
        except OSError:
            return False  # no new file yet: the writer may still write to the old one
        if same:
            tail.moved = None
            return False
        tail.moved = self._clock() if tail.moved is None else tail.moved
        return tail.until is not None or self._clock() - tail.moved >= GRACE

    def _next(self, tail: _Tail, opened: OpenedFile) -> list[tuple[Path, int]]:
        """The files after the one that was renamed; several, where that happened more than once."""
        at = opened.position
        chain, gone = unread(tail.path, position(opened.origin.head, opened.origin.inode, at))
        # What is open has been read to its end, wherever it is by now, and be it deleted.
        return chain if gone else chain[1:]

    def _shut(self, tail: _Tail) -> list[Line]:
        opened = tail.opened
        assert opened is not None
        lines = [*opened.rest(), Line(None, opened.origin)]
        opened.close()
        tail.opened = None
        return lines

    def _stopped(self, tail: _Tail) -> list[Line]:
        opened = tail.opened
        assert opened is not None
        tail.done = True
        if self._keep and opened.pending:
            self.unfinished += opened.pending
            opened.close()
            tail.opened = None
            return [Line(None, opened.origin)]
        return self._shut(tail)

    def stop(self) -> None:
        """Read up to where each file ends now."""
        for tail in self._tails:
            try:
                tail.until = tail.path.stat().st_size
            except OSError:
                tail.until = 0

    def close(self) -> None:
        """Close what is open."""
        for tail in self._tails:
            if tail.opened is not None:
                tail.opened.close()
                tail.opened = None

    def descriptors(self) -> list[int]:
        """None: a file says nothing when it grows."""
        return []

    def lost(self) -> dict[str, int]:
        """Files that were rotated away while nobody read."""
        return {"files": len(self.warnings)} if self.warnings else {}
