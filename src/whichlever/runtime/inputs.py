"""Rows out of a file or a pipe, one at a time and in constant memory; a bad row is said in place.

Unlike training, which refuses a file with one bad row, `run` answers every other row of it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from whichlever.errors import DataError
from whichlever.runtime.inputs_csv import csv_rows

Format = Literal["jsonl", "csv", "parquet"]

FORMATS: Mapping[str, Format] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
    ".csv": "csv", ".tsv": "csv", ".parquet": "parquet",
}  # fmt: skip

MAX_LINE = 8 * 2**20
"""Bytes of one line; a longer one is an error row, and is not held in memory."""

MAX_DIGITS = 4_000
"""Digits of one JSON number."""

CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the input: its record, or what is wrong with it.

    ``end`` is the byte after it in a plain jsonl file, where a run can go on; else None.
    """

    record: Mapping[str, Any] | None
    error: str | None = None
    end: int | None = None


def format_of(path: Path, said: str | None = None) -> Format:
    """A file's format by what is said, or its name (``.gz`` and ``.zst`` aside).

    Raises
    ------
    DataError
        Neither tells.
    """
    if said is not None:
        found = FORMATS.get(f".{said}")
    else:
        suffixes = [s.lower() for s in path.suffixes if s.lower() not in (".gz", ".zst")]
        found = FORMATS.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise DataError(f"{path}: is it jsonl, csv or parquet? say it with --format")
    return found


def read_items(
    path: Path | None, stream: IO[bytes] | None, format_: Format, at: int = 0, skip: int = 0
) -> Iterator[Item]:
    """Every row, in order.

    Parameters
    ----------
    path
        The file; None reads ``stream``.
    stream
        An open pipe.
    at
        Byte of a plain jsonl file to begin at.
    skip
        Rows to pass over, where a file cannot be entered in the middle.

    Raises
    ------
    DataError
        The file breaks off (a truncated gz, a damaged parquet): rows before it were given.
    """
    items: Iterator[Item]
    name = str(path) if path is not None else "standard input"
    if format_ == "parquet":
        if path is None:
            raise DataError("standard input: parquet cannot be read from a pipe; give -i FILE")
        items = _parquet(path)
    else:
        raw = stream if path is None else _opened(path, at)
        assert raw is not None
        items = _jsonl(raw, at, name) if format_ == "jsonl" else _csv(raw, path, name)
    for _ in range(skip):
        if next(items, None) is None:
            return
    yield from items


def seekable(path: Path | None, format_: Format) -> bool:
    """Whether a run can go on in the middle of the file without reading it again."""
    return path is not None and format_ == "jsonl" and _compression(path) is None


def _compression(path: Path) -> Literal["gzip", "zstd"] | None:
    """By content; the name may lie."""
    with path.open("rb") as file:
        head = file.read(4)
    return "zstd" if head == b"\x28\xb5\x2f\xfd" else "gzip" if head[:2] == b"\x1f\x8b" else None


def _opened(path: Path, at: int) -> IO[bytes]:
    compression = _compression(path)
    if compression == "gzip":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if compression == "zstd":
        import pyarrow as pa

        return cast(IO[bytes], pa.input_stream(path, compression="zstd"))
    file = path.open("rb")
    file.seek(at)
    return file


def _lines(raw: IO[bytes], at: int, name: str) -> Iterator[tuple[bytes | None, int]]:
    """Lines without their ends (None for one too long), each with the byte after it."""
    held, over = b"", False
    while True:
        try:
            chunk = raw.read1(CHUNK) if hasattr(raw, "read1") else raw.read(CHUNK)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{name}: breaks off ({error}); the rows before it are done") from error
        if not chunk:
            break
        if at == 0 and not held and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{name}: is UTF-16; save it as UTF-8")
        *whole, rest = chunk.split(b"\n")
        for i, part in enumerate(whole):
            line = held + part if i == 0 else part
            length = len(line) + 1
            at += length if i or not over else len(part) + 1
            yield (None if over or len(line) > MAX_LINE else line), at
            held, over = b"", False
        if over:
            at += len(rest)
        else:
            held += rest
            if len(held) > MAX_LINE:
                at, held, over = at + len(held), b"", True
    if over:
        yield None, at
    elif held:
        yield held, at + len(held)


def _jsonl(raw: IO[bytes], at: int, name: str) -> Iterator[Item]:
    with raw:
        first = at == 0
        for line, end in _lines(raw, at, name):
            if line is None:
                yield Item(None, f"the line is longer than {MAX_LINE:,} bytes", end)
                continue
            if first:
                line, first = line.removeprefix(b"\xef\xbb\xbf"), False
            record, error = parse(line)
            yield Item(record, error, end)


def parse(line: bytes) -> tuple[Mapping[str, Any] | None, str | None]:
    """A line of JSON as a record, or what is wrong with it; its content is not repeated."""
    if not line.strip():
        return None, "the line is empty"
    try:
        record = json.loads(line.decode("utf-8"), parse_int=_whole)
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start} of the line"
    except json.JSONDecodeError as error:
        return None, f"not JSON at column {error.colno} ({error.msg})"
    except (ValueError, RecursionError):
        return None, "not JSON that can be read (nested too deep, or a number too long)"
    if not isinstance(record, dict):
        return None, f"a row is an object, this is {type(record).__name__}"
    return record, None


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number too long")
    return int(digits)


def _csv(raw: IO[bytes], path: Path | None, name: str) -> Iterator[Item]:
    tabs = path is not None and ".tsv" in [s.lower() for s in path.suffixes]
    with raw:
        lines = (line for line, _ in _lines(raw, 0, name))
        for record, error in csv_rows(lines, name, MAX_LINE, "\t" if tabs else None):
            yield Item(record, error)


def _parquet(path: Path) -> Iterator[Item]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(batch_size=256):
            for record in batch.to_pylist():
                yield Item({k: _moment(v) for k, v in record.items()})
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path}: breaks off ({said}); the rows before it are done") from error


def _moment(value: Any) -> Any:  # noqa: ANN401 - any cell
    """A cell as training takes it: a date or time as ISO text, anything else as it is."""
    return value.isoformat() if hasattr(value, "isoformat") else value
