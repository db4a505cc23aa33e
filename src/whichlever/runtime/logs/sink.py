"""Where the lines of a stream go: a file, which a checkpoint can cut back, or a pipe."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from whichlever.errors import InputError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks
    fcntl = None  # type: ignore[assignment]


class Sink:
    """An output that is written in order.

    Attributes
    ----------
    written
        Bytes of whole lines in it.
    """

    def __init__(self, file: IO[bytes], written: int, name: str, *, seekable: bool) -> None:
        self._file, self.written, self.name, self._seekable = file, written, name, seekable

    @classmethod
    def to_file(cls, path: Path, certain: int | None) -> Sink:
        """Open a file.

        Parameters
        ----------
        certain
            Bytes of it that a checkpoint vouches for; what stands behind them is cut off. None
            for a new file.

        Raises
        ------
        InputError
            It is there already and nothing vouches for it, is shorter than it should be, or is
            being written by another process.
        """
        if not path.parent.is_dir():
            raise InputError(f"{path.parent}: no such folder")
        there = path.stat().st_size if path.exists() else None
        if certain is None and there:
            raise InputError(
                f"{path} is there already; give another -o, or --restart to replace it"
            )
        if certain and (there is None or there < certain):
            raise InputError(
                f"{path} is shorter than its checkpoint says; bring it back, or --restart"
            )
        file = path.open("r+b" if there is not None else "w+b", buffering=0)
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.close()
                raise InputError(f"{path}: another process is writing it") from error
        file.truncate(certain or 0)
        file.seek(certain or 0)
        return cls(file, certain or 0, str(path), seekable=True)

    def write(self, lines: bytes) -> None:
        """Write whole lines.

        Raises
        ------
        OSError
            The disk is full, the reader has gone: a torn line is cut off a file again.
        """
        left = memoryview(lines)
        try:
            while left:
                count = self._file.write(left)
                left = left[count or 0 :]
        except OSError:
            if self._seekable:
                with suppress(OSError):
                    self._file.truncate(self.written)
            raise
        self.written += len(lines)

    def sync(self) -> None:
        """Bring what was written to the disk."""
        if self._seekable:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close a file; a pipe is left to its owner."""
        if self._seekable:
            self._file.close()
