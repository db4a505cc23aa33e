"""The true fields of a line, as a row's column holds them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from whichlever.data.columns import MAX_WORD, unbroken
from whichlever.errors import DataError
from whichlever.fields.nested import flatten

MOST_VALUES = 1_000
"""Values of one name in one row at most: a line holds no more."""

Scalar = str | int | float | bool
Fields = dict[str, Scalar | list[Scalar]]


def field_values(value: Any, column: str, where: str, known: Collection[str] = ()) -> Fields:  # noqa: ANN401 - JSON
    """The fields of a row: name → value, or list of values.

    Nested objects are taken as names with dots (``{"source": {"ip": …}}`` is ``source.ip``);
    nulls and empty lists are names that are not there. A text is read as JSON, which is how csv
    and parquet hold an object.

    Parameters
    ----------
    known
        The names that the task declares; others are left out. Empty keeps all.

    Raises
    ------
    DataError
        It is missing, no object, or holds something that is no field.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, Mapping):
        raise DataError(
            f"{where}: fields {column!r} is no object of names and values; write {{}} where the "
            "line holds none"
        )
    try:
        flat = flatten(value)
    except ValueError as error:
        raise DataError(f"{where}: fields {column!r}: {error}; is it the right column?") from error
    out: Fields = {}
    for name, inner in flat.items():
        if known and name not in known:
            continue
        if not name.strip(".") or len(name) > MAX_WORD:
            raise DataError(f"{where}: fields {column!r} has a name that is empty or too long")
        unbroken(name, column, where)
        many = inner if isinstance(inner, list) else [inner]
        kept = [_scalar(item, name, column, where) for item in many if item is not None]
        if len(kept) > MOST_VALUES:
            raise DataError(f"{where}: {name!r} in {column!r} has {len(kept)} values")
        if kept:
            out[name] = kept if isinstance(inner, list) else kept[0]
    return out


def _scalar(value: Any, name: str, column: str, where: str) -> Scalar:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return unbroken(value, column, where)
    if isinstance(value, bool | int) or (isinstance(value, float) and value == value):
        return value
    raise DataError(
        f"{where}: {name!r} in {column!r} is nested in a list, or no number; a field is a text, a "
        "number, or a list of them"
    )
