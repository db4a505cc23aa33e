"""The target's own word in the input: how often it gives the answer away."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whichlever.data.duplicates import words
from whichlever.predict import Row

Index = Mapping[str, Sequence[tuple[tuple[str, ...], str]]]


@dataclass(frozen=True)
class LabelWord:
    """How well a label's own word in the input foretells that label.

    ``precision`` is the share of rows with the word that have the label, ``base`` the label's
    share of all rows, ``covered`` the share of the label's rows that hold the word.
    """

    label: str
    rows: int
    right: int
    precision: float
    base: float
    covered: float

    @property
    def lift(self) -> float:
        """How many times likelier the label is where its word stands."""
        return self.precision / self.base if self.base else 0.0

    @property
    def doubt_removed(self) -> float:
        """The share of the doubt about the label that its word removes, at most 1.

        (precision - base) / (1 - base): fair to frequent labels, whose lift cannot be large.
        """
        return (self.precision - self.base) / (1 - self.base) if self.base < 1 else 0.0


def index_labels(labels: Iterable[str]) -> Index:
    """The labels' words by their first word; labels without words are left out."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
    for label in labels:
        parts = tuple(words(label.replace("_", " ")))
        if parts:
            index[parts[0]].append((parts, label))
    return index


def labels_in(text: str, index: Index) -> set[str]:
    """The labels whose words stand in a text, whole and in order."""
    found = words(text)
    if index.keys().isdisjoint(found):
        return set()
    return {
        label
        for at, word in enumerate(found)
        for parts, label in index.get(word, ())
        if tuple(found[at : at + len(parts)]) == parts
    }


def label_words(rows: Sequence[Row], labels: Sequence[str]) -> list[LabelWord]:
    """What each label's word foretells over ``rows``, for labels whose word stands in one."""
    index = index_labels(labels)
    held: dict[str, int] = defaultdict(int)
    right: dict[str, int] = defaultdict(int)
    size: dict[str, int] = defaultdict(int)
    for row in rows:
        size[row.target or ""] += 1
        for label in labels_in(row.text, index):
            held[label] += 1
            right[label] += label == row.target
    return [
        LabelWord(
            label=label,
            rows=held[label],
            right=right[label],
            precision=right[label] / held[label],
            base=size[label] / len(rows),
            covered=right[label] / size[label] if size[label] else 0.0,
        )
        for label in labels
        if held[label]
    ]


def masked(text: str, labels: Iterable[str]) -> str:
    """The text without the words of ``labels``."""
    for label in labels:
        parts = words(label.replace("_", " "))
        if parts:
            pattern = r"(?<!\w)" + r"[\W_]{1,3}".join(map(re.escape, parts)) + r"(?!\w)"
            text = re.sub(pattern, " ", text, flags=re.IGNORECASE)
    return text
