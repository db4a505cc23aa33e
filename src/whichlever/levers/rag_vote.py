"""Retrieval without a language model: the nearest labelled rows vote."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit
from whichlever.levers.retrieval import (
    EMBEDDER,
    METHOD,
    Electorate,
    Embedder,
    Index,
    VoteRule,
    check_embedder,
    choose_rule,
    default_embedder,
    embedder_fingerprint,
    index_rows,
    index_seconds,
    neighbours,
)
from whichlever.levers.retrieval.index import DEPTH
from whichlever.predict import Prediction, Row, Usage
from whichlever.task import RagSettings, Task

CHOOSE_ROWS = 2_000
"""Validation rows that choose, at most: a random sample of them."""


class RagVote:
    """Nearest-neighbour vote over retrieved labelled rows: what retrieval alone gives.

    The number of neighbours, how the two rankings are joined and what a vote weighs are chosen
    on validation rows; then validation rows vote too.

    Parameters
    ----------
    settings
        ``vote_k`` are the numbers of neighbours to try.
    embedder
        Makes the vectors; the default encoder's static ones unless given.
    """

    id = "rag-vote"

    def __init__(self, settings: RagSettings, embedder: Embedder | None = None) -> None:
        self._settings = settings
        self._embedder = embedder

    def settings(self) -> Mapping[str, Any]:
        """The neighbours to try, the embedder with its checksum, and the version of the method."""
        return {
            "vote_k": self._settings.vote_k,
            "embedder": EMBEDDER,
            "embedder_weights": embedder_fingerprint(),
            "method": METHOD,
        }

    def check(self, task: Task) -> None:
        """Raise early what `fit` would raise late: a missing package or missing weights."""
        if self._embedder is None:
            check_embedder()

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Building the index, and searching it with the validation rows that choose."""
        return index_seconds(train + valid) + min(valid, CHOOSE_ROWS) * (1e-3 + train * 4e-8)

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Index the labelled rows and choose how they vote.

        Raises
        ------
        DataError
            No training row has one of the run's labels.
        WeightsError, MissingExtraError
            The embedder's weights or a package are missing.
        """
        number = {label: i for i, label in enumerate(context.labels)}
        train = [row for row in train if row.target in number]
        valid = [row for row in valid if row.target in number]
        if not train:
            raise DataError("rag-vote: no training row has a label; look at data.target")
        embedder = self._embedder or default_embedder(context.progress)
        index = index_rows([*train, *valid], embedder)
        targets = [number[str(row.target)] for row in (*train, *valid)]
        ks = [k for k in self._settings.vote_k if k <= len(train)] or [1]
        rule = VoteRule(k=min(10, max(ks)))
        chosen: dict[str, Any] = {"rows": len(index)}
        if valid:
            sample = np.random.default_rng(context.seed).permutation(len(valid))[:CHOOSE_ROWS]
            found = index.search([valid[i] for i in sample], _depth(ks), within=len(train))
            rule, tried = choose_rule(
                index,
                found,
                np.array([targets[len(train) + i] for i in sample], np.int64),
                Electorate.of(targets[: len(train)], len(number)),
                ks,
                context.task.goal.metric,
            )
            chosen |= {"on_rows": len(sample), "tried": tried}
        return Fit(
            predictor=_Vote(index, Electorate.of(targets, len(number)), rule, context.labels),
            what=f"nearest-neighbour vote of {rule.k} labelled rows, found by "
            f"{_searched(rule.fusion.dense)} among {len(index):,}",
            chosen={**rule.as_json(), **chosen},
            rows_seen=len(index),
        )


@dataclass(frozen=True)
class _Vote:
    index: Index
    voters: Electorate
    rule: VoteRule
    labels: tuple[str, ...]

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Let each row's neighbours vote."""
        if not rows:
            return []
        began = time.perf_counter()
        found = self.index.search(rows, _depth([self.rule.k]))
        scores = self.voters.probabilities(*neighbours(self.index, found, self.rule))
        best = scores.argmax(axis=1)
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        return [
            Prediction(row.id, self.labels[top], row_scores, usage=usage)
            for row, top, row_scores in zip(rows, best.tolist(), scores, strict=True)
        ]


def _depth(ks: Sequence[int]) -> int:
    """The same depth in choosing and in answering, whichever k is chosen."""
    return max(DEPTH, *ks)


def _searched(dense: float) -> str:
    if dense in (0.0, 1.0):
        return "static vectors" if dense else "bm25"
    return "bm25 and static vectors"
