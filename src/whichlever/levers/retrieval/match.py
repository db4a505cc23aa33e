"""Reading without a language model: the label that the sentence about the question names.

The sentences of the retrieved passages that name a label are the candidates. Which of them answers
the question is told by how much of the question they (and their heading) hold, how high their
passage was ranked, and the words around the label ("owned by", "until last year"). Those words'
weights are learned on labelled rows; what the labels of things are is not: it is read, each time
anew, so that a document that changes is followed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.documents.passage import Passage
from whichlever.documents.words import words
from whichlever.levers.retrieval.fusion import Floats

NOT_NAMED = -6.0
"""Log-odds of a label that no sentence names."""

CUE_DOCUMENTS = 5
"""Documents that must hold a word before it can be a cue: names of things are in fewer, or stand in
a heading, whose words are never cues."""

MAX_CUES = 300
SENTENCES = 40
"""Sentences looked at per passage."""

_END = re.compile(r"(?<=[.!?;])\s+|\n+")
_SHAPES = 5


@dataclass(frozen=True)
class Candidate:
    """A sentence that names a label: class of the label, its features, its cue words."""

    label: int
    shape: tuple[float, ...]
    cues: tuple[int, ...]


class Reader:
    """Finds candidates in passages.

    Parameters
    ----------
    labels
        The task's labels; one is named where its words stand together, in any case.
    passages
        Pieces of the documents as they are at the fit: how rare words are and which can be cues.
    """

    def __init__(self, labels: Sequence[str], passages: Iterable[Passage]) -> None:
        self.labels = tuple(labels)
        spelt = sorted(enumerate(labels), key=lambda pair: -len(pair[1]))
        self._number = {_plain(label): i for i, label in spelt}
        parts = "|".join(
            r"[\W_]+".join(map(re.escape, re.findall(r"[^\W_]+", label)) or [re.escape(label)])
            for _, label in spelt
        )
        self._named = re.compile(rf"(?<![^\W_])(?:{parts})(?![^\W_])", re.IGNORECASE)
        held: Counter[str] = Counter()
        cues: dict[str, set[str]] = {}
        masked: set[str] = set()
        self._pieces = 0
        for passage in passages:
            self._pieces += 1
            found = set(words(passage.text))
            heading, _, body = passage.text.partition("\n\n")
            masked.update(words(heading) if body else ())  # headings name things
            held.update(found)
            for word in found:
                cues.setdefault(word, set()).add(passage.source or "")
        self._held = held
        masked |= {word for label in labels for word in words(label)}
        often = sorted(
            (w for w, where in cues.items() if len(where) >= CUE_DOCUMENTS and w not in masked),
            key=lambda w: (-len(cues[w]), w),
        )
        self._cues = {word: i for i, word in enumerate(often[:MAX_CUES])}

    @property
    def cues(self) -> Mapping[str, int]:
        """The words that can be cues, by number."""
        return self._cues

    @property
    def width(self) -> int:
        """Features of a candidate."""
        return _SHAPES + len(self._cues)

    def candidates(self, question: str, passages: Sequence[Passage]) -> list[Candidate]:
        """Every sentence of the passages that names a label, once per label named."""
        # What none of the passages holds (a time, a count) says nothing of which of them answers.
        there = {word for passage in passages for word in words(passage.text)}
        asked = {w: self._rarity(w) for w in dict.fromkeys(words(question)) if w in there}
        whole = sum(asked.values()) or 1.0
        rarest = max(asked.values(), default=1.0) or 1.0
        out = []
        for rank, passage in enumerate(passages):
            heading, _, body = passage.text.partition("\n\n")
            if not body:
                heading, body = "", heading
            above = set(words(heading))
            for sentence in _END.split(body)[:SENTENCES]:
                named = {self._number[_plain(m[0])] for m in self._named.finditer(sentence)}
                if not named:
                    continue
                held = words(sentence)
                shared = [w for w in asked if w in above or w in held]
                shape = (
                    1 / (1 + rank),
                    math.fsum(asked[w] for w in shared) / whole,
                    max((asked[w] for w in shared), default=0.0) / rarest,
                    max((asked[w] for w in shared if w in above), default=0.0) / rarest,
                    float(len(named) > 1),
                )
                cues = tuple(sorted({self._cues[w] for w in held if w in self._cues}))
                out += [Candidate(label, shape, cues) for label in sorted(named)]
        return out

    def _rarity(self, word: str) -> float:
        """Inverse document frequency; a word never met is the rarest."""
        return math.log(1 + self._pieces / (1 + self._held[word]))


def features(candidates: Sequence[Candidate], width: int) -> npt.NDArray[np.float64]:
    """The candidates as a matrix, shape (candidates, width)."""
    out = np.zeros((len(candidates), width))
    for row, candidate in zip(out, candidates, strict=True):
        row[:_SHAPES] = candidate.shape
        row[[_SHAPES + cue for cue in candidate.cues]] = 1.0
    return out


@dataclass(frozen=True)
class Judge:
    """Weighs candidates: log-odds that a candidate's label is the row's."""

    weights: npt.NDArray[np.float64]
    bias: float

    @classmethod
    def learn(
        cls, offered: Sequence[Sequence[Candidate]], targets: Sequence[int], width: int
    ) -> Judge | None:
        """Learn from rows whose label is known; None where there is nothing to tell apart."""
        from sklearn.linear_model import LogisticRegression

        flat = [c for few in offered for c in few]
        right = [c.label == t for few, t in zip(offered, targets, strict=True) for c in few]
        if len(set(right)) < 2:
            return None
        model: Any = LogisticRegression(C=1.0, max_iter=500)
        model.fit(features(flat, width), np.asarray(right))
        return cls(np.asarray(model.coef_[0], np.float64), float(model.intercept_[0]))

    def scores(self, offered: Sequence[Sequence[Candidate]], classes: int) -> Floats:
        """Probability per label by the best sentence that names it, shape (rows, classes)."""
        out = np.full((len(offered), classes), NOT_NAMED)
        for row, few in zip(out, offered, strict=True):
            if few:
                odds = features(few, len(self.weights)) @ self.weights + self.bias
                for candidate, value in zip(few, odds, strict=True):
                    row[candidate.label] = max(row[candidate.label], value)
        out = np.exp(out - out.max(axis=1, keepdims=True))
        return np.asarray(out / out.sum(axis=1, keepdims=True), np.float32)

    def heaviest(self, cues: Mapping[str, int], count: int = 6) -> dict[str, float]:
        """The cue words that speak most for or against a sentence, for the record."""
        by_size = sorted(cues, key=lambda w: -abs(self.weights[_SHAPES + cues[w]]))
        return {w: round(float(self.weights[_SHAPES + cues[w]]), 2) for w in by_size[:count]}


def _plain(label: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", label)).casefold() or label.casefold()
