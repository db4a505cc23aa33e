"""Columns as text, for tasks without a pack."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def pointer(record: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a column name or a JSON pointer (RFC 6901); KeyError where there is none."""
    if not path.startswith("/"):
        return record[path]
    value: Any = record
    for part in path[1:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise KeyError(path)
    return value


def plain(record: Mapping[str, Any], inputs: str | Sequence[str]) -> str:
    """One column as it is; several as ``name: value`` lines in the order given.

    Raises
    ------
    KeyError
        A single column is missing; with several, missing ones are left out.
    """
    if isinstance(inputs, str):
        return _text(pointer(record, inputs))
    lines = []
    for path in inputs:
        try:
            value = pointer(record, path)
        except KeyError:
            continue
        if value is not None:
            lines.append(f"{path.strip('/').replace('/', '.')}: {_text(value)}")
    if not lines:
        raise KeyError(", ".join(inputs))
    return "\n".join(lines)


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return ""
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )
