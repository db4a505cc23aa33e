"""One answer as one line: what `run` writes and `serve` sends."""

from __future__ import annotations

import json
from typing import Any

from whichlever.bundle.format import Manifest
from whichlever.predict import Prediction

DECIMALS = 6
"""Scores are written to so many; float32 holds about seven."""

LONGEST = 300
"""Characters of an error at most."""


def answer_line(
    prediction: Prediction,
    manifest: Manifest,
    *,
    id: object = None,
    scores: bool = True,
) -> dict[str, Any]:
    """The answer to one row, as JSON values in a fixed order.

    Parameters
    ----------
    id
        The row's id as its file gave it.
    scores
        Whether to say every label's probability.

    Returns
    -------
    dict
        ``id``, ``label``, ``scores``, ``abstain``, and ``note`` where the text was not read
        whole. ``abstain`` is true where the row is handed to a person (``label`` is then null),
        or where the answer is less probable than the bundle's ``abstain_below``.
    """
    if prediction.status not in ("ok", "handed"):
        return error_line(prediction.error or prediction.status, id)
    line: dict[str, Any] = {"id": id, "label": prediction.label}
    handed = prediction.status == "handed"
    if prediction.scores is not None:
        given = [round(float(s), DECIMALS) for s in prediction.scores]
        if scores:
            line["scores"] = dict(zip(manifest.labels, given, strict=True))
        below = manifest.abstain_below
        handed = handed or (below is not None and max(given) < below)
    line["abstain"] = handed
    if prediction.error:
        line["note"] = prediction.error
    return line


def error_line(message: str, id: Any = None) -> dict[str, Any]:  # noqa: ANN401
    """What stands in place of an answer where a row cannot be answered."""
    flat = " ".join(message.split())
    safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    return {"id": id, "error": safe if len(safe) <= LONGEST else safe[:LONGEST] + "…"}


def dump(line: dict[str, Any]) -> bytes:
    """A line of JSON, ASCII alone, so that no text can break a line or a terminal."""
    return json.dumps(line, ensure_ascii=True, separators=(", ", ": ")).encode("ascii") + b"\n"
