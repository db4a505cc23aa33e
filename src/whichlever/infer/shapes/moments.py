"""Timestamps of one place of a shape: each minute is read once, its seconds are set in."""

from __future__ import annotations

import re
from typing import Any

from whichlever.fields import normalise
from whichlever.fields.normalise import Rule
from whichlever.fields.timestamps import LINE

MAX_MINUTES = 4_000
CHECKED_FIRST = 3
WHOLE_MINUTES_SINCE = "1973"
_SECONDS = re.compile(r"(?<=\d:\d\d:)(\d\d)(?:[.,](\d{1,9}))?(?!\d)")
_VALUE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:)\d\d\.\d{3}(.*)")
_EPOCH = re.compile(r"[12]\d{9}(?:\d{3}|\.\d{1,9})?")

Ends = tuple[str, str]
"""What stands before the seconds and after their fraction."""


def reads_line(rule: Rule) -> bool:
    """Whether a value also depends on the rest of the line."""
    return any(clock.zone == LINE for clock in (rule.clock, *rule.clocks.values()))


class Timestamps:
    """Values of one rule, as ``normalise.apply`` makes them.

    What stands around the seconds decides everything but the seconds, since zones have been whole
    minutes from UTC since 1972. This is checked with two other seconds on the first minutes (and
    on every minute before then); a minute for which it does not hold is read text by text.
    """

    __slots__ = ("_checked", "_minutes", "_places", "_rule", "_this_year")

    def __init__(self, rule: Rule, this_year: int | None) -> None:
        self._rule = rule
        self._this_year = this_year
        self._checked = 0
        # Length of a text → start and end of its seconds with their fraction, as last seen.
        self._places: dict[int, tuple[int, int]] = {}
        self._minutes: dict[Ends | tuple[int, int], Ends | None] = {}

    def __call__(self, text: str, line: str) -> Any:  # noqa: ANN401 - JSON value
        """Return the value of a timestamp's text."""
        place = self._places.get(len(text))
        if place is not None:
            start, end = place
            known = self._minutes.get((text[:start], text[end:]))
            if known is not None:
                seconds = text[start:end]
                if end - start == 2:
                    if seconds < "60" and seconds.isdigit():
                        return f"{known[0]}{seconds}.000{known[1]}"
                elif _fractional(seconds):
                    return f"{known[0]}{seconds[:2]}.{(seconds[3:6] + '00')[:3]}{known[1]}"
        return self._slowly(text)

    def _slowly(self, text: str) -> Any:  # noqa: ANN401 - JSON value
        if _EPOCH.fullmatch(text):
            return self._epoch(text)
        value = self._apply(text)
        match = _SECONDS.search(text[:80])
        if match is None or not isinstance(value, str):
            return value
        start, end = match.span()
        self._places[len(text)] = (start, end)
        self._remember((text[:start], text[end:]), lambda: self._minute(text, value, start, end))
        return value

    def _epoch(self, text: str) -> Any:  # noqa: ANN401 - JSON value
        """Read seconds since 1970, with a fraction after a point or as three more digits."""
        minute, second = divmod(int(text[:10]), 60)
        key = (minute, len(text))
        if key not in self._minutes:
            self._remember(key, lambda: self._epoch_minute(minute, text))
        known = self._minutes[key]
        if known is None:
            return self._apply(text)
        fraction = text[10:].lstrip(".")[:3]
        return f"{known[0]}{second:02d}.{fraction:0<3}{known[1]}"

    def _remember(self, key: Ends | tuple[int, int], make: Any) -> None:  # noqa: ANN401 - a callable
        if key in self._minutes:
            return
        made = make()
        if len(self._minutes) >= MAX_MINUTES:
            self._minutes.clear()
        self._minutes[key] = made

    def _minute(self, text: str, value: str, start: int, end: int) -> Ends | None:
        """Return the value's ends, if two other seconds bear them out."""
        found = _VALUE.fullmatch(value)
        if found is None:
            return None
        if self._trusted(found[1]):
            return found[1], found[2]
        digits = end - start - 3
        for other, fraction in (("07", "123456789"), ("59", "999999999")):
            tail = f"{text[start + 2]}{fraction[:digits]}" if digits > 0 else ""
            shown = fraction[: min(digits, 3)] if digits > 0 else ""
            said = self._apply(f"{text[:start]}{other}{tail}{text[end:]}")
            if said != f"{found[1]}{other}.{shown:0<3}{found[2]}":
                return None
        self._checked += 1
        return found[1], found[2]

    def _trusted(self, minute: str) -> bool:
        return self._checked >= CHECKED_FIRST and minute >= WHOLE_MINUTES_SINCE

    def _epoch_minute(self, minute: int, text: str) -> Ends | None:
        rest = text[10:]
        first = self._apply(f"{minute * 60}{rest}")
        found = _VALUE.fullmatch(first) if isinstance(first, str) else None
        if found is None:
            return None
        if self._trusted(found[1]):
            return found[1], found[2]
        for second in (7, 59):
            shown = rest.lstrip(".")[:3]
            said = self._apply(f"{minute * 60 + second}{rest}")
            if said != f"{found[1]}{second:02d}.{shown:0<3}{found[2]}":
                return None
        self._checked += 1
        return found[1], found[2]

    def _apply(self, text: str) -> Any:  # noqa: ANN401 - JSON value
        return normalise.apply(text, self._rule, self._this_year)


def _fractional(seconds: str) -> bool:
    fraction = seconds[3:]
    return (
        seconds < "60"
        and seconds[:2].isdigit()
        and seconds[2] in ".,"
        and fraction.isdigit()
        and fraction.isascii()
    )
