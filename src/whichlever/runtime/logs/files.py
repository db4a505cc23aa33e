"""Files read to their end, one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from whichlever.errors import InputError
from whichlever.runtime.logs.lines import Line, Origin
from whichlever.runtime.logs.position import Position
from whichlever.runtime.logs.trail import Trail


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
        for path in paths:
            if not path.is_file():
                raise InputError(f"{path}: no such file")
        self._trails = [Trail(path, source, after.get(str(path))) for path, source in paths.items()]
        self._begun: list[tuple[Origin, int]] = []
        self.warnings: list[str] = []
        """Files that could not be found again."""

    @property
    def ended(self) -> bool:
        """Whether every file was read, or reading was stopped."""
        return not self._trails

    def take(self) -> list[Line]:
        """The lines of the next chunk."""
        if not self._trails:
            return []
        trail = self._trails[0]
        opened = trail.current()
        self._begun += trail.begun()
        if trail.warning is not None and trail.warning not in self.warnings:
            self.warnings.append(trail.warning)
        if opened is None:
            self._trails.pop(0)
            return self.take()
        lines, ended = opened.read()
        if ended:
            lines += [*opened.rest(), Line(None, opened.origin)]
            last = not trail.moved()
            trail.leave(finished=True)
            if last:
                self._trails.pop(0)
        return lines

    def stop(self) -> None:
        """Read no further; where it stood is in the checkpoint."""
        self.close()

    def close(self) -> None:
        """Close what is open."""
        for trail in self._trails:
            trail.close()
        self._trails = []

    def descriptors(self) -> list[int]:
        """None: a file is always ready."""
        return []

    def begun(self) -> list[tuple[Origin, int]]:
        """Files opened since this was last asked, each with the byte it was begun at."""
        found, self._begun = self._begun, []
        return found

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
