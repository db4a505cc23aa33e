"""How figures are said: money, shares, times, bytes; None is always "not measured"."""

from __future__ import annotations

import math

from whichlever.measure.summary import Interval

NOT_MEASURED = "not measured"


def significant(value: float, digits: int = 2) -> str:
    """Write a number in plain decimals (never 1e-06) with so many significant digits."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else ("∞" if value > 0 else "−∞")
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(places, 0)}f}".replace("-", "−")


def money(dollars: float | None) -> str:
    """Dollars: whole from 100 up, cents below, two significant digits below ten cents."""
    if dollars is None:
        return NOT_MEASURED
    size = abs(dollars)
    sign = "−" if dollars < 0 else ""
    if size >= 99.995:
        return f"{sign}${size:,.0f}"
    if size >= 0.0995 or size == 0:
        return f"{sign}${size:,.2f}" if size else "$0"
    return f"{sign}${significant(size)}"


_SCALES = ((1.0, "per call"), (1e3, "per 1,000 calls"), (1e6, "per million calls"))


def per_call(dollars: float | None) -> tuple[str, str]:
    """Say a price per call, and the same at a scale people can feel.

    Returns
    -------
    tuple of str
        E.g. ``("$0.0000012", "$1.20 per million calls")``; the second is empty where the first
        is already a cent or more, or was not measured.
    """
    if dollars is None:
        return NOT_MEASURED, ""
    if dollars == 0 or abs(dollars) >= 0.01:
        return money(dollars), ""
    for factor, words in _SCALES:
        if abs(dollars) * factor >= 0.1 or factor == 1e6:
            return money(dollars), f"{money(dollars * factor)} {words}"
    raise AssertionError("the last scale always answers")


def share(value: float | None) -> str:
    """A share between 0 and 1 with three decimals, as in .720."""
    if value is None:
        return NOT_MEASURED
    text = f"{abs(value):.3f}"
    text = text[1:] if text.startswith("0.") else text
    return f"−{text}" if value < 0 and float(f"{value:.3f}") else text


def interval(figure: Interval | None) -> str:
    """A figure with its interval, as in ``.720 [.691, .748]``."""
    if figure is None:
        return NOT_MEASURED
    return share(figure.value) if figure.low is None else f"{share(figure.value)} {bounds(figure)}"


def bounds(figure: Interval | None) -> str:
    """Only the interval, as in ``[.691, .748]``; empty where there is none."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    return f"[{share(figure.low)}, {share(figure.high)}]"


def signed(figure: Interval) -> str:
    """A difference with its sign and interval, as in ``+.031 [+.008, +.055]``."""

    def one(value: float) -> str:
        text = share(value)
        return text if text.startswith("−") else f"+{text}"

    if figure.low is None or figure.high is None:
        return one(figure.value)
    return f"{one(figure.value)} [{one(figure.low)}, {one(figure.high)}]"


def probability(p: float | None) -> str:
    """A p-value: three decimals, "< .001" below."""
    if p is None:
        return "–"
    return "< .001" if p < 0.001 else share(p)


def milliseconds(ms: float | None) -> str:
    """A time, in the unit that reads best."""
    if ms is None:
        return NOT_MEASURED
    if ms >= 60_000:
        return f"{significant(ms / 60_000)} min"
    if ms >= 1000:
        return f"{significant(ms / 1000)} s"
    return f"{significant(ms)} ms" if ms >= 0.1 else f"{significant(ms * 1000)} µs"


def seconds(value: float | None) -> str:
    """A duration given in seconds."""
    return milliseconds(None if value is None else value * 1000)


def size(count: float | None) -> str:
    """A number of bytes; nothing left is said in words."""
    if count is None:
        return NOT_MEASURED
    if count == 0:
        return "none"
    for limit, unit in ((1e3, "B"), (1e6, "kB"), (1e9, "MB")):
        if count < limit:
            return f"{significant(count / (limit / 1e3), 3 if unit == 'B' else 2)} {unit}"
    return f"{significant(count / 1e9)} GB"


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return NOT_MEASURED if value is None else f"{value:,.0f}"


def volume(calls: float | None) -> str:
    """Calls a month in short: 10 M, 250 k."""
    if calls is None:
        return "never"
    for limit, unit in ((1e12, " T"), (1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if calls >= limit * 0.9995:
            return (
                f"{significant(calls / limit, 3).rstrip('0').rstrip('.')}{unit}"
                if (calls / limit < 100)
                else f"{calls / limit:,.0f}{unit}"
            )
    return f"{calls:,.0f}"
