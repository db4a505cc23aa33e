"""Answer lines as jsonl or csv bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from whichlever.bundle.format import Manifest
from whichlever.errors import InputError
from whichlever.runtime.lines import dump

Line = dict[str, Any]
Format = Literal["jsonl", "csv"]

_NAMES: Mapping[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
                                ".csv": "csv"}  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run as a formula by spreadsheets."""


def format_of(path: Path | None) -> Format:
    """By the name of the file; a pipe gets jsonl.

    Raises
    ------
    InputError
        The name says neither.
    """
    if path is None:
        return "jsonl"
    found = _NAMES.get(path.suffix.lower())
    if found is None:
        raise InputError(f"{path}: answers are written as .jsonl or .csv; name it so")
    return found


def writer(format_: Format, manifest: Manifest) -> tuple[bytes, Callable[[Line], bytes]]:
    """The bytes that a file begins with, and what makes a line bytes."""
    if format_ == "jsonl":
        return b"", dump
    fields = manifest.kind == "extract"
    columns = ["id", "label", *(f"score.{label}" for label in manifest.labels),
               "abstain", "note", "why", "error"]  # fmt: skip
    if fields:
        columns = ["id", *manifest.labels, "shape", "abstain", "error"]

    def row(cells: list[Any]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow([_cell(c) for c in cells])
        return text.getvalue().encode("utf-8", "replace")

    def line(said: Line) -> bytes:
        if fields:
            values = said.get("fields", {})
            copied = [values.get(name) for name in manifest.labels]
            return row([said.get("id"), *copied, *(said.get(c) for c in columns[-3:])])
        scores = said.get("scores", {})
        answered = [said.get("id"), said.get("label"), *(scores.get(x) for x in manifest.labels)]
        return row([*answered, *(said.get(x) for x in ("abstain", "note", "why", "error"))])

    return row(columns), line


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = value if isinstance(value, str) else dump({"": value}).decode()[5:-2]
    text = "".join(c if c.isprintable() else " " for c in text)
    return f"'{text}" if text.startswith(FORMULA) else text
