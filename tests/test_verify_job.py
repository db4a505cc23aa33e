"""`kind: verify` from a task file to a verdict: impostors of test rows were met nowhere before."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' is not installed")

from whichlever.bundle.choice import choose_lever
from whichlever.bundle.finished import Finished
from whichlever.cli.app import app
from whichlever.comparison import Comparison, compare
from whichlever.data import Splits, read_dataset, split_rows
from whichlever.errors import BundleError, DataError, TaskError
from whichlever.mail import read_message
from whichlever.measure.verification import (
    conformal_flags,
    equal_error_rate,
    recall_at,
    verification,
)
from whichlever.measure.verify_answers import VerifyAnswers, components
from whichlever.packs.phishing.simulate import simulate_mailbox
from whichlever.packs.phishing.simulate.mailbox import Simulated
from whichlever.packs.phishing.template import verify
from whichlever.report import write_report
from whichlever.task import Task

TASK = """
version: 1
task: who
kind: verify
data: {rows: mail.jsonl, id: id, input: text, identity: from, author: author, time: time,
       split: {valid: 0.1, calibrate: 0.15, test: 0.2}}
levers: {finetune: {}}
"""
RECORDED = TASK.replace("{finetune: {}}", "{finetune: {}, recorded: {other: answers.jsonl}}")


@functools.cache
def own(eml: str) -> str:
    return read_message(eml.encode()).own


@functools.cache
def mails() -> tuple[Simulated, ...]:
    return tuple(m for m in simulate_mailbox(1_500, 0) if m.author)


def rows() -> list[dict[str, object]]:
    """Simulated mail that bears two persons' names."""
    names = sorted({m.author for m in mails() if m.author})[:2]
    return [
        {"id": m.id, "text": own(m.eml), "author": m.author, "time": m.time,
         "from": m.author if m.author in names else names[i % 2], "genuine": m.author in names}
        for i, m in enumerate(mails())
    ]  # fmt: skip


def split(task: Task) -> Splits:
    return split_rows(read_dataset(task), task)


def write(folder: Path, made: list[dict[str, object]], task: str = TASK) -> Task:
    (folder / "mail.jsonl").write_text("\n".join(json.dumps(row) for row in made))
    (folder / "task.yaml").write_text(task)
    return Task.load(folder / "task.yaml")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("verify")
    made = rows()
    answers = [
        {"id": r["id"], "prediction": "genuine" if r["genuine"] else "impostor"} for r in made
    ]
    (folder / "answers.jsonl").write_text("\n".join(json.dumps(a) for a in answers))
    return compare(write(folder, made, RECORDED), folder / "run")


def test_style_beats_the_floor_on_impostors_never_met(run: Comparison) -> None:
    by = {own.lever: own for own in run.measures.levers}
    assert set(by) == {"majority", "linear", "finetune-style", "recorded-other"}
    assert by["recorded-other"].metrics["auc"].value == 1.0
    assert run.measures.metric == "auc"
    assert by["majority"].metrics["auc"].value == 0.5
    assert by["finetune-style"].metrics["auc"].value > 0.9
    assert {"eer", "recall_at_1", "own_flagged_at_5"} <= set(by["finetune-style"].metrics)
    assert run.measures.pair("linear", "finetune-style").metric == "auc"
    assert "AUC" in " ".join(reason.text for reason in run.verdict.reasons)


def test_the_auc_is_the_mean_of_each_persons_own(run: Comparison) -> None:
    frame = run.trials().filter(pl.col("lever") == "linear", pl.col("role") == "test")
    found = []
    for _, own in frame.group_by("person"):
        score = np.array([s[0] for s in own["scores"].to_list()])
        yes = (own["target"] == "genuine").to_numpy()
        ahead = score[yes][:, None] - score[~yes][None, :]
        found.append(np.mean((ahead > 0) + 0.5 * (ahead == 0)))
    assert run.measures.lever("linear").metrics["auc"].value == pytest.approx(np.mean(found))


def test_no_impostor_of_test_is_in_another_role(run: Comparison) -> None:
    splits = split(run.task)
    before = {r.author for role in ("train", "valid", "calibrate") for r in getattr(splits, role)}
    tested = {row.author for row in splits.test if row.target == "impostor"}
    assert tested
    assert not tested & before
    for person in {row.person for row in splits.test}:
        early = [r.time or 0 for r in splits.train if r.author == person]
        later = [r.time or 0 for r in splits.test if r.author == person]
        assert max(early) <= min(later)


def test_page_and_terminal_show_error_rates(run: Comparison) -> None:
    page = write_report(run.run).read_text()
    assert "Did the person write it" in page
    assert "equal error rate" in page
    assert not (run.run / "requests.jsonl").exists()


def test_persons_styles_go_into_no_bundle(run: Comparison) -> None:
    with pytest.raises(BundleError, match="mail enrol"):
        choose_lever(Finished.read(run.run))


def test_a_split_that_meets_an_impostor_before_is_refused(tmp_path: Path) -> None:
    made = rows()
    for i, row in enumerate(made):
        row["role"] = "test" if i % 3 == 0 else "train"
    given = TASK.replace("{valid: 0.1, calibrate: 0.15, test: 0.2}", "{by: given, column: role}")
    with pytest.raises(DataError, match="open_set"):
        split(write(tmp_path, made, given))


def test_rows_and_keys_that_contradict_are_refused(tmp_path: Path) -> None:
    made = rows()
    made[0]["genuine"] = not made[0]["genuine"]
    with pytest.raises(DataError, match=r"mail.jsonl:1.*'author'"):
        split(write(tmp_path, made))
    made[0]["genuine"] = "perhaps"
    with pytest.raises(DataError, match="genuine or impostor"):
        split(write(tmp_path, made))
    few = [r for r in rows() if r["genuine"] or str(r["author"]) < "d"]
    with pytest.raises(DataError, match="open set needs"):
        split(write(tmp_path, few))
    with pytest.raises(TaskError, match=r"data\.author"):
        write(tmp_path, made, TASK.replace("author: author, ", ""))
    with pytest.raises(TaskError, match="takes shares"):
        write(tmp_path, made, TASK.replace("test: 0.2}", "test: 20}"))
    with pytest.raises(TaskError, match="prompt goes with kind"):
        write(tmp_path, made, TASK.replace("{finetune: {}}", "{prompt: {}}"))


def test_components_move_the_auc_as_leaving_a_row_out_does() -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 200)
    scores = rng.normal(size=200) - targets
    persons = np.array(["a", "b"])[rng.integers(0, 2, 200)]
    whole = components(scores, targets, persons)
    answers = VerifyAnswers(scores, targets, targets, persons)
    kept = np.arange(1, 200)
    left_out = float(answers.take(kept).components.mean())
    assert whole.mean() == pytest.approx(answers.metric("auc", np.ones((200, 1)))[0])
    assert left_out - whole.mean() == pytest.approx(-(whole[0] - whole.mean()) / 199, abs=2e-3)


def test_error_rates_of_scores_that_are_known() -> None:
    yes, no = np.array([3.0, 4, 5, 6]), np.array([0.0, 1, 2, 3.5])
    assert equal_error_rate(yes, no) == 0.125
    assert recall_at(yes, no) == 0.75
    assert conformal_flags(np.array([0.0, 9]), np.arange(1.0, 40)) == 0.5
    assert conformal_flags(np.array([0.0]), np.arange(1.0, 10)) == 0.0
    nothing = verification(yes, np.zeros(4, int), np.array(["a"] * 4), {})
    assert nothing == {}


def test_init_makes_the_task_from_a_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "COUNT", 500)  # quicker than the whole company's mail
    for name in ("a", "b"):
        done = CliRunner().invoke(
            app, ["init", "--pack", "phishing", "--kind", "verify", str(tmp_path / name)]
        )
        assert done.exit_code == 0, done.output
    one, two = ((tmp_path / n / "data" / "mail.jsonl.gz").read_bytes() for n in ("a", "b"))
    assert one == two
    assert Task.load(tmp_path / "a" / "task.yaml").kind == "verify"
    splits = split(Task.load(tmp_path / "a" / "task.yaml"))
    assert min(len(splits.train), len(splits.valid), len(splits.calibrate), len(splits.test)) > 5
    done = CliRunner().invoke(app, ["init", "--pack", "triage", "--kind", "verify", "x"])
    assert done.exit_code != 0
