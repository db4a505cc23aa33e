"""One predictor under attack: what is asked of it, and the record of what came of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whichlever.attack.aim import TRAINING, Arms
from whichlever.attack.surface import Fields, TextEnd
from whichlever.infer.guard import GuardedPredictor
from whichlever.measure.attack import Aim, FlipRate, LeverAttack
from whichlever.measure.attack_budget import Budget, within_time
from whichlever.measure.attack_evade import (
    Asking,
    Surface,
    Tried,
    plan_attempts,
    try_attempts,
    try_searches,
    try_transfers,
)
from whichlever.measure.attack_rates import any_flip, flip_rates, interval_of, shortest_text
from whichlever.measure.attack_told import attacked_text, certified_text, nothing_text
from whichlever.predict import Prediction, Predictor, Row
from whichlever.progress import Progress


@dataclass(frozen=True)
class Ground:
    """What every predictor of a run is attacked with.

    ``rows`` are the protected test rows in their frozen order, ``labels`` the run's label order,
    ``controls`` whether the task names the fields that an attacker writes.
    """

    aim: Aim
    rows: tuple[Row, ...]
    labels: tuple[str, ...]
    arms: Arms
    surface: Surface
    protected: int


@dataclass(frozen=True)
class Outcome:
    """What came of it, and what a search added to each row, for others to try."""

    attack: LeverAttack
    texts: Mapping[str, str] = field(default_factory=dict)


def attack_predictor(
    lever: str,
    predictor: Predictor,
    ground: Ground,
    progress: Progress,
    *,
    seconds_each: float | None = None,
    others: Mapping[str, Mapping[str, str]] | None = None,
) -> Outcome:
    """Attack one predictor within the budget, and within the time.

    Parameters
    ----------
    seconds_each
        Seconds of one answer, where they are known; they bound rows and questions.
    others
        What searches against other levers added to each row, by lever and row id.
    """
    aim = ground.aim
    began = time.monotonic()
    budget = within_time(
        Budget(min(aim.rows, len(ground.rows)), aim.strings, aim.search, aim.chars),
        len(ground.arms.words) if aim.search else 0, seconds_each, aim.minutes,
    )  # fmt: skip
    rows = list(ground.rows[: budget.rows])
    clean = predictor.predict(rows) if rows else []
    ask = Asking(predictor)
    fair = [(r, a) for r, a in zip(rows, clean, strict=True) if _can_turn(a, aim.into)]
    tried = _try(lever, ask, ground, fair, budget, others or {}, progress)
    tried_rates = flip_rates(tried, aim.seed) if fair else []
    seconds = time.monotonic() - began
    certified = _certified(predictor, ground, tried.rows)
    record = _record(lever, ground, budget, clean, tried, tried_rates, seconds, certified)
    return Outcome(record, _texts(tried))


def _can_turn(answer: Prediction, into: str) -> bool:
    """A row that is answered, or handed to a person, and not as the attacker wants already."""
    return answer.status == "handed" or (answer.status == "ok" and answer.label != into)


def _certified(predictor: Predictor, ground: Ground, rows: Sequence[Row]) -> int | None:
    """Rows that no text can turn where the attack adds it; None where nothing shows it of any."""
    if not isinstance(predictor, GuardedPredictor):
        return None
    surface = ground.surface
    if isinstance(surface, TextEnd):
        return predictor.certified(rows, surface.place)
    if isinstance(surface, Fields) and set(surface.controls) <= set(predictor.untrusted):
        return predictor.certified(rows, "untrusted")
    return None


def _try(
    lever: str,
    ask: Asking,
    ground: Ground,
    fair: Sequence[tuple[Row, Prediction]],
    budget: Budget,
    others: Mapping[str, Mapping[str, str]],
    progress: Progress,
) -> Tried:
    aim = ground.aim
    rows, clean = [row for row, _ in fair], [answer for _, answer in fair]
    attempts = plan_attempts(
        ground.arms.strings, ground.surface.ways, questions=budget.strings, chars=budget.chars,
        seed=aim.seed,
    )  # fmt: skip
    hits = try_attempts(ask, ground.surface, rows, attempts, aim.into, progress, lever)
    found = try_searches(
        ask, ground.surface, rows, clean, ground.arms.words,
        into=ground.labels.index(aim.into), label=aim.into, questions=budget.search,
        chars=budget.chars, seed=aim.seed, progress=progress, name=lever,
    )  # fmt: skip
    transferred = try_transfers(ask, ground.surface, rows, others, aim.into)
    return Tried(
        tuple(rows),
        tuple(attempts),
        hits,
        found,
        transferred,
        budget.search,
        frozenset([TRAINING]),
        ask.total,
        ask.lost,
    )


def _record(
    lever: str,
    ground: Ground,
    budget: Budget,
    clean: Sequence[Prediction],
    tried: Tried,
    rates: Sequence[FlipRate],
    seconds: float,
    certified: int | None,
) -> LeverAttack:
    aim = ground.aim
    missed = sum(a.status == "ok" and a.label == aim.into for a in clean)
    groups = {row.group for row in tried.rows}
    common: dict[str, Any] = {
        "lever": lever, "protected": ground.protected, "asked": len(clean), "missed": missed,
        "unanswered": len(clean) - missed - len(tried.rows), "rows": len(tried.rows),
        "groups": None if None in groups or not groups else len(groups),
        "chars": budget.chars, "cut": budget.cut, "total": tried.total, "lost": tried.lost,
        "seconds": round(seconds, 1),
    }  # fmt: skip
    if not tried.rows:
        text = nothing_text(lever, aim, len(clean), missed)
        return LeverAttack(state="nothing to turn", text=text, **common)
    control = next((rate.rate for rate in rates if rate.kind == "control"), None)
    outsider = next((rate.rate for rate in rates if rate.kind == "outsider"), None)
    alone = [rate for rate in rates if rate.kind in ("family", "search", "transfer")]
    worst = max(alone, key=lambda rate: rate.flipped, default=None)
    flipped = any_flip(tried)
    flip = interval_of(flipped, tried.rows, aim.seed)
    questions = sum(r.questions for r in alone)
    shortest = shortest_text(tried)
    text = attacked_text(
        lever, aim, flipped=int(flipped.sum()), rows=len(tried.rows),
        protected=ground.protected, flip=flip, control=control,
        questions=questions, chars=budget.chars, worst=worst, cut=budget.cut,
        shortest=shortest, outsider=outsider, lost=tried.lost,
    )  # fmt: skip
    return LeverAttack(
        state="attacked", text=text + certified_text(certified, len(tried.rows), ground.aim),
        certified=certified,
        questions=questions, flipped=int(flipped.sum()), flip=flip, shortest=shortest,
        outsider=outsider,
        control=control,
        worst=worst.attack if worst is not None and worst.flipped else None,
        rates=tuple(rates), **common,
    )  # fmt: skip


def _texts(tried: Tried) -> dict[str, str]:
    """What the first search that has a text for a row added; one that turned it comes first."""
    texts: dict[str, str] = {}
    for only_flipped in (True, False):
        for found in tried.found.values():
            for one in found:
                if one.added and (one.flipped or not only_flipped):
                    texts.setdefault(one.row, one.added)
    return texts
