"""Texts to token ids for an encoder, and batches of like length; numpy and tokenizers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

HEAD_SHARE = 0.75
"""Of a text too long for the window, the share of the window that its beginning gets."""

MEGABATCH = 64
"""Batches' worth of rows that are sorted by length together in training."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of texts, special tokens included, and how many each text has by itself.

    ``full_lengths`` has shape (n,); a text of which ``ids`` has fewer lost its middle.
    """

    ids: tuple[Ints, ...]
    full_lengths: Ints

    @property
    def lengths(self) -> Ints:
        """Tokens per text, shape (n,)."""
        return np.fromiter((len(ids) for ids in self.ids), np.int64, len(self.ids))

    @property
    def truncated(self) -> int:
        """Texts that lost their middle."""
        return int((self.full_lengths > self.lengths).sum())


class EncoderText:
    """Token ids as an encoder wants them.

    A text longer than ``max_tokens`` keeps its beginning (three quarters of the window) and its
    end, and loses the middle, in training and in prediction alike; how many did is counted.

    Parameters
    ----------
    tokenizer_json : str
        A Hugging Face ``tokenizer.json``.
    max_tokens : int
        The window, special tokens included.
    """

    def __init__(self, tokenizer_json: str, max_tokens: int) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(tokenizer_json)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._max_tokens = max_tokens
        empty = self._tokenizer.encode("").ids
        self._ends = len(empty) - len(empty) // 2 - len(empty) % 2  # special tokens at the end

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Token ids of each text; an empty one has its special tokens only."""
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        encodings = self._tokenizer.encode_batch_fast(clean)
        ids, lengths = [], []
        for encoding in encodings:
            full = np.array(encoding.ids or [0], np.int64)
            lengths.append(len(full))
            if len(full) > self._max_tokens:
                tail = max(self._ends, int(self._max_tokens * (1 - HEAD_SHARE)))
                full = np.concatenate((full[: self._max_tokens - tail], full[len(full) - tail :]))
            ids.append(full)
        return Encoded(tuple(ids), np.array(lengths, np.int64))


def padded(rows: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Ids and attention mask, shape (rows, longest); padding is id 0, masked."""
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def by_length(lengths: Ints, budget: int, order: Ints | None = None) -> list[Ints]:
    """Rows in batches of like length, each at most ``budget`` tokens with padding (or one row)."""
    order = np.argsort(lengths, kind="stable") if order is None else order
    batches, begin, widest = [], 0, 0
    for i, row in enumerate(order.tolist()):
        widest = max(widest, int(lengths[row]))
        if i > begin and widest * (i - begin + 1) > budget:
            batches.append(order[begin:i])
            begin, widest = i, int(lengths[row])
    if begin < len(order):
        batches.append(order[begin:])
    return batches


def training_batches(lengths: Ints, rows: int, rng: np.random.Generator) -> list[Ints]:
    """One pass over all rows in random batches of like length.

    Rows are shuffled, sorted by length within megabatches, and cut at a token budget of ``rows``
    times the mean length, so that a step costs about the same whatever its rows' length; the
    batches are shuffled again. Next to no token is padding.
    """
    budget = max(1, int(rows * lengths.mean()))
    order = rng.permutation(len(lengths))
    batches: list[Ints] = []
    for begin in range(0, len(order), rows * MEGABATCH):
        part = order[begin : begin + rows * MEGABATCH]
        batches += by_length(lengths, budget, part[np.argsort(lengths[part], kind="stable")])
    return [batches[i] for i in rng.permutation(len(batches))]
