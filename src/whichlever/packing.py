"""Pack: one lever of a finished run as a bundle that answers as the compared model did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from whichlever.bundle.archive import write_archive
from whichlever.bundle.bom import Base, validate_bom, write_bom
from whichlever.bundle.card import CardFacts, write_card
from whichlever.bundle.choice import Choice, choose_lever
from whichlever.bundle.evidence import evidence_files
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import BOM, CARD, MANIFEST, Manifest, file_name
from whichlever.bundle.make import Model, make_manifest, read_model
from whichlever.errors import BundleError, WeightsError
from whichlever.measure.scores import mistake_costs
from whichlever.packing_check import check_answers
from whichlever.packing_data import find_data
from whichlever.packing_decoder import LEVERS as DECODERS
from whichlever.packing_decoder import decoder_base, decoder_models
from whichlever.packing_int8 import with_int8
from whichlever.progress import Progress, Silent


@dataclass(frozen=True)
class Packed:
    """A bundle that was written.

    ``notes`` say, a sentence each, what whoever packs it should know; ``validated`` whether the
    bill of materials was checked against its schema (the validator is optional).
    """

    path: Path
    choice: Choice
    manifest: Manifest
    bytes: int
    notes: tuple[str, ...]
    validated: bool


def pack(
    run: str | Path,
    out: str | Path,
    *,
    lever: str | None = None,
    abstain_below: float | None = None,
    task: str | Path | None = None,
    ids: bool = False,
    int8: Literal["auto", "never"] = "auto",
    progress: Progress | None = None,
) -> Packed:
    """Pack one lever of a finished run; the same RUN and data make the same bytes.

    Parameters
    ----------
    run
        The folder that `compare` wrote.
    out
        The bundle to write.
    lever
        As for `choose_lever`.
    abstain_below
        Answers less probable than this abstain.
    task
        The task file that was compared, where RUN lies elsewhere: it tells where the data is.
    ids
        Keep row ids and the names of groups in the evidence.
    int8
        ``auto`` packs an encoder in 8 bits where that is as good on validation rows, and faster.

    Raises
    ------
    BundleError
        The lever cannot be packed, its files are missing, or it answers otherwise than it did in
        the comparison.
    RunError
        RUN holds no finished comparison.
    """
    progress = progress or Silent()
    finished = Finished.read(Path(run))
    choice = choose_lever(finished, lever)
    with progress.step("read the rows again"):
        data = find_data(finished, None if task is None else Path(task))
    test = None if data.splits is None else data.splits.test
    precision: tuple[str, ...] = ()
    compared = data.task or finished.task
    if choice.lever in DECODERS:
        models = decoder_models(
            finished, choice.lever, compared, small=int8 == "auto", progress=progress
        )
    else:
        with progress.step("read the model"):
            costs = _costs(finished) if finished.task.kind == "classify" else None
            model = read_model(finished, choice.lever, costs)
        valid = None if data.splits is None else data.splits.valid
        model, precision = with_int8(
            finished, model, valid, wanted=int8 == "auto", progress=progress
        )
        models = iter((model,))
    manifest, model, checked = _first_that_holds(
        models,
        lambda model: make_manifest(
            finished, choice, model, abstain_below=abstain_below, data_files=data.facts.files
        ),
        lambda manifest, files: check_answers(finished, manifest, files, test),
        progress,
    )
    evidence, answered = evidence_files(finished, choice.lever, ids=ids)
    facts = CardFacts(
        finished=finished,
        choice=choice,
        manifest=manifest,
        answered=answered,
        data=data.facts,
        size=sum(map(len, model.files.values())),
        notes=model.notes,
        precision=precision,
    )
    base = (
        decoder_base(finished, choice.lever, compared)
        if choice.lever in DECODERS
        else _base(finished, model)
    )
    bom = write_bom(manifest, model.files, facts.summary, base)
    validated = validate_bom(bom)
    path = Path(out)
    with progress.step("write the bundle"):
        more = {CARD: write_card(facts).encode(), BOM: bom, **evidence}
        write_archive(path, {MANIFEST: manifest.to_bytes(), **model.files, **more})
    notes = (*model.notes, *precision, checked, *([data.facts.why] if data.facts.why else []))
    return Packed(path, choice, manifest, path.stat().st_size, notes, validated)


def _first_that_holds(
    models: Iterator[Model],
    described: Callable[[Model], Manifest],
    check: Callable[[Manifest, Mapping[str, bytes]], str],
    progress: Progress,
) -> tuple[Manifest, Model, str]:
    """The first model that answers as in the comparison, and the sentence on that.

    Raises
    ------
    BundleError
        None does; it says what is wrong with the last.
    """
    refused: BundleError | None = None
    for model in models:
        manifest = described(model)
        try:
            with progress.step("ask it again"):
                said = check(manifest, model.files)
        except BundleError as error:
            refused = error
            continue
        return manifest, model, said if refused is None else f"{said} Before that: {refused}."
    assert refused is not None  # there is one model at least
    raise refused


def _costs(finished: Finished) -> list[list[float]]:
    """Mistake cost of true label (row) → said label (column)."""
    k = len(finished.labels)
    true, said = np.divmod(np.arange(k * k), k)
    costs = mistake_costs(true, said, finished.labels, finished.task.mistakes)
    return [[float(c) for c in row] for row in costs.reshape(k, k)]


def _base(finished: Finished, model: Model) -> Base | None:
    """The weights that the fine-tuned parts started from, where they are still there."""
    settings = finished.task.levers.finetune
    if settings is None or not any(part.kind in ("static", "encoder") for part in model.parts):
        return None
    from whichlever.levers.finetune_base import base_weights

    try:
        found = base_weights(settings.base, finished.task)
    except WeightsError:
        return None
    return Base(file_name(found.name), found.licence, found.sha256, found.source)
