"""The lowest floor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from whichlever.errors import DataError
from whichlever.levers.base import Context
from whichlever.levers.majority import Majority
from whichlever.predict import Row
from whichlever.task import Data, Task

TASK = Task(task="t", data=Data(rows="rows.jsonl", input="text"))


def rows(*targets: str | None) -> list[Row]:
    return [Row(str(i), "text", target) for i, target in enumerate(targets)]


def context(folder: Path, *labels: str) -> Context:
    return Context(TASK, labels, 0, folder)


def test_says_the_most_frequent_label_with_the_smoothed_prior(tmp_path: Path) -> None:
    fit = Majority().fit(rows("a", "b", "b"), [], context(tmp_path, "a", "b", "c"))
    answers = fit.predictor.predict(rows("a", "c"))
    assert [p.label for p in answers] == ["b", "b"]
    assert answers[0].scores == pytest.approx([2 / 6, 3 / 6, 1 / 6])
    assert answers[0].scores is not None
    assert answers[0].scores.dtype == np.float32
    assert fit.rows_seen == 3


def test_a_tie_goes_to_the_first_label_of_the_run(tmp_path: Path) -> None:
    fit = Majority().fit(rows("b", "a"), [], context(tmp_path, "b", "a"))
    assert fit.predictor.predict(rows(None))[0].label == "b"


def test_rows_without_a_known_label_do_not_count(tmp_path: Path) -> None:
    fit = Majority().fit(rows("x", "x", None, "a"), [], context(tmp_path, "a", "b"))
    assert (fit.chosen["label"], fit.rows_seen) == ("a", 1)
    with pytest.raises(DataError, match="no training row has a label"):
        Majority().fit(rows(None), [], context(tmp_path, "a", "b"))
