"""Which rows to ask a teacher about next, where not all can be paid for.

A quick linear model of the answers so far says how sure it is of every row that is left: the
margin between its two best labels (Scheffer et al. 2001). Of the least sure, those are taken that
are unlike each other, since a batch of near-copies teaches one thing many times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from whichlever.levers.linear_fit import Candidate
from whichlever.levers.linear_search import fit_final
from whichlever.predict import Row

FIRST_SHARE = 0.25
"""Of what can be paid for, the part that is drawn at random, before anything is known."""

ROUNDS = 6
"""Rounds that the rest is asked in."""

AMONG = 4
"""Times the round's size: the least sure rows among which unlike ones are looked for."""

ALIKE = 0.6
"""Cosine of two rows' words above which one of them is put off."""

MAX_FEATURES = 50_000

Ints = npt.NDArray[np.int64]


def first_round(pool: int, most: int, seed: int) -> Ints:
    """The rows that are asked about before anything is known, at random."""
    count = min(pool, max(1, round(FIRST_SHARE * most)))
    return np.random.default_rng([seed, 11]).permutation(pool)[:count].astype(np.int64)


def round_size(most: int) -> int:
    """Rows of each later round."""
    return max(1, -(-most // ROUNDS))


def next_round(
    pool: Sequence[Row], left: Ints, known: Sequence[Row], labels: Sequence[str], size: int,
    seed: int,
) -> Ints:  # fmt: skip
    """The rows to ask about next.

    Parameters
    ----------
    pool
        Every row.
    left
        Places in ``pool`` that were not asked about.
    known
        Rows whose ``target`` is what was answered, or is true.
    size
        How many are wanted.

    Returns
    -------
    int array, shape (min(size, len(left)),)
        Places in ``pool``.
    """
    rng = np.random.default_rng([seed, 13, len(known)])
    left = left[rng.permutation(len(left))]  # ties fall by chance, the same every time
    if size >= len(left) or len({row.target for row in known}) < 2:
        return left[:size]
    scout = fit_final(known, labels, Candidate("all", 1.0), 3.0, MAX_FEATURES, seed)
    texts = [pool[i].text for i in left.tolist()]
    scores = scout.scores(texts)[:, scout.seen]
    best = np.partition(scores, -2, axis=1)[:, -2:]
    order = np.argsort(best[:, 1] - best[:, 0], kind="stable")[: AMONG * size]
    vectors = scout.features.transform([texts[i] for i in order.tolist()])
    return left[order[_unlike(vectors, size)]]


def _unlike(vectors: object, size: int) -> Ints:
    """Places of ``size`` rows, surest need first, near-copies of one taken put off."""
    matrix = vectors
    taken: list[int] = []
    late: list[int] = []
    for i in range(matrix.shape[0]):  # type: ignore[attr-defined]
        if len(taken) == size:
            break
        row = matrix[i]  # type: ignore[index]
        near = taken and (matrix[taken] @ row.T).max() > ALIKE  # type: ignore[index]
        (late if near else taken).append(i)
    return np.array([*taken, *late][:size], np.int64)
