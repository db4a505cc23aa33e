"""Whether an encoder is packed in 8 bits: judged once on validation rows, then remembered.

The judgement holds a timing, and the same RUN is to make the same bundle: so what was decided is
kept beside the fit, and not decided again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from whichlever.bundle.finished import Finished
from whichlever.bundle.make import Model
from whichlever.errors import MissingExtraError
from whichlever.predict import Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json

FILE = "int8.json"

MOST_ROWS = 2_000
"""Validation rows judged on: the first, which are in no order that favours either."""


@dataclass(frozen=True)
class Judged:
    """What was decided; the figures are of the encoder alone, on validation rows."""

    used: bool
    agreement: float
    score_fp32: float
    score_int8: float
    rows: int
    speedup: float
    why: str


def with_int8(
    finished: Finished,
    model: Model,
    valid: Sequence[Row] | None,
    *,
    wanted: bool,
    progress: Progress,
) -> tuple[Model, tuple[str, ...]]:
    """The model with its encoder in 8 bits where that is as good and faster, and what to say of it.

    Parameters
    ----------
    valid
        The run's validation rows; None where its data files are gone.
    wanted
        False keeps 32 bits without a try.
    """
    place = next((i for i, part in enumerate(model.parts) if part.kind == "encoder"), None)
    if place is None:
        return model, ()
    if not wanted:
        return model, ("The encoder is packed in 32 bits, as asked; 8 bits were not tried.",)
    if not valid:
        return model, (
            "The encoder is packed in 32 bits: 8 bits could not be judged without the run's "
            "validation rows.",
        )
    part = model.parts[place]
    name = f"model/{part.name}/encoder.onnx"
    folder = finished.step(f"finetune-{part.name}", "encoder.onnx")
    assert part.max_tokens is not None
    content, judged = _decide(
        finished, folder, model.files, part.name, part.max_tokens, valid, progress
    )
    if content is None:
        return model, (f"The encoder is packed in 32 bits; in 8 bits: {judged.why}.",)
    parts = (
        *model.parts[:place],
        part.model_copy(update={"precision": "int8"}),
        *model.parts[place + 1 :],
    )
    return replace(model, parts=parts, files={**model.files, name: content}), (_said(judged),)


def _said(judged: Judged) -> str:
    return (
        f"The encoder is packed in 8 bits, {judged.speedup:.1f} times as fast on one core. Against "
        f"32 bits it gives the same label to {100 * judged.agreement:.1f} % of {judged.rows:,} "
        f"validation rows, and scores {judged.score_int8:.3f} there, {judged.score_fp32:.3f} in "
        "32 bits (the encoder alone, which has learned from these rows since: only the difference "
        "says anything). Every other figure of this card was measured in 32 bits."
    )


def _decide(
    finished: Finished,
    folder: Path,
    files: Mapping[str, bytes],
    part: str,
    max_tokens: int,
    valid: Sequence[Row],
    progress: Progress,
) -> tuple[bytes | None, Judged]:
    try:
        import onnx  # noqa: F401 - asked for here so that the message names the extra
    except ImportError:
        raise MissingExtraError(
            "packing an encoder in 8 bits (or say --int8 never)", "train"
        ) from None
    from whichlever.models.encoder_int8 import quantise, try_int8

    onnx_bytes = files[f"model/{part}/encoder.onnx"]
    rows = valid[:MOST_ROWS]
    goal = finished.task.goal
    try:
        content = quantise(onnx_bytes)
    except ValueError as error:
        return None, Judged(False, 0.0, 0.0, 0.0, 0, 0.0, str(error))
    made = [hashlib.sha256(file).hexdigest() for file in (onnx_bytes, content)]
    rows_known = finished.environment.get("rows_sha256")
    key = digest([made, rows_known, goal.metric, goal.margin, MOST_ROWS])
    kept = folder / FILE
    known: dict[str, Any] = read_json(kept) if kept.exists() else {}
    if known.get("key") == key:
        judged = Judged(**known["judged"])
        return (content if judged.used else None), judged
    with progress.step(f"try the encoder in 8 bits on {len(rows):,} validation rows"):
        found = try_int8(
            onnx_bytes,
            files[f"model/{part}/tokenizer.json"].decode(),
            max_tokens,
            [row.text for row in rows],
            [row.target for row in rows],
            finished.labels,
            goal.metric,
            goal.margin,
        )
    judged = Judged(**{k: v for k, v in asdict(found).items() if k != "content"})
    write_json(kept, {"key": key, "judged": asdict(judged)})
    return found.content, judged
