"""Names with dots and nested objects: ``{"source": {"ip": …}}`` is ``source.ip``, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 32
"""Levels of nesting of one document."""
MAX_NAMES = 5_000
"""Names of one document, all levels together."""


def flatten(document: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted name → value of a document that is nested, dotted, or both.

    Nulls, empty lists and empty objects are names that are not there; lists are kept as they are.

    Raises
    ------
    ValueError
        It is nested deeper than `MAX_DEPTH`, or has more than `MAX_NAMES` names.
    """
    flat: dict[str, Any] = {}
    level: list[tuple[str, Mapping[str, Any]]] = [("", document)]
    for _ in range(MAX_DEPTH):
        inner: list[tuple[str, Mapping[str, Any]]] = []
        for before, mapping in level:
            for key, value in mapping.items():
                name = f"{before}{key}"
                if isinstance(value, Mapping):
                    inner.append((f"{name}.", value))
                elif value is not None and value != []:
                    flat[name] = value
            if len(flat) + len(inner) > MAX_NAMES:
                raise ValueError(f"more than {MAX_NAMES} names")
        if not inner:
            return flat
        level = inner
    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def nest(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A nested document of dotted names; nothing is lost.

    Where one name is the beginning of another (``user`` and ``user.name``), the longer one keeps
    the rest of its name dotted beside the value that is in its way, as Elasticsearch would read it.
    """
    document: dict[str, Any] = {}
    for name in sorted(fields, key=lambda n: (n.count("."), n)):
        parts = name.split(".")
        if "" in parts:
            document[name] = fields[name]
            continue
        at = document
        while len(parts) > 1:
            inner = at.setdefault(parts[0], {})
            if not isinstance(inner, dict):
                break
            at, parts = inner, parts[1:]
        at[".".join(parts)] = fields[name]
    return document
