"""What tells a collection of mail, and not the crime, is masked before a model reads it."""

from __future__ import annotations

import re

_LINK = re.compile(r"(?:https?|ftp)://[^\s<>\"']{1,2000}|\bwww\.[^\s<>\"']{1,500}", re.IGNORECASE)
# The first letter of an address is not repeated inside the class before it: linear time.
_ADDRESS = re.compile(r"(?<![^\s<>(\[:;,\"'])[^\s<>()\[\]:;,\"'@]{1,64}@[\w.-]{1,255}(?<![.-])")
_MONEY = re.compile(
    r"[$€£¥]\s?\d[\d.,]{0,15}|\b\d[\d.,]{0,15}\s?(?:[$€£¥]|(?:usd|eur|gbp|euros?|dollars?)\b)", re.I
)
_NUMBER = re.compile(r"\d[\d.,:/-]{0,40}")
_LONG = re.compile(r"\b[A-Za-z0-9+/=_-]{40,}")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
                        "\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+")  # fmt: skip
_PREFIX = re.compile(
    r"^(?:\s{0,3}(?:re|aw|sv|antw|fwd?|wg|tr|rif)\s?(?:\[\d+\])?\s?:|\s{0,3}\[[^\]]{1,40}\])+", re.I
)
_SPACE = re.compile(r"[ \t\f\v\u00a0\u2000-\u200a\u3000]+")


def masked(text: str) -> str:
    """Text with addresses, links, amounts, numbers and long codes as words that name their kind."""
    text = _INVISIBLE.sub("", text)
    text = _LINK.sub(" xlink ", text)
    text = _ADDRESS.sub(" xaddress ", text)
    text = _LONG.sub(" xcode ", text)
    text = _MONEY.sub(" xmoney ", text)
    text = _NUMBER.sub(_number, text)
    return _SPACE.sub(" ", text).strip()


def masked_subject(subject: str) -> str:
    """A subject without ``Re:`` and a mailing list's tag, masked."""
    return masked(_PREFIX.sub("", subject))


def invisible_letters(text: str) -> int:
    """How many letters that nobody sees stand in a text."""
    return sum(len(found.group()) for found in _INVISIBLE.finditer(text))


def _number(found: re.Match[str]) -> str:
    digits = sum(c.isdigit() for c in found.group())
    return " xdigit " if digits == 1 else " xnumber " if digits < 6 else " xlongnumber "
