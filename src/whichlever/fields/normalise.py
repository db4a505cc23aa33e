"""Declared normalisers: the only ways in which a value may differ from the text it came from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import unquote

from whichlever.fields import timestamps
from whichlever.fields.timestamps import Clock
from whichlever.settings import Normaliser

__all__ = ["NORMALISERS", "Normaliser", "Rule", "apply", "canonical", "equal", "fits"]

NORMALISERS: tuple[Normaliser, ...] = get_args(Normaliser)
_INT = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?")
_MAC = re.compile(
    r"(?:[0-9A-Fa-f]{2}[:-]?){5,7}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field's value is made from its text.

    Attributes
    ----------
    normalise
        Which normaliser.
    clock
        For timestamps of a layout that ``clocks`` does not name.
    clocks
        Timestamp layout → how it is read.
    many
        The field may hold several values.
    """

    normalise: Normaliser = "none"
    clock: Clock = field(default_factory=Clock)
    clocks: dict[str, Clock] = field(default_factory=dict)
    many: bool = False


def apply(text: str, rule: Rule, this_year: int | None = None, line: str = "") -> Any:  # noqa: ANN401
    """Make the value of a span's text.

    A text that the normaliser cannot read (no number, no timestamp) stays as it is, so that
    nothing is lost and nothing is made up; whether it could is asked of :func:`fits`.

    Parameters
    ----------
    text
        Of the span.
    rule
        Of the field.
    this_year
        For timestamps whose year neither the text nor the rule knows.
    line
        The whole line, where a timestamp's zone may stand apart from it.
    """
    made = _made(text, rule, this_year, line)
    return text if made is None else made


def fits(text: str, rule: Rule, this_year: int | None = None) -> bool:
    """Say whether the rule's normaliser can read the text."""
    return _made(text, rule, this_year, "") is not None


def _made(text: str, rule: Rule, this_year: int | None, line: str) -> Any:  # noqa: ANN401
    kind = rule.normalise
    if kind == "none":
        return text
    if kind == "timestamp":
        return _moment(text, rule, this_year, line)
    if kind in _SIMPLE:
        return _SIMPLE[kind](text)
    raise ValueError(f"no normaliser {kind!r}; there are {', '.join(NORMALISERS)}")


def _moment(text: str, rule: Rule, this_year: int | None, line: str) -> str | None:
    stamp = timestamps.read(text)
    if stamp is None:
        return None
    moment = timestamps.settle(stamp, rule.clocks.get(stamp.layout, rule.clock), this_year, line)
    return None if moment is None else timestamps.iso(moment)


def _integer(text: str) -> int | None:
    text = text.strip()
    return int(text) if _INT.fullmatch(text) else None


def _number(text: str) -> int | float | None:
    text = text.strip()
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None


def _mac(text: str) -> str | None:
    if not _MAC.fullmatch(text.strip()):
        return None
    digits = re.sub(r"[^0-9A-Fa-f]", "", text).upper()
    return "-".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def _json(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _whitespace(text: str) -> str:
    return " ".join(text.split())


_SIMPLE: dict[str, Any] = {
    "lower": str.lower,
    "upper": str.upper,
    "int": _integer,
    "number": _number,
    "mac": _mac,
    "whitespace": _whitespace,
    "percent": lambda text: unquote(text, errors="replace"),
    "json": _json,
}


def canonical(value: Any, normalise: Normaliser) -> str | int | float:  # noqa: ANN401 - JSON value
    """Return what two values of a field must share to be the same value.

    Timestamps are instants in milliseconds, numbers are numbers, ``lower`` and ``upper`` ignore
    case, ``mac`` ignores separators and case, ``whitespace`` ignores how much; all else is the
    text itself.
    """
    text = str(value)
    if normalise == "timestamp":
        found = timestamps.instant(value)
        return text if found is None else found
    if normalise in ("int", "number"):
        number = _number(text)
        return text if number is None else number
    if normalise in ("lower", "upper"):
        return text.casefold()
    if normalise == "mac":
        return _mac(text) or text
    if normalise == "whitespace":
        return _whitespace(text)
    return text


def equal(a: Any, b: Any, normalise: Normaliser) -> bool:  # noqa: ANN401 - JSON values
    """Say whether two values of a field are the same, as :func:`canonical` sees them."""
    return canonical(a, normalise) == canonical(b, normalise)
