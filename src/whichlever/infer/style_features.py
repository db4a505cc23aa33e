"""How somebody writes, as hashed counts: characters, function words, punctuation, layout.

Everything is hashed with the profile's own salt, so that a profile holds no word of any mail, and
nobody without the salt can look words up in it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 1 << 18
"""Bins of each hashed block (characters; words by their shape)."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_MOST = 20_000
"""Characters of a text that are looked at."""
_TOGETHER = 32
"""Texts hashed together: at most a few hundred megabytes."""
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


@dataclass(frozen=True)
class Batch:
    """Sparse counts of several texts at once, one below the other.

    ``bins`` are ascending within each text, ``values`` as in `Counts`, ``text`` the number of the
    text that each belongs to; ``count`` how many texts there are, ``words`` those of each.
    """

    bins: Ints
    values: Floats
    text: Ints
    count: int
    words: Ints


def style_counts(text: str, salt: int) -> Counts:
    """Hashed counts of a text, in time linear in it.

    Parameters
    ----------
    text
        The author's own words.
    salt
        The profile's own 64-bit number.
    """
    made = style_batch([text], salt)
    text = _cut(text)
    return Counts(made.bins, made.values, habits(text, _TOKEN.findall(text)), int(made.words[0]))


def style_batch(texts: Sequence[str], salt: int) -> Batch:
    """The counts of several texts, without their habits: sentences are short, and many.

    Hashed together, which takes a fifth of the time that one by one does; the counts are the same.
    """
    texts = [_cut(text) for text in texts]
    tokens = [_TOKEN.findall(text) for text in texts]
    words = np.array([sum(token[0].isalnum() for token in own) for own in tokens], np.int64)
    padded = [f"\n{text}\n" for text in texts]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), np.uint32)
    codes = np.array([_code(token, salt) for own in tokens for token in own], np.uint64)
    found = _runs(points.astype(np.uint64), [len(p) for p in padded], (2, 3, 4), salt)
    found += [
        (bins + BINS, text)
        for bins, text in _runs(codes, [len(own) for own in tokens], (1, 2, 3), salt + 10)
    ]
    keys = np.concatenate([text * (2 * BINS) + bins for bins, text in found])
    keys, counts = np.unique(keys, return_counts=True)
    values = (1.0 + np.log(counts)).astype(np.float32)
    return Batch(keys % (2 * BINS), values, keys // (2 * BINS), len(texts), words)


def style_each(texts: Sequence[str], salt: int) -> list[Counts]:
    """`style_counts` of many texts without their habits, which are zeros."""
    none = np.zeros(len(HABITS), np.float32)
    found = []
    for begin in range(0, len(texts), _TOGETHER):
        made = style_batch(texts[begin : begin + _TOGETHER], salt)
        edges = np.searchsorted(made.text, np.arange(made.count + 1))
        found += [
            Counts(made.bins[a:b], made.values[a:b], none, int(words))
            for a, b, words in zip(edges, edges[1:], made.words, strict=False)
        ]
    return found


def _cut(text: str) -> str:
    return text[:_MOST].replace("\r\n", "\n")


def _runs(
    items: npt.NDArray[np.uint64], sizes: Sequence[int], lengths: Sequence[int], salt: int
) -> list[tuple[Ints, Ints]]:
    """Bins of every run of so many items within a text, and the text's number."""
    text = np.repeat(np.arange(len(sizes)), sizes)
    found = []
    for length in lengths:
        count = len(items) - length + 1
        if count <= 0:
            continue
        value = np.full(count, (salt + length) & (2**64 - 1), np.uint64)
        for at in range(length):
            value = _mix(value ^ items[at : count + at])
        inside = text[:count] == text[length - 1 :]
        found.append(((value[inside] >> np.uint64(46)).astype(np.int64), text[:count][inside]))
    return found


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


@functools.lru_cache(maxsize=1 << 16)
def _code(token: str, salt: int) -> int:
    """FNV-1a of a token's shape, salted."""
    value = (0xCBF29CE484222325 ^ salt) & (2**64 - 1)
    for byte in _shape(token).encode("utf-8", "replace")[:24]:
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
