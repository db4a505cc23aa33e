"""Where a labelled value may stand in a line, as it is or before some normaliser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from whichlever.fields import normalise, timestamps
from whichlever.fields.normalise import Rule
from whichlever.fields.timestamps import Stamp

Place = tuple[int, int]
LIMIT = 32
"""Occurrences looked at per value: a value that stands more often in one line says nothing."""
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d{1,30}(?:\.\d{1,30})?(?![\w.]*\d)")
_MAC = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}[:-]?){5}[0-9A-Fa-f]{2}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}(?![0-9A-Za-z])"
)
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def places(text: str, value: Any) -> list[Place]:  # noqa: ANN401 - JSON value
    """Return where a value may have been copied from, best kind of likeness first.

    Verbatim places are followed by those that differ in case, and only where there are neither
    come numbers, hardware addresses, moments, other white space and percent-encoding.
    """
    if isinstance(value, bool) or value is None:
        return []
    wanted = str(value)
    if not wanted.strip():
        return []
    if isinstance(value, str) and _ISO.match(wanted) and (found := _moments(text, wanted)):
        return found
    for search in _searches(value):
        if found := search(text, wanted)[:LIMIT]:
            return found
    return []


def _searches(value: object) -> Iterator[Callable[[str, str], list[Place]]]:
    if isinstance(value, int | float):
        yield _numbers
        yield _verbatim
        return
    yield _verbatim
    yield _caseless
    yield _macs
    yield _blanks
    yield _encoded
    yield _escaped


def _bounded(text: str, start: int, end: int) -> bool:
    inside = text[start].isalnum() and start > 0 and text[start - 1].isalnum()
    return not (inside or (end < len(text) and text[end - 1].isalnum() and text[end].isalnum()))


def _verbatim(text: str, wanted: str) -> list[Place]:
    found: list[Place] = []
    at = text.find(wanted)
    while at >= 0 and len(found) < LIMIT:
        if _bounded(text, at, at + len(wanted)):
            found.append((at, at + len(wanted)))
        at = text.find(wanted, at + 1)
    return found


def _caseless(text: str, wanted: str) -> list[Place]:
    low = text.lower()
    if len(low) != len(text):  # a letter whose lower case is longer would shift every offset
        return []
    return _verbatim(low, wanted.lower())


def _numbers(text: str, wanted: str) -> list[Place]:
    value = float(wanted)
    exact = [place for place in _verbatim(text, wanted) if _whole_number(text, place)]
    if exact:
        return exact
    return [m.span() for m in _NUMBER.finditer(text) if float(m[0]) == value]


def _whole_number(text: str, place: Place) -> bool:
    start, end = place
    before = text[max(0, start - 2) : start]
    after = text[end : end + 2]
    return not (
        (len(before) == 2 and before[1] == "." and before[0].isdigit() and not _dotted(text, start))
        or (len(after) == 2 and after[0] == "." and after[1].isdigit())
    )


def _dotted(text: str, start: int) -> bool:
    """Say whether the dot before ``start`` ends an address (``10.0.0.1.443``), not a whole part."""
    return text[max(0, start - 16) : start].count(".") > 3


def _macs(text: str, wanted: str) -> list[Place]:
    rule = Rule("mac")
    if not normalise.fits(wanted, rule):
        return []
    value = normalise.apply(wanted, rule)
    return [m.span() for m in _MAC.finditer(text) if normalise.apply(m[0], rule) == value]


def _blanks(text: str, wanted: str) -> list[Place]:
    words = wanted.split()
    if not 2 <= len(words) <= 400:
        return _verbatim(text, words[0]) if words and words[0] != wanted else []
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words))
    return [m.span() for m in pattern.finditer(text)]


def _escaped(text: str, wanted: str) -> list[Place]:
    if "\\" not in text:
        return []
    for ascii_only in (False, True):
        written = json.dumps(wanted, ensure_ascii=ascii_only)[1:-1]
        for form in (written, written.replace("/", "\\/")):
            if found := _verbatim(text, form):
                return found
    return []


def _encoded(text: str, wanted: str) -> list[Place]:
    if "%" not in text or len(text) > 100_000:
        return []
    decoded: list[str] = []
    offsets: list[int] = []
    at = 0
    for match in _PERCENT.finditer(text):
        decoded += text[at : match.start()]
        offsets += range(at, match.start())
        made = unquote(match[0], errors="replace")
        decoded += made
        offsets += [match.start()] * len(made)
        at = match.end()
    decoded += text[at:]
    offsets += range(at, len(text))
    offsets.append(len(text))
    found = []
    for start, end in _verbatim("".join(decoded), wanted):
        place = (offsets[start], offsets[end])
        if unquote(text[place[0] : place[1]], errors="replace") == wanted:
            found.append(place)
    return found


def _moments(text: str, wanted: str) -> list[Place]:
    value = timestamps.read(wanted)
    if value is None:
        return []
    units = [m.span() for m in re.finditer(timestamps.UNIT, text)][:LIMIT]
    for same in (_same_moment, _shifted_moment):
        found = [
            place
            for place in units
            if (stamp := timestamps.read(text[slice(*place)])) is not None and same(stamp, value)
        ]
        if found:
            return found
    return _verbatim(text, wanted)


def _same_moment(stamp: Stamp, value: Stamp) -> bool:
    """The text has its own year and zone, and they say the same moment."""
    if stamp.year is None or stamp.offset is None:
        return False
    return any(gap == 0 for gap in gaps(stamp, value, own_zone=True).values())


def _shifted_moment(stamp: Stamp, value: Stamp) -> bool:
    """Some zone and year make the text the value."""
    return bool(gaps(stamp, value, own_zone=False))


Reading = tuple[int | None, bool, bool]
"""Year that the text lacks, day first, fraction of the second dropped."""


def gaps(stamp: Stamp, value: Stamp, *, own_zone: bool) -> dict[Reading, float]:
    """Return what must be so for a text to be a value.

    Returns
    -------
    dict
        Reading → minutes that the zone lies east of UTC; with ``own_zone``, minutes between the
        moment the text says and the value. Only whole quarters of an hour within fourteen hours
        are in it.
    """
    target = timestamps.naive(value, None, day_first=False)
    if target is None:
        return {}
    day_orders = (False, True) if "numeric" in stamp.layout else (False,)
    years = (None,) if stamp.year is not None else (target.year, target.year - 1, target.year + 1)
    found: dict[Reading, float] = {}
    for day_first in day_orders:
        for year in years:
            local = timestamps.naive(stamp, year, day_first)
            if local is None:
                continue
            seconds = (local - target).total_seconds() + (value.offset or 0) * 60
            if own_zone:
                seconds -= (stamp.offset or 0) * 60
            # Values hold milliseconds; the text may hold more.
            quarters = round(seconds / 900)
            if abs(quarters) > 56:
                continue
            rest = abs(seconds - quarters * 900)
            if rest < 0.0011 or (value.nanos == 0 and rest < 1 and seconds > quarters * 900):
                found[(year, day_first, rest >= 0.0011)] = quarters * 15.0
    return found
