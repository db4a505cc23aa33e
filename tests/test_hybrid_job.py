"""The hybrid of a run: joined from answers that are there, judged and billed like any lever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import whichlever as wl
from tiny import TASK, write_task
from whichlever import trials
from whichlever.calibrate import Temperature
from whichlever.errors import TaskError
from whichlever.hybrid import Joined, check_hybrid, cost_matrix, join_hybrid, reviewed
from whichlever.infer.hybrid import HybridPredictor
from whichlever.levers import Context, build
from whichlever.measure.hybrid import Hybrid, HybridLeftOut
from whichlever.run import read_json
from whichlever.step import Step
from whichlever.task import Task

HYBRID = TASK + (
    "  rag: {vote_only: true}\n"
    "  hybrid: {then: rag-vote}\n"
    "mistakes: {open: {close: 20}}\n"
    "prices: {mistake_unit: 0.001}\n"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hybrid")
    return wl.compare(wl.Task.load(write_task(folder, task=HYBRID)), folder / "run")


@pytest.fixture(scope="module")
def steps(finished):
    return read_steps(finished.run)


def read_steps(run: Path) -> list[Step]:
    found = []
    for facts in sorted(run.glob("fits/*/*/step.json")):
        frame, _ = trials.read(facts.parent / "trials.parquet")
        known = read_json(facts)
        found.append(Step(frame, known))
    return found


def changed(finished, hybrid: str, extra: str = "") -> Task:
    text = TASK + f"  rag: {{vote_only: true}}\n  hybrid: {{{hybrid}}}\n" + extra
    return Task.parse(text, folder=finished.run.parent)


def cut(step: Step, test: int, calibrate: int) -> Step:
    """The same step as if its budget had paid for fewer rows."""
    kept = {"calibrate": calibrate, "test": test}
    frames = [step.frame.filter(pl.col("role") == role).head(n) for role, n in kept.items()]
    return Step(pl.concat(frames), step.facts)


def join(finished, steps, hybrid: str, extra: str = ""):
    task = changed(finished, hybrid, extra)
    priced = [Step(trials.priced(s.frame, s.facts, task), s.facts) for s in steps]
    return join_hybrid(task, finished.measures.labels, priced)


def test_the_run_holds_the_hybrid_as_a_lever(finished):
    frame = finished.trials().filter(pl.col("lever") == "hybrid")
    assert set(frame["role"]) == {"calibrate", "test"}
    found = finished.measures.hybrid
    assert isinstance(found, Hybrid)
    assert (found.first, found.then) == ("linear", "rag-vote")
    own = finished.measures.lever("hybrid")
    assert own.bill.dollars_per_month == found.chosen.dollars_per_month
    assert own.metrics["macro_f1"] == found.chosen.metric
    assert any({"hybrid", "linear"} == {p.a, p.b} for p in finished.measures.pairs)
    assert wl.Comparison.load(finished.run).measures == finished.measures
    ends = [p.handed.value for p in (found.curve[0], found.curve[-1])]
    assert ends == [0.0, 1.0]
    assert len(found.calibrate) == len(found.curve)


def test_the_threshold_knows_nothing_of_test_rows(finished, steps):
    spoiled = [
        Step(
            s.frame.with_columns(
                pl.when(pl.col("role") == "test")
                .then(pl.lit("open"))
                .otherwise(pl.col("target"))
                .alias("target")
            ),
            s.facts,
        )
        for s in steps
    ]
    extra = "prices: {mistake_unit: 0.001}\n"
    honest = join(finished, steps, "then: rag-vote", extra)
    assert honest.picked == join(finished, spoiled, "then: rag-vote", extra).picked


def test_the_predictor_gives_the_answers_of_the_table(finished, steps, tmp_path):
    """Linear and the vote fitted anew, asked through `HybridPredictor` on the test rows."""
    task, labels = finished.task, finished.measures.labels
    prepared = wl.comparison.prepare(task)
    # The vote is no better on these rows; so that some are handed over, a share is asked for.
    blind = [cut(s, 60, 5) if s.facts["lever"] == "rag-vote" else s for s in steps]
    joined = join(finished, blind, "then: rag-vote, budget_share: 0.4")
    temperature = {s.facts["lever"]: Temperature(s.facts["temperature"] or 1.0) for s in steps}
    fitted = {}
    for lever in build(task, ["linear", "rag-vote"]):
        folder = tmp_path / lever.id
        folder.mkdir()
        context = Context(task, labels, 0, folder)
        fitted[lever.id] = lever.fit(prepared.splits.train, prepared.splits.valid, context)
    said = HybridPredictor(
        fitted["linear"].predictor,
        fitted["rag-vote"].predictor,
        labels,
        joined.picked.threshold,
        first_temperature=temperature["linear"],
        then_temperature=temperature["rag-vote"],
    ).predict(prepared.splits.test)
    handed = joined.test.handed("doubt", joined.picked.threshold)
    assert 0.1 < handed.mean() < 0.7
    table = joined.step.frame.filter(pl.col("role") == "test")
    assert table["id"].to_list() == [p.id for p in said]
    assert table["predicted"].to_list() == [p.label for p in said]
    shown = np.array(table["scores"].to_list())
    assert shown == pytest.approx(np.stack([p.scores for p in said]), abs=1e-5)


def test_both_are_paid_and_waited_for_on_what_is_handed_over(finished, steps):
    joined = join(finished, steps, "then: person, budget_share: 0.2")
    table = joined.step.frame.filter(pl.col("role") == "test")
    handed = joined.test.handed(joined.picked.score, joined.picked.threshold)
    assert 0 < handed.mean() < 0.5
    dollars = table["dollars"].to_numpy()
    assert (dollars[handed] >= 5.0).all()
    assert (dollars[~handed] < 0.01).all()
    assert (table["seconds"].to_numpy()[handed] >= 300).all()
    right = (table["predicted"] == table["target"]).to_numpy()
    assert right[handed].all(), "a person is assumed to be right"
    assert joined.step.facts["latency"]["p95_ms"] >= 300_000
    assert "assumed to be right on 100 % of them" in joined.step.facts["what"]


def test_a_person_errs_as_often_as_the_task_says_and_always_on_the_same_rows():
    labels = ("a", "b", "c")
    said = [reviewed(f"r{i}", "a", labels, 0.9, seed=0) for i in range(4000)]
    assert np.mean([s == "a" for s in said]) == pytest.approx(0.9, abs=0.02)
    assert {s for s in said if s != "a"} == {"b", "c"}
    assert said == [reviewed(f"r{i}", "a", labels, 0.9, seed=0) for i in range(4000)]


def test_a_second_with_a_budget_is_joined_on_its_prefix(finished, steps):
    short = [cut(s, 30, 25) if s.facts["lever"] == "rag-vote" else s for s in steps]
    joined = join(finished, short, "then: rag-vote")
    counts = dict(joined.step.frame.group_by("role").len().iter_rows())
    assert counts == {"calibrate": 25, "test": 30}
    assert joined.step.facts["all_rows"] == 60
    fewer = [cut(s, 30, 5) if s.facts["lever"] == "rag-vote" else s for s in steps]
    left = join(finished, fewer, "then: rag-vote")
    assert isinstance(left, HybridLeftOut)
    assert "only 5 calibration rows" in left.why
    by_share = join(finished, fewer, "then: rag-vote, budget_share: 0.25")
    assert isinstance(by_share, Joined)
    assert by_share.picked.rule == "share"


def test_what_the_second_did_not_answer_is_answered_by_the_first(finished, steps):
    failing = [
        Step(
            s.frame.with_columns(
                pl.lit("timeout").alias("status"), pl.lit(None, pl.String).alias("predicted")
            ),
            s.facts,
        )
        if s.facts["lever"] == "rag-vote"
        else s
        for s in steps
    ]
    joined = join(finished, failing, "then: rag-vote, budget_share: 0.5", "goal: {margin: 0.5}\n")
    assert joined.picked.share == 0.0, "somebody who never answers is worth nothing"
    linear = next(s for s in steps if s.facts["lever"] == "linear").frame
    own = linear.filter(pl.col("role") == "test")["predicted"]
    assert joined.test.then.tolist() == joined.test.first.tolist()
    table = joined.step.frame.filter(pl.col("role") == "test")
    assert table["predicted"].to_list() == own.to_list()


def test_recorded_answers_are_handed_a_share(finished, steps):
    joined = join(finished, steps, "then: recorded-other, budget_share: 0.3")
    assert (joined.picked.rule, joined.picked.name) == ("share", "recorded-other")
    assert joined.picked.share <= 0.3
    assert joined.step.facts["place"] == "recorded", (
        "answers from outside stay answers from outside"
    )
    assert set(joined.step.frame["role"]) == {"test"}


@pytest.mark.parametrize(
    ("hybrid", "levers", "said"),
    [
        ("{first: encoder}", ["linear", "rag"], "first is 'encoder'"),
        ("{first: prompt, then: person}", ["linear", "prompt"], "gives scores"),
        ("{then: rgg}", ["linear", "rag"], "then is 'rgg'"),
        ("{then: linear, first: linear}", ["linear", "rag"], "another lever"),
        ("{then: best}", ["linear"], "neither rag nor prompt"),
        ("{then: recorded-x}", ["linear", "recorded-x"], "say levers.hybrid.budget_share"),
        ("{then: person}", ["majority"], "needs linear or finetune"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(hybrid, levers, said):
    task = Task.parse(f"task: t\ndata: {{rows: r, input: i}}\nlevers: {{hybrid: {hybrid}}}\n")
    with pytest.raises(TaskError, match=said):
        check_hybrid(task, levers, None)
    assert not check_hybrid(task, levers, ["linear"]), "nobody asked for it"


def test_alone_it_is_no_lever(finished):
    with pytest.raises(TaskError, match="made of other levers' answers"):
        build(finished.task, ["hybrid"])
    assert [lever.id for lever in build(finished.task, ["hybrid", "linear"])] == ["linear"]


def test_cost_matrix_is_true_by_said(finished):
    labels = ("close", "open")
    assert cost_matrix(labels, finished.task).tolist() == [[0, 1], [20, 0]]
