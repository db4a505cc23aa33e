"""A run's trained decoder as a part of a bundle: merged GGUF weights, its tokenizer, its marks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from whichlever.bundle.bom import Base
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import PART_FILES, Part, as_json, file_name
from whichlever.bundle.make import Model
from whichlever.errors import BundleError, WeightsError
from whichlever.progress import Progress
from whichlever.run import read_json
from whichlever.task import Task

LEVERS, PART = ("finetune-decoder", "finetune-distilled-decoder"), "decoder"

Precision = Literal["f16", "q8_0"]

PRECISIONS: dict[Precision, str] = {"q8_0": "8 bits (q8_0)", "f16": "16 bits (f16)"}
"""As they are tried, smallest first, and as they are called."""


def decoder_models(
    finished: Finished, lever: str, task: Task, *, small: bool, progress: Progress
) -> Iterator[Model]:
    """The trained decoder as it may be packed, smallest first.

    Parameters
    ----------
    lever
        One of `LEVERS`.
    task
        The task as compared, whose folder the base's path starts from.
    small
        Whether 8 bits are tried before 16.

    Raises
    ------
    BundleError
        The base came as a folder, from which no GGUF file is made here.
    WeightsError
        The base is no longer on this machine.
    """
    from whichlever.infer.decoder import DecoderFacts
    from whichlever.levers.decoder_base import decoder_folder
    from whichlever.levers.finetune_decoder import ADAPTERS, FACTS, read_text
    from whichlever.models.decoder_base import TOKENIZER, unpacked
    from whichlever.models.decoder_merge import merged_model

    fit = finished.step(lever, FACTS)
    facts = read_json(fit / FACTS)
    folder, gguf = decoder_folder(facts["base"], task, unpacked)
    if gguf is None:
        raise BundleError(
            f"{lever}: its base came as a folder, and only a base that came as a .gguf file is "
            "packed; whichlever export writes it as safetensors"
        )
    with progress.step("merge the adapters", seconds=5):
        state = merged_model(
            folder,
            fit / ADAPTERS,
            facts["layers"],
            facts["rank"],
            facts.get("precision", "fp32"),
        ).state_dict()
    text = read_text(folder, facts["max_tokens"], facts["room"])
    marks = text.marks
    said = DecoderFacts(
        before=marks.before, between=marks.between, after=marks.after, room=facts["room"]
    )
    temperature = read_json(fit / "step.json").get("temperature")
    weights, tokenizer, marked = (f"model/{PART}/{name}" for name in PART_FILES["decoder"])
    for precision in PRECISIONS:
        if precision == "q8_0" and not small:
            continue
        with progress.step(f"write GGUF in {PRECISIONS[precision]}", seconds=10):
            content = _written(
                gguf, state, precision, finished.task.task, chatml=marks.before != ""
            )
        part = Part(name=PART, kind="decoder", max_tokens=facts["max_tokens"], precision=precision)
        yield Model(
            (part,),
            {
                weights: content,
                tokenizer: (folder / TOKENIZER).read_bytes(),
                marked: as_json(said.model_dump(mode="json")),
            },
            temperature if finished.labels else None,
            notes=(f"The decoder is packed in {PRECISIONS[precision]}; answering needs llama.cpp "
                   "(whichlever[llm]).",),
        )  # fmt: skip


def _written(
    gguf: Path, state: dict[str, Any], precision: Precision, name: str, *, chatml: bool
) -> bytes:
    from whichlever.models.decoder_gguf import write_merged

    with tempfile.TemporaryDirectory(prefix="whichlever-") as folder:
        file = Path(folder) / "model.gguf"
        write_merged(gguf, state, file, precision, name, chatml=chatml)
        return file.read_bytes()


def decoder_base(finished: Finished, lever: str, task: Task) -> Base | None:
    """The weights that the decoder started from, for the bill of materials."""
    from whichlever.levers.decoder_base import decoder_files
    from whichlever.levers.finetune_decoder import FACTS
    from whichlever.llm.weights import file_sha256, find_weights

    base = read_json(finished.step(lever, FACTS) / FACTS)["base"]
    try:
        if decoder_files(base):
            path = task.path(base)
            return Base(file_name(base), None, file_sha256(path), "a file that the task names")
        found = find_weights(base)
    except (WeightsError, OSError):
        return None
    return Base(file_name(found.name), found.licence, found.sha256, found.source)
