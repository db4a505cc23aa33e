"""A bundle's parser in memory: lines in, fields out, each with the piece it was copied from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from whichlever.bundle import Opened
from whichlever.bundle.format import Manifest, PartKind
from whichlever.calibrate import Temperature
from whichlever.errors import BundleError, WhichleverError
from whichlever.fields.spans import Parsed
from whichlever.predict import Prediction, Row, Usage

PROBE = "Jan  7 10:11:12 gate sshd[811]: Failed password for root from 192.0.2.7 port 22 ssh2"
"""A line made up, which the parser is asked about when it is loaded."""


class LineParser(Protocol):
    """What reads lines."""

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Answer lines in their order; sources name what wrote each, where known."""
        ...


@dataclass(frozen=True)
class LineModel:
    """What a bundle of `kind: extract` answers with; it is a `Predictor` and a parser.

    Attributes
    ----------
    parser
        Shapes and tagger together, or either alone.
    kinds
        The parts' kinds.
    labels
        The names that it may say.
    manifest
        What its confidence means, and below which it abstains.
    """

    parser: LineParser
    kinds: tuple[PartKind, ...]
    labels: tuple[str, ...]
    manifest: Manifest

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Answer lines, their confidence calibrated."""
        found = self.parser.parse(lines, sources)
        return [Parsed(s.spans, self.sure(s.confidence), s.shape, s.fields) for s in found]

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row."""
        if not rows:
            return []
        began = time.perf_counter()
        found = self.parse([row.text for row in rows], [row.source for row in rows])
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        return [
            Prediction(
                row.id, None, usage=usage, fields=dict(said.fields), spans=said.spans,
                confidence=said.confidence, shape=said.shape,
            )
            for row, said in zip(rows, found, strict=True)
        ]  # fmt: skip

    def sure(self, confidence: float) -> float:
        """Calibrate a confidence of the parser's own."""
        steps, warmth = self.manifest.steps, self.manifest.temperature
        sure = confidence if steps is None else steps.of(confidence)
        sure = min(max(sure, 0.0), 1.0)
        if warmth is None:
            return sure
        pair = np.array([1 - sure, sure], dtype=np.float32)
        return float(Temperature(warmth).apply(pair)[1])


def load_line_model(opened: Opened, *, learn: bool = False) -> LineModel:
    """The parser that a verified bundle holds, from its bytes.

    Parameters
    ----------
    learn
        Whether its own confident answers become shapes while it runs: faster on a stream, where an
        answer may then depend on the lines before it.

    Raises
    ------
    BundleError
        A part's files are damaged.
    """
    manifest = opened.manifest
    kinds = tuple(part.kind for part in manifest.parts)
    try:
        parser = _parser(opened, kinds, learn=learn)
        (said,) = parser.parse([PROBE], [None])
        unknown = sorted(set(said.fields) - set(manifest.labels))
        if unknown:
            raise ValueError(f"it says {unknown[0]!r}, which is not one of the bundle's names")
    except WhichleverError:
        raise
    except Exception as error:  # whatever a damaged file breaks
        said_of_it = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise BundleError(f"{opened.name}: {'/'.join(kinds)}: {said_of_it}") from error
    return LineModel(parser, kinds, manifest.labels, manifest)


def _parser(opened: Opened, kinds: Sequence[PartKind], *, learn: bool) -> LineParser:
    def files(part: str) -> dict[str, bytes]:
        start = f"model/{part}/"
        return {n.removeprefix(start): c for n, c in opened.files.items() if n.startswith(start)}

    parser: LineParser
    if "crf" in kinds:
        from whichlever.infer.crf import Crf

        parser = Crf.from_bytes(files("crf"))
    else:
        from whichlever.infer.tagger import Tagger

        parser = Tagger.from_bytes(files("tagger"))
    if "shapes" not in kinds:
        return parser
    from whichlever.infer.cascade import Cascade
    from whichlever.infer.shapes import ShapeBook

    return Cascade(ShapeBook.from_bytes(files("shapes")["shapes.json"]), parser, learn=learn)
