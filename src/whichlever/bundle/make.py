"""Make a bundle's files from a finished RUN: the model as fitted, its manifest, its evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from whichlever.bundle.choice import Choice
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import (
    KINDS,
    LINE_KINDS,
    PART_FILES,
    Guard,
    Handing,
    Manifest,
    Part,
    Reader,
    Steps,
    Trained,
)
from whichlever.errors import BundleError, RunError
from whichlever.run import read_json
from whichlever.settings_guard import untrusted_fields
from whichlever.task import Task

_WHERE = {"linear": "model/", "static": "", "encoder": ""}
"""Where a kind's files stand in the folder of its fit."""

GUARDED = "-guarded"
"""What the name of a guarded lever ends with."""


@dataclass(frozen=True)
class Model:
    """One lever's fitted model, ready to be packed.

    ``files`` are the weights by their name in the bundle; ``temperature`` was fitted on
    calibration rows.
    """

    parts: tuple[Part, ...]
    files: Mapping[str, bytes]
    temperature: float | None
    handing: Handing | None = None
    pooled: bool = False
    steps: Steps | None = None
    guard: Guard | None = None
    notes: tuple[str, ...] = field(default=())


def read_model(
    finished: Finished, lever: str, costs: Sequence[Sequence[float]] | None = None
) -> Model:
    """Read a lever's fitted model from RUN's fits.

    Parameters
    ----------
    costs
        The task's mistake cost of true (row) → said (column) label, for a ``hybrid`` whose
        threshold is on expected cost.

    Raises
    ------
    BundleError
        A fit's files are missing.
    """
    if lever == "hybrid":
        return _hybrid(finished, costs)
    if finished.task.kind == "extract":
        return _lines(finished, lever)
    if lever.endswith(GUARDED):
        return _guarded(finished, lever)
    facts = read_json(finished.step(lever, "step.json") / "step.json")
    temperature = facts.get("temperature")
    if lever == "finetune-joined":
        said = read_json(finished.step(lever, "joined.json") / "joined.json")
        weights = {name: float(w) for name, w in said["weights"].items() if w > 0}
        made = [_part(finished, name, weight) for name, weight in weights.items()]
        pooled = True
    else:
        made, pooled = [_part(finished, lever, 1.0)], False
    files = {name: content for _, named in made for name, content in named.items()}
    return Model(tuple(part for part, _ in made), files, temperature, pooled=pooled)


def _guarded(finished: Finished, lever: str) -> Model:
    """The model behind the guard; the temperature is that of the guarded answers."""
    step = finished.step(lever, "guard.json")
    said = read_json(step / "guard.json")
    novelty = said.get("novelty")
    guard = Guard(
        closes=said["closes"], least=said["least"], floor=said["floor"], views=said["views"],
        trusted_floor=said["trusted_floor"], one_form=said["one_form"],
        novelty=None if novelty is None else novelty["bits"],
        novelty_limit=1.0 if novelty is None else novelty["limit"],
    )  # fmt: skip
    temperature = read_json(step / "step.json").get("temperature")
    model = read_model(finished, lever.removesuffix(GUARDED))
    return replace(model, guard=guard, temperature=temperature)


def _part(finished: Finished, lever: str, weight: float) -> tuple[Part, dict[str, bytes]]:
    kind = KINDS.get(lever)
    if kind is None:
        raise BundleError(f"{lever} is no model that a bundle can hold")
    needed = _WHERE[kind] + PART_FILES[kind][0]
    folder = finished.step(lever, needed)
    name = lever.removeprefix("finetune-")
    tokens = None
    if kind == "encoder":
        tokens = int(read_json(folder / "encoder.json")["max_tokens"])
    try:
        files = {
            f"model/{name}/{file}": (folder / (_WHERE[kind] + file)).read_bytes()
            for file in PART_FILES[kind]
        }
    except OSError as error:
        raise BundleError(f"{folder}: {error.filename} is missing; run compare again") from error
    return Part(name=name, kind=kind, weight=weight, max_tokens=tokens), files


def _lines(finished: Finished, lever: str) -> Model:
    """A parser of lines: its files, the shapes before it, and what its confidence means."""
    kind = LINE_KINDS.get(lever)
    if kind is None:
        raise BundleError(f"{lever} is no parser of lines that a bundle can hold")
    step = finished.step(lever, "parser/chosen.json")
    folder = step / "parser"
    facts = read_json(step / "step.json")
    parts = [(kind, folder / name) for name in PART_FILES[kind]]
    if (folder / "shapes.json").exists():
        parts = [("shapes", folder / "shapes.json"), *parts]
    try:
        files = {f"model/{of}/{path.name}": path.read_bytes() for of, path in parts}
    except OSError as error:
        raise BundleError(f"{folder}: {error.filename} is missing; run compare again") from error
    steps = None
    if (folder / "sureness.json").exists():
        steps = Steps.model_validate(read_json(folder / "sureness.json"))
    kinds = list(dict.fromkeys(of for of, _ in parts))
    weight = 1 / len(kinds)
    return Model(
        tuple(Part(name=of, kind=of, weight=weight) for of in kinds),
        files,
        facts.get("temperature"),
        steps=steps,
    )


def _hybrid(finished: Finished, costs: Sequence[Sequence[float]] | None) -> Model:
    said = finished.measures.get("hybrid") or {}
    if "first" not in said:
        raise BundleError(f"{finished.run} has no hybrid: {said.get('why', 'none was measured')}")
    first, then = str(said["first"]), str(said["then"])
    if first not in (*KINDS, "finetune-joined") or KINDS.get(first) == "decoder":
        raise BundleError(f"the hybrid's first part is {first}, which is no model to own")
    model = read_model(finished, first)
    notes = [
        f"{first} answers; rows it is unsure of come back without a label"
        + (", for a person" if then == "person" else f": hand them to {then}, which is not inside")
    ]
    threshold = float(said["threshold"])
    handing = None
    if math.isfinite(threshold):
        by_cost = said["score"] == "cost"
        if by_cost and costs is None:
            raise BundleError("the hybrid's threshold is on mistake costs, which are missing")
        handing = Handing(
            score=said["score"],
            threshold=threshold,
            costs=tuple(map(tuple, costs)) if by_cost and costs is not None else None,
        )
    return Model(
        model.parts, model.files, model.temperature, handing, model.pooled, notes=tuple(notes)
    )


def reader_of(task: Task) -> Reader:
    """How a record is read: the task's own columns, or its pack's renderer of that version."""
    data = task.data
    incident = task.workload.incident if task.workload is not None else None
    named = (data.target, data.split.column, data.document, incident)
    if task.kind == "extract":
        named = (data.target, data.split.column, None, None)
    inputs = data.input if data.input is None or isinstance(data.input, str) else tuple(data.input)
    return Reader(
        pack=task.pack,
        input=None if task.pack is not None else inputs,
        match=data.match,
        id=data.id,
        hidden=tuple(dict.fromkeys(name for name in named if name is not None)),
        source=data.source,
        max_chars=data.max_chars,
        untrusted=untrusted_fields(task.guard, task.attack),
    )


def _format(model: Model, task: Task) -> int:
    """The oldest format that can say what is packed."""
    if any(part.kind == "decoder" for part in model.parts):
        return 4
    if model.guard is not None:
        return 3 if model.guard.plain else 4
    return 2 if task.kind == "extract" else 1


def make_manifest(
    finished: Finished,
    choice: Choice,
    model: Model,
    *,
    abstain_below: float | None = None,
    data_files: Mapping[str, str] | None = None,
) -> Manifest:
    """Describe what is packed.

    Parameters
    ----------
    data_files
        SHA-256 of each data file, where they are still those that were learned from.

    Raises
    ------
    RunError
        ``environment.json`` does not say which rows the run had.
    """
    task, environment = finished.task, finished.environment
    summary = finished.summary(choice.lever) or {}
    try:
        trained = Trained(
            rows_sha256=environment["rows_sha256"],
            roles=dict(finished.roles),
            files=dict(data_files or {}),
            seed=environment.get("seed", 0),
        )
    except (KeyError, ValueError) as error:
        raise RunError(
            f"{finished.run}/environment.json does not say which rows were read; run compare again"
        ) from error
    packages = environment.get("packages") or {}
    versions = {name: str(v) for name, v in packages.items() if v is not None}
    kind: Literal["classify", "extract", "generate"] = "classify"
    if task.kind == "extract":
        kind = "extract"
    elif task.kind == "generate" and not finished.labels:
        kind = "generate"
    return Manifest(
        format=_format(model, task),
        kind=kind,
        task=task.task,
        about=task.about,
        lever=choice.lever,
        what=str(summary.get("what", "")),
        labels=finished.labels,
        meanings={k: v for k, v in task.labels.items() if v},
        reader=reader_of(task),
        parts=model.parts,
        temperature=model.temperature,
        abstain_below=abstain_below,
        handing=model.handing,
        guard=model.guard,
        steps=model.steps,
        pooled=model.pooled,
        trained=trained,
        versions={
            "whichlever": str(environment.get("whichlever", "")),
            "python": str(environment.get("python", "")),
            **versions,
        },
    )
