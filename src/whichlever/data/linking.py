"""What an alert's record says of who and what was involved, written so that alerts can be linked.

An address is the same address whatever field it stands in (``address:10.1.2.3``); anything else
goes by its field's last name (``host:srv-db-003``), in lower case. Values that name nobody, such as
``-``, ``localhost`` or ``0.0.0.0``, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from whichlever.render import Pack
from whichlever.render.plain import pointer

MAX_VALUE = 200
"""Characters of an entity; longer values are texts, not names."""
MAX_ENTITIES = 16
"""Entities taken of one alert."""

NOBODY = frozenset(
    {
        "", "-", "?", "*", "n/a", "na", "none", "null", "unknown", "any", "localhost", "(none)",
        "system", "nt authority\\system", "local service", "network service", "anonymous logon",
        "anonymous", "root", "administrator", "admin", "nobody", "guest", "everyone",
    }
)  # fmt: skip
"""Names that stand on every machine and tie nothing to anything."""


def entity(kind: str, value: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """One entity as text; None where the value names nobody."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip().lower()
    if text in NOBODY or len(text) > MAX_VALUE or not text.isprintable():
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return f"{kind}:{text}"
    useless = found.is_unspecified or found.is_loopback or found.is_multicast
    return None if useless or text == "255.255.255.255" else f"address:{found}"


def entities_at(record: Mapping[str, Any], paths: Sequence[str]) -> tuple[str, ...]:
    """The entities at these columns or JSON pointers; a list gives each of its values."""
    found: dict[str, None] = {}
    for path in paths:
        try:
            value = pointer(record, path)
        except (KeyError, TypeError):
            continue
        kind = path.rsplit("/", 1)[-1].lower()
        for one in value if isinstance(value, list) else [value]:
            named = entity(kind, one)
            if named is not None and len(found) < MAX_ENTITIES:
                found[named] = None
    return tuple(found)


def entities_of(
    record: Mapping[str, Any], paths: Sequence[str], pack: Pack | None
) -> tuple[str, ...]:
    """The entities at ``paths``, or where there are none those that the pack finds."""
    if paths:
        return entities_at(record, paths)
    find = getattr(pack, "entities", None)
    return () if find is None else tuple(find(record))[:MAX_ENTITIES]
