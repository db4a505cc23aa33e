"""Retrieval of documents read without a language model: the label that the sentence names."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit
from whichlever.levers.retrieval import (
    EMBEDDER,
    METHOD,
    Embedder,
    Fusion,
    Judge,
    Library,
    Passage,
    Reader,
    check_documents,
    check_embedder,
    default_embedder,
    embedder_fingerprint,
    sources,
)
from whichlever.models.goal import goal_score
from whichlever.predict import Prediction, Row, Usage
from whichlever.task import RagSettings, Task

VERSION = 3
"""Raised when passages are read another way."""

LEARN_ROWS = 500
"""Training rows whose labels teach which words stand beside an answer, at most."""

CHOOSE_ROWS = 400
PIECES = (1, 2, 3, 5, 8)
"""Passages that may be read for a row."""

SEARCHES = (Fusion(0.0, 10.0), Fusion(0.3, 10.0), Fusion(0.7, 10.0))


class RagMatch:
    """Looks the answer up in documents and copies it, without a language model.

    The retrieved sentence that speaks of the question and names a label gives the answer. Labelled
    rows teach only which words stand beside an answer; facts are read anew from the documents for
    every row. Torch-free, milliseconds a row. It is only as good as documents that name labels in
    so many words.

    Parameters
    ----------
    settings
        The lever's settings; it has no knobs of its own.
    embedder
        Makes the vectors; the default encoder's static ones unless given.
    oracle
        Hand over the row's own document instead of searching: a diagnostic.
    """

    def __init__(
        self, settings: RagSettings, embedder: Embedder | None = None, *, oracle: bool = False
    ) -> None:
        self.id = "rag-match-oracle" if oracle else "rag-match"
        self._settings = settings
        self._embedder = embedder
        self._oracle = oracle

    def settings(self) -> Mapping[str, Any]:
        """The versions of the method and the embedder's checksum."""
        return {
            "reader": VERSION,
            "oracle": self._oracle,
            "embedder": EMBEDDER,
            "embedder_weights": embedder_fingerprint(),
            "method": METHOD,
        }

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late: no documents, or something missing."""
        if task.documents is None:
            raise DataError("levers.rag.match reads documents; name their folder in documents:")
        check_documents(task.path(task.documents))
        if self._embedder is None:
            check_embedder()

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Searching and reading for the rows that teach and choose."""
        return 1.0 + (min(train, LEARN_ROWS) + min(valid, CHOOSE_ROWS)) * 5e-3

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Index the documents and learn which sentences answer.

        Raises
        ------
        DataError
            There is no document, or no sentence that tells labels apart.
        """
        task = context.task
        self.check(task)
        assert task.documents is not None
        embedder = self._embedder or default_embedder(context.progress)
        library = Library(task.path(task.documents), embedder)
        number = {label: i for i, label in enumerate(context.labels)}
        random = np.random.default_rng(context.seed)
        taught = _some([r for r in train if r.target in number], LEARN_ROWS, random)
        tried = _some([r for r in valid if r.target in number], CHOOSE_ROWS, random) or taught
        reader = Reader(context.labels, library.folder.passages)
        best: _Reading | None = None
        for fusion in SEARCHES[: 1 if self._oracle else None]:
            found = _Finder(library, fusion, max(PIECES), self._oracle)
            for reading in _readings(reader, found, taught, tried, number, task.goal.metric):
                if best is None or reading.score > best.score:
                    best = reading
        if best is None:
            raise DataError(
                f"{self.id}: no sentence of the documents near the training rows tells labels "
                "apart; it needs documents that name the labels, so leave levers.rag.match out"
            )
        how = "handed over (oracle)" if self._oracle else "found by bm25 and static vectors"
        return Fit(
            predictor=MatchPredictor(reader, best, library, context.labels, self._oracle),
            what=f"the label named in the sentence nearest to the question, among {best.pieces} "
            f"piece{'s' * (best.pieces > 1)} of documents {how}; no language model",
            chosen={
                "fusion": best.fusion.as_json(),
                "pieces": best.pieces,
                f"validation_{task.goal.metric}": round(best.score, 4),
                "validation_rows": len(tried),
                "cues": best.judge.heaviest(reader.cues),
                "documents": len(library.folder.documents),
                "document_pieces": len(library.folder.passages),
                "documents_left_out": [list(pair) for pair in library.folder.left_out[:50]],
            },
            rows_seen=len(taught),
        )


@dataclass(frozen=True)
class _Finder:
    library: Library
    fusion: Fusion
    pieces: int
    oracle: bool

    def find(self, rows: Sequence[Row]) -> list[list[Passage]]:
        ask = self.library.given if self.oracle else self.library.find
        return ask(rows, self.fusion, self.pieces)


@dataclass(frozen=True)
class _Reading:
    fusion: Fusion
    pieces: int
    judge: Judge
    score: float


def _readings(
    reader: Reader,
    finder: _Finder,
    taught: Sequence[Row],
    tried: Sequence[Row],
    number: Mapping[str, int],
    metric: str,
) -> list[_Reading]:
    """What reading so many pieces scores on validation rows, for each number of them."""
    lessons, exam = finder.find(taught), finder.find(tried)
    out = []
    for pieces in PIECES:
        offered = [
            reader.candidates(r.text, p[:pieces]) for r, p in zip(taught, lessons, strict=True)
        ]
        judge = Judge.learn(offered, [number[str(r.target)] for r in taught], reader.width)
        if judge is None:
            continue
        asked = [reader.candidates(r.text, p[:pieces]) for r, p in zip(tried, exam, strict=True)]
        said = judge.scores(asked, len(number)).argmax(axis=1)
        targets = np.array([number[str(r.target)] for r in tried], np.int64)
        out.append(_Reading(finder.fusion, pieces, judge, goal_score(said, targets, metric)))
    return out


class MatchPredictor:
    """Answers rows from the documents as they are now."""

    reads_documents = True

    def __init__(
        self,
        reader: Reader,
        reading: _Reading,
        library: Library,
        labels: Sequence[str],
        oracle: bool,
    ) -> None:
        self._reader, self._judge, self._labels = reader, reading.judge, tuple(labels)
        self._finder = _Finder(library, reading.fusion, reading.pieces, oracle)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Look each row up, in documents that were looked at for changes."""
        if not rows:
            return []
        began = time.perf_counter()
        self._finder.library.follow()
        offered = [
            self._reader.candidates(row.text, found)
            for row, found in zip(rows, self._finder.find(rows), strict=True)
        ]
        scores = self._judge.scores(offered, len(self._labels))
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        return [
            Prediction(row.id, self._labels[int(given.argmax())], given, usage=usage)
            for row, given in zip(rows, scores, strict=True)
        ]

    def read_from(self, folder: Path) -> bool:
        """Read another folder of documents from now on; whether its passages are others."""
        return self._finder.library.read_from(folder)

    def follow(self) -> bool:
        """Look for changed documents, if it is time to; whether there were any."""
        return self._finder.library.follow()

    def sources(self, rows: Sequence[Row], depth: int) -> list[list[str]] | None:
        """The documents found for each row, best first; None where they are handed over."""
        if self._finder.oracle:
            return None
        finder = self._finder
        return [sources(p) for p in finder.library.find(rows, finder.fusion, depth)]


def _some(rows: Sequence[Row], most: int, random: np.random.Generator) -> list[Row]:
    return [rows[i] for i in sorted(random.permutation(len(rows))[:most])]
