"""The hunt: fit the cheap levers again on rows with canaries, pack them, and look everywhere.

Everything goes the way it always goes: rows in a file, `compare`, `pack`, the bundle opened. Only
the training rows differ. The folder it happens in lies in RUN and is removed when all is told.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from whichlever.comparison import compare
from whichlever.data import Dataset, Splits
from whichlever.errors import InputError, WhichleverError
from whichlever.measure import Measures
from whichlever.measure.attack import CanaryHunt, Planted
from whichlever.measure.attack_canary import Canary, held_in, make_canaries, plant
from whichlever.packing import pack
from whichlever.predict import Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.lines import answer_line
from whichlever.task import Task
from whichlever.version import VERSION

LEVERS = ("linear", "finetune-static")
"""Levers that are fitted again: seconds or minutes each. The encoder is not."""

ANSWERED = 200
EXPLAINED = 50
"""Test rows whose answers and explanations are looked through."""

ALL_WORDS = 10_000
"""Words of an explanation that are asked for: every one."""


def hunt(
    task: Task,
    dataset: Dataset,
    splits: Splits,
    run: Path,
    measures: Measures,
    seed: int,
    progress: Progress,
    only: Collection[str] | None = None,
) -> tuple[CanaryHunt, ...]:
    """Plant, fit, pack and look; what was found before on the same rows is read back.

    Parameters
    ----------
    only
        Which of `LEVERS`, by id or family; None is all that the run has.

    Raises
    ------
    WhichleverError
        A lever cannot be fitted or packed.
    """
    canaries = make_canaries(seed)
    names = [name for name in LEVERS if any(s.lever == name for s in measures.levers)]
    if only is not None:
        names = [n for n in names if n in only or n.split("-", 1)[0] in only]
    if not names:
        raise InputError("canaries are planted for linear and finetune-static; the run has neither")
    key = digest([VERSION, dataset.fingerprint, [c.text for c in canaries], names,
                  task.levers.model_dump(mode="json")])  # fmt: skip
    kept = run / "fits" / "attack" / f"canaries-{key[:16]}.json"
    if kept.exists():
        return tuple(CanaryHunt.model_validate(said) for said in read_json(kept))
    folder = run / "fits" / "attack" / "canaries"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        expected = sum(measures.lever(name).fit_seconds for name in names)
        rows = plant([r for r in splits.train if r.target is not None], canaries, seed)
        with progress.step("canaries: fit again", seconds=expected):
            done = compare(
                _task(task, folder, rows, splits), folder / "run", only=names, seed=seed,
                progress=progress, keep_texts=False,
            )  # fmt: skip
        fits = {s.lever: s.fit_seconds for s in done.measures.levers}
        found = tuple(
            _look(name, folder, canaries, splits.test, len(rows), fits[name], progress)
            for name in names
        )
        write_json(kept, [one.model_dump(mode="json") for one in found])
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _task(task: Task, folder: Path, train: Sequence[Row], splits: Splits) -> Task:
    """The same task on rows already rendered, their roles given, and the cheap levers alone."""
    roles = {"train": train, "valid": splits.valid, "calibrate": splits.calibrate,
             "test": splits.test}  # fmt: skip
    every = [row for rows in roles.values() for row in rows]
    timed = all(row.time is not None for row in every)
    grouped = all(row.group is not None for row in every)
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for role, rows in roles.items():
            for row in rows:
                said: dict[str, Any] = {
                    "id": row.id, "text": row.text, "label": row.target, "role": role
                }  # fmt: skip
                said |= {"time": row.time} if timed else {}
                said |= {"group": row.group} if grouped else {}
                file.write(json.dumps(said) + "\n")
    levers: dict[str, Any] = {"linear": task.levers.linear.model_dump(mode="json")}
    if task.levers.finetune is not None:
        static = task.levers.finetune.model_dump(mode="json", exclude_unset=True)
        levers["finetune"] = {**static, "rungs": ["static"], "joined": False, "seeds": 1}
    data: dict[str, Any] = {
        "rows": "rows.jsonl", "id": "id", "input": "text", "target": "label",
        "max_chars": 2 * task.data.max_chars, "unseen_labels": "count_wrong",
        "split": {"by": "given", "column": "role"},
    }  # fmt: skip
    data |= {"time": "time"} if timed else {}
    data |= {"group": "group"} if grouped else {}
    values = {
        "task": "canaries", "data": data, "levers": levers, "labels": task.labels,
        "goal": {"metric": task.goal.metric, "margin": task.goal.margin},
        "mistakes": task.mistakes,
    }  # fmt: skip
    import yaml

    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return Task.parse(text, folder=folder, name="the task with canaries")


def _look(
    name: str,
    folder: Path,
    canaries: Sequence[Canary],
    test: Sequence[Row],
    rows: int,
    seconds: float,
    progress: Progress,
) -> CanaryHunt:
    run, path = folder / "run", folder / f"{name}.wl"
    with progress.step(f"canaries: look into {name}"):
        pack(run, path, lever=name, int8="never")
        bundle = Bundle.open(path, allow_unsigned=True)
        fits = {
            str(file.relative_to(run / "fits" / name).name): held_in(file.read_bytes(), canaries)
            for file in sorted((run / "fits" / name).rglob("*"))
            if file.is_file()
        }
        packed = {file: held_in(content, canaries) for file, content in _files(path).items()}
        named = {c.text for c in canaries if _named(bundle, c, test)}
        shown = _shown(bundle, test, canaries)
    plantings = tuple(
        _planted(times, canaries, fits, packed, named, shown)
        for times in dict.fromkeys(c.times for c in canaries)
    )
    return CanaryHunt(
        lever=name, kind="letters and digits", rows=rows, seconds=round(seconds, 1),
        plantings=plantings, text=_text(name, plantings),
    )  # fmt: skip


def _files(path: Path) -> dict[str, bytes]:
    from whichlever.bundle import open_bundle

    return dict(open_bundle(path, allow_unsigned=True).files)


def _named(bundle: Bundle, canary: Canary, test: Sequence[Row]) -> bool:
    """Whether an explanation of a text with the canary gives it a weight of its own."""
    text = f"{test[0].text if test else ''} {canary.phrase}"
    try:
        said = bundle.explain(text, ALL_WORDS).said
    except WhichleverError:
        return False
    return any(canary.text in word.text.lower() and abs(word.weight) > 0 for word in said)


def _shown(bundle: Bundle, test: Sequence[Row], canaries: Sequence[Canary]) -> set[str]:
    """Canaries in answers and explanations of test rows, which hold none."""
    texts = [row.text for row in test[:ANSWERED]]
    lines = [json.dumps(answer_line(answer, bundle.manifest)) for answer in bundle.predict(texts)]
    lines += [
        word.text for text in texts[:EXPLAINED] for word in bundle.explain(text, ALL_WORDS).said
    ]
    return held_in("\n".join(lines).encode("utf-8", "replace"), canaries)


def _planted(
    times: int,
    canaries: Sequence[Canary],
    fits: dict[str, set[str]],
    packed: dict[str, set[str]],
    named: set[str],
    shown: set[str],
) -> Planted:
    mine = {c.text for c in canaries if c.times == times}

    def count(files: dict[str, set[str]]) -> int:
        return len(mine & set().union(*files.values())) if files else 0

    return Planted(
        times=times, canaries=len(mine), in_files=count(fits), in_bundle=count(packed),
        named=len(mine & named), shown=len(mine & shown),
        files=tuple(name for name, held in fits.items() if held & mine),
        bundle=tuple(name for name, held in packed.items() if held & mine),
    )  # fmt: skip


def _text(name: str, plantings: Sequence[Planted]) -> str:
    """One sentence: from how many rows on a string can be read in the files, and where."""
    real = [p for p in plantings if p.times]
    chance = next((p for p in plantings if p.times == 0), None)
    first = next((p.times for p in real if p.in_bundle), None)
    if first is None:
        text = f"attack: no canary of {sum(p.canaries for p in real)} stands in {name}'s bundle"
    else:
        counts = ", ".join(f"{p.in_bundle} of {p.canaries} planted {p.times}×" for p in real)
        where = sorted({file for p in real for file in p.bundle})
        text = (
            f"attack: canaries that can be read in {name}'s bundle: {counts} ({', '.join(where)})"
        )
    named = ", ".join(f"{p.named} of {p.canaries} planted {p.times}×" for p in real)
    by_chance = f"; {chance.named} of {chance.canaries} planted nowhere" if chance else ""
    shown = sum(p.shown for p in real)
    return (
        f"{text}; an explanation of a text that holds one gives it a weight: {named}{by_chance}; "
        f"answers and explanations of other texts show {shown}."
    )
