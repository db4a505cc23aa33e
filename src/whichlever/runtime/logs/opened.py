"""One file that is read from a byte on, plain or gzip."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import IO, cast

from whichlever.errors import DataError
from whichlever.runtime.logs.feeds import CHUNK
from whichlever.runtime.logs.lines import Line, Origin, Splitter
from whichlever.runtime.logs.position import HEAD, unpacked

_BOM = b"\xef\xbb\xbf"


class OpenedFile:
    """A file being read; offsets in gzip data count unpacked bytes.

    Parameters
    ----------
    origin
        What its lines are of; its ``head`` and ``inode`` are filled in.
    at
        The byte to go on at.

    Raises
    ------
    DataError
        A gzip file is damaged before ``at``.
    OSError
        It cannot be opened.
    """

    def __init__(self, path: Path, origin: Origin, at: int = 0) -> None:
        self.path, self.origin = path, origin
        self._raw: IO[bytes] = path.open("rb")
        origin.inode = os.fstat(self._raw.fileno()).st_ino
        self.packed = unpacked(self._raw)
        packed = gzip.GzipFile(fileobj=self._raw, mode="rb") if self.packed else None
        self._file = self._raw if packed is None else cast(IO[bytes], packed)
        try:
            origin.head = self._file.read(HEAD)
            if at == 0 and origin.head.startswith(_BOM):
                at = len(_BOM)
            self._file.seek(at)
        except (OSError, EOFError, zlib.error) as error:
            self._raw.close()
            raise self._broken(error) from error
        self._splitter = Splitter(origin, at)

    def read(self) -> tuple[list[Line], bool]:
        """Lines of the next chunk, and whether the file's end was met.

        Raises
        ------
        DataError
            A gzip file is damaged or breaks off.
        """
        try:
            chunk = self._file.read(CHUNK)
        except (OSError, EOFError, zlib.error) as error:
            raise self._broken(error) from error
        if len(self.origin.head) < HEAD and chunk and not self.packed:
            self.origin.head = os.pread(self._raw.fileno(), HEAD, 0)  # it was short, and has grown
        return (self._splitter.push(chunk) if chunk else []), len(chunk) < CHUNK

    def rest(self) -> list[Line]:
        """The last line, where it has no line end."""
        return self._splitter.rest()

    @property
    def pending(self) -> int:
        """Bytes of an unfinished last line."""
        return self._splitter.pending

    @property
    def complete(self) -> int:
        """The byte after the last complete line."""
        return self._splitter.at

    @property
    def position(self) -> int:
        """The byte that is read next."""
        return self._file.tell()

    def rewritten(self) -> bool:
        """Whether the file now holds something else, as after a copy and truncation."""
        if self.packed:
            return False
        descriptor, head = self._raw.fileno(), self.origin.head
        if os.fstat(descriptor).st_size < self._file.tell():
            return True
        return os.pread(descriptor, len(head), 0) != head

    def _broken(self, error: Exception) -> DataError:
        what = "the gzip data is damaged or cut off" if self.packed else "cannot be read"
        return DataError(f"{self.path}: {what} ({error}); the lines before it are done")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()
