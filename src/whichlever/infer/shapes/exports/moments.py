"""A timestamp's form as a format that others can parse: checked, or not given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from itertools import product

from whichlever.fields import normalise, timestamps
from whichlever.fields.normalise import Rule
from whichlever.fields.timestamps import LINE, MONTHS, Clock
from whichlever.infer.shapes.classes import Variable, form_of

_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y",
    "%d/%b/%Y", "%d-%b-%Y", "%d %b %Y", "%b %d %Y", "%b %d, %Y", "%Y %b %d", "%b %d", "%d %b",
    "%m/%d/%y", "%y/%m/%d", "%m/%d",
)  # fmt: skip
_GAPS = ("T", " ", ":", "-", ", ", ",", " time=", " at ")
_CLOCKS = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f", "%I:%M:%S %p", "%H:%M")
_ZONES = ("", "Z", " %z", "%z", "%:z", " %:z", " UTC", " GMT")
_LAST = "%a %b %d %H:%M:%S %Y"
_TRIED = (
    datetime(2024, 6, 14, 17, 8, 39, 123000), datetime(2024, 11, 3, 4, 51, 7, 456000),
)  # fmt: skip

# strftime → Joda-Time, which Logstash's date filter reads.
_JODA = {
    "%Y": "yyyy", "%y": "yy", "%m": "M", "%d": "d", "%b": "MMM", "%H": "H", "%I": "h", "%M": "m",
    "%S": "s", "%f": "SSS", "%p": "a", "%z": "Z", "%:z": "ZZ", "%a": "EEE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """How a timestamp's texts are read.

    Attributes
    ----------
    pattern
        As ``strftime`` writes it; ``epoch`` for seconds since 1970, ``epoch_ms`` for milliseconds.
    zone
        ``±HH:MM`` or a name where the text has none; empty where it has.
    year
        Where the text has none; None where it has, or nobody knows.
    """

    pattern: str
    zone: str
    year: int | None

    def joda(self) -> str:
        """Write the pattern for Joda-Time."""
        if self.pattern.startswith("epoch"):
            return "UNIX_MS" if self.pattern == "epoch_ms" else "UNIX"
        out, at = "", 0
        while at < len(self.pattern):
            size = 3 if self.pattern.startswith("%:", at) else 2
            if self.pattern[at] == "%":
                out += _JODA[self.pattern[at : at + size]]
                at += size
            else:
                mark = self.pattern[at]
                out += f"'{mark}'" if mark.isalpha() else mark
                at += 1
        return out.replace("''", "")

    def chrono(self) -> str:
        """Write the pattern for Rust's chrono, which Vector reads."""
        return self.pattern.replace(".%f", "%.f").replace(",%f", ",%3f")


def format_of(part: Variable, rule: Rule) -> Format | None:
    """Find the format of a timestamp variable; None where none gives what the rule gives."""
    if any(clock.zone == LINE for clock in (rule.clock, *rule.clocks.values())):
        return None
    if part.kind in ("digits", "number"):
        return _epoch(part, rule)
    for pattern, rendered in _by_form().get(part.form, ()):
        if found := _checked(pattern, list(rendered), rule):
            return found
    return None


@lru_cache(1)
def _by_form() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """Form → patterns that write it, in the order in which they are tried, with examples."""
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for pattern in _patterns():
        rendered = tuple(_render(moment, pattern) for moment in _TRIED)
        found.setdefault(form_of(rendered[0]), []).append((pattern, rendered))
    return found


def _patterns() -> Iterator[str]:
    for date, gap, clock, zone in product(_DATES, _GAPS, _CLOCKS, _ZONES):
        yield f"{date}{gap}{clock}{zone}"
    yield _LAST


def _render(moment: datetime, pattern: str) -> str:
    """Write a moment, months in English whatever the locale, fractions in milliseconds."""
    month = MONTHS[moment.month - 1].capitalize()
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    pattern = pattern.replace("%b", month).replace("%f", f"{moment.microsecond // 1000:03d}")
    pattern = pattern.replace("%a", days[moment.weekday()])
    pattern = pattern.replace("%p", "AM" if moment.hour < 12 else "PM")
    return moment.strftime(pattern.replace("%:z", "+03:00").replace("%z", "+0300"))


def _checked(pattern: str, rendered: list[str], rule: Rule) -> Format | None:
    zones = set()
    for moment, text in zip(_TRIED, rendered, strict=True):
        stamp = timestamps.read(text)
        if stamp is None:
            return None
        clock = rule.clocks.get(stamp.layout, rule.clock)
        own = _own_zone(pattern)
        if own is not None and clock.override:
            return None
        said = normalise.apply(text, rule, 2024)
        wanted = _wanted(moment, pattern, clock)
        if said != wanted and timestamps.instant(said) != timestamps.instant(wanted):
            return None
        zones.add(("" if own is not None else clock.zone, clock.year))
    zone, year = zones.pop()
    has_year = "%Y" in pattern or "%y" in pattern
    return Format(pattern, zone, None if has_year else year) if not zones else None


def _own_zone(pattern: str) -> timezone | None:
    if "%z" in pattern or "%:z" in pattern:
        return timezone(timedelta(hours=3))
    return UTC if pattern.endswith(("Z", "UTC", "GMT")) else None


def _wanted(moment: datetime, pattern: str, clock: Clock) -> str:
    if "%f" not in pattern or clock.whole:
        moment = moment.replace(microsecond=0)
    if "%S" not in pattern:
        moment = moment.replace(second=0)
    if "%Y" not in pattern and "%y" not in pattern and clock.year is not None:
        moment = moment.replace(year=clock.year)
    zone = _own_zone(pattern) or timestamps.zone_of(clock.zone)
    return timestamps.iso(moment.replace(tzinfo=zone))


def _epoch(part: Variable, rule: Rule) -> Format | None:
    texts = ("1718994432.369",) if part.kind == "number" else ("1718994432369", "1718994432")
    for text in texts:
        said = timestamps.instant(normalise.apply(text, rule))
        whole = 1718994432000
        wanted = whole + 369 if len(text) > 10 else whole
        if said == wanted:
            return Format("epoch_ms" if len(text) == 13 else "epoch", "", None)
    return None
