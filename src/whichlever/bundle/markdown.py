"""Text of unknown origin as Markdown that renders as that text, and tables of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 300
"""Characters of a label or a sentence that a card shows."""

_SPECIAL = re.compile(r"[\\`*\[\]|~#!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINK = re.compile(r"(?i)(?<=[a-z]):(?=//)|(?<=www)\.")


def escaped(value: object) -> str:
    """One line of text that Markdown shows as it is: no markup, no HTML, no link, no control.

    It is never empty, and is meant to stand inside a line or a table's cell.
    """
    flat = " ".join(str(value).split())
    flat = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    if len(flat) > LONGEST:
        flat = flat[:LONGEST] + "…"
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    flat = _LINK.sub(lambda found: f"&#{ord(found.group())};", flat)
    return _SPECIAL.sub(lambda found: "\\" + found.group(), flat) or "(empty)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; the cells are Markdown already, all columns but the first to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def figure(said: object, digits: int = 3) -> str:
    """A figure as the files hold it, with its interval: ``0.803 (0.777 to 0.827)``."""
    if isinstance(said, dict):
        value, low, high = (said.get(k) for k in ("value", "low", "high"))
        if low is None or high is None:
            return figure(value, digits)
        return f"{figure(value, digits)} ({figure(low, digits)} to {figure(high, digits)})"
    if isinstance(said, bool) or not isinstance(said, int | float):
        return "not measured"
    return f"{said:,}" if isinstance(said, int) else f"{said:,.{digits}f}"


def percent(said: object) -> str:
    """A share (0 to 1), or one with its interval, in percent."""
    if isinstance(said, dict):
        parts = {k: 100 * v for k, v in said.items() if k != "level" and isinstance(v, int | float)}
        return f"{figure(parts, 1)} %"
    return f"{100 * said:.1f} %" if isinstance(said, int | float) else "not measured"


def dollars(value: object, per: str = "") -> str:
    """Dollars, small ones with three significant digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "not measured"
    said = f"{value:,.2f}" if value == 0 or abs(value) >= 0.1 else f"{value:.3g}"
    return f"${said}{per}"


def milliseconds(value: object) -> str:
    """Milliseconds with three significant digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "not measured"
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def size(count: int) -> str:
    """A number of bytes."""
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"
