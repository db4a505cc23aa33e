"""Labels of tokens: which names begin at a token and which go on through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whichlever.fields.spans import Span

Marks = tuple[str, ...]
"""Sorted ``B-name`` and ``I-name``; empty for a token outside of every field."""
OUTSIDE: Marks = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label that was seen; the first is :data:`OUTSIDE`.

    Attributes
    ----------
    marks
        What each label says.
    likeness
        (labels, labels) shared marks over all marks of the two (Jaccard).
    names, inner
        Each label's names, and those of them that only go on.
    size, goes_on
        How many names each label has, and whether any of them only goes on.
    """

    marks: tuple[Marks, ...]
    likeness: NDArray[np.float32]
    names: tuple[frozenset[str], ...]
    inner: tuple[frozenset[str], ...]
    size: NDArray[np.float32]
    goes_on: NDArray[np.bool_]


def labels_of(marks: Sequence[Marks]) -> Labels:
    """Prepare labels."""
    all_marks = sorted({mark for label in marks for mark in label})
    at = {mark: i for i, mark in enumerate(all_marks)}
    table = np.zeros((len(marks), len(at) + 1), np.float32)
    for row, label in enumerate(marks):
        table[row, [at[mark] for mark in label]] = 1
        table[row, -1] = not label
    shared = table @ table.T
    sizes = table.sum(1)
    likeness = shared / np.maximum(1, sizes[:, None] + sizes[None] - shared)
    names = tuple(frozenset(mark[2:] for mark in label) for label in marks)
    inner = tuple(frozenset(mark[2:] for mark in label if mark[0] == "I") for label in marks)
    return Labels(
        tuple(marks),
        likeness.astype(np.float32),
        names,
        inner,
        np.array([len(some) for some in names], np.float32),
        np.array([bool(some) for some in inner]),
    )


def marked(
    spans: Sequence[Span], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> list[Marks]:
    """Return a line's marks, token by token; a span that cuts a token takes the whole token."""
    found: list[list[str]] = [[] for _ in starts]
    for span in spans:
        begin = int(np.searchsorted(ends, span.start, "right"))
        end = int(np.searchsorted(starts, span.end, "left"))
        for at in range(begin, end):
            found[at] += [f"{'B' if at == begin else 'I'}-{name}" for name in span.names]
    return [tuple(sorted(set(marks))) for marks in found]


def runs_of(chosen: Sequence[int], labels: Labels) -> list[tuple[int, int, str]]:
    """Join one line's labels to runs of tokens; a mark that goes on from nowhere begins."""
    open_at: dict[str, int] = {}
    runs: list[tuple[int, int, str]] = []
    for at, label in enumerate(chosen):
        if not label and not open_at:
            continue
        inner = labels.inner[label]
        for name in [n for n in open_at if n not in inner]:
            runs.append((open_at.pop(name), at, name))
        for name in labels.names[label]:
            open_at.setdefault(name, at)
    runs += [(begin, len(chosen), name) for name, begin in open_at.items()]
    return sorted(runs)


def spans_of(
    runs: Sequence[tuple[int, int, str]], starts: Sequence[int], ends: Sequence[int]
) -> tuple[Span, ...]:
    """Return a line's runs of tokens as spans of its text."""
    named: dict[tuple[int, int], list[str]] = {}
    for begin, end, name in runs:
        named.setdefault((starts[begin], ends[end - 1]), []).append(name)
    return tuple(
        Span(start, end, tuple(sorted(set(names))))
        for (start, end), names in sorted(named.items(), key=lambda i: (i[0][0], -i[0][1]))
    )
