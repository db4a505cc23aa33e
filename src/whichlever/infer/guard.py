"""A label that closes a row is said only where every head of its text says it; else a person.

An attacker who adds text behind a row's own leaves the row itself standing as one of the heads
(beginnings) of what is read. So whatever is added, and however much: where the row itself does not
say the closing label, the longer text cannot either. This is the argument of deletion certificates
(Kumar et al. 2023, "Certifying LLM safety against adversarial prompting", erase-and-check; Levine
and Feizi 2020, "Robustness certificates for sparse adversarial attacks by randomized ablation"),
with every deletion tried, so that nothing is left to chance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from whichlever.predict import Prediction, Predictor, Row

MOST_CHARS = 4_000_000
"""Characters that the heads of one row may have together (a row of about 5,000 characters); a row
with more is handed over, so that nobody can keep the machine busy with one long line."""

ROUNDS = (4, 16)
"""Heads asked first, and next, spread over the text: most texts that were added to fail here."""

TIE = 1e-12
"""By so much at least another answer counts as ahead: labels may tie, and one of them is said."""

CHUNK = 2_048
"""Heads asked in one call."""

TOO_LONG = "guard: too long for its heads to be asked"
SPOKE_AGAINST = "guard: its first {} characters say otherwise"

_CUT = re.compile(r"(?<!\w)|(?!\w)")


def heads(text: str, least: int) -> list[int]:
    """Where a text's heads end: everywhere but inside a word, from ``least`` characters on.

    The text itself is not among them. Text that is added goes on from one of these places, unless
    it goes on the last word without a break.
    """
    return [at for m in _CUT.finditer(text, max(least, 1)) if (at := m.start()) < len(text)]


@dataclass(frozen=True)
class GuardedPredictor:
    """Asks a predictor; where it says the closing label, asks it for the text's heads too.

    Attributes
    ----------
    predictor
        The lever; its answers carry scores.
    labels
        The run's label order, which scores follow.
    closes
        The label that closes a row.
    least
        Characters of the shortest head; a shorter row is answered as it is.
    floor
        By how much the closing label's probability must lead in every head; 0 is that it leads.
        Below 0, a row that does not say it may be turned where it comes so near.
    """

    predictor: Predictor
    labels: tuple[str, ...]
    closes: str
    least: int
    floor: float = 0.0

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; ``handed`` and no label where a head speaks against closing it.

        A row that is handed over has the scores of the head that spoke against it.
        """
        answers = self.predictor.predict(rows)
        closed = [i for i, a in enumerate(answers) if a.status == "ok" and a.label == self.closes]
        asked: dict[int, list[int]] = {}
        for i in closed:
            text = rows[i].text
            if sum(cuts := heads(text, self.least)) > MOST_CHARS:
                answers[i] = _handed(answers[i], TOO_LONG)
            else:
                asked[i] = cuts
        for some in (*ROUNDS, None):
            now = {i: cuts[:: _step(cuts, some)] for i, cuts in asked.items()}
            self._ask(rows, answers, now)
            asked = {
                i: _others(cuts, now[i]) for i, cuts in asked.items() if answers[i].status == "ok"
            }
        return answers

    def margins(self, rows: Sequence[Row]) -> npt.NDArray[np.float64]:
        """The least lead of the closing label over all heads and the text, shape (n,).

        No text added to a row of ``least`` characters makes this larger, so a row where it is
        below ``floor`` is never closed. It is −1 for rows that are too long.
        """
        out = np.full(len(rows), np.inf)
        for i, row in enumerate(rows):
            cuts = heads(row.text, self.least)
            if sum(cuts) > MOST_CHARS:
                out[i] = -1.0
                continue
            for start in range(0, len(cuts) + 1, CHUNK):
                part = [*cuts, len(row.text)][start : start + CHUNK]
                given = self.predictor.predict([_head(row, at) for at in part])
                out[i] = min(out[i], *(self._lead(answer) for answer in given))
        return out

    def certified(self, rows: Sequence[Row]) -> int:
        """How many rows no text behind them can close, whatever it is and however long."""
        return sum(
            len(row.text) >= self.least and bool(margin < self.floor)
            for row, margin in zip(rows, self.margins(rows), strict=True)
        )

    def _ask(
        self, rows: Sequence[Row], answers: list[Prediction], cuts: dict[int, list[int]]
    ) -> None:
        """Hand over each row of which a head speaks against closing it."""
        todo = [(i, at) for i, places in cuts.items() for at in places]
        for start in range(0, len(todo), CHUNK):
            part = [(i, at) for i, at in todo[start : start + CHUNK] if answers[i].status == "ok"]
            given = self.predictor.predict([_head(rows[i], at) for i, at in part])
            for (i, at), answer in zip(part, given, strict=True):
                if answers[i].status == "ok" and self._lead(answer) < self.floor:
                    said = replace(answers[i], scores=answer.scores)
                    answers[i] = _handed(said, SPOKE_AGAINST.format(at))

    def _lead(self, answer: Prediction) -> float:
        if answer.scores is None or answer.status != "ok":
            return -1.0
        scores = np.asarray(answer.scores, np.float64)
        place = self.labels.index(self.closes)
        lead = float(scores[place] - np.delete(scores, place).max())
        return lead if answer.label == self.closes else min(lead, -TIE)


def _head(row: Row, at: int) -> Row:
    return Row(row.id, row.text[:at])


def _step(cuts: Sequence[int], some: int | None) -> int:
    return 1 if some is None else max(1, len(cuts) // some)


def _others(cuts: Sequence[int], first: Sequence[int]) -> list[int]:
    known = set(first)
    return [at for at in cuts if at not in known]


def _handed(answer: Prediction, why: str) -> Prediction:
    return replace(answer, label=None, status="handed", error=why)
