"""A parser of lines as a lever's predictor, and how sure its validation answers show it to be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from whichlever.fields.schema import Schema
from whichlever.fields.spans import Parsed
from whichlever.levers.field_goal import Sureness, goal_of
from whichlever.predict import Prediction, Row, Usage
from whichlever.run import read_json, write_json, written_aside

PARSER, CHOSEN, SURENESS = "parser", "chosen.json", "sureness.json"
"""Where a fit keeps a parser, what was chosen of it, and what its confidence means."""


class LineParser(Protocol):
    """What reads lines."""

    def parse(
        self, lines: Sequence[str], sources: Sequence[str | None] | None = None
    ) -> list[Parsed]:
        """Answer lines in their order."""
        ...


@dataclass(frozen=True)
class Parsing:
    """Answers rows by a parser.

    Attributes
    ----------
    parser
        Reads the lines.
    sureness
        From the parser's own confidence to the probability that a line is right; None keeps it.
    """

    parser: LineParser
    sureness: Sureness | None = None

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Parse each line; its source is told where it is known."""
        if not rows:
            return []
        began = time.perf_counter()
        found = self.parser.parse([row.text for row in rows], [row.source for row in rows])
        usage = Usage(seconds=(time.perf_counter() - began) / len(rows))
        return [
            Prediction(
                row.id, None, usage=usage, fields=dict(said.fields), spans=said.spans,
                confidence=self._sure(said.confidence), shape=said.shape,
            )
            for row, said in zip(rows, found, strict=True)
        ]  # fmt: skip

    def _sure(self, confidence: float) -> float:
        return confidence if self.sureness is None else self.sureness.of(confidence)


def judged(
    parser: LineParser, valid: Sequence[Row], metric: str, schema: Schema
) -> tuple[float, list[Prediction]]:
    """The goal metric of a parser on validation lines, and its answers."""
    answers = Parsing(parser).predict(valid)
    return goal_of(metric, valid, answers, schema), answers


def save_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write a parser's files into a lever's folder, each whole."""
    for name, content in files.items():
        with written_aside(folder / name) as aside:
            aside.write_bytes(content)


def load_files(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Read them again."""
    return {name: (folder / name).read_bytes() for name in names}


def save_sureness(folder: Path, sureness: Sureness | None) -> None:
    """Keep the steps of a lever's confidence beside its parser."""
    if sureness is not None:
        said = {"edges": list(sureness.edges), "shares": list(sureness.shares)}
        write_json(folder / SURENESS, said)


def load_sureness(folder: Path) -> Sureness | None:
    """The steps that were kept; None where there are none."""
    if not (folder / SURENESS).exists():
        return None
    said = read_json(folder / SURENESS)
    return Sureness(tuple(said["edges"]), tuple(said["shares"]))
