"""The job: attack every lever of a run that can be read back, and keep what came of it.

Each lever's result is kept under ``fits/attack/``, by a hash of everything it depends on, so that
a run that was killed goes on, and the same command twice asks nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from whichlever.attack.aim import (
    Arms,
    aim_of,
    aimed_at,
    arms_of,
    check_labels,
    open_arms,
    with_answers,
)
from whichlever.attack.fitted import HYBRID, Fitted
from whichlever.attack.leaks import measure_leaks
from whichlever.attack.obedience import measure_obedience
from whichlever.attack.records import surface_of, where_of
from whichlever.attack.trial import Ground, Outcome, attack_predictor
from whichlever.data import Dataset, Splits
from whichlever.errors import LLMError
from whichlever.measure import Measures
from whichlever.measure.attack import Aim, Attacks, LeverAttack
from whichlever.measure.oracle import ORACLES
from whichlever.predict import Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task
from whichlever.version import VERSION

METHOD = 4
"""Raised when an attack comes to something else on the same levers and rows."""

FILE = "attack.json"

HOME = "attack"
"""The folder under ``fits/``."""


def ground_of(
    task: Task, dataset: Dataset, splits: Splits, settings: AttackSettings, seed: int
) -> Ground:
    """Which rows are attacked, with what, and where text may go.

    Raises
    ------
    InputError
        The labels, fields or strings that ``attack:`` names are not there.
    """
    if not dataset.labels:
        return _open_ground(task, splits, settings, seed)
    settings = with_answers(task, splits, settings)
    check_labels(task, settings, dataset.labels)
    protect, _ = aimed_at(task, settings)
    protected = [row for row in splits.test if row.target in protect]
    rows = tuple(protected[: settings.rows])
    surface = surface_of(task, rows, settings.controls, settings.place)
    arms = arms_of(task, settings, (*splits.train, *splits.valid))
    aim = aim_of(task, settings, arms, surface.ways, seed)
    return Ground(aim, rows, dataset.labels, arms, surface, len(protected))


def _open_ground(task: Task, splits: Splits, settings: AttackSettings, seed: int) -> Ground:
    """Where answers are open there is no label to be turned: models are asked and ordered."""
    rows = tuple(splits.test[: settings.rows])
    surface = surface_of(task, rows, settings.controls, settings.place)
    arms = open_arms(task, settings)
    aim = Aim(
        protect=(), into="", where=where_of(settings.controls, settings.place),
        controls=tuple(settings.controls), rows=settings.rows, strings=0, search=0,
        chars=settings.chars, minutes=settings.minutes, families={}, ways=(), given=arms.given,
        seed=seed, place=settings.place,
    )  # fmt: skip
    return Ground(aim, rows, (), arms, surface, 0)


def attack_run(
    task: Task,
    dataset: Dataset,
    splits: Splits,
    run: Path,
    measures: Measures,
    settings: AttackSettings,
    seed: int,
    progress: Progress,
    *,
    only: Collection[str] | None = None,
) -> Attacks:
    """Attack the levers of a finished run.

    Parameters
    ----------
    measures
        What was measured of its levers: their speed bounds the attack, and the hybrid's threshold
        is the one that is attacked.
    only
        Levers to attack, by id or family; None is all of them.
    """
    ground = ground_of(task, dataset, splits, settings, seed)
    fitted = Fitted.of(task, dataset, splits, run, measures, seed, progress)
    levers: list[LeverAttack] = []
    texts: dict[str, Mapping[str, str]] = {}
    for name in fitted.names if dataset.labels else ():
        if only is not None and name not in only and name.split("-", 1)[0] not in only:
            continue
        why = _why_not(fitted, name)
        if why is not None:
            text = f"attack: {name} was not attacked: {why}."
            levers.append(LeverAttack(lever=name, state="not attacked", why=why, text=text))
            continue
        try:
            outcome = _outcome(fitted, name, ground, texts)
        except LLMError as error:  # the other levers' results stand
            text = f"attack: {name} was not attacked: {error}."
            levers.append(LeverAttack(lever=name, state="not attacked", why=str(error), text=text))
            continue
        levers.append(outcome.attack)
        if outcome.texts:
            texts[name] = outcome.texts
    order = [summary.lever for summary in measures.levers]
    levers.sort(key=lambda found: order.index(found.lever))
    leaks = measure_leaks(fitted, ground, settings, only)
    obeyed = measure_obedience(fitted, ground, settings, only)
    aim = ground.aim if dataset.labels else None
    return Attacks(aim=aim, levers=tuple(levers), leaks=leaks, obeyed=obeyed)


def with_attacks(
    measures: Measures,
    task: Task,
    dataset: Dataset,
    splits: Splits,
    run: Path,
    seed: int,
    progress: Progress,
) -> Measures:
    """The measures of a comparison with its attacks, where the task asks for them."""
    if task.attack is None:
        return measures
    found = attack_run(task, dataset, splits, run, measures, task.attack, seed, progress)
    write_json(run / FILE, found.model_dump(mode="json"))
    return measures.model_copy(update={"attacks": found})


def joined_with(found: Attacks, before: Attacks | None) -> Attacks:
    """What was found now, and what was found before under the same aim and not again."""
    if before is None:
        return found
    canaries = {hunt.lever: hunt for hunt in (*before.canaries, *found.canaries)}
    kept = found.model_copy(
        update={"canaries": tuple(canaries.values()), "memberships": before.memberships,
                "exposures": before.exposures}
    )  # fmt: skip
    if before.aim != found.aim:
        return kept
    levers = {one.lever: one for one in (*before.levers, *found.levers)}
    served = {one.lever: one for one in (*before.served, *found.served)}
    leaks = {(one.lever, one.what, one.constrained): one for one in (*before.leaks, *found.leaks)}
    obeyed = {(one.lever, one.constrained): one for one in (*before.obeyed, *found.obeyed)}
    return kept.model_copy(
        update={"levers": tuple(levers.values()), "served": tuple(served.values()),
                "leaks": tuple(leaks.values()), "obeyed": tuple(obeyed.values())}
    )  # fmt: skip


def _why_not(fitted: Fitted, name: str) -> str | None:
    if name.startswith("recorded"):
        return "its answers are recorded, and a recording answers nothing new"
    if name in ORACLES:
        return "it is told the right document, which no lever in use is"
    if fitted.identity(name) is None:
        part = "a part of it is recorded, or " if name == HYBRID else "it "
        return f"{part}cannot be read back from this run"
    if name == HYBRID:
        return None
    if fitted.measures.lever(name).place == "remote":
        return "it answers elsewhere, and each question there is paid for"
    return None


def _outcome(
    fitted: Fitted, name: str, ground: Ground, others: Mapping[str, Mapping[str, str]]
) -> Outcome:
    seconds = fitted.seconds_each(name)
    key = _key(fitted.identity(name), ground.aim, ground.arms, ground.rows, others, seconds)
    kept = fitted.run / "fits" / HOME / f"{name}-{key[:16]}.json"
    if kept.exists():
        said: dict[str, Any] = read_json(kept)
        with fitted.progress.step(f"{name}: attacked already"):
            return Outcome(LeverAttack.model_validate(said["attack"]), said["texts"])
    with fitted.predictor(name) as predictor:
        outcome = attack_predictor(
            name, predictor, ground, fitted.progress, seconds_each=seconds, others=others
        )
    attack = outcome.attack.model_dump(mode="json")
    write_json(kept, {"attack": attack, "texts": dict(outcome.texts)})
    return outcome


def _key(
    identity: str | None,
    aim: Aim,
    arms: Arms,
    rows: Sequence[Row],
    others: Mapping[str, Mapping[str, str]],
    seconds: float | None,
) -> str:
    return digest(
        {
            "version": VERSION,
            "method": METHOD,
            "lever": identity,
            "aim": aim.model_dump(mode="json", exclude={"at_most"}),
            "strings": [[given.family, given.text] for given in arms.strings],
            "words": {name: list(words) for name, words in arms.words.items()},
            "rows": [row.id for row in rows],
            "others": {name: dict(texts) for name, texts in others.items()},
            "seconds": seconds,
        }
    )
