"""What the task's columns hold: ids, labels, groups and times out of JSON values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from whichlever.errors import DataError
from whichlever.render.plain import pointer
from whichlever.taskfile import nearest

MAX_WORD = 1_000
"""Characters of an id, a label or a group; longer ones are the wrong column."""

YEARS = range(1900, 2201)
"""Whole numbers taken as years rather than as seconds since 1970."""

_MONTH = re.compile(r"\d{4}-\d{2}")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def cell(record: Mapping[str, Any], column: str, where: str) -> Any:  # noqa: ANN401 - JSON
    """The value of a column (or JSON pointer); None where it is null.

    Raises
    ------
    DataError
        There is no such column; names the nearest one.
    """
    try:
        return pointer(record, column)
    except (KeyError, TypeError) as error:
        known = [f"/{k}" if column.startswith("/") else k for k in record]
        raise DataError(f"{where}: no column {column!r}{nearest(column, known)}") from error


def word(value: Any, column: str, what: str, where: str) -> str:  # noqa: ANN401 - JSON
    """A label, group or id as text; numbers and booleans as JSON writes them.

    Raises
    ------
    DataError
        It is missing, empty, nested, or too long to be one.
    """
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float) and value != value:  # NaN is a missing value in tables
        value = None
    if isinstance(value, date):
        value = value.isoformat()
    if value is None or (isinstance(value, str) and not value.strip()):
        raise DataError(f"{where}: {what} {column!r} is missing; fill it in or drop the row")
    if not isinstance(value, str | int | float):
        kind = "a list" if isinstance(value, list) else "a nested value"
        raise DataError(f"{where}: {what} {column!r} is {kind}; it takes one word or number")
    try:
        text = str(value)
    except ValueError as error:  # an integer of thousands of digits
        raise DataError(f"{where}: {what} {column!r}: {error}") from error
    if len(text) > MAX_WORD:
        raise DataError(
            f"{where}: {what} {column!r} has {len(text)} characters; is this the right column?"
        )
    return unbroken(text, column, where)


def unbroken(text: str, column: str, where: str) -> str:
    """The same text.

    Raises
    ------
    DataError
        It holds half a surrogate pair, which no file or model can take.
    """
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise DataError(
                f"{where}: {column!r} holds half a surrogate pair at character {error.start}; "
                "write the character out or remove it"
            ) from error
    return text


def seconds(value: Any, column: str, where: str) -> float:  # noqa: ANN401 - JSON
    """A time as seconds since 1970 UTC.

    Takes a number of seconds (milli-, micro- and nanoseconds are told by their size), a year, or
    an ISO 8601 date, month or date and time; without an offset it is taken as UTC.

    Raises
    ------
    DataError
        It is none of these.
    """
    try:
        if isinstance(value, str):
            return _text_seconds(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number_seconds(value)
        if isinstance(value, datetime):
            return _utc(value)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        pass
    shown = "missing" if value is None else f"{str(value)[:40]!r}, not a time"
    raise DataError(
        f"{where}: time {column!r} is {shown}; give seconds since 1970, a year, or an ISO date "
        "such as 2024-05-17T08:00:00Z"
    )


def _text_seconds(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return _number_seconds(float(text))
    if _MONTH.fullmatch(text):
        text += "-01"
    return _utc(datetime.fromisoformat(text))


def _number_seconds(value: float) -> float:
    if value in YEARS:
        return datetime(int(value), 1, 1, tzinfo=UTC).timestamp()
    number = float(value)
    if number != number or abs(number) > 1e20:
        raise ValueError("not a time")
    while abs(number) > 1e11:  # the year 5138 in seconds, 1973 in milliseconds
        number /= 1000
    return number


def _utc(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
