"""Curves as a job: points kept, budgets kept, and nothing where nothing was asked for."""

from __future__ import annotations

import json

import polars as pl
import pytest

import whichlever as wl
from tiny import TASK, write_task
from whichlever import curves, trials
from whichlever.cli import main
from whichlever.curves import check_curve
from whichlever.errors import TaskError
from whichlever.measure import Measures

CURVED = TASK.replace("by: random", "by: time").replace(
    "levers:\n", "curve: {fractions: [0.25, 0.5], draws: 2, delays: [100]}\nlevers:\n"
).replace("c: [1.0, 10.0]", "c: [1.0], families: [svm], chars: false")  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curved")
    task = wl.Task.load(write_task(folder, rows=400, task=CURVED))
    return wl.compare(task, folder / "run")


def points(run):
    return {p: p.stat().st_mtime_ns for p in run.glob("fits/curve/*/*/point.json")}


def test_every_point_is_measured_kept_and_written(finished):
    curve = finished.measures.curve
    assert {(p.order, p.fraction, p.draws) for p in curve.points} == {
        ("newest", 0.25, 1), ("newest", 0.5, 1), ("newest", 1.0, 1),
        ("random", 0.25, 2), ("random", 0.5, 2), ("random", 1.0, 1),
        ("oldest", 0.25, 1), ("oldest", 1.0, 1),
    }  # fmt: skip
    whole = next(p for p in curve.points if p.fraction == 1)
    linear = finished.measures.lever("linear").metrics["macro_f1"]
    assert whole.score.value == linear.value, "the last point is the lever's own step"
    assert [d.days for d in curve.delays] == [100]
    assert {(c.lever, c.other) for c in curve.crossings} == {("linear", "recorded-other")}
    frame, labels = trials.read(finished.run / "curves.parquet")
    assert labels == finished.measures.labels
    assert set(frame["order"]) == {"newest", "random", "oldest", "delay", "all"}
    assert (frame["role"] == "test").all()
    shares = frame.filter(pl.col("order") == "newest").group_by("fraction").len()
    assert shares["len"].n_unique() == 1, "every point answers the same test rows"
    assert not list(finished.run.glob("fits/curve/*/*/fit")), "models of points are not kept"


def test_figures_of_points_follow_from_the_file_alone(finished):
    frame, _ = trials.read(finished.run / "curves.parquet")
    own = frame.filter((pl.col("order") == "newest") & (pl.col("fraction") == 0.25))
    said = next(p for p in finished.measures.curve.points if p.order == "newest")
    from sklearn.metrics import f1_score

    found = f1_score(own["target"], own["predicted"].fill_null("-"), average="macro",
                     labels=sorted(set(own["target"])))  # fmt: skip
    assert said.score.value == pytest.approx(found)
    assert said.labels == own["labels"][0]


def test_again_no_point_is_fitted_and_without_the_key_there_is_no_curve(finished):
    before = points(finished.run)
    task = wl.Task.load(finished.run.parent / "task.yaml")
    again = wl.compare(task, finished.run)
    assert points(finished.run) == before
    assert again.measures.curve == finished.measures.curve
    assert Measures.model_validate_json((finished.run / "measures.json").read_text()).curve
    plain = task.model_copy(update={"curve": None})
    plain._folder = task._folder
    without = wl.compare(plain, finished.run)
    assert without.measures.curve is None
    assert not (finished.run / "curves.parquet").exists()
    assert points(finished.run) == before


def test_a_budget_leaves_points_out_and_a_larger_one_goes_on(tmp_path, capsys, monkeypatch):
    real = curves._fit

    def slow(*given):  # as on a machine where no two points fit into the budget of 0.6 s
        found = real(*given)
        found.facts["seconds"] = 0.5
        return found

    monkeypatch.setattr(curves, "_fit", slow)
    task = write_task(tmp_path, rows=160, task=CURVED)
    run = str(tmp_path / "run")
    assert main(["curve", str(task), "-o", run, "--minutes", "0.01", "--json"]) == 0
    small = json.loads(capsys.readouterr().out)["curve"]
    assert any("over the budget" in note for note in small["notes"])
    kept = points(tmp_path / "run")
    assert kept
    assert main(["curve", str(task), "-o", run]) == 0
    shown = capsys.readouterr().out
    assert "Learning curves:" in shown
    assert kept.items() < points(tmp_path / "run").items()
    assert "Learning curves" in (tmp_path / "run" / "report.html").read_text()


def test_levers_without_a_curve_are_refused_by_name():
    task = wl.Task.parse(CURVED.replace("draws: 2", "draws: 2, levers: [linear, recorded-other]"))
    with pytest.raises(TaskError, match=r"'recorded-other' has no curve .*linear"):
        check_curve(task, ["majority", "linear", "recorded-other"])
    with pytest.raises(TaskError, match="is not in this run"):
        check_curve(task, ["majority", "recorded-other"])


def test_a_bare_key_asks_for_the_defaults():
    assert wl.Task.parse(TASK + "curve:\n").curve.fractions == [0.125, 0.25, 0.5, 1.0]
    assert wl.Task.parse(TASK).curve is None
    with pytest.raises(TaskError, match="fractions"):
        wl.Task.parse(TASK + "curve: {fractions: [2.0]}\n")
