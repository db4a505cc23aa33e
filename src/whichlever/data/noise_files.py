"""Judged rows as parquet, for machines, and as CSV, for a person with a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from whichlever.data.noise_record import Judged
from whichlever.run import written_aside

COLUMNS = tuple(field.name for field in fields(Judged))
TEXT_CHARS = 500
"""Characters of a row's text in a CSV cell."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def write_parquet(path: Path, rows: Sequence[Judged]) -> None:
    """Write judged rows, most suspicious first; no text."""
    import polars as pl

    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        "id": pl.String, "role": pl.String, "rank": pl.Int64, "given": pl.String,
        "suggested": pl.String, "confidence": pl.Float64, "margin": pl.Float64,
        "suspect": pl.Boolean,
    }  # fmt: skip
    with written_aside(path) as aside:
        pl.DataFrame([asdict(row) for row in rows], schema=schema).write_parquet(aside)


def write_csv(path: Path, rows: Iterable[Judged], texts: Mapping[str, str] | None = None) -> None:
    """Write judged rows as CSV that no spreadsheet takes for a formula.

    Parameters
    ----------
    texts
        Text by row id, shown as one line of at most 500 characters; None writes none.
    """
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle)
        out.writerow([*COLUMNS, *(["text"] if texts is not None else [])])
        for row in rows:
            cells = [
                cell(value) if isinstance(value, str) else value for value in asdict(row).values()
            ]
            if texts is not None:
                cells.append(cell(_short(texts.get(row.id, ""))))
            out.writerow(cells)


def cell(text: str) -> str:
    """A cell that opens as text: what a formula could start with gets an apostrophe before it.

    Also where only spaces stand before it; control characters become spaces (OWASP, CSV
    Injection).
    """
    shown = "".join(c if c.isprintable() else " " for c in text)
    return (
        f"'{shown}" if shown.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else shown
    )


def _short(text: str) -> str:
    flat = " ".join(text[: 4 * TEXT_CHARS].split())
    return flat if len(flat) <= TEXT_CHARS else flat[: TEXT_CHARS - 1] + "…"
