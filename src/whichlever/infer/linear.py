"""A fitted linear classifier: text in, probabilities out; saved as plain arrays."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from whichlever.errors import RunError
from whichlever.infer.arrays import read_arrays
from whichlever.infer.linear_cuts import cut_margins
from whichlever.infer.linear_features import Features, text_blocks
from whichlever.predict import Prediction, Row, Usage

FORMAT = "whichlever.linear@1"
BLOCK_ROWS = 2_048

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Weights:
    """A fitted linear map: ``decision = X @ coef + intercept``; coef is (columns, classes)."""

    coef: Floats
    intercept: Floats


@dataclass(frozen=True)
class LinearModel:
    """Features, weights, and what turns decision values into probabilities.

    Attributes
    ----------
    labels
        The run's label order; scores follow it.
    seen
        Index into ``labels`` of each column of the weights: labels the training window has.
    scale
        Factor on decision values before the softmax.
    facts
        What was chosen and why; JSON values.
    """

    features: Features
    weights: Weights
    labels: tuple[str, ...]
    seen: npt.NDArray[np.int64]
    scale: float
    facts: Mapping[str, Any]

    def scores(self, texts: Sequence[str]) -> Floats:
        """Probabilities, shape (n, labels); 0 for a label that no training row had."""
        out = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        out[:, self.seen] = softmax(self._margins(texts) * self.scale)
        return out

    def _margins(self, texts: Sequence[str]) -> Floats:
        """Decision values, shape (n, classes), each row by itself: its companions change no bit.

        One product of a row's values with the weights of its columns is as fast as a sparse
        matrix product, and serving needs no scipy.
        """
        coef = self.weights.coef
        out = np.empty((len(texts), coef.shape[1]), dtype=np.float32)
        at = 0
        for block in text_blocks(texts):
            value, column, start = self.features.vectors(block)
            ends = start.tolist()
            for first, last in pairwise(ends):
                out[at] = value[first:last] @ coef[column[first:last]]
                at += 1
        return out + self.weights.intercept

    def cut_scores(
        self, text: str, cuts: Sequence[int], *, endings: bool = False
    ) -> npt.NDArray[np.float64] | None:
        """Probabilities of a text's beginnings, or endings, in one walk, shape (cuts, labels).

        They differ from those of `scores` in rounding alone; None where a walk cannot do it.
        """
        found = cut_margins(self.features, self.weights.coef, text, cuts, endings=endings)
        if found is None:
            return None
        logits = (found + self.weights.intercept) * self.scale
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        out = np.zeros((len(cuts), len(self.labels)))
        out[:, self.seen] = odds / odds.sum(axis=1, keepdims=True)
        return out

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row, in blocks, so that memory does not grow with their number."""
        answers: list[Prediction] = []
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            began = time.perf_counter()
            scores = self.scores([row.text for row in block])
            best = scores.argmax(axis=1)
            usage = Usage(seconds=(time.perf_counter() - began) / len(block))
            answers.extend(
                Prediction(row.id, self.labels[k], given, usage=usage)
                for row, k, given in zip(block, best.tolist(), scores, strict=True)
            )
        return answers

    def save(self, folder: Path) -> None:
        """Write ``arrays.npz`` and ``model.json`` into a new folder, aside and renamed."""
        aside = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        np.savez(aside / "arrays.npz", **self._arrays())
        said = {
            "format": FORMAT,
            "labels": self.labels,
            "words": self.features.words,
            "scale": self.scale,
            "facts": dict(self.facts),
        }
        # surrogatepass: a text may hold half a character, and so may its words
        content = json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")
        (aside / "model.json").write_bytes(content)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)  # noqa: PTH105 - the atomic one

    def _arrays(self) -> dict[str, Any]:
        return {
            "pairs": self.features.pairs,
            "buckets": self.features.buckets,
            "idf": self.features.idf,
            "coef": self.weights.coef,
            "intercept": self.weights.intercept,
            "seen": self.seen,
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; predictions are identical.

        Raises
        ------
        RunError
            A file is missing or damaged, or is of another format.
        """
        try:
            return cls.from_bytes(
                (folder / "model.json").read_bytes(), (folder / "arrays.npz").read_bytes()
            )
        except (OSError, ValueError) as error:
            raise RunError(
                f"{folder}: not a readable linear model ({error}); remove the folder and fit again"
            ) from error

    @classmethod
    def from_bytes(cls, model: bytes, content: bytes) -> Self:
        """Read the two files that `save` wrote, given their content.

        Raises
        ------
        ValueError
            They are damaged, do not fit together, or are of another format.
        """
        try:
            said = json.loads(model.decode("utf-8", "surrogatepass"))
            if said["format"] != FORMAT:
                raise ValueError(f"written as {said['format']!r}, this reads {FORMAT!r}")
            found = read_arrays(content)
            arrays = {name: found[name] for name in _SHAPES}
            words, labels = tuple(map(str, said["words"])), tuple(map(str, said["labels"]))
            _check(arrays, words, labels)
            if not math.isfinite(scale := float(said["scale"])):
                raise ValueError("scale is no number")
            return cls(
                features=Features(words, arrays["pairs"], arrays["buckets"], arrays["idf"]),
                weights=Weights(arrays["coef"], arrays["intercept"]),
                labels=labels,
                seen=arrays["seen"],
                scale=scale,
                facts=said["facts"],
            )
        except (
            EOFError, KeyError, NotImplementedError, OverflowError, TypeError, ValueError,
            struct.error, zipfile.BadZipFile,
        ) as error:  # fmt: skip
            raise ValueError(f"{type(error).__name__}: {error}") from error


_SHAPES = {"pairs": 1, "buckets": 1, "idf": 1, "coef": 2, "intercept": 1, "seen": 1}
_WHOLE = ("pairs", "buckets", "seen")


def _check(
    arrays: Mapping[str, npt.NDArray[Any]], words: Sequence[str], labels: Sequence[str]
) -> None:
    """Sizes that fit together, so that a damaged file is told here and not in a row's answer."""
    for name, array in arrays.items():
        wanted = np.int64 if name in _WHOLE else np.float32
        if array.ndim != _SHAPES[name] or array.dtype != wanted:
            raise ValueError(f"{name} is {array.dtype} with {array.ndim} axes")
        if wanted is np.float32 and not np.isfinite(array).all():
            raise ValueError(f"{name} holds what is no number")
    columns = len(words) + len(arrays["pairs"]) + len(arrays["buckets"])
    classes = len(arrays["seen"])
    if not (
        arrays["idf"].shape == (columns,)
        and arrays["coef"].shape == (columns, classes)
        and arrays["intercept"].shape == (classes,)
        and ((arrays["seen"] >= 0) & (arrays["seen"] < len(labels))).all()
    ):
        raise ValueError("the arrays' sizes do not fit together")


def softmax(logits: npt.NDArray[Any]) -> Floats:
    """Probabilities along the last axis."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype=np.float32)
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), dtype=np.float32)
