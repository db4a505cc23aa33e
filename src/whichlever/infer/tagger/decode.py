"""The best labels of a line: a mark may only go on where its name was open before (Viterbi)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.candidates import Pairs
from whichlever.infer.tagger.labels import Labels

Array = NDArray[Any]
KEPT = 6
"""Labels of a token that the search looks at."""
_FORBIDDEN = -30.0


SURE = np.log(0.97)


def expected(pairs: Pairs, scores: Array, labels: Labels) -> Array:
    """Return each pair's expected likeness to the right label, as a logarithm.

    Where candidates share marks (``source.port`` with and without ``client.port``), what they
    share may be likely although none of them is: minimum Bayes risk instead of the likeliest.
    """
    out = scores.copy()
    if not len(scores):
        return out
    unsure = np.maximum.reduceat(scores, pairs.first[:-1]) < SURE
    of = np.flatnonzero(unsure[pairs.token])
    size = (pairs.first[1:] - pairs.first[:-1])[pairs.token[of]]
    left = np.repeat(of, size)
    begin = np.repeat(pairs.first[:-1][pairs.token[of]] - (np.cumsum(size) - size), size)
    right = begin + np.arange(len(left))
    gain = labels.likeness[pairs.label[left], pairs.label[right]] * np.exp(scores[right])
    out[of] = np.log(np.bincount(np.repeat(np.arange(len(of)), size), gain) + 1e-9)
    return out


def decode(pairs: Pairs, scores: Array, first: Array, labels: Labels) -> Array:
    """Choose labels.

    Parameters
    ----------
    pairs, scores
        Candidates and their log-probabilities.
    first
        (lines + 1,) where each line's tokens begin.

    Returns
    -------
    ndarray
        (tokens,) chosen labels.
    """
    scores = expected(pairs, scores, labels)
    order = np.lexsort((-scores, pairs.token))
    best = order[pairs.first[:-1]] if len(pairs.first) > 1 else order[:0]
    chosen = pairs.label[best]
    inner = labels.goes_on[chosen]
    before = np.concatenate([[0], chosen[:-1]])
    before[first[:-1][first[:-1] < len(chosen)]] = 0
    steps = np.unique(before[inner] * np.int64(len(labels.marks)) + chosen[inner])
    broken = [
        step
        for step in steps.tolist()
        if not labels.inner[step % len(labels.marks)] <= labels.names[step // len(labels.marks)]
    ]
    if not broken:
        return np.asarray(chosen)
    wrong = inner & np.isin(before * np.int64(len(labels.marks)) + chosen, broken)
    # Only what is near a break is searched: from one sure blank to the next.
    calm = (chosen == 0) & (scores[best] > SURE)
    calm[first[1:][first[1:] > 0] - 1] |= chosen[first[1:][first[1:] > 0] - 1] == 0
    done = -1
    for at in np.flatnonzero(wrong).tolist():
        if at < done:
            continue
        line = int(np.searchsorted(first, at, "right")) - 1
        begin, end = at, at + 1
        while begin > first[line] and not calm[begin - 1]:
            begin -= 1
        while end < first[line + 1] and not calm[end]:
            end += 1
        chosen[begin:end] = _search(pairs, scores, order, begin, end, labels)
        done = end
    return np.asarray(chosen)


def _search(
    pairs: Pairs, scores: Array, order: Array, begin: int, end: int, labels: Labels
) -> list[int]:
    before: list[tuple[int, float]] = []
    back: list[list[tuple[int, int]]] = []
    for at in range(begin, end):
        rows = order[pairs.first[at] : pairs.first[at + 1]]
        options = [(int(pairs.label[r]), float(scores[r])) for r in rows[:KEPT]]
        if all(label for label, _ in options):
            options += [(int(pairs.label[r]), float(scores[r])) for r in rows if not pairs.label[r]]
        here: list[tuple[int, float]] = []
        links: list[tuple[int, int]] = []
        for label, score in options:
            inner = labels.inner[label]
            total, link = _FORBIDDEN * (1 if inner else 0), -1
            if before:
                total, link = max(
                    (past + (0.0 if inner <= labels.names[last] else _FORBIDDEN), i)
                    for i, (last, past) in enumerate(before)
                )
            here.append((label, total + score))
            links.append((label, link))
        back.append(links)
        before = here
    at = max(range(len(before)), key=lambda i: before[i][1])
    found: list[int] = []
    for links in reversed(back):
        label, at = links[at]
        found.append(label)
    return found[::-1]
