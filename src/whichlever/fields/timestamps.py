"""Timestamps as logs write them: found, read, and set in a zone and a year.

Every expression is bounded and tried at word starts only, so that time is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
# Hours of the abbreviations that have one meaning in logs; others are left to the declared zone.
ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "CET": 1, "WEST": 1, "CEST": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "IST": 5.5, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "EST": -5,
    "EDT": -4, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8,
}  # fmt: skip
_ZONE = (
    r"(?: ?(?P<zone>(?:GMT|UTC)?[+-]\d{2}:?\d{2}(?!\d)|(?:GMT|UTC)[+-]\d{1,2}(?!\d)"
    r"|Z(?![A-Za-z0-9])|(?:"
    + "|".join(sorted((z for z in ZONES if z != "Z"), key=len, reverse=True))
    + r"|[mcpe][ds]t|utc|gmt)(?![A-Za-z0-9])|[+-]\d{2}(?![\d:.-])))?"
)
_CLOCK = (
    r"(?P<h>\d{1,2}):(?P<i>[0-5]\d)(?::(?P<s>[0-6]\d)(?:(?:[.:]|,(?=\d{3}(?![\d,]))|,(?=\d{6}(?![\d,])))(?P<f>\d{1,9})(?!\d)(?!\.\d))?)?"
    r"(?: ?(?P<ap>[AaPp][Mm])(?![A-Za-z]))?"
)
LINE = "line"
_GAP = r"(?:T|[^0-9A-Za-z\n]{1,4}| at |[ ,;|]{1,2}time=\"?)"
_ISO = r"(?P<y>\d{4})(?P<q>[-/.])(?P<m>\d{1,2})(?P=q)(?P<d>\d{1,2})"
_NUM = r"(?P<a>\d{1,2})(?P<q>[-/.])(?P<b>\d{1,2})(?P=q)(?P<y>\d{4}|\d{2})"
_DMY = rf"(?P<d>\d{{1,2}})[-/ ](?P<mon>{_MONTH})[a-z]{{0,6}}"
_DMY += r"[-/ ](?P<y>\d{4}|\d{2}(?!:\d\d:\d\d(?![:\d])))"  # 30 May 10:05:20 has no year
_MD = rf"(?P<mon>{_MONTH})[a-z]{{0,6}}\.? {{1,2}}(?P<d>\d{{1,2}})"
_PATTERNS = {
    "iso": _ISO + _GAP + _CLOCK + _ZONE,
    "numeric": _NUM + _GAP + _CLOCK + _ZONE,
    "day-month": _DMY + _GAP + _CLOCK + _ZONE,
    "syslog": _MD + r"(?:,? (?P<y>\d{4})(?=[ ,]))?" + r"(?:[ ,:]{1,3}| at )" + _CLOCK + _ZONE
    + r"(?: (?P<y2>(?:19|20)\d{2})(?![\d:.])(?: ?(?P<zone2>[+-]\d{2}:?\d{2}))?)?",
    "year-month": rf"(?P<y>\d{{4}})[- ](?P<mon>{_MONTH})[- ]{{1,2}}(?P<d>\d{{1,2}})"
    + _GAP + _CLOCK + _ZONE,
    "compact": r"(?P<y>(?:19|20)\d{2})(?P<m>[01]\d)(?P<d>[0-3]\d)[T _-]?(?P<h>[0-2]\d)"
    r"(?P<i>[0-5]\d)(?P<s>[0-5]\d)(?:[.,](?P<f>\d{1,9}))?(?!\d)" + _ZONE,
    "six": r"(?P<y>\d{2})(?P<m>[01]\d)(?P<d>[0-3]\d) {1,2}" + _CLOCK,
    "month-day": r"(?P<m>[01]?\d)/(?P<d>[0-3]?\d)[- ]" + _CLOCK,
    "short": rf"(?P<d>\d{{1,2}})[- ](?P<mon>{_MONTH})[ ,:]{{1,2}}" + _CLOCK + _ZONE,
    "epoch": r"(?P<epoch>[12]\d{9}(?:\d{3}|\d{6}|\d{9})?)(?:\.(?P<f>\d{1,9}))?(?![\d.])",
    "clock-first": _CLOCK + r"[^0-9A-Za-z\n]{1,3}" + _ISO,
}  # fmt: skip
"""Layout → expression. ``numeric`` leaves open whether the day or the month comes first."""
DATES = {
    "date": _ISO,
    "date-numeric": _NUM,
    "date-month": _DMY,
}
_COMPILED = {name: re.compile(pattern) for name, pattern in (_PATTERNS | DATES).items()}
_EDGE = r"(?<![0-9A-Za-z.])"


def _nameless(pattern: str) -> str:
    """Return the expression without capturing, its one back-reference spelt out per separator."""
    if "(?P=q)" in pattern:
        kinds = (
            pattern.replace("(?P<q>[-/.])", re.escape(q)).replace("(?P=q)", re.escape(q))
            for q in "-/."
        )
        return "(?:" + "|".join(re.sub(r"\(\?P<\w+>", "(?:", kind) for kind in kinds) + ")"
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


UNIT = (
    _EDGE
    + r"(?=[0-9ADFJMNOS])(?:"
    + "|".join(_nameless(p) for name, p in _PATTERNS.items())
    + r")(?![0-9])"
)
"""One date with its time of day (or an epoch), without capturing groups: for tokenisers."""
_FIND = re.compile(UNIT)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a text says about a moment, before zone, year and day order are settled.

    Attributes
    ----------
    layout
        Name of the format; ``/yearless`` and ``/zoned`` are added where that is so, since such
        texts are to be read differently.
    year
        None where the text has none.
    first, second
        Month and day; for ``numeric`` layouts in the order of the text.
    seconds
        Seconds of the day, or of the epoch for ``epoch``.
    nanos
        Fraction of the second.
    offset
        Minutes east of UTC as the text says, None where it does not.
    """

    layout: str
    year: int | None
    first: int
    second: int
    seconds: int
    nanos: int
    offset: float | None


@dataclass(frozen=True, slots=True)
class Clock:
    """How one source's texts of one layout are to be read.

    Attributes
    ----------
    zone
        ``±HH:MM`` or an IANA name, for texts without a zone; ``line`` is the zone that stands
        elsewhere in the line (``tz="+0200"``), UTC where none does.
    year
        For texts without a year.
    day_first
        Whether ``03/04/2024`` is the third of April.
    override
        The zone holds even where the text names another.
    whole
        Fractions of a second are dropped.
    """

    zone: str = "UTC"
    year: int | None = None
    day_first: bool = False
    override: bool = False
    whole: bool = False


def find(text: str) -> list[tuple[int, int]]:
    """Return where dates with a time of day, or epochs, stand."""
    return [m.span() for m in _FIND.finditer(text)]


@lru_cache(maxsize=4096)
def read(text: str) -> Stamp | None:
    """Read one whole text; None where it is no timestamp of a known layout."""
    if len(text) > 80:
        return None
    text = text.strip()
    for layout, pattern in _COMPILED.items():
        match = pattern.fullmatch(text)
        if match and (found := _stamp(layout, match.groupdict())) is not None:
            return found
    return None


def _stamp(layout: str, part: dict[str, str | None]) -> Stamp | None:
    fraction = (part.get("f") or "").ljust(9, "0")[:9] or "0"
    if (epoch := part.get("epoch")) is not None:
        digits = len(epoch) - 10
        nanos = int((epoch[10:] + (part.get("f") or "")).ljust(9, "0")[:9]) if digits else int(
            fraction
        )  # fmt: skip
        return Stamp("epoch", 1970, 1, 1, int(epoch[:10]), nanos, 0.0)
    year = part.get("y") or part.get("y2")
    if year is not None and len(year) == 2:
        year = ("20" if int(year) < 70 else "19") + year
    month = part.get("mon")
    first = int(part.get("a") or 0) or (
        MONTHS.index(month.lower()) + 1 if month else int(part.get("m") or 0)
    )
    second = int(part.get("b") or part.get("d") or 0)
    hour = int(part.get("h") or 0)
    if half := part.get("ap"):
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    if hour > 23 or not (1 <= first <= 31 and 1 <= second <= 31):
        return None
    seconds = hour * 3600 + int(part.get("i") or 0) * 60 + min(int(part.get("s") or 0), 59)
    zone = part.get("zone") or part.get("zone2")
    layout += ("" if year else "/yearless") + ("/zoned" if zone else "")
    return Stamp(
        layout, int(year) if year else None, first, second, seconds, int(fraction), _minutes(zone)
    )


def _minutes(zone: str | None) -> float | None:
    if zone is None:
        return None
    if zone.upper() in ZONES:
        return ZONES[zone.upper()] * 60
    sign = -1 if "-" in zone else 1
    digits = "".join(c for c in zone if c.isdigit())
    digits = (digits if len(digits) > 1 else "0" + digits).ljust(4, "0")
    return sign * (int(digits[:2]) * 60 + int(digits[2:4]))


def naive(stamp: Stamp, year: int | None, day_first: bool) -> datetime | None:
    """Return the moment as if its zone were UTC, None where there is no such day."""
    month, day = stamp.first, stamp.second
    if "numeric" in stamp.layout and day_first:
        month, day = day, month
    known = stamp.year if stamp.year is not None else year
    if known is None:
        return None
    try:
        start = datetime(known, month, day, tzinfo=UTC)
    except ValueError:
        return None
    try:
        return start + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    except OverflowError:
        return None


@lru_cache(maxsize=256)
def zone_of(name: str) -> timezone | ZoneInfo:
    """Return the zone of ``UTC``, ``±HH:MM`` or an IANA name.

    Raises
    ------
    ValueError
        The name is none of these.
    """
    if re.fullmatch(r"[+-]\d{2}:?\d{2}", name):
        return timezone(timedelta(minutes=_minutes(name) or 0))
    if name in ZONES:
        return timezone(timedelta(hours=ZONES[name]))
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"no time zone {name!r}; write UTC, +02:00 or a name such as Europe/Vienna"
        ) from None


_LINE_ZONE = re.compile(
    r"(?<![A-Za-z])(?:tz|timezone|time_zone)[=:] ?[\"']?([+-]\d\d:?\d\d|[A-Z]{2,5})(?![A-Za-z0-9])"
)


def line_zone(line: str) -> float | None:
    """Return the zone that a line names beside its timestamps, in minutes east of UTC."""
    match = _LINE_ZONE.search(line, 0, 20_000)
    if match is None or (match[1] not in ZONES and match[1].isalpha()):
        return None
    return _minutes(match[1])


def settle(
    stamp: Stamp, clock: Clock, this_year: int | None = None, line: str = ""
) -> datetime | None:
    """Set a stamp in its zone and year; None where the year is not known or there is no such day.

    ``this_year`` stands in where neither the text nor the clock has a year; ``line`` is where a
    clock whose zone is ``line`` looks for it.
    """
    year = clock.year if clock.year is not None else this_year
    found = naive(stamp, year, clock.day_first)
    if found is None:
        return None
    if clock.whole:
        found = found.replace(microsecond=0)
    try:
        return found.replace(tzinfo=_zone(stamp, clock, line))
    except ValueError:
        return None


def _zone(stamp: Stamp, clock: Clock, line: str) -> timezone | ZoneInfo:
    if stamp.offset is not None and not clock.override:
        return timezone(timedelta(minutes=stamp.offset))
    if clock.zone == LINE:
        return timezone(timedelta(minutes=line_zone(line) or 0))
    return zone_of(clock.zone)


def iso(moment: datetime) -> str:
    """Write a moment as ISO-8601 in milliseconds, ``Z`` for UTC."""
    text = moment.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def instant(value: object) -> int | None:
    """Return a value's milliseconds since 1970, None where it is no timestamp with a zone or date.

    A timestamp without a zone is taken as UTC.
    """
    if isinstance(value, bool) or value is None:
        return None
    stamp = read(str(value))
    if stamp is None:
        return None
    moment = settle(stamp, Clock())
    if moment is None:
        return None
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000
