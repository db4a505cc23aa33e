"""How an attacker's text is brought in: in the open, out of a person's sight, encoded, as a key.

All of it only adds. The text that was there stays as it was, and what is added can be read back
(`revealed`), so that an attempt never does more than it says.
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal, get_args
from urllib.parse import quote, unquote

Way = Literal[
    "appended",
    "prepended",
    "zero-width",
    "comment",
    "padded",
    "base64",
    "percent",
    "homoglyph",
    "field name",
]
"""``zero-width``: a character without width between any two. ``comment``: inside an HTML comment.
``padded``: behind so many empty lines that a screen does not show it. ``homoglyph``: Latin letters
replaced by Cyrillic ones that look the same. ``field name``: as the name of a field in a record.
All but ``prepended`` and ``field name`` stand behind the text that was there."""

WAYS: tuple[Way, ...] = get_args(Way)

ZERO_WIDTH = "\u200b"
EMPTY_LINES = 40

_LATIN = "aceiopsxyABCEHIKMOPTX"
_CYRILLIC = "асеіорѕхуАВСЕНІКМОРТХ"
_LOOKALIKE = str.maketrans(_LATIN, _CYRILLIC)
_PLAIN = str.maketrans(_CYRILLIC, _LATIN)

_OPEN, _CLOSE = "<!-- ", " -->"


def disguised(text: str, way: Way) -> str:
    """What is added to the row where ``text`` is brought in this way."""
    if way == "zero-width":
        return ZERO_WIDTH.join(text)
    if way == "comment":
        return f"{_OPEN}{text}{_CLOSE}"
    if way == "padded":
        return "\n" * EMPTY_LINES + text
    if way == "base64":
        return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if way == "percent":
        return quote(text, safe="", errors="replace")
    if way == "homoglyph":
        return text.translate(_LOOKALIKE)
    return text


def revealed(added: str, way: Way) -> str:
    """The attacker's text behind what `disguised` made of it.

    Exact for texts that hold no character that the way itself stands on (a zero-width space,
    Cyrillic lookalikes, lone surrogates); a text that was never disguised comes back as it is.
    """
    if way == "zero-width":
        return added.replace(ZERO_WIDTH, "")
    if way == "comment" and added.startswith(_OPEN) and added.endswith(_CLOSE):
        return added[len(_OPEN) : -len(_CLOSE)]
    if way == "padded":
        return added[EMPTY_LINES:] if added.startswith("\n" * EMPTY_LINES) else added
    if way == "base64":
        try:
            return base64.b64decode(added, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return added
    if way == "percent":
        return unquote(added, errors="replace")
    if way == "homoglyph":
        return added.translate(_PLAIN)
    return added


Place = Literal["behind", "before", "inside"]
"""Where the text goes, where a way does not say it itself: ``inside`` is the middle."""


def beside(original: str, added: str, way: Way, place: Place = "behind") -> str:
    """The original text with something added before, behind or inside it, blanks between."""
    if not original:
        return added
    if way == "prepended" or place == "before":
        return f"{added} {original}"
    if place == "inside":
        at = original.rfind(" ", 0, len(original) // 2 + 1)
        if at > 0:
            return f"{original[:at]} {added}{original[at:]}"
    return f"{original} {added}"
