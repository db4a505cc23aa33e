"""Reading alerts: Wazuh ``alerts.json``, Suricata ``eve.json`` and plain JSON lines.

All three are one JSON object a line, so one bounded reader serves; which product wrote a record
is told from the record itself (`product`), line by line, so a merged file is fine. The record is
kept whole: the task's label may stand beside the alert or inside it. EVE records that are not
alerts (flow, dns, stats …) are kept too and say so when rendered; a line that goes in is a row or
an error, never lost.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Literal, NoReturn, Protocol, cast

from whichlever.errors import DataError

Product = Literal["wazuh", "suricata", "plain"]
Record = Mapping[str, Any]


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


MAX_LINE = 1_000_000
"""Bytes of one line."""
MAX_DEPTH = 32
"""Levels of nesting of one record."""
MAX_KEYS = 5_000
"""Keys and list items of one record, all levels together."""

SUFFIXES = (".json", ".jsonl", ".ndjson", ".log")


def reads(name: str) -> bool:
    """Whether a file of this name is for this reader (gzip or not)."""
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def read_lines(name: str, stream: BinaryIO) -> Iterator[tuple[int, Record | Exception]]:
    """Each line of ``stream`` as (line number from 1, record or what was wrong with it).

    Blank lines are passed over. A gzip stream is opened here, and one that breaks off ends with
    an error of its own. Never raises for what the file holds.
    """
    buffered = io.BufferedReader(cast(io.RawIOBase, stream))
    packed = buffered.peek(2)[:2] == b"\x1f\x8b"
    lines: _Lines = gzip.GzipFile(fileobj=buffered, mode="rb") if packed else buffered
    try:
        yield from _lines(name, lines)
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
    if not isinstance(value, dict):
        return _wrong(name, number, "not a JSON object; one alert a line is read")
    problem = _too_much(value)
    return _wrong(name, number, problem) if problem else value


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
