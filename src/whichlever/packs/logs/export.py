"""A document of a SIEM export as a raw line and the fields that are said to be in it.

A document may be nested, dotted or both; bare, or a whole search hit (``_source``, or ``fields``
as a search asks for them), or a Splunk export (``result``). The raw line is found under the first
of `RAW`. What was added by shippers and pipelines is no field of the line and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.fields.nested import flatten

RAW = ("event.original", "_raw", "raw", "log.original", "raw_message", "message")
"""Where the raw line stands; the first that holds a text counts."""

_SOURCE = ("event.dataset", "data_stream.dataset", "event.module", "sourcetype", "fileset.name")
_ADDED = frozenset(
    (
        "@version", "tags", "id", "path", "time",
        "simulated", "source", "license", "raw_kind", "norm",
        "ecs.version", "event.created", "event.dataset", "event.hash", "event.ingested",
        "event.agent_id_status", "event.category", "event.kind", "event.module", "event.type",
        "event.timezone", "log.file.path", "log.flags", "log.offset", "log.source.address",
        "service.type", "observer.product", "observer.type", "observer.vendor",
        "sourcetype", "index", "linecount", "punct", "splunk_server", "eventtype", "host",
    )
)  # fmt: skip
_ADDED_BELOW = (
    "agent.", "data_stream.", "elastic_agent.", "fileset.", "input.", "related.",
)  # fmt: skip
_ADDED_INSIDE = (".geo.", ".as.")
"""Looked up from an address: not in any line."""


def row_of(value: Mapping[str, Any], number: int) -> dict[str, Any]:
    """``{id, raw, fields, source, path, time}`` of one document or ready row.

    Raises
    ------
    ValueError
        There is no raw line in it, or it is nested too deeply.
    """
    if isinstance(value.get("raw"), str) and isinstance(value.get("fields"), Mapping):
        return {"id": str(number), "source": None, "path": None, "time": None, **value}
    hit = _opened(value)
    flat = flatten(hit)
    at = next((name for name in RAW if isinstance(flat.get(name), str)), None)
    if at is None:
        raise ValueError(f"no raw line: none of {', '.join(RAW)} holds a text")
    raw = flat[at]
    fields = {
        name: kept
        for name, found in flat.items()
        if name not in RAW and not _added(name) and (kept := _value(found)) is not None
    }
    message = flat.get("message")
    if isinstance(message, str) and message != raw:
        fields["message"] = message
    return {
        "id": _text(value.get("_id")) or _text(hit.get("id")) or str(number),
        "raw": raw,
        "fields": dict(sorted(fields.items())),
        "source": next((t for n in _SOURCE if (t := _text(flat.get(n)))), _text(hit.get("source"))),
        "path": _text(flat.get("log.file.path")) or _text(hit.get("path")),
        "time": flat.get("@timestamp", flat.get("_time", flat.get("time"))),
    }


def _opened(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document inside a search hit or an export line."""
    for key in ("_source", "result"):
        inner = value.get(key)
        if isinstance(inner, Mapping):
            return inner
    asked = value.get("fields")
    if "_id" in value and isinstance(asked, Mapping):
        return {n: v[0] if isinstance(v, list) and len(v) == 1 else v for n, v in asked.items()}
    return value


def _added(name: str) -> bool:
    return (
        name.startswith("_")
        or name in _ADDED
        or name.startswith(_ADDED_BELOW)
        or any(piece in name for piece in _ADDED_INSIDE)
    )


def _value(found: Any) -> Any:  # noqa: ANN401 - JSON
    """A text, a number, or a list of them; None for anything else, which no line holds."""
    if isinstance(found, list):
        kept = [item for item in found if isinstance(item, str | int | float)]
        return (kept[0] if len(kept) == 1 else kept) or None
    if isinstance(found, str):
        return found or None
    return found if isinstance(found, int | float) else None


def _text(found: object) -> str | None:
    return found if isinstance(found, str) and found else None
