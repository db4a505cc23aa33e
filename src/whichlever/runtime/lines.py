"""One answer as one line: what `run` writes and `serve` sends."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from whichlever.bundle.format import Manifest
from whichlever.predict import Prediction

Scores = npt.NDArray[np.float32]

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
    if prediction.fields is not None:
        return fields_line(prediction, manifest, id)
    line: dict[str, Any] = {"id": id, "label": prediction.label}
    handed = prediction.status == "handed"
    if prediction.scores is not None:
        given = [round(float(s), DECIMALS) for s in prediction.scores]
        if not all(map(math.isfinite, given)):
            return error_line("the model gave no probabilities", id)
        if scores:
            line["scores"] = dict(zip(manifest.labels, given, strict=True))
        below = manifest.abstain_below
        handed = handed or (below is not None and max(given) < below)
    line["abstain"] = handed
    if prediction.error:
        line["note"] = prediction.error
    return line


def fields_line(prediction: Prediction, manifest: Manifest, id: object = None) -> dict[str, Any]:
    """The fields of one line, as JSON values in a fixed order.

    Returns
    -------
    dict
        ``id``; ``fields``, name → value or list of values; ``spans``, name → half-open code-point
        offsets of the pieces they were copied from; ``shape``, the compiled shape that matched, or
        null; ``abstain``, whether the line is surer to be wrong than ``abstain_below`` allows.
    """
    spans: dict[str, list[list[int]]] = {}
    for span in prediction.spans:
        for name in span.names:
            spans.setdefault(name, []).append([span.start, span.end])
    below, sure = manifest.abstain_below, prediction.confidence
    return {
        "id": id,
        "fields": dict(prediction.fields or {}),
        "spans": spans,
        "shape": prediction.shape,
        "abstain": below is not None and (sure is None or not sure >= below),
    }


def said_of(prediction: Prediction) -> str | None:
    """What an answer is counted under: its label, or how it came where it is none."""
    if prediction.fields is not None:
        return "known shape" if prediction.shape is not None else "parsed"
    if prediction.scores is None and prediction.label is not None:
        return "written"  # a text of its own is no name of a metric
    return prediction.label


def scores_of(predictions: Sequence[Prediction]) -> Scores | None:
    """Scores of predictions that all have them, shape (n, classes); else None."""
    given = [p.scores for p in predictions if p.scores is not None]
    if not given or len(given) < len(predictions):
        return None
    found = np.concatenate(given)
    return found.reshape(len(given), -1) if found.dtype == np.float32 else None


def answer_lines(
    predictions: Sequence[Prediction],
    manifest: Manifest,
    ids: Sequence[object],
    scores: Scores | None,
    top: int | None = None,
) -> list[dict[str, Any]]:
    """The same line for each of many rows, their scores rounded all at once.

    ``scores`` is what `scores_of` says of the predictions; the ``top`` most probable labels' are
    said, the most probable first, and all, in the labels' order, where it is None. float32 times a
    million is exact in float64, so numpy rounds to the very numbers that Python's `round` gives.
    """
    plain = scores is not None and bool(np.isfinite(scores).all())
    if scores is None or not plain or any(p.status != "ok" for p in predictions):
        said = [answer_line(p, manifest, id=i) for p, i in zip(predictions, ids, strict=True)]
        return said if top is None else [_with_top(line, top) for line in said]
    rounded = np.round(scores.astype(np.float64), DECIMALS)
    below, labels = manifest.abstain_below, manifest.labels
    handed = [False] * len(scores) if below is None else (rounded.max(axis=1) < below).tolist()
    if top is None:
        named = [dict(zip(labels, given, strict=True)) for given in rounded.tolist()]
    else:
        # Equal scores stand in the labels' order, as `sorted` leaves them.
        order = np.argsort(-rounded, axis=1, kind="stable")[:, :top]
        best = np.take_along_axis(rounded, order, axis=1).tolist()
        named = [
            {labels[i]: score for i, score in zip(places, given, strict=True)}
            for places, given in zip(order.tolist(), best, strict=True)
        ]
    lines: list[dict[str, Any]] = [
        {"id": i, "label": p.label, "scores": given, "abstain": h}
        for p, i, given, h in zip(predictions, ids, named, handed, strict=True)
    ]
    for p, line in zip(predictions, lines, strict=True):
        if p.error:
            line["note"] = p.error
    return lines


def _with_top(line: dict[str, Any], top: int) -> dict[str, Any]:
    """A line with the scores of its most probable labels alone."""
    if "scores" not in line:
        return line
    best = sorted(line["scores"].items(), key=lambda pair: -pair[1])[:top]
    return {**line, "scores": dict(best)}


def error_line(message: str, id: Any = None) -> dict[str, Any]:  # noqa: ANN401
    """What stands in place of an answer where a row cannot be answered."""
    flat = " ".join(message.split())
    safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    return {"id": id, "error": safe if len(safe) <= LONGEST else safe[:LONGEST] + "…"}


def dump(line: dict[str, Any]) -> bytes:
    """A line of JSON, ASCII alone, so that no text can break a line or a terminal."""
    return json.dumps(line, ensure_ascii=True, separators=(", ", ": ")).encode("ascii") + b"\n"
