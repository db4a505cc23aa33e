"""Reading lines with their fields: ready rows, exports of a SIEM, pipeline tests, csv.

=============================  =================================================================
JSON lines                     one document a line, as `export` reads it, or ``{raw, fields}``
one JSON array, ``_search``    the same, item by item
``*-expected.json``            ``{"expected": [document, …]}``, as Elastic's pipeline tests have it
csv                            a column with the raw line and one a field, its name the header
=============================  =================================================================

A file that goes in is rows or errors, never less. Bounded: `MAX_LINE` bytes a line.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn, Protocol, cast

from whichlever.errors import DataError
from whichlever.packs.logs.export import row_of

Record = dict[str, Any]
Numbered = tuple[int, Record | Exception]

MAX_LINE = 8 * 2**20
"""Bytes of one line or csv cell: a log line of a megabyte is a log line still."""
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
_PEEK = 1 << 16
_DOCUMENTS: tuple[tuple[re.Pattern[bytes], tuple[str, ...]], ...] = (
    (re.compile(rb'\s*\{\s*"expected"\s*:'), ("expected",)),
    (re.compile(rb'\s*\{\s*"(?:took|timed_out|_shards|_scroll_id|pit_id|hits)"\s*:'),
     ("hits", "hits")),
    (re.compile(rb"\s*\[\s*[\{\]]"), ()),
)  # fmt: skip


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...
    def read(self, size: int, /) -> bytes: ...


def reads(name: str) -> bool:
    """Whether a file of this name is for this reader (gzip or not)."""
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_rows(name: str, stream: BinaryIO) -> Iterator[Numbered]:
    """Each row as (line number from 1, row or what was wrong with it); never raises for content."""
    buffered = io.BufferedReader(cast(io.RawIOBase, stream), _PEEK)
    lines: _Lines = buffered
    try:
        head = buffered.peek(_PEEK)
        if head[:2] == b"\x1f\x8b":
            unpacked = gzip.GzipFile(fileobj=buffered, mode="rb")
            lines = cast(_Lines, unpacked)
            try:
                head = unpacked.peek(_PEEK)
            except (OSError, EOFError, zlib.error):
                head = b""  # reading it line by line says what is wrong
        head = head.removeprefix(b"\xef\xbb\xbf")
        plain = name.lower().removesuffix(".gz")
        path = next((path for begins, path in _DOCUMENTS if begins.match(head)), None)
        if plain.endswith((".csv", ".tsv")):
            yield from _table(name, lines, "\t" if plain.endswith(".tsv") else ",")
        elif path is not None:
            yield from _items(name, lines, path)
        else:
            yield from _documents(name, lines)
    finally:
        buffered.detach()  # the stream stays the caller's to close


def _documents(name: str, lines: _Lines) -> Iterator[Numbered]:
    for number, line in _bounded(name, lines):
        if isinstance(line, Exception):
            yield number, line
        elif line.strip():
            yield number, _parsed(name, number, line)


def _parsed(name: str, number: int, line: bytes) -> Record | Exception:
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"), **_STRICT)
    except UnicodeDecodeError as error:
        return _wrong(name, number, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
    except RecursionError:
        return _wrong(name, number, "nested too deeply")
    except ValueError as error:
        return _wrong(name, number, f"not JSON ({_short(error)}); one JSON object a line is read")
    return _row(name, number, value)


def _row(name: str, number: int, value: object) -> Record | Exception:
    if not isinstance(value, dict):
        return _wrong(name, number, "not a JSON object; one document a line is read")
    try:
        return row_of(value, number)
    except ValueError as error:
        return _wrong(name, number, str(error))


def _items(name: str, lines: _Lines, path: tuple[str, ...]) -> Iterator[Numbered]:
    from whichlever.data.document import MAX_DOCUMENT, walk

    number = 1
    try:
        content = lines.read(MAX_DOCUMENT + 1)
        if len(content) > MAX_DOCUMENT:
            what = f"one document of more than {MAX_DOCUMENT >> 20} MiB; write one object a line"
            yield 1, _wrong(name, 1, f"{what}, as with: jq -c '.[]'")
            return
        for place, (number, value) in enumerate(walk(content.decode("utf-8-sig"), path), 1):
            if value is None and path == ("expected",):
                continue  # an event that the pipeline dropped
            row = _row(name, number, value)
            if isinstance(row, dict) and row["id"] == str(number):
                row["id"] = str(place)  # several may stand on one line
            yield number, row
    except UnicodeDecodeError as error:
        yield number, _wrong(name, number, f"not UTF-8 at byte {error.start} of the document")
    except (OSError, EOFError, zlib.error) as error:
        yield number, _wrong(name, number, f"the gzip data is damaged ({error}); copy it again")
    except (ValueError, RecursionError) as error:
        said = _short(error) if isinstance(error, ValueError) else "nested too deeply"
        yield number, _wrong(name, number, f"not one JSON document ({said})")


def _table(name: str, lines: _Lines, delimiter: str) -> Iterator[Numbered]:
    number = 0
    damaged: list[Exception] = []

    def texts() -> Iterator[str]:
        nonlocal number
        for number, line in _bounded(name, lines):
            if isinstance(line, Exception):
                damaged.append(line)
                return
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")

    most = csv.field_size_limit(MAX_LINE)
    try:
        reader = csv.reader(texts(), delimiter=delimiter, strict=True)
        header = next(reader, None) or []
        for cells in reader:
            if cells:
                yield number, _of_cells(name, number, header, cells)
        if damaged:
            yield number, damaged[0]
    except UnicodeDecodeError as error:
        yield number, _wrong(name, number, f"not UTF-8 at byte {error.start}; save it as UTF-8")
    except csv.Error as error:
        yield number, _wrong(name, number, f"not csv ({error}); is a quote left open?")
    finally:
        csv.field_size_limit(most)


def _of_cells(name: str, number: int, header: list[str], cells: list[str]) -> Record | Exception:
    if len(cells) != len(header):
        return _wrong(
            name, number, f"{len(cells)} cells where the header has {len(header)}; quote commas"
        )
    row: dict[str, Any] = {key: cell for key, cell in zip(header, cells, strict=True) if cell != ""}
    if isinstance(row.get("fields"), str):
        try:
            row["fields"] = json.loads(row["fields"], **_STRICT)
        except (ValueError, RecursionError):
            return _wrong(name, number, "the column 'fields' is no JSON object")
    return _row(name, number, row)


def _bounded(name: str, lines: _Lines) -> Iterator[tuple[int, bytes | Exception]]:
    number = 0
    while True:
        number += 1
        try:
            line = lines.readline(MAX_LINE + 1)
            long = len(line) > MAX_LINE and not line.endswith(b"\n")
            while long and line and not line.endswith(b"\n"):
                line = lines.readline(MAX_LINE)
        except (OSError, EOFError, zlib.error) as error:
            yield number, _wrong(name, number, f"the gzip data is damaged ({error}); copy it again")
            return
        if long:
            yield number, _wrong(name, number, f"longer than {MAX_LINE} bytes; split or drop it")
        elif not line:
            return
        else:
            yield number, line


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_STRICT: dict[str, Any] = {"parse_constant": _constant}


def _short(error: ValueError) -> str:
    return f"{error.msg} at {error.pos}" if isinstance(error, json.JSONDecodeError) else str(error)


def _wrong(name: str, number: int, what: str) -> DataError:
    return DataError(f"{name}:{number}: {what}")
