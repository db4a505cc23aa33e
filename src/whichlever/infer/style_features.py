"""How somebody writes, as hashed counts: characters, function words, punctuation, layout.

Everything is hashed with the profile's own salt, so that a profile holds no word of any mail, and
nobody without the salt can look words up in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 1 << 18
"""Bins of each hashed block (characters; words by their shape)."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_MOST = 20_000
"""Characters of a text that are looked at."""
_TOKEN = re.compile(r"\w+(?:['’]\w+)?|[^\w\s]|\n")
_FUNCTION_WORD_LIST = (
    "a about above after again all also am an and any are as at be because been before being "
    "both but by can cannot could did do does doing don't down during each either else ever "
    "few for from further had has have having he her here hers him his how however i if i'm "
    "i've in indeed into is it it's its itself just least less let like many may maybe me "
    "might more most much must my neither never no nor not now of off often on once one only "
    "or other our ours out over own perhaps please quite rather really same shall she should "
    "since so some still such than thanks that the their them then there these they this "
    "those though through thus to too under until up upon us very was we well were what when "
    "where whether which while who whom whose why will with within without would yet you your "
    "yours aber als am auch auf aus bei bitte bin da das dass dein dem den der die dir doch "
    "du ein eine er es für hat ich ihr im in ist ja kann kein mit nach nicht noch nur oder "
    "schon sein sich sie sind so um und uns von vor war was wenn werden wie wir zu zum "
)
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


@dataclass(frozen=True)
class Counts:
    """Sparse counts of one text: ``bins`` ascending, ``values`` 1 + ln(count), ``dense`` habits."""

    bins: Ints
    values: Floats
    dense: Floats
    words: int


def style_counts(text: str, salt: int) -> Counts:
    """Hashed counts of a text, in time linear in it.

    Parameters
    ----------
    text
        The author's own words.
    salt
        The profile's own 64-bit number.
    """
    text = text[:_MOST].replace("\r\n", "\n")
    tokens = _TOKEN.findall(text)
    characters = _characters(text, salt)
    shapes = _shapes(tokens, salt) + BINS
    bins, counts = np.unique(np.concatenate((characters, shapes)), return_counts=True)
    values = (1.0 + np.log(counts)).astype(np.float32)
    words = sum(token[0].isalnum() for token in tokens)
    return Counts(bins, values, habits(text, tokens), words)


def _characters(text: str, salt: int) -> Ints:
    """Bins of every run of two to four characters."""
    points = np.frombuffer(f"\n{text}\n".encode("utf-32-le", "replace"), np.uint32).astype(
        np.uint64
    )
    found = []
    for length in (2, 3, 4):
        if len(points) < length:
            continue
        value = np.full(len(points) - length + 1, (salt + length) & (2**64 - 1), np.uint64)
        for at in range(length):
            value = _mix(value ^ points[at : len(points) - length + 1 + at])
        found.append((value >> np.uint64(46)).astype(np.int64))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _shapes(tokens: list[str], salt: int) -> Ints:
    """Bins of runs of one to three tokens, content words cut to their shape and last letters."""
    codes = np.array([_code(_shape(token), salt) for token in tokens], np.uint64)
    found = []
    for length in (1, 2, 3):
        if len(codes) < length:
            continue
        value = np.full(len(codes) - length + 1, (salt + 10 + length) & (2**64 - 1), np.uint64)
        for at in range(length):
            value = _mix(value ^ codes[at : len(codes) - length + 1 + at])
        found.append((value >> np.uint64(46)).astype(np.int64))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _shape(token: str) -> str:
    lower = token.lower()
    if lower in _FUNCTION_WORDS:
        return lower if token[0].islower() or len(token) == 1 else "^" + lower
    if not token[0].isalnum():
        return token
    if token[0].isdigit():
        return "0"
    return ("A" if token.isupper() and len(token) > 1 else "Aa" if token[0].isupper() else "a") + (
        lower[-2:]
    )


def _code(word: str, salt: int) -> int:
    """FNV-1a of a short word, salted."""
    value = (0xCBF29CE484222325 ^ salt) & (2**64 - 1)
    for byte in word.encode("utf-8", "replace")[:24]:
        value = ((value ^ byte) * 0x100000001B3) & (2**64 - 1)
    return value


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One round of SplitMix64's finaliser (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


_MARKS = ",.;:!?'\"()-_/*&%@=+<>[]|~`…–—’“"
HABITS: tuple[str, ...] = (
    *(f"use of {mark!r}" for mark in _MARKS), "use of ...", "double hyphens",
    "hyphens between spaces",
    "two spaces after a stop", "empty lines", "length of words", "length of sentences",
    "length of lines", "longest line", "words in capitals", "capitalised words", "digits",
    "contractions", "small i", "beginning in lower case", "question marks at the end",
    "ends without a stop",
)  # fmt: skip
"""What each number of `habits` is, in words."""


def habits(text: str, tokens: list[str]) -> Floats:
    """Rates of punctuation and layout, shape (len(HABITS),), each of about unit size."""
    size = max(len(text), 1)
    words = [token for token in tokens if token[0].isalnum()]
    count = max(len(words), 1)
    lines = text.split("\n")
    stops = max(sum(word in (".", "!", "?") for word in tokens), 1)
    stripped = text.strip()
    rates = [100 * text.count(mark) / size for mark in _MARKS]
    rates += [
        100 * text.count("...") / count,
        100 * text.count("--") / count,
        100 * text.count(" - ") / count,
        100 * text.count(".  ") / count,
        100 * text.count("\n\n") / count,
        sum(map(len, words)) / count,
        count / stops / 10,
        size / max(len(lines), 1) / 50,
        max(map(len, lines)) / 100,
        10 * sum(word.isupper() and len(word) > 1 for word in words) / count,
        5 * sum(word[0].isupper() for word in words) / count,
        20 * sum(c.isdigit() for c in text) / size,
        20 * sum("'" in word or "’" in word for word in words) / count,
        float("i" in words),
        float(stripped[:1].islower()),
        float(stripped.endswith("?")),
        float(bool(stripped) and stripped[-1].isalnum()),
    ]
    return np.array(rates, np.float32)
