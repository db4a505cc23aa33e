"""When a simulated line was written, and the many ways in which devices write that down.

Dates are computed by hand, without locale or platform (Hinnant's civil-from-days), so that a seed
gives the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
"""1970-01-01 was a Thursday."""


class Moment:
    """An instant on a device's clock, and the dice that its line is drawn with.

    Parameters
    ----------
    share
        A number from 0 up to 1 at each call.
    zone
        Minutes that the device's clock is ahead of UTC.
    """

    __slots__ = ("_second", "date", "day", "hms", "month", "ms", "parts", "share", "time", "zone")

    def __init__(self, share: Callable[[], float], zone: int) -> None:
        self.share, self.zone = share, zone
        self._second = -1
        self.set(0)

    def set(self, time: int) -> None:
        """Move to ``time``, in milliseconds since 1970 UTC."""
        self.time = time
        second = time // 1000 + self.zone * 60
        self.ms = time % 1000
        if second == self._second:
            return
        self._second = second
        days, rest = divmod(second, 86_400)
        self.parts = (*civil(days), rest // 3600, rest // 60 % 60, rest % 60)
        year, month, day, hour, minute, sec = self.parts
        self.date = f"{year:04d}-{month:02d}-{day:02d}"
        self.hms = f"{hour:02d}:{minute:02d}:{sec:02d}"
        self.month, self.day = MONTHS[month - 1], DAYS[days % 7]

    def offset(self, colon: bool) -> str:
        """The zone as ``+02:00`` or ``+0200``."""
        sign, minutes = ("-", -self.zone) if self.zone < 0 else ("+", self.zone)
        return f"{sign}{minutes // 60:02d}{':' if colon else ''}{minutes % 60:02d}"

    def iso(self, stamp: str) -> str:
        """What a parser should make of this stamp: ISO-8601, milliseconds, the device's zone."""
        ms = self.ms if stamp in WITH_MS else 0
        if stamp in IN_UTC or self.zone == 0:
            utc = Moment(self.share, 0)
            utc.set(self.time)
            return f"{utc.date}T{utc.hms}.{ms:03d}Z"
        return f"{self.date}T{self.hms}.{ms:03d}{self.offset(True)}"


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a count of days since 1970-01-01."""
    days += 719_468
    era, doe = divmod(days, 146_097)
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    shifted = (5 * doy + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return yoe + era * 400 + (month <= 2), month, doy - (153 * shifted + 2) // 5 + 1


def _us(m: Moment) -> str:
    year, month, day, hour, minute, second = m.parts
    half = "PM" if hour >= 12 else "AM"
    return f"{month}/{day}/{year} {(hour + 11) % 12 + 1}:{minute:02d}:{second:02d} {half}"


STAMPS: Mapping[str, Callable[[Moment], str]] = {
    "ts_bsd": lambda m: f"{m.month} {m.parts[2]:2d} {m.hms}",
    "ts_bsd_year": lambda m: f"{m.month} {m.parts[2]:02d} {m.parts[0]} {m.hms}",
    "ts_bsd_ms": lambda m: f"{m.month} {m.parts[2]:2d} {m.hms}.{m.ms:03d}",
    "ts_iso": lambda m: f"{m.date}T{m.hms}.{m.ms:03d}{m.offset(True)}",
    "ts_iso_s": lambda m: f"{m.date}T{m.hms}{m.offset(True)}",
    "ts_utc": lambda m: _utc(m, "T", f".{m.ms:03d}Z"),
    "ts_sql": lambda m: f"{m.date} {m.hms}",
    "ts_sql_ms": lambda m: f"{m.date} {m.hms}.{m.ms:03d}",
    "ts_sql_comma": lambda m: f"{m.date} {m.hms},{m.ms:03d}",
    "ts_kv": lambda m: f"{m.date} time={m.hms}",
    "ts_slash": lambda m: f"{m.date.replace('-', '/')} {m.hms}",
    "ts_clf": lambda m: (
        f"{m.parts[2]:02d}/{m.month}/{m.parts[0]}:{m.hms} {m.offset(False)}"
    ),
    "ts_dmy": lambda m: f"{m.parts[2]:02d}-{m.month}-{m.parts[0]} {m.hms}.{m.ms:03d}",
    "ts_us": _us,
    "ts_epoch": lambda m: f"{m.time // 1000}.{m.ms:03d}",
    "ts_epoch_s": lambda m: str(m.time // 1000),
    "ts_epoch_ms": lambda m: str(m.time),
    "ts_mdy": lambda m: f"{m.parts[1]:02d}/{m.parts[2]:02d}/{m.parts[0] % 100:02d},{m.hms}",
}  # fmt: skip
"""Slot → how the moment is written; the instant is the same in each."""

WITH_MS = frozenset(
    ("ts_bsd_ms", "ts_iso", "ts_utc", "ts_sql_ms", "ts_sql_comma", "ts_dmy", "ts_epoch",
     "ts_epoch_ms")
)  # fmt: skip
IN_UTC = frozenset(("ts_utc", "ts_epoch", "ts_epoch_s", "ts_epoch_ms"))


def _utc(m: Moment, between: str, end: str) -> str:
    if m.zone == 0:
        return f"{m.date}{between}{m.hms}{end}"
    utc = Moment(m.share, 0)
    utc.set(m.time)
    return f"{utc.date}{between}{utc.hms}{end}"
