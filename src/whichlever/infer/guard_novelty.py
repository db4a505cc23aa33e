"""How much of a text stands in no training row: words by their hash, in a few kilobytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]{2,}")

LEAST_BITS, MOST_BITS = 1 << 12, 1 << 20
BITS_A_WORD = 16
"""So many bits a word: about one unknown word in sixteen counts as known by chance."""


@dataclass(frozen=True)
class Novelty:
    """Words of training rows as a set of hashes, and how many new words are too many.

    Attributes
    ----------
    bits
        A bit of each hash that a training word has; a power of two of them.
    limit
        The largest share of new words that is let pass.
    """

    bits: bytes
    limit: float = 1.0

    @classmethod
    def of(cls, texts: Iterable[str]) -> Novelty:
        """The words of training texts."""
        words = {word for text in texts for word in _WORD.findall(text.lower())}
        size = LEAST_BITS
        while size < min(BITS_A_WORD * len(words), MOST_BITS):
            size *= 2
        bits = bytearray(size // 8)
        for word in words:
            at = _hash(word) % size
            bits[at // 8] |= 1 << (at % 8)
        return cls(bytes(bits))

    def share(self, text: str) -> float:
        """The share of a text's words that no training row has; 0 where it has no word."""
        words = _WORD.findall(text.lower())
        size = 8 * len(self.bits)
        new = 0
        for word in words:
            at = _hash(word) % size
            new += not self.bits[at // 8] >> (at % 8) & 1
        return new / len(words) if words else 0.0


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))
