"""Try to turn protected rows into the cheap label: given strings, searches, what others found.

The measuring knows no lever: it is given a predictor and a way to add text to a row. Of every row
the question is whether *any* attempt within the budget turned it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from whichlever.measure.attack import FlipRate
from whichlever.measure.attack_search import Found, search
from whichlever.measure.attack_strings import CONTROL, AttackString, control_strings, in_turn
from whichlever.measure.attack_ways import Way, disguised
from whichlever.measure.draws import Draws
from whichlever.measure.figure import Interval
from whichlever.measure.intervals import share
from whichlever.predict import Prediction, Predictor, Row
from whichlever.progress import Progress, Silent

CHUNK = 512
CONTROLS = 4
"""Of the questions with given strings, one in so many is asked again with letters at random."""

Bools = npt.NDArray[np.bool_]
Kind = Literal["family", "way", "search", "transfer", "control"]


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
    name; ``total`` and ``lost`` count questions, and those without an answer.
    """

    rows: tuple[Row, ...]
    attempts: tuple[Attempt, ...]
    hits: Bools
    found: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)
    transferred: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)
    searched: int = 0
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


def any_flip(tried: Tried) -> Bools:
    """Which rows anything but the control turned, shape (n,)."""
    real = np.array([a.given.family != CONTROL for a in tried.attempts], dtype=bool)
    out = tried.hits[:, real].any(axis=1) if real.any() else np.zeros(len(tried.rows), bool)
    for found in (*tried.found.values(), *tried.transferred.values()):
        out = out | np.array([f.flipped for f in found], dtype=bool)
    return np.asarray(out, dtype=bool)


def shortest_text(tried: Tried) -> float | None:
    """Characters of the shortest text that turned a row, the median over rows turned."""
    lengths = np.array([len(a.added) for a in tried.attempts], dtype=np.int64)
    real = np.array([a.given.family != CONTROL for a in tried.attempts], dtype=bool)
    best = []
    for i in range(len(tried.rows)):
        turned = lengths[tried.hits[i] & real].tolist() if len(lengths) else []
        for found in (*tried.found.values(), *tried.transferred.values()):
            turned += [len(found[i].added)] if found[i].flipped else []
        best += [min(turned)] if turned else []
    return float(median(best)) if best else None


def flip_rates(tried: Tried, seed: int) -> list[FlipRate]:
    """Each kind of attack by itself: families, ways, searches, transfers, the control."""
    out = []
    families = [a.given.family.split("/", 1)[0] for a in tried.attempts]
    for family in dict.fromkeys(families):
        kind: Kind = "control" if family == CONTROL else "family"
        mine = np.array([f == family for f in families])
        out.append(_of_attempts(tried, family, kind, mine, seed))
    real = np.array([f != CONTROL for f in families], dtype=bool)
    for way in dict.fromkeys(a.way for a in tried.attempts):
        mine = real & np.array([a.way == way for a in tried.attempts])
        if mine.any():
            out.append(_of_attempts(tried, way, "way", mine, seed))
    for name, found in tried.found.items():
        out.append(_of_found(tried, name, "search", found, tried.searched, seed))
    for name, found in tried.transferred.items():
        out.append(_of_found(tried, name, "transfer", found, 1, seed))
    return out


def interval_of(hits: Bools, rows: Sequence[Row], seed: int) -> Interval:
    """The share of rows turned, with a Clopper–Pearson interval that minds groups."""
    groups = [row.group for row in rows]
    known = [g for g in groups if g is not None]
    if len(known) < len(rows) or len(set(known)) == len(rows) or not rows:
        return share(int(hits.sum()), len(rows), None, None)
    draws = Draws.over(len(rows), known, seed=seed)
    drawn = np.concatenate(
        [hits.astype(float) @ w / np.maximum(w.sum(axis=0), 1e-12) for w in draws.chunks()]
    )
    return share(int(hits.sum()), len(rows), draws.count, drawn)


def _of_attempts(tried: Tried, name: str, kind: Kind, mine: Bools, seed: int) -> FlipRate:
    hits = tried.hits[:, mine]
    lengths = np.array([len(a.added) for a in tried.attempts])[mine]
    flipped = np.asarray(hits.any(axis=1), dtype=bool)
    shortest = [int(lengths[row].min()) for row in hits if row.any()]
    return FlipRate(
        attack=name, kind=kind, rows=len(tried.rows), flipped=int(flipped.sum()),
        rate=interval_of(flipped, tried.rows, seed), questions=int(mine.sum()),
        chars=float(median(shortest)) if shortest else None,
    )  # fmt: skip


def _of_found(
    tried: Tried, name: str, kind: Kind, found: Sequence[Found], questions: int, seed: int
) -> FlipRate:
    flipped = np.array([f.flipped for f in found], dtype=bool)
    lengths = [len(f.added) for f in found if f.flipped]
    return FlipRate(
        attack=name, kind=kind, rows=len(tried.rows), flipped=int(flipped.sum()),
        rate=interval_of(flipped, tried.rows, seed), questions=questions,
        chars=float(median(lengths)) if lengths else None,
    )  # fmt: skip
