"""Which passages a prompt gets: labelled rows, documents, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from whichlever.documents.passage import Passage
from whichlever.levers.retrieval.fusion import Fusion
from whichlever.levers.retrieval.index import Index
from whichlever.levers.retrieval.library import Library
from whichlever.predict import Row

SPARE = 4
"""Passages looked at for each one wanted, since copies of one text are shown once."""


@dataclass(frozen=True)
class Plan:
    """How many labelled rows and how many pieces of documents are retrieved."""

    rows: int
    documents: int = 0

    def __str__(self) -> str:
        rows = f"{self.rows} labelled row{'s' * (self.rows > 1)}" if self.rows else ""
        pieces = f"{self.documents} document piece{'s' * (self.documents > 1)}"
        return " and ".join(part for part in (rows, pieces if self.documents else "") if part)

    def as_json(self) -> dict[str, Any]:
        """Both numbers."""
        return asdict(self)


def plans(k: int, rows: bool, documents: bool) -> list[Plan]:
    """What is tried for at most ``k`` passages: the shortest first, then by importance."""
    if rows and documents:
        tried = [Plan(1), Plan(k - k // 2, k // 2), Plan(k), Plan(0, min(k, 2))]
    elif rows:
        tried = [Plan(1), Plan(k), Plan((k + 1) // 2)]
    else:
        tried = [Plan(0, 1), Plan(0, k)]
    return [plan for i, plan in enumerate(tried) if plan not in tried[:i]]


@dataclass(frozen=True)
class Retriever:
    """Finds passages for rows; either part may be missing.

    With ``oracle`` nothing is found: pieces of the row's own document are handed over.
    """

    index: Index | None
    library: Library | None
    fusion: Fusion
    oracle: bool = False

    def find(
        self, rows: Sequence[Row], plan: Plan, within: int | None = None
    ) -> list[list[Passage]]:
        """Passages for each row, best first, labelled rows and documents taking turns.

        Parameters
        ----------
        rows
            The queries; one that is itself a labelled row is never given to itself.
        plan
            How many of each.
        within
            Only the first so many labelled rows are looked at; all by default.
        """
        if not rows:
            return []
        solved: list[list[Passage]] = [[] for _ in rows]
        if self.index is not None and plan.rows:
            found = self.index.search(rows, within=within)
            positions, _ = found.fused(self.fusion, SPARE * plan.rows)
            passages = self.index.passages
            solved = [
                _different([passages[at] for at in near if at >= 0], plan.rows)
                for near in positions.tolist()
            ]
        read: list[list[Passage]] = [[] for _ in rows]
        if self.library is not None and plan.documents:
            self.library.follow()
            ask = self.library.given if self.oracle else self.library.find
            many = ask(rows, self.fusion, SPARE * plan.documents)
            read = [_different(few, plan.documents) for few in many]
        return [_in_turn(*pair) for pair in zip(solved, read, strict=True)]

    def refresh(self) -> bool:
        """Read changed documents again; whether there were any."""
        return self.library is not None and self.library.refresh()


def sources(passages: Sequence[Passage]) -> list[str]:
    """The documents that passages are from, best first, each once."""
    return list(dict.fromkeys(p.source for p in passages if p.source is not None))


def nearest_document(library: Library, rows: Sequence[Row], fusions: Sequence[Fusion]) -> Fusion:
    """The fusion that ranks rows' own documents highest, by mean reciprocal rank.

    Parameters
    ----------
    rows
        Validation rows; those without a document are passed over.
    fusions
        What is tried; the first stands where no row has a document.
    """
    known = [row for row in rows if row.document is not None]
    if not known:
        return fusions[0]

    def merit(found: Sequence[Sequence[Passage]]) -> float:
        ranks = [
            names.index(row.document) + 1 if row.document in names else None
            for row, names in zip(known, map(sources, found), strict=True)
        ]
        return sum(1 / rank for rank in ranks if rank is not None)

    merits = [merit(found) for found in library.find_all(known, fusions, 10)]
    return fusions[merits.index(max(merits))]


def _different(passages: Sequence[Passage], count: int) -> list[Passage]:
    """The first passages whose text and label no earlier one has."""
    kept = {(p.text, p.label): p for p in reversed(passages)}
    return [p for p in passages if kept[p.text, p.label] is p][:count]


def _in_turn(first: Sequence[Passage], second: Sequence[Passage]) -> list[Passage]:
    return [p for pair in zip_longest(first, second) for p in pair if p is not None]
