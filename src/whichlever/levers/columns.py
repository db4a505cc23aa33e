"""The lowest floor for lines: each field is what stands in a fixed column."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.data.learn_fields import aligned_rows
from whichlever.errors import DataError
from whichlever.fields.align import Aligned
from whichlever.fields.schema import Schema
from whichlever.fields.spans import Span
from whichlever.fields.values import fields_of
from whichlever.levers.base import Context, Fit
from whichlever.predict import Prediction, Row, Usage

MOST_COLUMNS = 200
HALF = 0.5


class Columns:
    """Says for each name the blank-separated column in which it stands most often, by source.

    Only names that stand in their column in at least half of a source's training lines are said,
    the way ``awk '{print $3}'`` would: no line is looked at but for its blanks. Lines of a source
    that training did not have, or without one, get the columns of all lines together. A lever that
    does not beat it has learnt nothing of the lines.
    """

    id = "majority"

    def settings(self) -> Mapping[str, Any]:
        """Nothing to set."""
        return {"method": "columns-2"}

    def estimate_seconds(self, train: int, valid: int) -> float | None:
        """Aligning takes the time."""
        return 0.004 * train

    def fit(self, train: Sequence[Row], valid: Sequence[Row], context: Context) -> Fit:
        """Count the columns.

        Raises
        ------
        DataError
            No training line has a field.
        """
        if context.schema is None or not any(row.fields for row in train):
            raise DataError("majority: no training line has a field; look at data.target")
        aligned = aligned_rows(train)
        by_source: dict[str | None, list[Aligned]] = {None: list(aligned)}
        for found in aligned:
            if found.line.source is not None:
                by_source.setdefault(found.line.source, []).append(found)
        columns = {source: _common(lines) for source, lines in by_source.items()}
        return Fit(
            predictor=FixedColumns(columns, context.schema),
            what="always copying the same columns of a source",
            chosen={
                "sources": sum(bool(kept) for kept in columns.values()),
                "names": len({n for kept in columns.values() for names in kept.values()
                              for n in names}),
            },
            rows_seen=len(train),
        )  # fmt: skip


def _common(lines: Sequence[Aligned]) -> dict[int, tuple[str, ...]]:
    """Column → the names that stand there in at least half of the lines."""
    stands: dict[str, Counter[int]] = defaultdict(Counter)
    for found in lines:
        at = {place: i for i, place in enumerate(blank_columns(found.line.text))}
        for span in found.spans:
            column = at.get((span.start, span.end))
            if column is not None:
                for name in span.names:
                    stands[name][column] += 1
    columns: dict[int, list[str]] = defaultdict(list)
    for name, counts in sorted(stands.items()):
        column, there = counts.most_common(1)[0]
        if there >= HALF * len(lines):
            columns[column].append(name)
    return {column: tuple(names) for column, names in columns.items()}


@dataclass(frozen=True)
class FixedColumns:
    """Copies the same columns out of every line of a source; None is every other source."""

    columns: Mapping[str | None, Mapping[int, tuple[str, ...]]]
    schema: Schema

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each line by its columns."""
        began = time.perf_counter()
        found = [self._spans(row) for row in rows]
        usage = Usage(seconds=(time.perf_counter() - began) / max(len(rows), 1))
        return [
            Prediction(
                row.id, None, usage=usage, spans=spans,
                fields=fields_of(row.text, spans, self.schema, row.source),
            )
            for row, spans in zip(rows, found, strict=True)
        ]  # fmt: skip

    def _spans(self, row: Row) -> tuple[Span, ...]:
        columns = self.columns.get(row.source)
        if columns is None:
            columns = self.columns[None]
        if not columns:
            return ()
        return tuple(
            Span(start, end, columns[i])
            for i, (start, end) in enumerate(blank_columns(row.text))
            if i in columns
        )


def blank_columns(text: str) -> list[tuple[int, int]]:
    """Where the blank-separated columns of a line stand, the first `MOST_COLUMNS` of them."""
    out: list[tuple[int, int]] = []
    at = 0
    for word in text.split(None, MOST_COLUMNS)[:MOST_COLUMNS]:
        start = text.index(word, at)
        at = start + len(word)
        out.append((start, at))
    return out
