"""Text from data, made safe to look at: what cannot be seen is shown as a picture or a number.

Escaping for HTML is the template engine's work; this is about characters that HTML lets through
and that still act on a reader or a terminal: escape sequences, bidirectional overrides (Boucher
and Anderson 2021, "Trojan Source"), zero-width and tag characters, lone surrogates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_UNSEEN = (0x00AD, 0x180E, 0x200B, *range(0x2060, 0x2065), *range(0x206A, 0x2070), 0xFEFF)
_LINES = (0x2028, 0x2029)
_TAGS = range(0xE0000, 0xE0080)
_NONCHARACTERS = (
    *range(0xFDD0, 0xFDF0),
    *(p << 16 | low for p in range(17) for low in (0xFFFE, 0xFFFF)),
)


def _pictures() -> dict[int, str]:
    """What stands for each character that is not shown as itself."""
    shown = {code: chr(0x2400 + code) for code in range(0x20)}
    shown[0x7F] = "\u2421"
    numbered: Iterable[int] = (
        *range(0x80, 0xA0), *_BIDI, *_UNSEEN, *_LINES, *_TAGS, *_NONCHARACTERS,
    )  # fmt: skip
    shown.update({code: f"⟦U+{code:04X}⟧" for code in numbered})
    shown.update(dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))
    return shown


_SHOWN = _pictures()
_SHOWN_BLOCK = {code: text for code, text in _SHOWN.items() if code not in (0x09, 0x0A)}
_LINE_END = re.compile(r"\r\n?")


def visible(text: str) -> str:
    """Show every control, bidirectional and unseen character; the result is one line.

    Parameters
    ----------
    text : str
        Anything: a label, a row id, a name.
    """
    return text.translate(_SHOWN)


def visible_block(text: str) -> str:
    """Do the same for a text of several lines: tabs and line ends stay."""
    return _LINE_END.sub("\n", text).translate(_SHOWN_BLOCK)


def shortened(text: str, limit: int) -> str:
    """One visible line of at most ``limit`` characters, its end marked where it was cut."""
    shown = visible(text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
