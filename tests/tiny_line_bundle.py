"""A tiny bundle of `kind: extract`: a tagger and its shapes, from simulated lines, in seconds."""

from __future__ import annotations

from pathlib import Path

import tiny_lines
from whichlever.bundle.archive import write_archive
from whichlever.bundle.format import MANIFEST, Manifest, Part, Reader, Trained
from whichlever.fields.spans import LabelledLine
from whichlever.infer.cascade import Cascade
from whichlever.infer.shapes import ShapeBook
from whichlever.infer.tagger import Tagger
from whichlever.models.tagger import train_tagger


def tiny_line_bundle(path: Path) -> Path:
    """Write an unsigned bundle that reads the lines of `tiny_lines`."""
    rows = tiny_lines.rows(240, 1)
    lines = [LabelledLine(row["raw"], row["fields"], row["source"]) for row in rows]
    files = train_tagger(lines, seed=0, seconds=4)
    tagger = Tagger.from_bytes(files)
    cascade = Cascade(ShapeBook(tagger.schema), tagger)
    cascade.parse([line.text for line in lines], [line.source for line in lines])
    said = Manifest(
        format=2,
        kind="extract",
        task="tiny-lines",
        lever="finetune-tagger",
        what="a tagger of 240 simulated lines",
        labels=tagger.schema.names,
        reader=Reader(input="raw", id="id", hidden=("fields",), source="source"),
        parts=(Part(name="tagger", kind="tagger"), Part(name="shapes", kind="shapes")),
        abstain_below=0.2,
        trained=Trained(rows_sha256="0" * 64),
    )
    held = {f"model/tagger/{name}": content for name, content in files.items()}
    held["model/shapes/shapes.json"] = cascade.shapes.to_bytes()
    write_archive(path, {MANIFEST: said.to_bytes(), **held})
    return path
