"""JSON in and out by orjson, where that reads what Python's own module reads."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

LONG_NUMBER = re.compile(rb"[0-9]{19}")
"""orjson makes a float of a whole number beyond 64 bits; training read it as it stood."""


class NotJson(ValueError):
    """The bytes are not a JSON document."""


def loaded(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON document; half a surrogate pair is kept, as `json` keeps it.

    Raises
    ------
    NotJson
        It is none, is nested too deep, or says NaN or a number beyond a double.
    """
    try:
        return orjson.loads(body)
    except ValueError:
        return loaded_exactly(body)


def loaded_exactly(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The same by Python's own module, with whole numbers of any (bounded) length."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError):
        raise NotJson from None


def dumped(value: object) -> bytes:
    """A JSON value as bytes."""
    try:
        return orjson.dumps(value)
    except TypeError:  # a whole number beyond 64 bits, or half a surrogate pair
        return json.dumps(value, ensure_ascii=True, allow_nan=False).encode("ascii")


def _refused(name: str) -> None:
    raise ValueError(name)


def _finite(said: str) -> float:
    value = float(said)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number beyond a double")
    return value
