"""The label-noise job of a comparison: judge labels once, and measure what the suspects cost.

What was judged is kept under ``fits/noise/<key>/``, the key a hash of all it depends on, so that a
killed run goes on. Nothing here changes what any lever learns from: the suspects are for a person
to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from whichlever.data import Audit, Dataset, Finding, Splits
from whichlever.data.findings import found as finding
from whichlever.data.findings import in_order
from whichlever.data.noise import NoiseFound, find_noise
from whichlever.data.noise_files import read_parquet, write_parquet
from whichlever.data.noise_record import Noise, Suspects
from whichlever.levers.linear_fit import Candidate
from whichlever.levers.linear_search import fit_final
from whichlever.levers.linear_search import in_order as rows_in_order
from whichlever.measure.noise import NoiseEvidence, ScoreChange, score_change
from whichlever.predict import Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json
from whichlever.step import Step
from whichlever.task import LinearSettings, NoiseSettings, Task
from whichlever.version import VERSION

FILE = "noise.parquet"
LEVER = "linear"

WORTH_A_WARNING = 0.02
"""Estimated share of wrong labels (the lower end) from which the audit warns."""

Ints = npt.NDArray[np.int64]
Way = Literal["given", "dropped", "relabelled"]


def judge_labels(
    task: Task, dataset: Dataset, splits: Splits, run: Path, seed: int, progress: Progress
) -> NoiseFound | None:
    """Judge every label, or read back what was judged before; None where the task asks for none.

    Raises
    ------
    DataError
        Too few rows to judge any label.
    """
    settings = task.noise
    if settings is None:
        return None
    folder = run / "fits" / "noise" / _key(settings, dataset, splits, seed)[:16]
    done = folder / "noise.json"
    if done.exists():
        with progress.step("label noise: already done"):
            return NoiseFound(Noise.model_validate(read_json(done)), read_parquet(folder / FILE))
    judged = find_noise(splits, dataset.labels, settings, seed=seed, progress=progress)
    write_parquet(folder / FILE, judged.rows)
    write_json(done, judged.noise.model_dump(mode="json"))
    return judged


def write_judged(run: Path, splits: Splits, judged: NoiseFound | None, keep_texts: bool) -> None:
    """Write ``RUN/noise.parquet``, with the suspects' texts where they may be kept."""
    if judged is None:
        return
    rows = (*splits.train, *splits.valid, *splits.test)
    texts = {row.id: row.text for row in rows} if keep_texts else None
    write_parquet(run / FILE, judged.rows, texts)


def _key(settings: NoiseSettings, dataset: Dataset, splits: Splits, seed: int) -> str:
    roles = ("train", "valid", "test")
    return digest(
        {
            "version": VERSION,
            "settings": settings.model_dump(mode="json", exclude={"effect"}),
            "seed": seed,
            "rows": dataset.fingerprint,
            "roles": {role: digest([r.id for r in getattr(splits, role)]) for role in roles},
            "labels": list(dataset.labels),
        }
    )


def with_noise(audit: Audit, judged: NoiseFound | None) -> Audit:
    """The audit with what was found of wrong labels, and a finding for each role that has some."""
    if judged is None:
        return audit
    more = [made for side in judged.noise.sides if (made := _finding(side, judged)) is not None]
    return audit.model_copy(
        update={"noise": judged.noise, "findings": in_order([*audit.findings, *more])}
    )


def _finding(side: Suspects, judged: NoiseFound) -> Finding | None:
    if side.listed == 0:
        return None
    low = side.errors_low if side.errors_low is not None else side.errors
    interval = "" if side.errors_high is None else f" ({low:.0f} to {side.errors_high:.0f})"
    check = judged.noise.check
    worth = (
        ""
        if check is None
        else f"; of {check.rows} labels changed on purpose, {check.found / check.rows:.0%} stood "
        f"among the first {check.among} rows"
    )
    limits = "; wrong test labels lower every lever's score" if side.side == "test" else ""
    return finding(
        "label_noise",
        "warning" if low / side.rows >= WORTH_A_WARNING else "info",
        f"about {side.errors:.0f}{interval} of {side.rows} {side.side} labels seem to be wrong"
        f"{limits}{worth}",
        [row.id for row in judged.suspects(side.side)],
        "look at the first rows of noise.parquet (or audit --noise -o noise.csv) and correct "
        "what is wrong; drop nothing unread",
    )


def noise_evidence(
    task: Task,
    dataset: Dataset,
    splits: Splits,
    judged: NoiseFound | None,
    steps: Sequence[Step],
    seed: int,
    progress: Progress,
) -> NoiseEvidence | None:
    """What was found and what the suspects among the training rows cost the linear lever.

    The lever's settings are those that it chose with the labels as given. On validation rows it
    learns from training rows alone; on test rows, where the task asks for it, from training and
    validation rows, as it does in its own step.
    """
    if judged is None or task.noise is None:
        return None
    facts = next((step.facts for step in steps if step.facts["lever"] == LEVER), None)
    changes: list[ScoreChange] = []
    if facts is not None and task.noise.effect != "none":
        with progress.step("label noise: the score without the suspects"):
            refit = task.levers.linear.refit
            fitted = [*splits.train, *(splits.valid if refit else ())]
            arms: list[tuple[Literal["valid", "test"], Sequence[Row], Sequence[Row]]] = [
                ("valid", splits.train, splits.valid)
            ]
            if task.noise.effect == "test":
                arms.append(("test", fitted, splits.test))
            for on, learned, scored in arms:
                changes += _changes(task, dataset, on, learned, scored, judged, facts, seed)
    return NoiseEvidence(found=judged.noise, changes=tuple(changes))


def _changes(
    task: Task,
    dataset: Dataset,
    on: Literal["valid", "test"],
    learned: Sequence[Row],
    scored: Sequence[Row],
    judged: NoiseFound,
    facts: dict[str, Any],
    seed: int,
) -> list[ScoreChange]:
    suggested = {row.id: row.suggested for row in judged.suspects() if row.role != "test"}
    place = {label: i for i, label in enumerate(dataset.labels)}
    known = [row for row in learned if row.target in place]
    changed = sum(row.id in suggested for row in known)
    if not scored or not changed or changed == len(known):
        return []
    targets = np.array([place.get(row.target or "", -1) for row in scored], dtype=np.int64)
    grouped = [row.group for row in scored if row.group is not None]
    groups = grouped if len(grouped) == len(scored) else None

    def answers(way: Way) -> Ints:
        return _answers(task.levers.linear, dataset.labels, _changed(known, suggested, way),
                        scored, facts, seed)  # fmt: skip

    given, out = answers("given"), []
    for way in ("dropped", "relabelled"):
        before, after, difference, p = score_change(
            targets, given, answers(way), groups, task.goal.metric, seed
        )
        out.append(
            ScoreChange(
                on=on, way=way, lever=LEVER, metric=task.goal.metric, rows=len(scored),
                groups=None if groups is None else len(set(groups)), changed=changed,
                before=before, after=after, difference=difference, p=p,
            )
        )  # fmt: skip
    return out


def _changed(rows: Sequence[Row], suggested: dict[str, str], way: Way) -> list[Row]:
    if way == "dropped":
        return [row for row in rows if row.id not in suggested]
    if way == "relabelled":
        return [replace(row, target=suggested.get(row.id, row.target)) for row in rows]
    return list(rows)


def _answers(
    settings: LinearSettings,
    labels: Sequence[str],
    learned: Sequence[Row],
    scored: Sequence[Row],
    facts: dict[str, Any],
    seed: int,
) -> Ints:
    """Answers of the linear lever, with the settings it chose, fitted on ``learned``."""
    chosen = facts["chosen"]
    names = ("window", "c", "family", "chars", "class_weight", "half_life")
    candidate = Candidate(**{name: chosen[name] for name in names})
    rows, _ = rows_in_order(learned, seed)
    scale = float(chosen["scale"])
    model = fit_final(rows, labels, candidate, scale, settings.max_features, seed)
    place = {label: i for i, label in enumerate(labels)}
    said = [place.get(answer.label or "", -1) for answer in model.predict(scored)]
    return np.array(said, dtype=np.int64)
