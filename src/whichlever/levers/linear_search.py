"""Choosing the linear lever's settings on validation rows, one question at a time.

First the training window at a middle C, then C, a soft edge of the window, class weights,
character n-grams and the family. The full grid would cost tens of fits and choose little better.
What would go over the time budget is skipped and said so; costs are worked out from sizes, never
from a clock, so equal input gives an equal choice.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from whichlever.infer.linear import LinearModel, softmax
from whichlever.infer.linear_features import Features
from whichlever.levers.linear_fit import (
    Candidate,
    features_seconds,
    fit_scale,
    fit_seconds,
    fit_weights,
    logistic_fits,
)
from whichlever.predict import Row
from whichlever.progress import Step
from whichlever.task import LinearSettings

Ints = npt.NDArray[np.int64]

WORD_ENTRIES_PER_CHAR = 0.27
CHAR_ENTRIES_PER_CHAR = 2.0
"""Non-zero features per character of English text, for estimates."""


COSTLY = 0.2
"""A window that alone takes this share of the budget waits until C is known."""


def in_order(rows: Sequence[Row], seed: int) -> tuple[list[Row], Literal["time", "random"]]:
    """Rows oldest first where all have a time, else in a seeded random order.

    A window is the last so many of them.
    """
    if rows and all(row.time is not None for row in rows):
        return sorted(rows, key=lambda row: row.time or 0.0), "time"
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    return shuffled, "random"


@dataclass(frozen=True)
class Tried:
    """One candidate and how it did: ``score`` on validation rows, None where it was skipped."""

    candidate: Candidate
    score: float | None
    why: str = ""


@dataclass(frozen=True)
class _Vectors:
    features: Features
    rows: Any
    targets: Ints
    seen: Ints
    valid: Any


class Search:
    """Fits candidates on training rows and scores them on validation rows.

    Parameters
    ----------
    train
        In the order of `in_order`, every target one of the labels.
    by
        What that order is.
    valid
        Any order; a target outside the labels counts as wrong.
    labels
        The run's label order.
    metric
        "accuracy" or "macro_f1".
    """

    def __init__(
        self,
        train: Sequence[Row],
        by: Literal["time", "random"],
        valid: Sequence[Row],
        labels: Sequence[str],
        metric: str,
        settings: LinearSettings,
        seed: int,
        step: Step,
    ) -> None:
        self.tried: list[Tried] = []
        self._train, self._by, self._valid = train, by, valid
        self._labels = tuple(labels)
        self._metric, self._settings, self._seed, self._step = metric, settings, seed, step
        index = {label: i for i, label in enumerate(labels)}
        self._targets = np.array([index[row.target or ""] for row in train], dtype=np.int64)
        self._truth = np.array([index.get(row.target or "", -1) for row in valid], dtype=np.int64)
        self._chars_per_row = sum(len(row.text) for row in train) / max(len(train), 1)
        self._budget = settings.minutes * 60
        self._spent = 0.0
        self._vectors: tuple[tuple[Any, ...], _Vectors] | None = None
        self._best: tuple[float, float, Candidate, float] | None = None
        self.held_out: Any = None
        """The best candidate's probabilities of the validation rows, shape (n, labels)."""

    def run(self) -> tuple[Candidate, float]:
        """Search; the best candidate and the scale of its decision values."""
        for question in (self._windows, self._cs, self._soft, self._costly_windows, self._others):
            for candidate in question():
                self._try(candidate)
        assert self._best is not None
        return self._best[2], self._best[3]

    @property
    def best_score(self) -> float:
        """The best candidate's score on validation rows."""
        assert self._best is not None
        return self._best[0]

    def _windows(self) -> Iterator[Candidate]:
        middle = sorted(self._settings.c)[len(self._settings.c) // 2]
        for window in self._sizes():
            candidate = Candidate(window=window, c=middle)
            if self._best is None or not self._costly(candidate):
                yield candidate

    def _costly_windows(self) -> Iterator[Candidate]:
        """What the first question left out, now that C is known: one fit instead of many."""
        asked = {tried.candidate.window for tried in self.tried}
        for window in self._sizes():
            if window not in asked:
                yield replace(self._chosen(), window=window, half_life=None)

    def _sizes(self) -> list[int | Literal["all"]]:
        sizes = windows(self._settings, len(self._train))
        # In random order a smaller window is only fewer rows; to win it would have to be lucky.
        return sizes if self._by == "time" else sizes[-1:]

    def _costly(self, candidate: Candidate) -> bool:
        return self.cost(candidate) > COSTLY * self._budget

    def _cs(self) -> Iterator[Candidate]:
        """Walk from the middle C towards whichever side is better."""
        cs = sorted(self._settings.c)
        middle = len(cs) // 2
        for side in (range(middle + 1, len(cs)), range(middle - 1, -1, -1)):
            for i in side:
                before = self._chosen()
                yield replace(before, c=cs[i])
                if self._chosen() == before:
                    break
            if self._chosen().c != cs[middle]:
                break

    def _others(self) -> Iterator[Candidate]:
        if self._metric == "macro_f1":
            yield replace(self._chosen(), class_weight="balanced")
        if self._settings.chars:
            yield replace(self._chosen(), chars=True)
        if "logistic" in self._settings.families:
            for factor in (1, 10):  # its loss is softer: the same C regularises it more
                yield replace(self._chosen(), family="logistic", c=self._chosen().c * factor)

    def _soft(self) -> Iterator[Candidate]:
        """Twice the window, an older row counting less: a soft edge instead of a hard one."""
        if self._settings.decay and self._by == "time":
            rows = self._rows(self._chosen())
            twice: int | Literal["all"] = "all" if 2 * rows >= len(self._train) else 2 * rows
            yield replace(self._chosen(), window=twice, half_life=max(rows // 2, 1))

    def _chosen(self) -> Candidate:
        assert self._best is not None
        return self._best[2]

    def _try(self, candidate: Candidate) -> None:
        cost, why = self.cost(candidate), ""
        reserve = max(cost, self._best[1] if self._best else 0.0)  # the refit comes after
        columns = self._vectors[1].features.columns if self._vectors else 0
        classes = len(np.unique(self._targets[-self._rows(candidate) :]))
        if candidate.family == "logistic" and not logistic_fits(columns, classes):
            why = "would need too much memory"
        elif self._best is not None and self._spent + cost + reserve > self._budget:
            why = f"about {cost:.0f} s, over the budget of {self._settings.minutes:g} minutes"
        if why:
            self.tried.append(Tried(candidate, None, why))
            return
        score, scale, scored = self._score(candidate)
        self._spent += cost
        self.tried.append(Tried(candidate, score))
        self._step.advance(cost)
        self._step.note(f"{describe(candidate)}: {self._metric} {score:.3f}")
        if self._best is None or score > self._best[0]:  # a tie stays with the cheaper
            self._best = (score, cost, candidate, scale)
            self.held_out = scored

    def cost(self, candidate: Candidate) -> float:
        """About how many seconds the candidate takes, from sizes alone."""
        rows = self._rows(candidate)
        classes = len(np.unique(self._targets[-rows:]))
        entries = WORD_ENTRIES_PER_CHAR + (CHAR_ENTRIES_PER_CHAR if candidate.chars else 0)
        chars = self._chars_per_row
        return features_seconds(int(rows * chars), candidate.chars) + fit_seconds(
            rows, entries * chars, classes, candidate.family
        )

    def _rows(self, candidate: Candidate) -> int:
        return len(self._train) if candidate.window == "all" else int(candidate.window)

    def _score(self, candidate: Candidate) -> tuple[float, float, Any]:
        vectors = self._vectorise(candidate)
        weights = fit_weights(
            vectors.rows, vectors.targets, len(vectors.seen), candidate, self._seed
        )
        margins = vectors.valid @ weights.coef + weights.intercept
        said = vectors.seen[margins.argmax(axis=1)]
        column = np.full(len(self._labels) + 1, -1, dtype=np.int64)  # the last is for -1
        column[vectors.seen] = np.arange(len(vectors.seen))
        scale = fit_scale(margins, column[self._truth])
        scored = np.zeros((len(self._truth), len(self._labels)), dtype=np.float32)
        scored[:, vectors.seen] = softmax(margins * scale)
        return score(self._truth, said, self._metric), scale, scored

    def _vectorise(self, candidate: Candidate) -> _Vectors:
        key = (candidate.window, candidate.chars)
        if self._vectors is not None and self._vectors[0] == key:
            return self._vectors[1]
        self._vectors = None  # let the last one go before the next is made
        rows = self._rows(candidate)
        features, vectors, targets, seen = vectorise(
            [row.text for row in self._train[-rows:]],
            self._targets[-rows:],
            candidate,
            self._settings.max_features,
        )
        valid = features.transform([row.text for row in self._valid])
        made = _Vectors(features, vectors, targets, seen, valid)
        self._vectors = (key, made)
        return made


def vectorise(
    texts: Sequence[str], targets: Ints, candidate: Candidate, max_features: int
) -> tuple[Features, Any, Ints, Ints]:
    """Features, vectors, dense class numbers, and the label index of each class."""
    features = Features.fit(texts, chars=candidate.chars, max_features=max_features)
    seen, dense = np.unique(targets, return_inverse=True)
    return features, features.transform(texts), dense.astype(np.int64), seen


def fit_final(
    rows: Sequence[Row],
    labels: Sequence[str],
    candidate: Candidate,
    scale: float,
    max_features: int,
    seed: int,
) -> LinearModel:
    """Fit the chosen candidate on the last rows of its window."""
    window = rows if candidate.window == "all" else rows[-candidate.window :]
    index = {label: i for i, label in enumerate(labels)}
    targets = np.array([index[row.target or ""] for row in window], dtype=np.int64)
    features, vectors, dense, seen = vectorise(
        [row.text for row in window], targets, candidate, max_features
    )
    weights = fit_weights(vectors, dense, len(seen), candidate, seed)
    return LinearModel(features, weights, tuple(labels), seen, scale, {"rows": len(window)})


def windows(settings: LinearSettings, rows: int) -> list[int | Literal["all"]]:
    """The windows to try, smallest first; those that hold every row are one, "all"."""
    sizes = sorted({w for w in settings.windows if isinstance(w, int) and w < rows})
    whole = any(w == "all" or w >= rows for w in settings.windows if isinstance(w, int | str))
    return [*sizes, *(["all"] if whole or not sizes else [])]  # type: ignore[list-item]


def score(truth: Ints, said: Ints, metric: str) -> float:
    """Accuracy, or macro-F1 over the labels that occur in ``truth`` (-1 is always wrong)."""
    if metric == "accuracy":
        return float(np.mean(truth == said))
    classes = int(max(truth.max(initial=-1), said.max(initial=-1))) + 1
    hit = np.bincount(said[said == truth], minlength=classes)
    true = np.bincount(truth[truth >= 0], minlength=classes)
    answered = np.bincount(said, minlength=classes)
    present = true > 0
    f1 = 2 * hit[present] / (true[present] + answered[present])
    return float(f1.mean()) if len(f1) else 0.0


def describe(candidate: Candidate) -> str:
    """A candidate in a few words."""
    window = "all rows" if candidate.window == "all" else f"newest {candidate.window}"
    parts = [window, f"C {candidate.c:g}", candidate.family]
    parts += ["characters"] if candidate.chars else []
    parts += ["balanced"] if candidate.class_weight else []
    parts += [f"half-life {candidate.half_life}"] if candidate.half_life else []
    return ", ".join(parts)
