"""Judged rows as parquet, for machines, and as CSV, for a person with a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from whichlever.data.noise_record import Judged
from whichlever.errors import RunError
from whichlever.run import written_aside

COLUMNS = tuple(field.name for field in fields(Judged))
TEXT_CHARS = 500
"""Characters of a row's text in a CSV cell."""

KEPT_CHARS = 2_000
"""Characters of a suspect's text that RUN keeps for the report."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def write_parquet(
    path: Path, rows: Sequence[Judged], texts: Mapping[str, str] | None = None
) -> None:
    """Write judged rows, most suspicious first.

    Parameters
    ----------
    texts
        Text by row id: the beginning of each suspect's is kept; None keeps no text.
    """
    import polars as pl

    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        "id": pl.String, "role": pl.String, "rank": pl.Int64, "given": pl.String,
        "suggested": pl.String, "confidence": pl.Float64, "margin": pl.Float64,
        "suspect": pl.Boolean,
    }  # fmt: skip
    frame = pl.DataFrame([asdict(row) for row in rows], schema=schema)
    if texts is not None:
        kept = [texts.get(row.id, "") if row.suspect else None for row in rows]
        begun = [None if text is None else text[:KEPT_CHARS] for text in kept]
        chars = [None if text is None else len(text) for text in kept]
        frame = frame.with_columns(
            pl.Series("text", begun, dtype=pl.String), pl.Series("chars", chars, dtype=pl.Int64)
        )
    with written_aside(path) as aside:
        frame.write_parquet(aside)


def read_parquet(path: Path) -> tuple[Judged, ...]:
    """Read judged rows that `write_parquet` wrote.

    Raises
    ------
    RunError
        The file is missing or damaged.
    """
    import polars as pl

    try:
        frame = pl.read_parquet(path, columns=list(COLUMNS))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{path} is missing or damaged; delete it and run compare again") from error
    return tuple(Judged(**row) for row in frame.select(COLUMNS).to_dicts())


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
