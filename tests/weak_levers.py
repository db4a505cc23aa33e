"""Levers whose weakness is known, for tests of the attack station: no training, no chance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whichlever.measure.attack_ways import Way, beside, disguised
from whichlever.predict import Prediction, Row

LABELS = ("critical", "noise")
WORD = "heartbeat"


class Keyed:
    """Says noise wherever it reads one word; probabilities hint at nothing before that."""

    def __init__(self, word: str = WORD) -> None:
        self.word = word

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        out = []
        for row in rows:
            noise = self.word in row.text.lower().split()
            scores = np.array([0.1, 0.9] if noise else [0.9, 0.1], dtype=np.float32)
            out.append(Prediction(row.id, LABELS[noise], scores))
        return out


class Counting:
    """Log-odds of noise grow with each quiet word and shrink with each loud one."""

    def __init__(self, quiet: Sequence[str], loud: Sequence[str]) -> None:
        self.quiet, self.loud, self.asked = set(quiet), set(loud), 0

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        out = []
        for row in rows:
            words = re.findall(r"\w+", row.text.lower())
            odds = sum(w in self.quiet for w in words) - 2 * sum(w in self.loud for w in words)
            noise = 1 / (1 + np.exp(-float(odds)))
            scores = np.array([1 - noise, noise], dtype=np.float32)
            out.append(Prediction(row.id, LABELS[int(noise > 0.5)], scores))
        self.asked += len(rows)
        return out


class Constant:
    """Says the same, whatever it reads."""

    def __init__(self, label: str = "critical", scores: bool = True) -> None:
        self.label, self.scores = label, scores

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        given = np.array([0.5, 0.5], dtype=np.float32) if self.scores else None
        return [Prediction(row.id, self.label, given) for row in rows]


class End:
    """Text goes behind the row's own."""

    ways: tuple[Way, ...] = ("appended", "comment", "base64", "zero-width")

    def add(self, row: Row, text: str, way: Way) -> Row | None:
        return replace(row, text=beside(row.text, disguised(text, way), way))


def rows(count: int = 12, groups: int | None = None) -> list[Row]:
    """Protected rows that no lever above calls noise."""
    return [
        Row(f"r{i}", f"mimikatz dumped credentials on host {i}", "critical",
            None if groups is None else f"g{i % groups}")
        for i in range(count)
    ]  # fmt: skip
