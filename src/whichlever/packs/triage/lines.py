"""The lines that every layout is made of: ends, moments, lists, and the bound on all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from whichlever.packs.triage.flatten import MAX_FIELDS, text_of
from whichlever.packs.triage.values import address, phrase, port, when

Record = Mapping[str, Any]

MAX_CHARS = 2400
"""A rendering is never longer; what was left out is counted in its last line."""


def ends(source: list[Any], target: list[Any], proto: str = "") -> list[str]:
    """``from:`` and ``to:`` lines of two (address, port) pairs; ``proto`` is the target's."""
    lines = []
    for side, (ip, number), is_source in (("from", source, True), ("to", target, False)):
        place = address(str(ip)) if ip else ""
        door = port(number, source=is_source) if number is not None else ""
        if place or door:
            said = [place, f"port {door}" if door else "", proto if side == "to" else ""]
            lines.append(f"{side}: {' '.join(part for part in said if part)}")
    return lines


def moment(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """The ``when:`` line of a moment; none where it is no time."""
    text = when(value)
    return [f"when: {text}"] if text else []


def listed(name: str, values: Iterable[Any]) -> list[str]:
    """One line with the first eight values; none where there are none."""
    words = [phrase(text_of(value), 60) for value in list(values)[:8]]
    return [f"{name}: {', '.join(words)}"] if words else []


def mapping(record: Record, key: str) -> Record:
    """The object at a key; an empty one where there is none."""
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    """A list as it is, null as no items, anything else as one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def say(value: Any, limit: int) -> str:  # noqa: ANN401 - any JSON value
    """Any value as one safe, steady, bounded phrase; "" for null."""
    return "" if value is None else phrase(text_of(value), limit)


def word(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A rule's id or level: short, and kept whole (a rule id is not a count)."""
    text = "?" if value is None else text_of(value)
    return text if len(text) <= 12 and text.isascii() and text.isalnum() else phrase(text, 24)


def join(lines: list[str]) -> str:
    """Lines as one text within `MAX_CHARS`, what was left out counted in sight."""
    kept: list[str] = []
    room = MAX_CHARS
    for place, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0 or place > MAX_FIELDS + 12:
            kept.append(f"…[+{len(lines) - place} fields]")
            break
        kept.append(line.rstrip())
    return "\n".join(kept)
