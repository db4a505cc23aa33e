"""Records out of files: jsonl, csv and parquet, each with its line number."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any

from whichlever.data.files import MAX_LINE_BYTES, Source, open_source, read_lines
from whichlever.errors import DataError
from whichlever.render import Pack
from whichlever.render.registry import Record

Numbered = tuple[int, Record]

PARQUET_BATCH = 256
"""Rows decoded at once: a dictionary-encoded column can repeat a long text for ever."""


def read_records(
    source: Source, pack: Pack | None = None, columns: Sequence[str] | None = None
) -> Iterator[Numbered]:
    """Every record of a file as (line or row number from 1, record), never all at once.

    Parameters
    ----------
    source
        The file.
    pack
        Asked first; it may know the file's own format.
    columns
        The columns that will be looked at; None is all of them. Parquet decodes no others.

    Raises
    ------
    DataError
        One line: the file, the line and what is wrong with it.
    """
    if pack is not None and source.format != "parquet":
        with open_source(source) as stream:
            records = pack.records(source.name, stream)
            if records is not None:
                yield from _checked(source, records)
                return
    readers = {"jsonl": _jsonl, "csv": _csv}
    if source.format == "parquet":
        yield from _parquet(source, columns)
    else:
        yield from readers[source.format](source)


def _checked(
    source: Source, records: Iterator[tuple[int, Record | Exception]]
) -> Iterator[Numbered]:
    number = 0
    try:
        for number, record in records:
            if isinstance(record, DataError):
                raise record
            if isinstance(record, Exception):
                raise DataError(f"{source.name}:{number}: {record}") from record
            yield number, record
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source.name}: cannot be read after line {number} ({error})") from error


def _jsonl(source: Source) -> Iterator[Numbered]:
    for number, line in read_lines(source):
        if not line.strip():
            continue
        where = f"{source.name}:{number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{where}: not JSON at column {error.colno} ({error.msg}); "
                f"{_jsonl_remedy(number, line)}"
            ) from error
        except RecursionError as error:
            raise DataError(f"{where}: JSON nested too deeply; flatten the record") from error
        except ValueError as error:  # an integer of thousands of digits
            raise DataError(f"{where}: {error}") from error
        if not isinstance(record, dict):
            raise DataError(
                f"{where}: {_kind(record)}, not an object; {_jsonl_remedy(number, line)}"
            )
        yield number, record


def _jsonl_remedy(number: int, line: str) -> str:
    if number == 1 and line.lstrip()[:1] in ("[", "{"):
        return "write one object per line, without brackets or commas around them"
    return "write one JSON object per line"


def _csv(source: Source) -> Iterator[Numbered]:
    lines = read_lines(source)
    position = 0

    def texts() -> Iterator[str]:
        nonlocal position
        for number, text in lines:
            position = number
            yield text

    stream = texts()
    head = next((text for text in stream if text.strip()), "")
    delimiter = _delimiter(source, head)
    most = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        header = _header(source, head, stream, delimiter)
        start = position + 1
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        while (fields := _next(reader, source, start)) is not None:
            if fields and len(fields) != len(header):
                raise DataError(
                    f"{source.name}:{start}: {len(fields)} fields where the header has "
                    f"{len(header)} ({', '.join(header[:8])}); quote fields that hold "
                    f"{delimiter!r} or a line end"
                )
            if fields:
                yield start, dict(zip(header, fields, strict=True))
            start = position + 1
    finally:
        csv.field_size_limit(most)


def _header(source: Source, head: str, rest: Iterator[str], delimiter: str) -> list[str]:
    def joined() -> Iterator[str]:
        yield head
        yield from rest

    header = _next(csv.reader(joined(), delimiter=delimiter, strict=True), source, 1)
    names = [name.strip() for name in header or []]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if not any(names):
        raise DataError(f"{source.name}: no header; the first line names the columns")
    if twice is not None:
        raise DataError(f"{source.name}:1: two columns are called {twice!r}; rename one")
    return names


def _next(reader: Any, source: Source, start: int) -> list[str] | None:  # noqa: ANN401 - _csv.reader
    try:
        fields: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise DataError(
            f"{source.name}:{start}: {error}; is a quote left open? (write a quote inside a "
            'field as "")'
        ) from error
    return fields


def _delimiter(source: Source, head: str) -> str:
    if any(suffix.lower() == ".tsv" for suffix in source.path.suffixes):
        return "\t"
    return max(",;\t|", key=lambda sign: (head.count(sign), sign == ","))


def _parquet(source: Source, columns: Sequence[str] | None) -> Iterator[Numbered]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.compression is not None:
        raise DataError(f"{source.name}: parquet is compressed inside; give it unpacked")
    try:
        with pq.ParquetFile(source.path) as file:
            there = set(file.schema_arrow.names)
            moments = [f.name for f in file.schema_arrow if pa.types.is_temporal(f.type)]
            # Where one is missing all are read, so that the error can name the nearest.
            wanted = list(columns) if columns is not None and there.issuperset(columns) else None
            number = 0
            for batch in file.iter_batches(batch_size=PARQUET_BATCH, columns=wanted):
                for record in batch.to_pylist():
                    number += 1
                    for name in moments:
                        if hasattr(record.get(name), "isoformat"):
                            record[name] = record[name].isoformat()
                    yield number, record
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source.name}: not UTF-8 in the {PARQUET_BATCH} rows from row {number + 1}; "
            "write the column as UTF-8 text"
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{source.name}: not a readable parquet file ({_first_line(error)}); write it again"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
