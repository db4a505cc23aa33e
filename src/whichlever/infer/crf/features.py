"""What a conditional random field sees of each token: its words and shapes, and its neighbours'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

from whichlever.fields.tokens import Token, tokens

VERSION = 1
"""Raised when a feature changes: stored weights are of one version."""

MOST_TOKENS = 400
"""Tokens of a line that are read; the rest is left without fields."""

REMEMBERED = 100_000
"""Features whose hashes are kept: the words of a source come again and again."""

_LOWER, _UPPER, _DIGIT = re.compile(r"[a-z]+"), re.compile(r"[A-Z]+"), re.compile(r"\d+")


def cut(text: str) -> list[Token]:
    """The tokens of a line that are read."""
    return tokens(text, MOST_TOKENS)


def line_features(text: str, found: Sequence[Token]) -> list[list[str]]:
    """Every token's features as texts, one list a token."""
    words = [text[t.start : t.end] for t in found]
    plain = [_plain(w, t.kind) for w, t in zip(words, found, strict=True)]
    keys = _keys(words, found)
    out: list[list[str]] = []
    for i, token in enumerate(found):
        word, here = words[i], plain[i]
        two, one = _at(plain, i - 2), _at(plain, i - 1)
        next_one, next_two = _at(plain, i + 1), _at(plain, i + 2)
        glued = token.start > 0 and not text[token.start - 1].isspace()
        out.append(
            [
                "b", f"w{here}", f"k{token.kind}", f"s{_shape(word)}", f"p{word[:3].lower()}",
                f"e{word[-3:].lower()}", f"a{one}", f"A{two} {one}", f"z{next_one}",
                f"Z{next_one} {next_two}", f"m{one} {here}", f"n{here} {next_one}",
                f"o{one}|{next_one}", f"f{keys[i]}", f"F{keys[i]} {token.kind}",
                f"g{int(glued)}", f"i{min(i, 12)}", f"I{min(i, 40)} {token.kind}",
                f"l{min(len(word), 20)}", f"q{_at(words, i - 1)}{_at(words, i + 1)}"[:12],
            ]
        )  # fmt: skip
    return out


def hashed(features: Sequence[str]) -> list[int]:
    """Features as 64-bit numbers: no word of a training line stands in a stored model."""
    return [_hash(feature) for feature in features]


@lru_cache(maxsize=REMEMBERED)
def _hash(feature: str) -> int:
    digest = blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _at(values: Sequence[str], i: int) -> str:
    if i < 0:
        return "^"
    return values[i] if i < len(values) else "$"


def _plain(word: str, kind: str) -> str:
    """A word as it is compared: lower case; what holds digits by its shape."""
    if kind in ("time", "ip4", "ip6", "mac", "number"):
        return f"<{kind}>"
    return _DIGIT.sub("0", word[:40].lower())


def _shape(word: str) -> str:
    return _DIGIT.sub("0", _UPPER.sub("A", _LOWER.sub("a", word[:40])))


def _keys(words: Sequence[str], found: Sequence[Token]) -> list[str]:
    """For each token the key that it is the value of (``src=``, ``"user":``), else nothing."""
    keys, key = [], ""
    for i, word in enumerate(words):
        keys.append(key)
        if word in "=:" and i and found[i - 1].kind == "word":
            key = words[i - 1].lower()
        elif word in ",;|&":
            key = ""
    return keys
