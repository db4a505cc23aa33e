"""The whole line on a tiny task: what a RUN holds, going on after a kill, and what is promised."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import whichlever as wl
from tiny import TASK, write_task
from whichlever import trials
from whichlever.errors import DataError, EgressError, RunError, TaskError, WhichleverError
from whichlever.run import digest


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return wl.compare(wl.Task.load(write_task(folder)), folder / "run")


def test_run_holds_everything_needed_to_recompute(finished):
    names = {p.name for p in finished.run.iterdir()}
    assert {
        "task.yaml", "environment.json", "audit.json", "splits.parquet", "trials.parquet",
        "examples.parquet", "measures.json", "verdict.json", "fits",
    } <= names  # fmt: skip
    frame = finished.trials()
    test = frame.filter(pl.col("role") == "test")
    ids = [tuple(part["id"]) for _, part in test.group_by("lever")]
    assert len(set(ids)) == 1, "every lever answers the same test rows in the same order"
    assert set(test["lever"]) == {"majority", "linear", "recorded-other"}
    again = wl.Comparison.load(finished.run)
    assert again.verdict == finished.verdict
    assert again.measures == finished.measures


def test_no_row_has_two_roles_and_calibration_is_not_test(finished):
    splits = pl.read_parquet(finished.run / "splits.parquet")
    assert splits["id"].n_unique() == len(splits)
    roles = dict(splits.iter_rows())
    for ident, role in finished.trials().select("id", "role").unique().iter_rows():
        assert roles[ident] == role


def test_measures_follow_from_the_trials_alone(finished):
    frame = finished.trials().filter((pl.col("role") == "test") & (pl.col("lever") == "linear"))
    accuracy = (frame["target"] == frame["predicted"]).mean()
    assert finished.measures.lever("linear").metrics["accuracy"].value == pytest.approx(accuracy)


def test_scores_are_probabilities_whose_best_is_the_answer(finished):
    frame, labels = trials.read(finished.run / "trials.parquet")
    linear = frame.filter(pl.col("lever") == "linear")
    for scores, said in linear.select("scores", "predicted").iter_rows():
        assert sum(scores) == pytest.approx(1, abs=1e-5)
        assert labels[scores.index(max(scores))] == said


def test_linear_beats_the_majority_on_a_learnable_task(finished):
    linear = finished.measures.lever("linear").metrics["macro_f1"]
    majority = finished.measures.lever("majority").metrics["macro_f1"]
    assert linear.low > majority.value


def test_a_second_run_reads_steps_back_and_a_changed_setting_does_not(finished, tmp_path):
    steps = sorted(finished.run.glob("fits/*/*/step.json"))
    before = [p.stat().st_mtime_ns for p in steps]
    task = wl.Task.load(finished.run.parent / "task.yaml")
    wl.compare(task, finished.run)
    assert [p.stat().st_mtime_ns for p in steps] == before
    changed = task.model_copy(update={"about": "Something else."})
    changed._folder = task._folder
    wl.compare(changed, tmp_path / "other", only=["majority"])
    assert not (tmp_path / "other" / "fits" / "majority" / steps[0].parent.name).exists()


def content(run: Path) -> str:
    frame = pl.read_parquet(run / "trials.parquet")
    kept = frame.select("lever", "role", "id", "predicted", "scores", "status")
    return digest(kept.to_dicts())


def test_killed_anywhere_it_goes_on_to_the_same_predictions(finished, tmp_path):
    folder = tmp_path / "tiny"
    task = write_task(folder)
    command = [sys.executable, "-m", "whichlever", "compare", str(task), "-o", str(folder / "run")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    kills = 0
    for delay in (1.5, 3.0, 4.0):
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as job:
            time.sleep(delay)
            if job.poll() is None:
                job.send_signal(signal.SIGKILL)
                kills += 1
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert kills, "the machine was too fast to kill the job once"
    assert content(folder / "run") == content(finished.run)
    assert not list((folder / "run").rglob(".wl-*")), "torn files were left behind"


def test_train_leaves_a_fit_and_reads_no_test_row(tmp_path):
    from whichlever.comparison import train

    task = wl.Task.load(write_task(tmp_path))
    (fit,) = train(task, tmp_path / "run", "linear")
    assert fit["rows_seen"] > 0
    assert Path(fit["folder"]).is_dir()
    assert not (tmp_path / "run" / "trials.parquet").exists()


def test_an_unknown_lever_is_named_with_the_known_ones(tmp_path):
    task = wl.Task.load(write_task(tmp_path))
    with pytest.raises(TaskError, match=r"'rga'.*linear"):
        wl.compare(task, tmp_path / "run", only=["rga"])


def test_a_remote_server_needs_leave_before_anything_runs(tmp_path):
    text = TASK + (
        "  prompt: {model: house}\n"
        "llms: {house: {base_url: 'http://gpu.internal:8000/v1', model: m}}\n"
    )
    task = wl.Task.load(write_task(tmp_path, task=text))
    with pytest.raises(EgressError, match=r"--allow-egress gpu\.internal"):
        wl.compare(task, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_unfinished_run_is_not_read_as_a_finished_one(tmp_path):
    write_task(tmp_path)
    with pytest.raises(RunError, match="whichlever compare"):
        wl.Comparison.load(tmp_path)


def test_environment_names_versions_and_no_machine(finished):
    told = json.loads((finished.run / "environment.json").read_text())
    assert told["rows_sha256"]
    assert set(told) == {
        "whichlever", "python", "system", "cores", "packages", "seed", "rows_sha256"
    }  # fmt: skip


def test_a_price_that_no_table_knows_is_said_before_anything_runs(tmp_path):
    text = TASK.replace("recorded: {other: answers.jsonl}",
                        "recorded: {other: answers.jsonl, price_as: gpt-4-trubo}")  # fmt: skip
    task = wl.Task.load(write_task(tmp_path, task=text))
    with pytest.raises(TaskError, match="gpt-4-turbo"):
        wl.compare(task, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_without_texts_no_input_stays_in_run(tmp_path):
    task = wl.Task.load(write_task(tmp_path))
    wl.compare(task, tmp_path / "run", only=["majority"])
    assert (tmp_path / "run" / "examples.parquet").exists()
    wl.compare(task, tmp_path / "run", only=["majority"], keep_texts=False)
    left = [p for p in (tmp_path / "run").rglob("*") if p.is_file()]
    assert not any(b"printer" in p.read_bytes() for p in left)
    assert not (tmp_path / "run" / "examples.parquet").exists()


def test_a_leak_is_part_of_the_verdict(tmp_path):
    file = write_task(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    copies = [{**row, "id": f"copy-{row['id']}"} for row in rows[:120]]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows + copies))
    done = wl.compare(wl.Task.load(file), tmp_path / "run", only=["majority", "linear"])
    assert any("audit found a leak" in said for said in done.verdict.scope)


def test_bad_rows_leave_no_run_behind(tmp_path):
    file = write_task(tmp_path)
    with (tmp_path / "rows.jsonl").open("a") as rows:
        rows.write("{broken\n")
    with pytest.raises(DataError, match=r"rows\.jsonl:241"):
        wl.compare(wl.Task.load(file), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_bad_recorded_file_is_said_before_anything_is_trained(tmp_path):
    file = write_task(tmp_path)
    with (tmp_path / "answers.jsonl").open("a") as answers:
        answers.write('{"id": "t0", "prediction": "open"}\n')
    with pytest.raises(DataError, match=r"answers\.jsonl"):
        wl.compare(wl.Task.load(file), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_old_verdict_never_stands_beside_new_rows(finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished.run, run)
    file = write_task(tmp_path, seed=1)
    (tmp_path / "answers.jsonl").unlink()
    with pytest.raises(WhichleverError):
        wl.compare(wl.Task.load(file), run)
    write_task(tmp_path, seed=1)
    wl.compare(wl.Task.load(file), run, only=["majority"])
    assert set(wl.Comparison.load(run).trials()["lever"]) == {"majority"}


def test_a_fit_keeps_what_it_cost_when_it_was_made(tmp_path):
    from whichlever.comparison import train

    task = wl.Task.load(write_task(tmp_path))
    (fit,) = train(task, tmp_path / "run", "linear")
    done = wl.compare(task, tmp_path / "run", only=["linear"])
    assert done.measures.lever("linear").fit_seconds == fit["fit_seconds"]


def test_prices_are_no_part_of_a_step(finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished.run, run)
    text = TASK.replace("constraints:", "prices: {core_hour: 5.0}\nconstraints:")
    task = wl.Task.load(write_task(tmp_path, task=text))
    before = {p: p.stat().st_mtime_ns for p in run.glob("fits/*/*/step.json")}
    done = wl.compare(task, run)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    dear = done.trials().filter(pl.col("lever") == "linear")["dollars"].sum()
    cheap = finished.trials().filter(pl.col("lever") == "linear")["dollars"].sum()
    assert dear == pytest.approx(100 * cheap)


def test_a_mistake_about_a_label_that_no_row_has_is_named(tmp_path):
    text = TASK.replace("labels: {open: A person should look., close: Nothing to do.}",
                        "mistakes: {opne: {close: 5}}")  # fmt: skip
    with pytest.raises(DataError, match=r"'opne'.*'open'"):
        wl.compare(wl.Task.load(write_task(tmp_path, task=text)), tmp_path / "run")


def test_the_function_stays_a_function_whatever_is_imported():
    code = "import whichlever.comparison, whichlever as wl; print(callable(wl.compare))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "True"
