"""The operating point of a run: chosen on calibration rows, told on test rows, by group."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from whichlever import trials
from whichlever.cli.app import app
from whichlever.errors import RunError
from whichlever.operating import operating_points

LABELS = ("legitimate", "phishing")


def run_folder(place: Path, rows: int = 400) -> Path:
    """Simulated scores of one lever: wanted mails below .5, phishing above .3."""
    rng = np.random.default_rng(0)
    made = []
    for role in ("calibrate", "test"):
        for i in range(rows):
            bad = i % 4 == 0
            score = float(rng.uniform(0.3, 1) if bad else rng.uniform(0, 0.5))
            made.append(
                {"lever": "linear", "role": role, "target": LABELS[bad], "group": "ab"[i % 2],
                 "scores": [1 - score, score]}
            )  # fmt: skip
    trials.write(place / "trials.parquet", pl.DataFrame(made), LABELS)
    return place


def test_a_threshold_is_chosen_on_calibration_rows_and_told_on_test_rows(tmp_path: Path) -> None:
    found = operating_points(run_folder(tmp_path), "phishing", 0.02, "linear")
    bare, sure = found.points
    assert bare.calibrate.alarms == 6  # 2 % of 300
    assert bare.threshold < sure.threshold
    assert sure.calibrate.alarms < 6
    assert bare.test.wanted == 300
    assert {name: rows for name, (_, rows) in bare.groups.items()} == {"a": 100, "b": 200}
    assert found.needed == 0


def test_too_few_rows_for_certainty_say_how_many_are_needed(tmp_path: Path) -> None:
    run = run_folder(tmp_path, 80)
    said = CliRunner().invoke(app, ["mail", "threshold", str(run), "--lever", "linear"])
    assert said.exit_code == 0, said.output
    assert "2,995 wanted calibration mails are needed for that rate, 60 are there" in said.output


def test_a_label_or_lever_that_is_not_there_is_refused(tmp_path: Path) -> None:
    run = run_folder(tmp_path)
    with pytest.raises(RunError, match="no label 'spam'"):
        operating_points(run, "spam", 0.01, "linear")
    with pytest.raises(RunError, match="no scored calibration row"):
        operating_points(run, "phishing", 0.01, "prompt")
