"""Files of answers: which format one is in is told by its first record, and read as that."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from whichlever.data.document import MAX_DOCUMENT, walk
from whichlever.data.files import MAX_LINE_BYTES, Source, find_source, open_source, read_lines
from whichlever.data.records import read_records
from whichlever.errors import DataError
from whichlever.levers import recorded_promptfoo as promptfoo
from whichlever.levers.recorded_batches import read_anthropic, read_openai
from whichlever.levers.recorded_chat import is_chat, read_chat
from whichlever.levers.recorded_raw import Raw
from whichlever.levers.recorded_rows import read_row

Format = Literal["recorded rows", "OpenAI batch", "Anthropic batch", "chat log", "promptfoo"]

_READ: dict[Format, Callable[[Mapping[str, Any], str], Raw]] = {
    "recorded rows": read_row,
    "OpenAI batch": read_openai,
    "Anthropic batch": read_anthropic,
    "chat log": read_chat,
    "promptfoo": promptfoo.read_result,
}

KNOWN = (
    "recorded rows (id, prediction), OpenAI batch output (custom_id, response), Anthropic batch "
    "results (custom_id, result), chat logs (request, response), promptfoo results"
)


@dataclass(frozen=True)
class RawFile:
    """A file of answers: its format, and its answers as they are asked for, in its own order."""

    format: Format
    answers: Iterator[Raw]


def open_answers(name: str, path: Path) -> RawFile:
    """Open a file of answers; jsonl, json, csv or parquet, compressed or not.

    Parameters
    ----------
    name
        What errors call the file.
    path
        Where it is.

    Raises
    ------
    DataError
        One line: the file, the line and what is wrong; from the iterator too.
    """
    source = find_source(name, path)
    if source.format == "csv":
        return _table(source)
    if source.format == "parquet":
        return RawFile("recorded rows", _read(name, read_row, read_records(source)))
    head = _first_line(source)
    if (whole := _document(head)) is not None:
        records = _items(source, whole)
    else:
        records = read_records(source)
    first = next(records, None)
    if first is None:
        raise DataError(f"{name}: holds no answers; write one object per line with id, prediction")
    format = _format_of(first[1], f"{name}:{first[0]}")
    return RawFile(format, _read(name, _READ[format], chain([first], records)))


def _format_of(record: Any, where: str) -> Format:  # noqa: ANN401 - any JSON value
    if not isinstance(record, Mapping):
        raise DataError(f"{where}: not an object; known are {KNOWN}")
    if promptfoo.is_result(record):
        return "promptfoo"
    if "custom_id" in record:
        return "Anthropic batch" if "result" in record else "OpenAI batch"
    if is_chat(record):
        return "chat log"
    if "id" in record or "prediction" in record:
        return "recorded rows"
    keys = ", ".join(str(key)[:40] for key in list(record)[:6]) or "none"
    raise DataError(f"{where}: in none of the known formats (its keys: {keys}); known are {KNOWN}")


def _read(
    name: str,
    read: Callable[[Mapping[str, Any], str], Raw],
    records: Iterator[tuple[int, Any]],
) -> Iterator[Raw]:
    for number, record in records:
        where = f"{name}:{number}"
        if not isinstance(record, Mapping):
            raise DataError(f"{where}: not an object as the first record is")
        try:
            yield read(record, where)
        except RecursionError as error:
            raise DataError(f"{where}: nested too deeply") from error


def _first_line(source: Source) -> str:
    return next((line for _, line in read_lines(source) if line.strip()), "")


def _document(line: str) -> Literal["array", "object"] | None:
    """Whether a file is one JSON document, by its first line; None where it has one a line."""
    text = line.strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        # Broken lines are told by number where the file is read line by line.
        return "array" if text[:1] == "[" else "object" if text == "{" else None
    if isinstance(value, list):
        return "array" if value and isinstance(value[0], dict) else None
    return "object" if isinstance(value, dict) and "results" in value else None


def _items(source: Source, whole: Literal["array", "object"]) -> Iterator[tuple[int, Any]]:
    """The records of a document: the items of an array, or the results of promptfoo."""
    with open_source(source) as stream:
        content = stream.read(MAX_DOCUMENT + 1)
    if len(content) > MAX_DOCUMENT:
        raise DataError(
            f"{source.name}: one document of more than {MAX_DOCUMENT >> 20} MiB; "
            "write one object a line"
        )
    number = 1
    try:
        text = content.decode("utf-8-sig")
        del content
        for number, value in _walk(text, [()] if whole == "array" else list(promptfoo.PATHS)):
            yield number, value
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source.name}: not UTF-8 at byte {error.start}; save the file as UTF-8"
        ) from error
    except RecursionError as error:
        raise DataError(f"{source.name}:{number}: nested too deeply") from error
    except ValueError as error:
        raise DataError(
            f"{source.name}:{number}: not one JSON document that holds answers ({_short(error)}); "
            f"known are {KNOWN}"
        ) from error


def _walk(text: str, paths: list[tuple[str, ...]]) -> Iterator[tuple[int, Any]]:
    """The items at the first path where there are any."""
    for path in paths:
        items = walk(text, path)
        try:
            first = next(items, None)
        except ValueError:
            if path == paths[-1]:
                raise
            continue
        if first is not None:
            yield first
            yield from items
            return


def _table(source: Source) -> RawFile:
    """A table of promptfoo's, whose columns repeat for every prompt, or recorded rows."""
    most = csv.field_size_limit(MAX_LINE_BYTES)
    try:
        header = next(csv.reader((line for _, line in read_lines(source)), strict=True), [])
    except csv.Error:
        header = []  # the usual reader says what is wrong
    finally:
        csv.field_size_limit(most)
    if promptfoo.is_csv(header):
        return RawFile("promptfoo", _promptfoo_table(source))
    if header and not {"id", "prediction"} & {name.strip() for name in header}:
        shown = ", ".join(name[:40] for name in header[:8])
        if len(header) > 1:
            raise DataError(
                f"{source.name}:1: no columns id and prediction (it has {shown}); rename them, or "
                "give promptfoo's own csv"
            )
    return RawFile("recorded rows", _read(source.name, read_row, read_records(source)))


def _promptfoo_table(source: Source) -> Iterator[Raw]:
    most = csv.field_size_limit(MAX_LINE_BYTES)
    lines = csv.reader((line for _, line in read_lines(source)), strict=True)
    try:
        header = next(lines)
        for fields in lines:
            where = f"{source.name}:{lines.line_num}"
            if fields and len(fields) != len(header):
                raise DataError(f"{where}: {len(fields)} fields where the header has {len(header)}")
            if fields:
                yield from promptfoo.read_csv(header, fields, where)
    except csv.Error as error:
        raise DataError(
            f"{source.name}:{lines.line_num}: {error}; is a quote left open?"
        ) from error
    finally:
        csv.field_size_limit(most)


def _short(error: ValueError) -> str:
    return f"{error.msg} at {error.pos}" if isinstance(error, json.JSONDecodeError) else str(error)
