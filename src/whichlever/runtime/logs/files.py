"""Files read to their end, one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from whichlever.errors import DataError, InputError
from whichlever.runtime.logs.lines import Line, Origin
from whichlever.runtime.logs.opened import OpenedFile
from whichlever.runtime.logs.position import Position, unread


class Files:
    """Files that are complete, plain or gzip.

    Parameters
    ----------
    paths
        Path → the source that writes it, or None.
    after
        Where an earlier run stood, by path; what a file has gained since is read.

    Raises
    ------
    InputError
        A file is not there.
    """

    def __init__(self, paths: Mapping[Path, str | None], after: Mapping[str, Position]) -> None:
        self._left: list[tuple[Path, int, Path, str | None]] = []
        self.warnings: list[str] = []
        for path, source in paths.items():
            if not path.is_file():
                raise InputError(f"{path}: no such file")
            chain, gone = unread(path, after.get(str(path)))
            self.warnings += [gone] if gone else []
            self._left += [(found, at, path, source) for found, at in chain]
        self._opened: OpenedFile | None = None
        self._stopping = False

    @property
    def ended(self) -> bool:
        """Whether every file was read, or reading was stopped."""
        return self._opened is None and not self._left

    def take(self) -> list[Line]:
        """The lines of the next chunk."""
        if self._opened is None:
            if not self._left:
                return []
            found, at, path, source = self._left.pop(0)
            try:
                self._opened = OpenedFile(found, Origin(str(path), source, str(path)), at)
            except OSError as error:
                raise DataError(f"{found}: {error.strerror}") from error
        lines, ended = self._opened.read()
        if ended:
            lines += [*self._opened.rest(), Line(None, self._opened.origin)]
            self.close()
        return lines

    def stop(self) -> None:
        """Read no further; where it stood is in the checkpoint."""
        self._left = []
        self.close()

    def close(self) -> None:
        """Close what is open."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def descriptors(self) -> list[int]:
        """None: a file is always ready."""
        return []

    def lost(self) -> dict[str, int]:
        """Files that were rotated away while nobody read."""
        return {"files": len(self.warnings)} if self.warnings else {}


def paths_of(names: Sequence[str]) -> list[Path]:
    """The files that are meant, in order; a name with ``*`` that is no file means what it matches.

    Raises
    ------
    InputError
        A pattern matches nothing, or a file is meant twice.
    """
    paths: list[Path] = []
    for name in names:
        path = Path(name)
        if "*" in path.name and not path.exists():
            found = sorted(p for p in path.parent.glob(path.name) if p.is_file())
            if not found:
                raise InputError(f"{name}: matches no file")
            paths += found
        else:
            paths.append(path)
    twice = next((p for i, p in enumerate(paths) if p in paths[:i]), None)
    if twice is not None:
        raise InputError(f"{twice}: given twice")
    return paths
