"""Parts of a line that a value may fill: a quoted part, a delimited column, a word between blanks.

A field that filled its quotes or its column in every labelled line does so in the next one too;
what the votes on single tokens leave ragged at the end is set right by that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whichlever.infer.tagger.features import Looks

KINDS = "QCW"
"""Quoted part, column, word between blanks."""
Run = tuple[int, int, str]
"""First token, one past the last, name."""
OFTEN = 0.95


@dataclass(frozen=True, slots=True)
class Regions:
    """Each token's parts: number of the quoted part, the column, the word; 0 for none."""

    part: NDArray[np.int64]
    field: NDArray[np.int64]
    word: NDArray[np.int64]

    def around(self, token: int) -> tuple[str, int, int] | None:
        """Return the narrowest part that a token lies in: its kind and its tokens."""
        for kind, numbers in zip(KINDS, (self.part, self.field, self.word), strict=True):
            number = numbers[token]
            if number:
                begin, end = token, token + 1
                while begin > 0 and numbers[begin - 1] == number:
                    begin -= 1
                while end < len(numbers) and numbers[end] == number:
                    end += 1
                if kind == "C" and self.part[begin:end].any():
                    continue
                return kind, begin, end
        return None


def regions_of(looks: Looks, line: int) -> Regions:
    """Return the parts of one line of a batch."""
    cut = slice(int(looks.first[line]), int(looks.first[line + 1]))
    columns = looks.columns
    word = np.cumsum(columns["gap"][cut] > 0) + 1
    return Regions(
        columns["part"][cut].astype(np.int64), columns["field"][cut].astype(np.int64), word
    )


Fills = Mapping[str, Mapping[str, str]]
"""Source → name → the kinds of part that the name fills."""


def learn_fills(spans: Iterable[tuple[str, Regions, Sequence[Run]]]) -> dict[str, dict[str, str]]:
    """Find which fields fill which kinds of part.

    Only parts of several tokens count: a number alone in its column shows nothing.

    Parameters
    ----------
    spans
        Source, parts and labelled runs of each line.
    """
    tried: dict[tuple[str, str, str], int] = defaultdict(int)
    filled: dict[tuple[str, str, str], int] = defaultdict(int)
    for source, regions, runs in spans:
        for begin, end, name in runs:
            found = regions.around(begin)
            if found is None or found[2] - found[1] < 2:
                continue
            key = (source, name, found[0])
            tried[key] += 1
            filled[key] += found[1:] == (begin, end)
    fills: dict[str, dict[str, str]] = defaultdict(dict)
    for (source, name, kind), count in tried.items():
        if filled[(source, name, kind)] >= OFTEN * count and count >= 2:
            fills[source][name] = fills[source].get(name, "") + kind
    return dict(fills)


def filled(runs: Sequence[Run], regions: Regions, fills: Mapping[str, str]) -> list[Run]:
    """Stretch runs over the parts that their names fill."""
    made: dict[Run, None] = {}
    for begin, end, name in runs:
        found = regions.around(begin) if name in fills else None
        if found is not None and found[0] in fills[name] and found[1] <= begin and end <= found[2]:
            made[(found[1], found[2], name)] = None
        else:
            made[(begin, end, name)] = None
    return sorted(made)


def single(runs: Sequence[Run], scores: Sequence[float], many: Mapping[str, bool]) -> list[Run]:
    """Keep the surest run of each field that holds one value.

    Parameters
    ----------
    scores
        (tokens,) log-probability of the chosen label.
    many
        Name → whether it may hold several values.
    """
    best: dict[str, Run] = {}
    for run in runs:
        begin, _, name = run
        if not many.get(name) and (name not in best or scores[begin] > scores[best[name][0]]):
            best[name] = run
    return [run for run in runs if run[2] not in best or best[run[2]] == run]
