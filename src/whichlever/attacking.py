"""Attack a finished run: read its rows again, attack, and decide again with what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from whichlever.attack import attack_run, attack_server
from whichlever.attack.job import FILE, joined_with
from whichlever.bundle.finished import Finished
from whichlever.comparison import Comparison, decide_again
from whichlever.errors import RunError
from whichlever.measure.attack import Attacks
from whichlever.offline import enforced
from whichlever.packing_data import Found, find_data
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
    finished = Finished.read(run)
    done = Comparison.load(run)
    with progress.step("read the rows again"):
        found = find_data(finished, beside)
    if found.task is None or found.dataset is None or found.splits is None:
        raise RunError(f"{run}: {_why(found)}")
    asked = (settings or (lambda task: task.attack or AttackSettings()))(found.task)
    seed = int(finished.environment.get("seed", 0))
    common = (found.task, found.dataset, found.splits, run)
    with enforced(frozenset(allow_egress)), locked(run):
        if against is None:
            attacks = attack_run(*common, done.measures, asked, seed, progress, only=only)
        else:
            attacks = attack_server(*common, asked, seed, progress, against, key)
        attacks = joined_with(attacks, _before(run))
        write_json(run / FILE, attacks.model_dump(mode="json"))
        return decide_again(run, {"attacks": attacks}), attacks


def _why(found: Found) -> str:
    return found.facts.why or "the task's data is not found; name the task file with --task"


def _before(run: Path) -> Attacks | None:
    path = run / FILE
    return Attacks.model_validate(read_json(path)) if path.exists() else None


def hunt_finished(
    run: str | Path, *, beside: Path | None = None, progress: Progress | None = None
) -> tuple[Comparison, Attacks]:
    """Placeholder."""
    raise NotImplementedError
