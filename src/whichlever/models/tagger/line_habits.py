"""Learning to tell a source's habits apart by the words of its lines: kernel ridge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.habits import Habits, keyed, no_habits, words_of
from whichlever.models.tagger.corpus import Corpus

Array = NDArray[Any]
LEAST_LINES = 8
LEAST_CLASS = 3
GAIN = 0.25
"""Share of the commonest habit's mistakes that the classifier must avoid, each line left out."""
MOST_LINES = 1500
RIDGE = 0.01
BIAS = 0.25


def learn_habits(corpus: Corpus, lines: Array, habit: Array, begin: int = 0) -> Habits:
    """Learn classifiers for the sources whose lines' words tell habits apart.

    Each is judged on every line as if that line had been left out, which ridge regression gives
    exactly (Allen 1974, PRESS); a source where it does not help has none.

    Parameters
    ----------
    lines
        Lines to learn from.
    habit
        (all lines of the corpus,) which habit each follows.
    begin
        Number of the first class, where others are known already.
    """
    source: list[int] = []
    value: list[int] = []
    bias: list[float] = []
    keys: list[Array] = []
    weights: list[Array] = []
    for row in np.unique(corpus.source[lines]).tolist():
        own = lines[corpus.source[lines] == row][:MOST_LINES]
        kinds, count = np.unique(habit[own], return_counts=True)
        own = own[np.isin(habit[own], kinds[count >= LEAST_CLASS])]
        if len(own) < LEAST_LINES or int((count >= LEAST_CLASS).sum()) < 2:
            continue
        found = _classifier(corpus, own, habit[own])
        if found is None:
            continue
        classes, words, weight, constant = found
        for k, one in enumerate(classes.tolist()):
            keys.append(keyed(words, np.full(len(words), begin + len(source))))
            weights.append(weight[:, k])
            source.append(row)
            value.append(one)
            bias.append(constant[k])
    if not keys:
        return no_habits()
    key = np.concatenate(keys)
    order = np.argsort(key)
    return Habits(
        np.array(source, np.int64),
        np.array(value, np.int64),
        np.array(bias),
        key[order],
        np.concatenate(weights).astype(np.float32)[order],
    )


def _classifier(
    corpus: Corpus, own: Array, habit: Array
) -> tuple[Array, Array, Array, Array] | None:
    first = np.concatenate([[0], np.cumsum(np.diff(corpus.first)[own])])
    word, of = words_of(corpus.features[corpus.tokens(own)], first)
    words, column = np.unique(word, return_inverse=True)
    rare = np.log(1 + len(own) / np.bincount(column))
    size = np.sqrt(np.maximum(np.bincount(of, minlength=len(own)), 1))
    from scipy.sparse import csr_matrix

    x = csr_matrix((rare[column] / size[of], (of, column)), (len(own), len(words)))
    classes, right = np.unique(habit, return_inverse=True)
    wanted = np.where(right[:, None] == np.arange(len(classes)), 1.0, -1.0)
    kernel = (x @ x.T).toarray() + BIAS
    inverse = np.linalg.inv(kernel + RIDGE * np.eye(len(own)))
    alpha = inverse @ wanted
    left_out = wanted - alpha / np.diag(inverse)[:, None]
    wrong = float((left_out.argmax(1) != right).mean())
    usual = 1 - np.bincount(right).max() / len(own)
    if wrong > (1 - GAIN) * usual:
        return None
    return classes, words, (x.T @ alpha) * rare[:, None], BIAS * alpha.sum(0)
