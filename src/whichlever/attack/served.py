"""The job against a live server: a run's protected rows and strings, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from whichlever.attack.http import ServedPredictor
from whichlever.attack.job import HOME, ground_of
from whichlever.attack.trial import Ground, attack_predictor
from whichlever.data import Dataset, Splits
from whichlever.errors import RunError
from whichlever.measure.attack import Attacks
from whichlever.progress import Progress
from whichlever.run import read_json
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task

TIMED = 32
"""Rows that say how fast the server answers: as many as one request holds."""


def attack_server(
    task: Task,
    dataset: Dataset,
    splits: Splits,
    run: Path,
    settings: AttackSettings,
    seed: int,
    progress: Progress,
    url: str,
    key: str | None = None,
) -> Attacks:
    """Attack a server that answers for this run's task.

    What searches against the run's own levers found (where they were attacked before) is tried
    too, with one question a row.

    Raises
    ------
    RunError
        The server cannot be reached, refuses the key, or answers with other labels.
    InputError
        The address, or what ``attack:`` names, cannot be used.
    """
    ground = ground_of(task, dataset, splits, settings, seed)
    predictor = ServedPredictor(url, key)
    try:
        said = predictor.check()
        if set(predictor.labels) != set(dataset.labels):
            raise RunError(
                f"{predictor.name}: answers with other labels ({', '.join(predictor.labels[:5])}) "
                f"than this run's ({', '.join(dataset.labels[:5])}); name the run it came from"
            )
        predictor.labels = dataset.labels
        name = f"served {said.get('lever', 'model')}"
        outcome = attack_predictor(
            name, predictor, ground, progress,
            seconds_each=_seconds(predictor, ground), others=_before(run, ground),
        )  # fmt: skip
    finally:
        predictor.close()
    return Attacks(aim=ground.aim, levers=(), served=(outcome.attack,))


def _seconds(predictor: ServedPredictor, ground: Ground) -> float | None:
    rows = [ground.rows[i % len(ground.rows)] for i in range(TIMED)] if ground.rows else []
    if not rows:
        return None
    predictor.predict(rows)  # the first request opens the connection and warms the model
    began = time.monotonic()
    predictor.predict(rows)
    return (time.monotonic() - began) / len(rows)


def _before(run: Path, ground: Ground) -> dict[str, Mapping[str, str]]:
    """What searches added to each row, lever by lever, as the run keeps it."""
    found: dict[str, Mapping[str, str]] = {}
    home = run / "fits" / HOME
    wanted = {row.id for row in ground.rows}
    kept = sorted(home.glob("*.json"), key=lambda p: (p.stat().st_mtime_ns, p.name))
    for path in kept:  # of one lever attacked under several budgets, the last
        said = read_json(path)
        if not isinstance(said, dict) or "texts" not in said:
            continue
        texts = {
            row: text
            for row, text in said["texts"].items()
            if row in wanted and len(text) < ground.aim.chars
        }
        if texts:
            found[str(said["attack"]["lever"])] = texts
    return found
