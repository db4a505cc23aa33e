"""One form of a text: what looks alike reads alike, and nothing that cannot be seen is read.

Every character is mapped by itself, so that the beginning of a text has the same form whatever is
added behind it: what a guard shows of beginnings then holds of texts in this form too.
"""

from __future__ import annotations

import re
import unicodedata

_LOOKALIKES = str.maketrans(
    "асеіорѕхуАВСЕНІКМОРТХЅԁԛԝһјӏοαινρτυχΑΒΕΗΙΚΜΝΟΡΤΥΧΖ",
    "aceiopsxyABCEHIKMOPTXSdqwhjloaivptuxABEHIKMNOPTYXZ",
)
"""Cyrillic and Greek letters that are drawn like Latin ones."""

_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"[ \t]{2,}")
_LINES = re.compile(r"\n{3,}")

_DROPPED = frozenset({"Cf", "Cc", "Co", "Cn", "Cs"})
"""Categories of what is not shown: joiners, directions, controls, private and unassigned signs."""


def canonical(text: str) -> str:
    """The text in one form: compatibility forms and lookalikes folded, nothing invisible.

    Runs of blanks become one blank and empty lines at most one. Words of a language that is really
    written in Cyrillic or Greek are mangled, in training and in prediction alike.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _HIDDEN.sub("", text) if text.isascii() else "".join(map(_one, text))
    return _LINES.sub("\n\n", _BLANKS.sub(" ", text))


def _one(sign: str) -> str:
    if sign in "\n\t" or " " <= sign <= "~":
        return sign
    if unicodedata.category(sign) in _DROPPED or "\ufe00" <= sign <= "\ufe0f":
        return ""
    return unicodedata.normalize("NFKC", sign).translate(_LOOKALIKES)
