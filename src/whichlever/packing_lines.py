"""Ask a parser of lines before it is packed: it opens, and copies what it copied when compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from whichlever.bundle import Manifest, Opened
from whichlever.bundle.finished import Finished
from whichlever.errors import BundleError
from whichlever.predict import Row
from whichlever.runtime.line_model import load_line_model
from whichlever.trials import read

MOST_LINES = 256
"""Test lines asked again."""

LEAST_SAME = 0.98
"""Share of lines that must get the same fields: another processor may decide a tie otherwise."""


def check_fields(
    finished: Finished, manifest: Manifest, files: Mapping[str, bytes], test: Sequence[Row] | None
) -> str:
    """Load the parser that is to be packed and ask it some of the run's test lines again.

    Parameters
    ----------
    files
        Its files, by their name in the bundle.
    test
        The run's test lines; None where its data files are gone.

    Returns
    -------
    str
        A sentence that says what was found.

    Raises
    ------
    BundleError
        It does not load, or copies other fields than in the comparison.
    """
    model = load_line_model(Opened(manifest, files, None, str(finished.run)))
    if not test:
        return "It was loaded, and not asked again: the run's test lines are not at hand."
    frame = read(finished.run / "trials.parquet")[0].filter(
        pl.col("lever") == manifest.lever,
        pl.col("role") == "test",
        pl.col("predicted").is_not_null(),
    )
    known = dict(zip(frame["id"].to_list(), frame["predicted"].to_list(), strict=True))
    rows = [row for row in test if row.id in known][:MOST_LINES]
    if not rows:
        return "It was loaded, and not asked again: the run keeps no fields that it said."
    answers = model.predict(rows)
    same = sum(
        json.loads(json.dumps(dict(answer.fields or {}))) == json.loads(known[row.id])
        for row, answer in zip(rows, answers, strict=True)
    )
    if same < LEAST_SAME * len(rows):
        raise BundleError(
            f"{manifest.lever} copies other fields than in the comparison ({len(rows) - same} of "
            f"{len(rows)} lines): its fit or the task's files were changed since; compare again"
        )
    return f"Asked again, {same} of {len(rows)} test lines got the fields of the comparison."
