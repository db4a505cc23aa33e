"""Log lines from a file that the user named: text as it is, or one column of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whichlever.errors import DataError

_COLUMNS = ("content", "message", "text", "raw", "line")


def read_texts(path: Path, column: str | None = None) -> Iterator[str]:
    """Read a file's lines without their ends; bytes that are not UTF-8 become lone surrogates.

    Parameters
    ----------
    column
        Of JSON lines; the first of content, message, text, raw and line that is there if not given.

    Raises
    ------
    DataError
        The file cannot be read, a line is too long, or a JSON line is none or lacks the column.
    """
    if _is_json(path):
        for number, row in read_objects(path):
            yield _cell(row, column, f"{path.name}:{number}")
        return
    for _, line in _decoded(path):
        yield line


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read JSON lines as (number from 1, object), blank lines left out.

    Raises
    ------
    DataError
        A line is no JSON object.
    """
    for number, line in _decoded(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{path.name}:{number}: not a JSON object; write one a line")
        yield number, row


def _is_json(path: Path) -> bool:
    return any(s.lower() in (".jsonl", ".ndjson") for s in path.suffixes[-2:])


def _decoded(path: Path) -> Iterator[tuple[int, str]]:
    from whichlever.data.files import MAX_LINE_BYTES, Compression, Source, open_source

    try:
        with path.open("rb") as file:
            magic = file.read(2)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    packed: Compression | None = "gzip" if magic == b"\x1f\x8b" else None
    with open_source(Source(path.name, path, packed, "jsonl")) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise DataError(f"{path.name}:{number}: longer than {MAX_LINE_BYTES >> 20} MiB")
            yield number, line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def _cell(row: dict[str, Any], column: str | None, where: str) -> str:
    names = (column,) if column else _COLUMNS
    for name in names:
        if isinstance(row.get(name), str):
            return str(row[name])
    raise DataError(f"{where}: no text in {' or '.join(names)}; name the column with --column")
