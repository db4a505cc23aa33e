"""Text to token ids by whitespace-separated word, remembered; numpy and tokenizers only.

A BERT tokenizer never looks across ASCII whitespace: it cleans, lower-cases, splits and cuts each
word into pieces by itself. So the pieces of a word can be remembered, and a text costs one
dictionary look-up per word instead of one pass of the tokenizer per character. Words that were not
met yet go through the real tokenizer, in one batch, so the ids are always its own. A tokenizer of
another kind is called on whole texts: slower, the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

MAX_WORDS = 200_000
"""Words remembered at most; when full, all are forgotten (a stream's common words come back)."""

MAX_WORD_BYTES = 16 * 2**20
"""Bytes of remembered words together, likewise: blobs without a blank are words too."""


@dataclass(frozen=True)
class Bags:
    """Units of many texts, one after the other.

    ``units`` has every text's units in order, ``starts`` (texts + 1,) where each text's begin:
    text i is ``units[starts[i]:starts[i + 1]]``.
    """

    units: Ints
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1


class WordPieces:
    """A tokenizer that remembers words.

    Parameters
    ----------
    tokenizer_json : str
        A Hugging Face ``tokenizer.json``; its truncation, padding and special tokens at the ends
        are left out.
    max_words, max_bytes : int
        Words, and bytes of words, remembered at most.
    """

    def __init__(
        self, tokenizer_json: str, max_words: int = MAX_WORDS, max_bytes: int = MAX_WORD_BYTES
    ) -> None:
        from tokenizers import Tokenizer

        self.json = tokenizer_json
        self._tokenizer = Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.by_word = splits_at_whitespace(tokenizer_json)
        unknown = json.loads(tokenizer_json)["model"].get("unk_token")
        found = None if unknown is None else self._tokenizer.token_to_id(unknown)
        self.unknown: int = -1 if found is None else found
        self.size: int = self._tokenizer.get_vocab_size(with_added_tokens=True)
        self._max_words, self._max_bytes = max_words, max_bytes
        self.forget()

    @classmethod
    def load(cls, folder: Path, max_words: int = MAX_WORDS) -> WordPieces:
        """Read ``tokenizer.json`` in a folder of weights."""
        return cls((folder / "tokenizer.json").read_text(encoding="utf-8"), max_words)

    @property
    def remembered(self) -> int:
        """Words remembered now."""
        return len(self._known)

    def forget(self) -> None:
        """Forget every word met so far."""
        self._known: dict[bytes, int] = {}
        self._bytes = 0
        self._pieces_of: list[Ints] = []

    def words(self, texts: Sequence[str]) -> tuple[Bags, list[Ints]]:
        """Number the words of each text.

        Returns
        -------
        bags : Bags
            Word numbers; word n stands for the same token ids until the next time all are
            forgotten.
        new : list of arrays
            The token ids of the words first met in this call, in number order. Where the numbers
            start again from 0, all were forgotten just before.
        """
        split = [self._split(text) for text in texts]
        known = self._known
        missing = list({w: None for words in split for w in words if w not in known})
        size = sum(map(len, missing))
        full = len(known) + len(missing) > self._max_words or self._bytes + size > self._max_bytes
        if full and known:
            self.forget()
            known = self._known
            missing = list({w: None for words in split for w in words})
            size = sum(map(len, missing))
        self._bytes += size
        new = self._tokenize([w.decode() for w in missing])
        self._pieces_of.extend(new)
        for word in missing:
            known[word] = len(known)
        lengths = np.fromiter((len(words) for words in split), np.int64, len(split))
        starts = np.zeros(len(split) + 1, np.int64)
        np.cumsum(lengths, out=starts[1:])
        numbers = [known[word] for words in split for word in words]
        return Bags(np.array(numbers, np.int64), starts), new

    def ids(self, texts: Sequence[str]) -> Bags:
        """Token ids of each text, exactly as the tokenizer itself gives them."""
        bags, _ = self.words(texts)
        return expand(bags, self._pieces_of)

    def _split(self, text: str) -> list[bytes]:
        data = _encoded(text)
        if not self.by_word or b"\x0b" in data or b"\x0c" in data:
            # Vertical tab and form feed split words here but are deleted by BERT's cleaning.
            return [data] if data else []
        return data.split()

    def _tokenize(self, words: list[str]) -> list[Ints]:
        encodings = self._tokenizer.encode_batch_fast(words, add_special_tokens=False)
        return [np.array(encoding.ids, np.int64) for encoding in encodings]


def expand(bags: Bags, table: Sequence[Ints]) -> Bags:
    """Replace each unit by the units that ``table`` lists for it."""
    if len(bags.units) == 0:
        return Bags(np.zeros(0, np.int64), np.zeros_like(bags.starts))
    entries = [table[n] for n in bags.units.tolist()]
    ends = np.zeros(len(entries) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, entries), np.int64, len(entries)), out=ends[1:])
    units = np.concatenate(entries)
    return Bags(units, ends[bags.starts])


def splits_at_whitespace(tokenizer_json: str) -> bool:
    """Whether this tokenizer treats whitespace-separated words independently of each other."""
    spec = json.loads(tokenizer_json)
    kinds = [(spec.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
    added = spec.get("added_tokens") or []
    return (
        kinds == ["BertNormalizer", "BertPreTokenizer"]
        and spec["normalizer"].get("clean_text") is True
        and spec["model"].get("type") == "WordPiece"
        and not any(t["lstrip"] or t["rstrip"] or len(t["content"].split()) != 1 for t in added)
    )


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # lone surrogates, from invalid UTF-8 read with surrogateescape
        return text.encode("utf-8", "replace")
