"""A static classifier, folded for prediction: numpy and tokenizers only, no torch.

A text's logits are ``sum over its units of table[unit] / tokens ** power``, through a head where
there are many classes, plus a bias. Units are its tokens and, if the model learned them, hashed
pairs of neighbouring tokens. Since this is a sum, everything inside one word is added up when the
word is first met and remembered: a text then costs one look-up per word and one per word boundary.
The memory of words is bounded; an unmet word goes through the real tokenizer once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whichlever.infer.static_words import MAX_WORDS, Bags, Ints, WordPieces
from whichlever.predict import Prediction, Row, Usage

Floats = npt.NDArray[np.float32]

WORD_MEMORY = 128 * 2**20
"""Bytes that remembered words may use for their sums."""

BATCH = 512


def pair_buckets(first: Ints, second: Ints, buckets: int) -> Ints:
    """Bucket of each pair of token ids; ``buckets`` is a power of two.

    Multiplicative hashing of the 32-bit mix of both ids (Knuth, TAOCP 3, section 6.4).
    """
    mixed = first.astype(np.uint64) * np.uint64(0x9E3779B1) + second.astype(np.uint64)
    mixed = ((mixed & np.uint64(0xFFFFFFFF)) * np.uint64(0x85EBCA6B)) & np.uint64(0xFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint64(15))) * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    return (mixed >> np.uint64(33 - buckets.bit_length())).astype(np.int64)


@dataclass(frozen=True)
class StaticModel:
    """What a static classifier learned.

    Attributes
    ----------
    tokens : float32 array, shape (vocabulary, k)
        What each token adds; k is the number of classes, or the embedding's size with a head.
    pairs : float32 array, shape (buckets, k), or None
        What each hashed pair of neighbouring tokens adds.
    head : float32 array, shape (k, classes), or None
        None where the tables already hold logits.
    bias : float32 array, shape (classes,)
    power : float
        Sums are divided by tokens ** power.
    tokenizer : str
        The tokenizer's JSON.
    """

    tokens: Floats
    pairs: Floats | None
    head: Floats | None
    bias: Floats
    power: float
    tokenizer: str

    def tensors(self) -> dict[str, Floats]:
        """Everything but the tokenizer, by name, for a safetensors file."""
        named = {"tokens": self.tokens, "pairs": self.pairs, "head": self.head, "bias": self.bias}
        return {name: value for name, value in named.items() if value is not None}

    def to_bytes(self) -> bytes:
        """The whole model as one safetensors file."""
        from safetensors.numpy import save

        facts = {"format": "whichlever-static-1", "power": self.power, "tokenizer": self.tokenizer}
        content: bytes = save(self.tensors(), metadata={"whichlever": json.dumps(facts)})
        return content

    @classmethod
    def read(cls, path: Path) -> StaticModel:
        """Read a file of what `to_bytes` made."""
        return cls.from_bytes(path.read_bytes())

    @classmethod
    def from_bytes(cls, content: bytes) -> StaticModel:
        """Read what `to_bytes` made.

        Raises
        ------
        ValueError, KeyError
            The content is damaged or of another format.
        """
        from safetensors.numpy import load

        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        facts = json.loads(header["__metadata__"]["whichlever"])
        model = cls(
            tokens=tensors["tokens"],
            pairs=tensors.get("pairs"),
            head=tensors.get("head"),
            bias=tensors["bias"],
            power=float(facts["power"]),
            tokenizer=facts["tokenizer"],
        )
        model.check()
        return model

    def check(self) -> None:
        """Sizes that fit together, so that a damaged file is told when it is read.

        Raises
        ------
        ValueError
            They do not.
        """
        tensors = self.tensors()
        for name, tensor in tensors.items():
            if tensor.dtype != np.float32 or tensor.ndim != (1 if name == "bias" else 2):
                raise ValueError(f"{name} is {tensor.dtype} with {tensor.ndim} axes")
            if not np.isfinite(tensor).all():
                raise ValueError(f"{name} holds what is no number")
        if not math.isfinite(self.power):
            raise ValueError("power is no number")
        width = self.tokens.shape[1]
        out = width if self.head is None else self.head.shape[1]
        buckets = 1 if self.pairs is None else len(self.pairs)
        fits = (
            (self.pairs is None or self.pairs.shape[1] == width)
            and (self.head is None or self.head.shape[0] == width)
            and self.bias.shape == (out,)
            and buckets & (buckets - 1) == 0 < buckets
        )
        if not fits:
            raise ValueError("the tensors' sizes do not fit together")


class StaticClassifier:
    """Answers texts with a folded model.

    Parameters
    ----------
    model : StaticModel
        What was learned.
    temperature : float
        Logits are divided by it, as fitted on calibration rows; 1 leaves them alone.
    """

    def __init__(self, model: StaticModel, temperature: float = 1.0) -> None:
        self.model = model
        self.temperature = temperature
        width = model.tokens.shape[1]
        self._pieces = WordPieces(
            model.tokenizer, max(1_000, min(MAX_WORDS, WORD_MEMORY // (4 * width)))
        )
        if self._pieces.size > len(model.tokens):
            raise ValueError(f"{self._pieces.size} tokens have {len(model.tokens)} vectors")
        self._empty_memory()

    def forget(self) -> None:
        """Forget every word met so far, as in a new process."""
        self._pieces.forget()
        self._empty_memory()

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """Probability of each class, shape (n, classes)."""
        logits = self.logits(texts)
        logits /= self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def logits(self, texts: Sequence[str]) -> Floats:
        """Score of each class before the softmax, shape (n, classes)."""
        out = np.empty((len(texts), len(self.model.bias)), np.float32)
        for start in range(0, len(texts), BATCH):
            out[start : start + BATCH] = self._logits(texts[start : start + BATCH])
        return out

    def _logits(self, texts: Sequence[str]) -> Floats:
        bags, new = self._pieces.words(texts)
        self._remember(new)
        words, starts = bags.units, bags.starts
        if self._some_empty and len(words):
            kept = self._sizes[words] > 0
            starts = np.concatenate(([0], np.cumsum(kept)))[starts]
            words = words[kept]
        sums = segment_sums(self._sums, words, starts)
        if self.model.pairs is not None and len(words) > 1:
            # The pair that ends in a text's first word would join two texts: row 0 is all zeros.
            pairs = np.zeros(len(words), np.int64)
            pairs[1:] = 1 + pair_buckets(
                self._lasts[words[:-1]], self._firsts[words[1:]], len(self.model.pairs)
            )
            pairs[starts[:-1][np.diff(starts) > 0]] = 0
            sums += segment_sums(self._padded_pairs, pairs, starts)
        sizes = np.zeros(len(words) + 1, np.int64)
        np.cumsum(self._sizes[words], out=sizes[1:])
        tokens = np.maximum(sizes[starts[1:]] - sizes[starts[:-1]], 1).astype(np.float32)
        sums /= (tokens**self.model.power)[:, None]
        if self.model.head is not None:
            sums = sums @ self.model.head
        logits: Floats = sums + self.model.bias
        return logits

    def _empty_memory(self) -> None:
        width = self.model.tokens.shape[1]
        self._met = 0
        self._some_empty = False
        self._sums = np.zeros((1024, width), np.float32)
        self._sizes = np.zeros(1024, np.int64)
        self._firsts = np.zeros(1024, np.int64)
        self._lasts = np.zeros(1024, np.int64)
        pairs = self.model.pairs
        if pairs is not None and not hasattr(self, "_padded_pairs"):
            self._padded_pairs = np.concatenate((np.zeros((1, width), np.float32), pairs))

    def _remember(self, new: list[Ints]) -> None:
        if not new:
            return
        if self._pieces.remembered == len(new):  # all were forgotten just before
            self._empty_memory()
        lengths = np.fromiter((len(ids) for ids in new), np.int64, len(new))
        starts = np.concatenate(([0], np.cumsum(lengths)))
        ids = np.concatenate(new)
        sums = segment_sums(self.model.tokens, ids, starts)
        if self.model.pairs is not None and len(ids) > 1:
            inner = np.zeros(len(ids), np.int64)
            inner[1:] = 1 + pair_buckets(ids[:-1], ids[1:], len(self.model.pairs))
            inner[starts[:-1][lengths > 0]] = 0
            sums += segment_sums(self._padded_pairs, inner, starts)
        begin, end = self._met, self._met + len(new)
        while end > len(self._sizes):
            for name in ("_sums", "_sizes", "_firsts", "_lasts"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate((array, np.zeros_like(array))))
        full = np.flatnonzero(lengths)
        self._sums[begin:end] = sums
        self._sizes[begin:end] = lengths
        self._firsts[begin + full] = ids[starts[:-1][full]]
        self._lasts[begin + full] = ids[starts[1:][full] - 1]
        self._some_empty = self._some_empty or len(full) < len(new)
        self._met = end


def segment_sums(table: Floats, units: Ints, starts: Ints) -> Floats:
    """Sum of ``table[units[starts[i]:starts[i + 1]]]`` for each i, shape (texts, k)."""
    out = np.zeros((len(starts) - 1, table.shape[1]), np.float32)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        out[filled] = np.add.reduceat(table[units], starts[filled], axis=0)
    return out


def with_pairs(bags: Bags, vocabulary: int, buckets: int) -> Bags:
    """Each text's tokens followed by its pairs, numbered from ``vocabulary`` on."""
    ids, starts = bags.units, bags.starts
    if len(ids) < 2:
        return bags
    lengths = np.diff(starts)
    is_first = np.zeros(len(ids), np.bool_)
    is_first[starts[:-1][lengths > 0]] = True
    text = np.repeat(np.arange(len(lengths)), lengths)
    inside = ~is_first[1:]
    pairs = vocabulary + pair_buckets(ids[:-1], ids[1:], buckets)[inside]
    owner = np.concatenate((text, text[1:][inside]))
    order = np.argsort(owner, kind="stable")
    sizes = np.bincount(owner, minlength=len(lengths))
    return Bags(
        np.concatenate((ids, pairs))[order],
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
    )


class StaticPredictor:
    """Answers rows with a folded static model, on one core."""

    def __init__(self, model: StaticModel, labels: Sequence[str]) -> None:
        self._classifier = StaticClassifier(model)
        self._labels = tuple(labels)

    @property
    def model(self) -> StaticModel:
        """What answers."""
        return self._classifier.model

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row."""
        if not rows:
            return []
        began = time.perf_counter()
        scores = self._classifier.probabilities([row.text for row in rows])
        best = scores.argmax(axis=1).tolist()
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        labels = self._labels
        return [
            Prediction(row.id, labels[b], s, usage=usage)
            for row, b, s in zip(rows, best, scores, strict=True)
        ]
