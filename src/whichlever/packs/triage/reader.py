"""Reading alerts: Wazuh, Suricata EVE, Elastic detection alerts, OCSF findings, plain JSON.

All are one JSON object a line, so one bounded reader serves; a file that is one JSON array, or the
answer of an Elasticsearch ``_search``, is read item by item. Which product wrote a record is told
from the record itself, so a merged file is fine. The record is kept whole: the task's label may
stand beside the alert or inside it. Elastic alerts and OCSF findings come with the columns ``id``,
``time``, ``rule_id``, ``rule_name``, ``host_name``, ``status`` and ``verdict``. EVE records that
are not alerts (flow, dns, stats …) are kept too and say so when rendered; a line that goes in is a
row or an error, never lost.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal, NoReturn, Protocol, cast

from whichlever.errors import DataError
from whichlever.packs.triage import elastic, ocsf
from whichlever.packs.triage.lines import Record as Record

Product = Literal["wazuh", "suricata", "plain"]


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...
    def read(self, size: int, /) -> bytes: ...


MAX_LINE = 1_000_000
"""Bytes of one line."""
MAX_DEPTH = 32
"""Levels of nesting of one record."""
MAX_KEYS = 5_000
"""Keys and list items of one record, all levels together."""

# A document rather than a line: an array of objects, or the answer of _search (these keys come
# first in it, in any order, with or without a scroll or a point in time).
_ARRAY = re.compile(rb"\s*\[\s*\{")
_SEARCH = re.compile(
    rb'\s*\{\s*"(?:took|timed_out|_shards|_scroll_id|pit_id|hits|num_reduce_phases)"\s*:'
)
_PEEK = 1 << 16

SUFFIXES = (".json", ".jsonl", ".ndjson", ".log")


def reads(name: str) -> bool:
    """Whether a file of this name is for this reader (gzip or not)."""
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_lines(name: str, stream: BinaryIO) -> Iterator[tuple[int, Record | Exception]]:
    """Each line of ``stream`` as (line number from 1, record or what was wrong with it).

    Blank lines are passed over. A gzip stream is opened here, and one that breaks off ends with
    an error of its own. Items of one document have the line that they begin on. Never raises for
    what the file holds.
    """
    buffered = io.BufferedReader(cast(io.RawIOBase, stream), _PEEK)
    lines: _Lines = buffered
    try:
        head = buffered.peek(_PEEK)
        if head[:2] == b"\x1f\x8b":
            unpacked = gzip.GzipFile(fileobj=buffered, mode="rb")
            head, lines = _head(unpacked), unpacked
        if (path := _document(head)) is None:
            yield from _lines(name, lines)
        else:
            yield from _items(name, lines, path)
    finally:
        buffered.detach()  # the stream stays the caller's to close


def product(record: Record) -> Product:
    """Which product wrote this record, from its shape."""
    rule = record.get("rule")
    if isinstance(rule, Mapping) and ("level" in rule or "description" in rule):
        return "wazuh"
    if isinstance(record.get("event_type"), str) and (
        isinstance(record.get("alert"), Mapping) or "src_ip" in record or "flow_id" in record
    ):
        return "suricata"
    return "plain"


def _head(unpacked: gzip.GzipFile) -> bytes:
    """The first bytes of gzip data, without moving on; none of what is damaged."""
    try:
        return unpacked.peek(_PEEK)
    except (OSError, EOFError, zlib.error):
        return b""  # reading it line by line says what is wrong


def _document(head: bytes) -> tuple[str, ...] | None:
    """Where the records of a whole document are; None where a file has one a line."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _SEARCH.match(head):
        return ("hits", "hits")
    return () if _ARRAY.match(head) else None


def _items(
    name: str, lines: _Lines, path: tuple[str, ...]
) -> Iterator[tuple[int, Record | Exception]]:
    # Rendering, which serving needs, does without the room that reads and splits data sets.
    from whichlever.data.document import MAX_DOCUMENT, walk

    number = 1
    try:
        content = lines.read(MAX_DOCUMENT + 1)
        if len(content) > MAX_DOCUMENT:
            what = f"one document of more than {MAX_DOCUMENT >> 20} MiB; write one alert a line"
            yield 1, _wrong(name, 1, f"{what}, as with: jq -c '.[]'")
            return
        for number, value in walk(content.decode("utf-8-sig"), path):
            yield number, _opened(name, number, value)
    except UnicodeDecodeError as error:
        yield number, _wrong(name, number, f"not UTF-8 at byte {error.start} of the document")
    except (OSError, EOFError, zlib.error) as error:
        yield number, _wrong(name, number, f"the gzip data is damaged ({error}); copy it again")
    except RecursionError:
        yield number, _wrong(name, number, f"nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        where = ".".join(path) or "the array"
        yield number, _wrong(name, number, f"not one JSON document with {where} ({_short(error)})")


def _lines(name: str, lines: _Lines) -> Iterator[tuple[int, Record | Exception]]:
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
        elif line.strip():
            yield number, _record(name, number, line)


def _record(name: str, number: int, line: bytes) -> Record | Exception:
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"), **_STRICT)
    except UnicodeDecodeError as error:
        return _wrong(name, number, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
    except RecursionError:
        return _wrong(name, number, f"nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        return _wrong(name, number, f"not JSON ({_short(error)}); one JSON object a line is read")
    return _opened(name, number, value)


def _opened(name: str, number: int, value: Any) -> Record | Exception:  # noqa: ANN401 - any JSON
    """The record that a value is, with the columns of the formats that are known here."""
    if not isinstance(value, dict):
        return _wrong(name, number, "not a JSON object; one alert a line is read")
    problem = _too_much(value)
    return _wrong(name, number, problem) if problem else with_columns(value)


def with_columns(record: Record) -> Record:
    """An Elastic alert (whole hit or bare document) or OCSF finding with its columns beside it.

    Any other record is as it was.
    """
    if ocsf.is_finding(record):
        return {**record, **ocsf.columns(record)}
    document = elastic.elastic_alert(record)
    if document is None:
        return record
    about = {key: record[key] for key in ("_id", "_index") if key in record}
    return {**document, **about, **elastic.columns(document, record)}


def _too_much(record: Record) -> str:
    """What is too deep or too wide about a record; "" where nothing is."""
    level: list[Any] = [record]
    seen = 0
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for value in level:
            items = list(value.values()) if isinstance(value, dict) else value
            seen += len(items)
            if seen > MAX_KEYS:
                return f"more than {MAX_KEYS} keys and items"
            inner += [item for item in items if isinstance(item, (dict, list))]
        if not inner:
            return ""
        level = inner
    return f"nested deeper than {MAX_DEPTH} levels"


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_STRICT: dict[str, Any] = {"parse_constant": _constant}


def _short(error: ValueError) -> str:
    return f"{error.msg} at {error.pos}" if isinstance(error, json.JSONDecodeError) else str(error)


def _wrong(name: str, number: int, what: str) -> DataError:
    return DataError(f"{name}:{number}: {what}")
