"""Opening hostile files: compression by content, bounded sizes, lines with their numbers."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from whichlever.errors import DataError
from whichlever.taskfile import nearest

MAX_LINE_BYTES = 64 * 1024**2
"""No row is this long; a file that never ends its line is not read into memory."""

MAX_RATIO = 500
"""Text shrinks by 3 to 100 in gzip, repeated log lines by up to about 300, a bomb by 1,000."""

RATIO_FROM_BYTES = 256 * 1024**2
"""Small files are never bombs; the ratio counts only from here on."""

MAX_BYTES = 32 * 1024**3
"""Decompressed bytes of one file."""

Compression = Literal["gzip", "zstd"]
Format = Literal["jsonl", "csv", "parquet"]

_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_COMPRESSED: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


@dataclass(frozen=True)
class Source:
    """One data file: ``name`` is what the task (and every error) calls it."""

    name: str
    path: Path
    compression: Compression | None
    format: Format


def find_source(name: str, path: Path) -> Source:
    """Look at a file's name and first bytes.

    Raises
    ------
    DataError
        It is not there, empty, or its content is not what its name says.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except (OSError, ValueError) as error:
        raise DataError(_unreadable(name, path, error)) from error
    if not head:
        raise DataError(f"{name}: the file is empty; it should hold one row per line")
    suffixes = [s.lower() for s in path.suffixes]
    compression = next((c for magic, c in _MAGIC.items() if head.startswith(magic)), None)
    claimed = _COMPRESSED.get(suffixes[-1]) if suffixes else None
    if claimed and compression != claimed:
        held = f"{compression} data" if compression else "no compressed data"
        raise DataError(
            f"{name}: its name says {claimed}, its content is {held}; "
            f"rename it, or fetch it again if the download broke"
        )
    if claimed:
        suffixes.pop()
    by_name = _FORMATS.get(suffixes[-1]) if suffixes else None
    return Source(name, path, compression, by_name or _sniff(name, head, compression))


@contextmanager
def open_source(source: Source) -> Iterator[io.BufferedReader]:
    """The decompressed bytes of a file, as a stream that stops at the limits.

    Raises
    ------
    DataError
        The compressed data is damaged or cut off, or grows out of all proportion.
    """
    try:
        with source.path.open("rb") as raw:
            size = source.path.stat().st_size
            inner: IO[bytes] = raw
            if source.compression == "gzip":
                inner = gzip.GzipFile(fileobj=raw)  # type: ignore[assignment]
            elif source.compression == "zstd":
                inner = _zstd(raw)
            if source.compression is None:
                yield raw
            else:
                yield io.BufferedReader(_Bounded(inner, source.name, size), 1 << 18)
    except EOFError as error:
        raise DataError(
            f"{source.name}: the compressed data ends in the middle; fetch or write it again"
        ) from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{source.name}: damaged {source.compression} data ({error}); fetch or write it again"
        ) from error
    except OSError as error:
        raise DataError(_unreadable(source.name, source.path, error)) from error


def read_lines(source: Source) -> Iterator[tuple[int, str]]:
    """Each line of a text file as (number from 1, text with its line end).

    Raises
    ------
    DataError
        A line is too long, holds NUL bytes or is not UTF-8; it says which one and at what byte.
    """
    with open_source(source) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            yield number, _decode(source.name, number, line)


def _decode(name: str, number: int, line: bytes) -> str:
    where = f"{name}:{number}"
    if len(line) > MAX_LINE_BYTES:
        raise DataError(
            f"{where}: the line is longer than {MAX_LINE_BYTES >> 20} MiB; write one row per line"
        )
    if number == 1:
        if line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{where}: the file is UTF-16, not UTF-8; save it as UTF-8")
        line = line.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in line:
        raise DataError(
            f"{where}: NUL byte at byte {line.index(0)} of the line; "
            "the file is damaged or half-written: write it again"
        )
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: not UTF-8 at byte {error.start} of the line "
            f"(0x{line[error.start]:02x}); save the file as UTF-8"
        ) from error


class _Bounded(io.RawIOBase):
    """Passes bytes on, counting, and refuses a file that grows out of all proportion."""

    def __init__(self, inner: IO[bytes], name: str, size: int) -> None:
        self._inner = inner
        self._name = name
        self._most = min(MAX_BYTES, max(RATIO_FROM_BYTES, size * MAX_RATIO))
        self._seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        block = self._inner.read(len(buffer))
        self._seen += len(block)
        if self._seen > self._most:
            raise DataError(
                f"{self._name}: grows to more than {self._most >> 20} MiB when decompressed, which "
                "no table of texts does; decompress it yourself if it is what you think it is"
            )
        buffer[: len(block)] = block
        return len(block)


def _zstd(raw: IO[bytes]) -> IO[bytes]:
    import pyarrow as pa

    stream: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    return stream


def _sniff(name: str, head: bytes, compression: Compression | None) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    if compression is None and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return "jsonl"
    raise DataError(
        f"{name}: unknown kind of file; name it .jsonl, .csv, .tsv or .parquet "
        "(.gz or .zst after it where compressed)"
    )


def _unreadable(name: str, path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        there = [p.name for p in path.parent.iterdir() if p.is_file()]
        return f"{name}: no such file in {path.parent}{nearest(path.name, there, shown=5)}"
    return f"{name}: cannot be read ({reason})"
