"""The files that one name has been given to, one after another."""

from __future__ import annotations

from pathlib import Path

from whichlever.errors import DataError
from whichlever.runtime.logs.lines import Origin
from whichlever.runtime.logs.opened import OpenedFile
from whichlever.runtime.logs.position import Position, position, unread

TRIES = 5
"""How often a file is looked for again that was renamed between looking and opening."""


class Trail:
    """Opens the file that a name means now, or one that it meant before, and those after it.

    Which file comes next is asked when the one before has been read, not earlier: names may move
    on while a long file is being read.

    Parameters
    ----------
    path
        The name.
    source
        What writes it, or None.
    after
        Where reading stood; None begins with what the name means now.
    """

    def __init__(self, path: Path, source: str | None, after: Position | None) -> None:
        self.path, self._source, self._after = path, source, after
        self.opened: OpenedFile | None = None
        self.warning: str | None = None
        """What could not be found, once."""
        self._finished = False
        self._begun: list[tuple[Origin, int]] = []

    def begun(self) -> list[tuple[Origin, int]]:
        """Files opened since this was last asked, each with the byte it was begun at."""
        found, self._begun = self._begun, []
        return found

    def current(self) -> OpenedFile | None:
        """The file to read; None where there is none yet."""
        for _ in range(TRIES):
            if self.opened is not None:
                return self.opened
            found = self._next()
            if found is None:
                return None
            try:
                self.opened = OpenedFile(
                    found[0], Origin(str(self.path), self._source, str(self.path)), found[1]
                )
            except FileNotFoundError:
                continue
            except OSError as error:
                raise DataError(f"{found[0]}: {error.strerror}") from error
            if self._next() != found:  # renamed in between: another file was meant
                self.opened.close()
                self.opened = None
                continue
            self._begun.append((self.opened.origin, found[1]))
        return self.opened

    def _next(self) -> tuple[Path, int] | None:
        chain, gone = unread(self.path, self._after)
        if gone is not None:
            # A file that was read to its end may be deleted; one that was not is a loss.
            self.warning = self.warning or (None if self._finished else gone)
            return chain[0] if chain else None
        place = 1 if self._finished else 0
        return chain[place] if len(chain) > place else None

    def moved(self) -> bool:
        """Whether the file being read no longer has the name, and another one does."""
        if self.opened is None:
            return False
        try:
            return self.path.stat().st_ino != self.opened.origin.inode
        except OSError:
            return False  # no new file yet: its writer may still write to the old one

    def leave(self, *, finished: bool) -> None:
        """Close the file being read, which has been read to its end or goes on elsewhere."""
        opened = self.opened
        if opened is not None:
            at = opened.position if finished else opened.complete
            self._after, self._finished = position(opened.origin, at), finished
            opened.close()
            self.opened = None

    def close(self) -> None:
        """Close what is open."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None
