"""Something that can be retrieved: a piece of a document, or a labelled row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from whichlever.predict import Row


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that can be retrieved.

    ``label`` is None for a piece of a document; ``source`` says where that is from. The ``id`` of
    a labelled row is the row's own; a document's begins with its source.
    """

    id: str
    text: str
    label: str | None = None
    source: str | None = None

    @classmethod
    def of_row(cls, row: Row) -> Self:
        """A labelled row as a passage."""
        return cls(row.id, row.text, row.target)
