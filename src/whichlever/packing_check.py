"""Ask the bundle before it is written: it opens, and answers as the compared model did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from whichlever.bundle import Manifest, Opened
from whichlever.bundle.finished import Finished
from whichlever.errors import BundleError
from whichlever.packing_lines import check_fields
from whichlever.predict import Row
from whichlever.runtime.model import load_model
from whichlever.trials import read

MOST_ROWS, MOST_TEXTS = 64, 16
"""Test rows asked again, and where answers are written out."""

LEAST_SAME = {"q8_0": 0.99, "f16": 0.95}
"""Share of them that a decoder in 8 or 16 bits must answer as in 32. Of 64 rows 8 bits may get none
wrong, since 16 are tried next; in 16 a close call may still go another way."""

LEAST_SAME_TEXTS = 0.8
"""The same where it writes: every word after a close call may be another."""

TOLERANCE = 1e-3
"""Largest difference of a probability that is taken for another processor's arithmetic; on one
machine it is some 1e-7. Anything larger is another model."""


def check_answers(
    finished: Finished, manifest: Manifest, files: Mapping[str, bytes], test: Sequence[Row] | None
) -> str:
    """Load the model that is to be packed and ask it some of the run's test rows again.

    Parameters
    ----------
    files
        The weights, by their name in the bundle.
    test
        The run's test rows; None where its data files are gone.

    Returns
    -------
    str
        A sentence that says what was found.

    Raises
    ------
    BundleError
        It does not load, or answers otherwise than in the comparison.
    """
    if manifest.kind == "extract":
        return check_fields(finished, manifest, files, test)
    if manifest.kind == "generate":
        return _check_texts(finished, manifest, files, test)
    model = load_model(Opened(manifest, files, None, str(finished.run)))
    if not test:
        return "It was loaded, and not asked again: the run's test rows are not at hand."
    rows = list(test[:: -(-len(test) // MOST_ROWS)])
    lever = _first(finished, manifest.lever)
    frame = read(finished.run / "trials.parquet")[0].filter(
        (pl.col("lever") == lever) & (pl.col("role") == "test") & pl.col("scores").is_not_null()
    )
    known = dict(zip(frame["id"].to_list(), frame["scores"].to_list(), strict=True))
    rows = [row for row in rows if row.id in known]
    if not rows:
        return "It was loaded, and not asked again: the run keeps no probabilities of it."
    got = np.stack([p.scores for p in model.predict(rows) if p.scores is not None])
    wanted = np.array([known[row.id] for row in rows], np.float64)
    exact = all(part.precision == "fp32" for part in manifest.parts)
    worst = float(np.abs(got - wanted).max()) if got.shape == wanted.shape else np.inf
    if exact and not worst <= TOLERANCE:
        raise BundleError(
            f"{manifest.lever} answers otherwise than in the comparison (a probability differs by "
            f"{worst:.2g}): its fit or the task's files were changed since; compare again"
        )
    same = int((got.argmax(axis=1) == wanted.argmax(axis=1)).sum())
    coarse = next((p.precision for p in manifest.parts if p.kind == "decoder"), None)
    what = "" if exact else f" in {coarse}" if coarse else " in 8 bits"
    if coarse and same < LEAST_SAME.get(coarse, 1.0) * len(rows):
        raise BundleError(
            f"{manifest.lever} in {coarse} gives only {same} of {len(rows)} test rows the label of "
            "the comparison"
        )
    return (
        f"Asked again{what}, {same} of {len(rows)} test rows got the label of the comparison; "
        f"probabilities differ by {worst:.1g} at most."
    )


def _check_texts(
    finished: Finished, manifest: Manifest, files: Mapping[str, bytes], test: Sequence[Row] | None
) -> str:
    model = load_model(Opened(manifest, files, None, str(finished.run)))
    frame = read(finished.run / "trials.parquet")[0].filter(
        (pl.col("lever") == manifest.lever) & (pl.col("role") == "test")
    )
    frame = frame.filter(pl.col("predicted").is_not_null())
    known = dict(zip(frame["id"].to_list(), frame["predicted"].to_list(), strict=True))
    rows = [row for row in test or () if row.id in known]
    if not rows:
        return "It was loaded, and not asked again: the run's test rows or answers are not at hand."
    rows = rows[:: -(-len(rows) // MOST_TEXTS)]
    same = sum(p.label == known[p.id] for p in model.predict(rows))
    coarse = manifest.parts[0].precision
    if same < LEAST_SAME_TEXTS * len(rows):
        raise BundleError(
            f"{manifest.lever} in {coarse} says the words of the comparison to only {same} of "
            f"{len(rows)} test rows"
        )
    return f"Asked again in {coarse}, {same} of {len(rows)} test rows got the same words."


def _first(finished: Finished, lever: str) -> str:
    """The lever whose probabilities a packed one gives: a hybrid's first."""
    if lever != "hybrid":
        return lever
    return str((finished.measures.get("hybrid") or {}).get("first", lever))
