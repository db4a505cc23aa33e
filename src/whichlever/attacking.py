"""Attack a finished run: read its rows again, attack, and decide again with what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from whichlever.attack import attack_run, attack_server
from whichlever.attack.exposure import exposures
from whichlever.attack.fitted import Fitted
from whichlever.attack.job import FILE, joined_with
from whichlever.attack.membership import memberships
from whichlever.bundle.finished import Finished
from whichlever.canaries import hunt
from whichlever.comparison import Comparison, decide_again
from whichlever.data import Dataset, Splits
from whichlever.errors import InputError, RunError
from whichlever.measure.attack import Attacks
from whichlever.offline import enforced
from whichlever.packing_data import find_data
from whichlever.progress import Progress, Silent
from whichlever.run import locked, read_json, write_json
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task


def attack_finished(
    run: str | Path,
    settings: Callable[[Task], AttackSettings] | None = None,
    *,
    beside: Path | None = None,
    only: Collection[str] | None = None,
    against: str | None = None,
    key: str | None = None,
    progress: Progress | None = None,
    allow_egress: Collection[str] = (),
) -> tuple[Comparison, Attacks]:
    """Attack the levers of a finished run, or a live server that answers for its task.

    Parameters
    ----------
    settings
        The settings, given the run's task; the task's ``attack:`` by default.
    beside
        The task file that was compared, where RUN lies elsewhere: it tells where the data is.
    only
        Levers, by id or family; every one that can be read back by default.
    against
        The address of a ``whichlever serve``; the run's levers are then left alone.
    key
        Its API key.

    Returns
    -------
    Comparison, Attacks
        The run with its new verdict, and everything known of attacks on it.

    Raises
    ------
    RunError
        RUN is not finished, its data is not found, or the server does not answer.
    InputError
        What ``attack:`` names is not there.
    """
    run, progress = Path(run), progress or Silent()
    opened = _open(run, beside, settings, progress, ("classify", "generate"))
    measures, asked, seed = opened.done.measures, opened.settings, opened.seed
    if against is not None and not opened.common[1].labels:
        raise InputError(f"{run}: a server is attacked for its labels, and open answers have none")
    with enforced(frozenset(allow_egress)), locked(run):
        if against is None:
            attacks = attack_run(*opened.common, measures, asked, seed, progress, only=only)
        else:
            attacks = attack_server(*opened.common, asked, seed, progress, against, key)
        return _written(run, joined_with(attacks, _before(run)))


def hunt_finished(
    run: str | Path,
    settings: Callable[[Task], AttackSettings] | None = None,
    *,
    beside: Path | None = None,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> tuple[Comparison, Attacks]:
    """Plant canaries in a finished run's training rows, fit its cheap levers again, and look.

    Parameters and errors are those of `attack_finished`.
    """
    run, progress = Path(run), progress or Silent()
    opened = _open(run, beside, settings, progress)
    with enforced(), locked(run):
        hunts = hunt(*opened.common, opened.done.measures, opened.seed, progress, only)
        before = _before(run) or Attacks()
        found = {one.lever: one for one in (*before.canaries, *hunts)}
        return _written(run, before.model_copy(update={"canaries": tuple(found.values())}))


def remember_finished(
    run: str | Path,
    settings: Callable[[Task], AttackSettings] | None = None,
    *,
    beside: Path | None = None,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> tuple[Comparison, Attacks]:
    """Ask what a finished run's fitted levers keep of single training rows.

    Membership is asked of the levers as they are; for exposure the cheap ones are fitted again on
    rows with canaries. Parameters and errors are those of `attack_finished`.
    """
    run, progress = Path(run), progress or Silent()
    opened = _open(run, beside, settings, progress, ("classify", "generate"))
    with enforced(), locked(run):
        fitted = Fitted.of(*opened.common, opened.done.measures, opened.seed, progress)
        minutes = opened.settings.minutes
        members = memberships(fitted, minutes, only)
        bits = exposures(fitted, minutes, only)
        if not members and not bits:
            raise InputError("no linear or fine-tuned lever in this run; nothing remembers rows")
        before = _before(run) or Attacks()
        found = {
            "memberships": tuple({m.lever: m for m in (*before.memberships, *members)}.values()),
            "exposures": tuple({e.lever: e for e in (*before.exposures, *bits)}.values()),
        }
        return _written(run, before.model_copy(update=found))


@dataclass(frozen=True)
class _Opened:
    """A finished run with its rows read again."""

    done: Comparison
    common: tuple[Task, Dataset, Splits, Path]
    settings: AttackSettings
    seed: int


def _open(
    run: Path,
    beside: Path | None,
    settings: Callable[[Task], AttackSettings] | None,
    progress: Progress,
    kinds: Collection[str] = ("classify",),
) -> _Opened:
    finished = Finished.read(run)
    if finished.task.kind not in kinds:
        raise InputError(f"{run}: attacks turn labels; kind: {finished.task.kind} has none")
    done = Comparison.load(run)
    with progress.step("read the rows again"):
        found = find_data(finished, beside)
    if found.task is None or found.dataset is None or found.splits is None:
        why = found.facts.why or "the task's data is not found; name the task file with --task"
        raise RunError(f"{run}: {why}")
    asked = (settings or (lambda task: task.attack or AttackSettings()))(found.task)
    seed = int(finished.environment.get("seed", 0))
    return _Opened(done, (found.task, found.dataset, found.splits, run), asked, seed)


def _before(run: Path) -> Attacks | None:
    path = run / FILE
    return Attacks.model_validate(read_json(path)) if path.exists() else None


def _written(run: Path, attacks: Attacks) -> tuple[Comparison, Attacks]:
    write_json(run / FILE, attacks.model_dump(mode="json"))
    return decide_again(run, {"attacks": attacks}), attacks
