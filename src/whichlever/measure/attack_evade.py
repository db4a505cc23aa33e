"""Try to turn protected rows into the cheap label: given strings, searches, what others found.

The measuring knows no lever: it is given a predictor and a way to add text to a row. Of every row
the question is whether *any* attempt within the budget turned it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from whichlever.measure.attack_search import Found, search
from whichlever.measure.attack_strings import (
    AttackString,
    control_strings,
    in_turn,
)
from whichlever.measure.attack_ways import Way, disguised
from whichlever.predict import Prediction, Predictor, Row
from whichlever.progress import Progress, Silent

CHUNK = 512
CONTROLS = 4
"""Of the questions with given strings, one in so many is asked again with letters at random."""

Bools = npt.NDArray[np.bool_]


class Surface(Protocol):
    """Where an attacker's text goes into a row."""

    ways: tuple[Way, ...]
    """The ways that are open here."""

    def add(self, row: Row, text: str, way: Way) -> Row | None:
        """The row with the text added; None where its text could then not be read."""
        ...


@dataclass(frozen=True)
class Attempt:
    """One string, brought in one way; the same for every row."""

    given: AttackString
    way: Way

    @property
    def added(self) -> str:
        """What it adds."""
        return disguised(self.given.text, self.way)


@dataclass(frozen=True, eq=False)
class Tried:
    """What became of attempts on n rows.

    ``hits`` has shape (n, attempts). ``found`` holds each search's and each transfer's result by
    name, ``inside`` names the searches that know training rows; ``total`` and ``lost`` count
    questions, and those without an answer.
    """

    rows: tuple[Row, ...]
    attempts: tuple[Attempt, ...]
    hits: Bools
    found: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)
    transferred: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)
    searched: int = 0
    inside: frozenset[str] = frozenset()
    total: int = 0
    lost: int = 0


class Asking:
    """Asks a predictor in batches, counting questions and those that got no answer."""

    def __init__(self, predictor: Predictor, progress: Progress | None = None) -> None:
        self._predictor = predictor
        self._progress = progress or Silent()
        self._serial = 0
        self.total = self.lost = 0

    def __call__(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer rows in order; each gets an id of its own, as no answer must stand for two."""
        out: list[Prediction] = []
        for start in range(0, len(rows), CHUNK):
            part = []
            for row in rows[start : start + CHUNK]:
                self._serial += 1
                part.append(replace(row, id=f"{row.id}~{self._serial}"))
            out += self._predictor.predict(part)
        self.total += len(out)
        self.lost += sum(answer.status not in ("ok", "handed") for answer in out)
        return out


def plan_attempts(
    strings: Sequence[AttackString],
    ways: Sequence[Way],
    *,
    questions: int,
    chars: int,
    seed: int,
) -> list[Attempt]:
    """Choose which strings are brought in which way, within a number of questions a row.

    Families take turns. Every second question brings a string in openly; the others go through
    the disguises. What would be longer than ``chars`` with the blank before it is left out.
    """
    ordered = in_turn(strings, seed)
    hidden = [way for way in ways if way != "appended"]
    open_ = [Attempt(given, "appended") for given in ordered if "appended" in ways]
    covert = [
        Attempt(ordered[k], hidden[(k + turn) % len(hidden)])
        for turn in range(len(hidden))
        for k in range(len(ordered))
    ]
    fits = [[a for a in side if len(a.added) < chars] for side in (open_, covert)]
    half = min(len(fits[0]), max(questions - len(fits[1]), (questions + 1) // 2))
    chosen = fits[0][:half] + fits[1][: questions - half]
    lengths = sorted(len(a.added) for a in chosen)
    controls = min(len(chosen), max(1, questions // CONTROLS)) if chosen else 0
    spread = [lengths[i * len(lengths) // controls] for i in range(controls)]
    return chosen + [Attempt(given, "appended") for given in control_strings(spread, seed)]


def try_attempts(
    ask: Asking,
    surface: Surface,
    rows: Sequence[Row],
    attempts: Sequence[Attempt],
    label: str,
    progress: Progress,
    name: str,
) -> Bools:
    """Which attempts turned which rows into ``label``; shape (rows, attempts)."""
    hits = np.zeros((len(rows), len(attempts)), dtype=bool)
    with progress.step(f"{name}: given strings", total=len(rows) * len(attempts)) as bar:
        for i, row in enumerate(rows):
            made = [surface.add(row, a.given.text, a.way) for a in attempts]
            asked = [(k, attacked) for k, attacked in enumerate(made) if attacked is not None]
            answers = ask([attacked for _, attacked in asked])
            for (k, _), answer in zip(asked, answers, strict=True):
                hits[i, k] = answer.status == "ok" and answer.label == label
            bar.advance(len(attempts))
    return hits


def try_searches(
    ask: Asking,
    surface: Surface,
    rows: Sequence[Row],
    clean: Sequence[Prediction],
    words: Mapping[str, Sequence[str]],
    *,
    into: int,
    label: str,
    questions: int,
    chars: int,
    seed: int,
    progress: Progress,
    name: str,
) -> dict[str, tuple[Found, ...]]:
    """One search for each list of words, by the list's name; none where no question is left."""
    if not rows or questions <= 0:
        return {}
    out = {}
    for knowledge, offered in words.items():
        if offered:
            with progress.step(f"{name}: search ({knowledge})"):
                out[knowledge] = tuple(
                    search(ask, surface.add, rows, clean, offered, into=into, label=label,
                           questions=questions, chars=chars, seed=seed)
                )  # fmt: skip
    return out


def try_transfers(
    ask: Asking,
    surface: Surface,
    rows: Sequence[Row],
    others: Mapping[str, Mapping[str, str]],
    label: str,
) -> dict[str, tuple[Found, ...]]:
    """What searches against other levers found, tried here with one question a row.

    Parameters
    ----------
    others
        By the other lever's name: what was added to each row, by row id.
    """
    out = {}
    for name, texts in others.items():
        made = [(row, surface.add(row, texts[row.id], "appended")) for row in rows
                if texts.get(row.id)]  # fmt: skip
        asked = [(row, attacked) for row, attacked in made if attacked is not None]
        answers = ask([attacked for _, attacked in asked])
        flipped = {row.id: a.status == "ok" and a.label == label
                   for (row, _), a in zip(asked, answers, strict=True)}  # fmt: skip
        out[name] = tuple(
            Found(row.id, texts.get(row.id, ""), flipped.get(row.id, False), 1) for row in rows
        )
    return out
