"""How like the true text an answer is: exact after normalising, token-F1 and ROUGE-L.

The normaliser, declared once for every score: Unicode NFKC, case folded, every character that is
neither a letter, a mark nor a digit becomes a blank, blanks are collapsed. Words of no language
are left out (SQuAD's normaliser drops English articles; a contract may be in any language).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MAX_TOKENS = 4_000
"""Tokens of a text that are compared, at most: an answer may be of any length."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """One answer against its truth; ``token_f1`` and ``rouge_l`` are between 0 and 1."""

    exact: bool
    token_f1: float
    rouge_l: float


NOTHING = Likeness(exact=False, token_f1=0.0, rouge_l=0.0)
"""What a row that was not answered is worth."""


def normalised(text: str) -> str:
    """The text as scores compare it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in folded)
    return " ".join("".join(kept).split())


def likeness(said: str | None, true: str) -> Likeness:
    """Score one answer; None is no answer."""
    if said is None:
        return NOTHING
    mine, truth = normalised(said), normalised(true)
    if mine == truth:
        return Likeness(exact=True, token_f1=1.0, rouge_l=1.0)
    a, b = mine.split()[:MAX_TOKENS], truth.split()[:MAX_TOKENS]
    return Likeness(exact=False, token_f1=token_f1(a, b), rouge_l=rouge_l(a, b))


def token_f1(said: Sequence[str], true: Sequence[str]) -> float:
    """F1 of the tokens as bags (Rajpurkar et al. 2016, section 6.1)."""
    shared = sum((Counter(said) & Counter(true)).values())
    total = len(said) + len(true)
    return 2 * shared / total if total else 1.0


def rouge_l(said: Sequence[str], true: Sequence[str]) -> float:
    """F1 of the longest common subsequence of tokens (Lin 2004, section 3, with β = 1)."""
    total = len(said) + len(true)
    return 2 * common_subsequence(said, true) / total if total else 1.0


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for i, token in enumerate(a):
        places[token] = places.get(token, 0) | (1 << i)
    every = (1 << len(a)) - 1
    row = every
    for token in b:
        match = row & places.get(token, 0)
        row = ((row + match) | (row - match)) & every
    return len(a) - row.bit_count()
