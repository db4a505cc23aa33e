"""The shape of a labelled line: what stands around the values that are to be copied."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

READ = 4_000
"""Characters of a line that its shape is made of: a shape is told early, a long line is data."""

SHORT = 4
"""Values shorter than this are taken out as whole words only."""

_MONTH = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\w*\d\w*")
_NUMBERS = re.compile(r"0(?:[.:/@,+-]{0,2}0)+")
_PIECE = re.compile(r"\x01|[^\W_]+|[^\w\s]|_")


def line_shape(text: str, fields: Mapping[str, Any]) -> str:
    """A key that lines share whose labelled values stand between the same neighbours.

    Values are taken out where they stand; of the rest, the piece before each value and the piece
    after it are kept, words with digits in them as one. Free text around them, which nothing is
    copied from, makes no other shape. It is for telling lines apart in audits and splits, where
    labels are known; no model sees it.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    left = text[:READ]
    values = {str(value) for value in flat_values(fields)}
    for value in sorted(values, key=lambda v: (-len(v), v)):
        if len(value) >= SHORT:
            left = left.replace(value, "\x01")
        elif value and value in left:
            left = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "\x01", left)
    left = _NUMBERS.sub("0", _MONTH.sub("0", _DIGITS.sub("0", left)))
    pieces = ["^", *_PIECE.findall(left), "$"]
    around = [
        f"{pieces[i - 1]} {pieces[i + 1]}" for i, piece in enumerate(pieces) if piece == "\x01"
    ]
    said = "\n".join(around) if around else " ".join(pieces)
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def flat_values(fields: Mapping[str, Any]) -> list[Any]:
    """Every value of a row's fields, lists laid open."""
    return [
        item
        for value in fields.values()
        for item in (value if isinstance(value, list) else [value])
    ]
