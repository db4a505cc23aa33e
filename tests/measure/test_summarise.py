"""From answers to measures: everything in its place, and nothing made up."""

import time
from dataclasses import replace

import numpy as np
import pytest

from make_outcome import LABELS, UNTIMED, answers, outcome, task
from whichlever.errors import DataError, TaskError
from whichlever.measure import Measures, summarise
from whichlever.measure.scores import macro_f1


@pytest.fixture
def truth():
    return np.random.default_rng(0).choice(3, 400, p=[0.1, 0.3, 0.6])


def levers(truth, **given):
    random = np.random.default_rng(1)
    return [
        outcome("majority", truth, np.full(len(truth), 2), rows_seen=0, **given),
        outcome("linear", truth, answers(random, truth, 0.8), **given),
        outcome("finetune-static", truth, answers(random, truth, 0.7), **given),
    ]


def test_measures_survive_json_and_repeat_by_seed(truth):
    found = summarise(levers(truth), task(), LABELS)
    assert Measures.model_validate_json(found.model_dump_json()) == found
    assert summarise(levers(truth), task(), LABELS) == found
    assert summarise(levers(truth), task(), LABELS, seed=1) != found


def test_each_lever_and_each_pair(truth):
    found = summarise(levers(truth), task(), LABELS)
    linear = found.lever("linear")
    want = macro_f1(truth, levers(truth)[1].predicted)
    assert linear.metrics["macro_f1"].value == pytest.approx(want)
    assert linear.metrics["macro_f1"].low < want < linear.metrics["macro_f1"].high
    assert {f"{m}.{label}" for m in ("recall", "precision") for label in LABELS} <= set(
        linear.metrics
    )
    assert "loss" not in linear.metrics  # the task prices no mistake
    assert {(p.a, p.b) for p in found.pairs} == {
        ("majority", "linear"), ("majority", "finetune-static"), ("linear", "finetune-static"),
    }  # fmt: skip
    pair = found.pair("finetune-static", "linear")
    assert pair.a == "linear"
    assert pair.difference.low < pair.difference.value < pair.difference.high
    assert pair.mcnemar is not None
    assert pair.groups is None
    assert pair.p <= pair.p_holm
    # One bound each way; together they hold the difference.
    assert -pair.b_over_a < pair.difference.value < pair.a_over_b
    # The majority floor is a member of the family of tests, not a candidate.
    assert found.pair("majority", "linear").a_over_b is None
    with pytest.raises(KeyError):
        found.pair("linear", "rag")


def test_unanswered_rows_are_wrong_and_counted(truth):
    full = levers(truth)[1]
    silent = full.predicted.copy()
    silent[:100] = -1
    found = summarise([outcome("prompt", truth, silent)], task(), LABELS).lever("prompt")
    assert found.statuses == {"error": 100, "ok": 300}
    right = np.sum(silent == truth) / 400
    assert found.metrics["accuracy"].value == pytest.approx(right)


def test_fewer_rows_are_paired_on_the_common_prefix(truth):
    few = outcome("prompt", truth[:60], answers(np.random.default_rng(2), truth[:60], 0.5),
                  all_rows=400)  # fmt: skip
    found = summarise([*levers(truth), few], task(), LABELS)
    assert found.lever("prompt").rows == 60
    assert found.lever("prompt").all_rows == 400
    pair = found.pair("linear", "prompt")
    assert pair.rows == 60
    head = macro_f1(truth[:60], levers(truth)[1].predicted[:60])
    assert pair.difference.value == pytest.approx(head - macro_f1(truth[:60], few.predicted))


def test_other_rows_are_refused(truth):
    first, second = levers(truth)[:2]
    moved = replace(second, ids=second.ids[::-1])
    with pytest.raises(DataError, match="did not answer the same test rows"):
        summarise([first, moved], task(), LABELS)


def test_groups_widen_intervals_and_rule_mcnemar_out():
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, 400)
    level = random.beta(1, 1, 20).repeat(20)
    said = np.where(random.random(400) < level, truth, (truth + 1) % 3)
    groups = tuple(f"g{i // 20}" for i in range(400))
    plain = [outcome("linear", truth, said), outcome("prompt", truth, (truth + 1) % 3)]
    grouped = [replace(o, groups=groups) for o in plain]
    rows = summarise(plain, task(), LABELS)
    whole = summarise(grouped, task(), LABELS)
    a, b = (m.lever("linear").metrics["accuracy"] for m in (rows, whole))
    assert b.high - b.low > 1.5 * (a.high - a.low)
    assert whole.pairs[0].groups == 20
    assert whole.pairs[0].mcnemar is None
    assert whole.pairs[0].rows_needed > rows.pairs[0].rows_needed


def test_five_groups_say_what_they_cannot_show():
    truth = np.tile([0, 1, 2], 50)
    groups = tuple(f"g{i % 5}" for i in range(150))
    both = [
        outcome("linear", truth, truth, groups=groups),
        outcome("majority", truth, np.full(150, 2), groups=groups),
    ]
    pair = summarise(both, task(), LABELS).pairs[0]
    assert pair.p == pair.p_attainable == 0.0625


def test_probabilities_before_and_after(truth):
    random = np.random.default_rng(4)
    scores = random.dirichlet(np.ones(3), 400).astype(np.float32)
    said = scores.argmax(axis=1)
    sharper = (scores**3 / (scores**3).sum(axis=1, keepdims=True)).astype(np.float32)
    given = outcome("linear", truth, said, scores=scores, raw_scores=sharper, temperature=3.0)
    found = summarise([given], task(), LABELS).lever("linear")
    assert found.calibration.temperature == 3.0
    assert found.calibration.ece_before > found.calibration.ece.value
    assert found.calibration.ece.low <= found.calibration.ece.value <= found.calibration.ece.high
    assert "recall_at_fpr.critical.0.01" in found.metrics
    assert levers(truth)[1].scores is None
    assert summarise(levers(truth), task(), LABELS).lever("linear").calibration is None


def test_the_leaky_figure_has_the_clean_one_beside_it(truth):
    leaked = np.arange(400) < 100
    said = np.where(leaked, truth, (truth + 1) % 3)
    found = summarise([outcome("linear", truth, said, leaked=leaked)], task(), LABELS)
    assert found.lever("linear").metrics["accuracy"].value == 0.25
    assert found.lever("linear").without_leaks["accuracy"].value == 0
    none = outcome("linear", truth, said, leaked=np.zeros(400, dtype=bool))
    assert summarise([none], task(), LABELS).lever("linear").without_leaks is None


def test_a_small_clean_remainder_is_no_certainty_and_says_how_small_it_is(truth):
    leaked = np.arange(400) >= 10
    found = summarise([outcome("linear", truth, truth, leaked=leaked)], task(), LABELS)
    linear = found.lever("linear")
    assert (linear.clean_rows, linear.clean_classes) == (10, len(set(truth[:10])))
    for name in ("accuracy", "macro_f1"):
        assert linear.without_leaks[name].value == 1
        assert linear.without_leaks[name].low == pytest.approx(0.6915, abs=1e-3)  # 10 of 10


def test_answering_alike_on_ten_rows_is_no_certainty():
    truth = np.tile([0, 1], 5)
    same = [outcome("linear", truth, truth), outcome("prompt", truth, truth)]
    difference = summarise(same, task(), LABELS).pairs[0].difference
    assert difference.low == -difference.high < -0.1


def test_no_mistake_made_has_no_interval_of_its_cost(truth):
    priced = task("mistakes: {critical: {noise: 200}}\n")
    loss = summarise([outcome("linear", truth, truth)], priced, LABELS).lever("linear")
    assert (loss.metrics["loss"].value, loss.metrics["loss"].high) == (0, None)


def test_mistakes_are_priced(truth):
    priced = task("mistakes: {critical: {noise: 200, investigate: 5}, noise: {critical: 1}}\n")
    found = summarise(levers(truth), priced, LABELS)
    want = (200 * np.sum(truth == 0) + np.sum(truth == 1)) / 400
    assert found.lever("majority").metrics["loss"].value == pytest.approx(want)


def test_costs_by_place(truth):
    n = len(truth)
    recorded = outcome(
        "recorded-gpt-4", truth, truth, place="recorded", price_as="gpt-4-turbo", latency=UNTIMED,
        tokens_in=np.full(n, 100.0), tokens_out=np.where(np.arange(n) < 300, 2.0, np.nan),
        estimated=True, rows_seen=0, fit_seconds=0.0,
    )  # fmt: skip
    unknown = replace(recorded, lever="recorded-other", price_as=None)
    found = summarise([*levers(truth), recorded, unknown], task(), LABELS)
    cost = found.lever("recorded-gpt-4").cost
    assert cost.marginal == pytest.approx((100 * 10 + 2 * 30) / 1e6)
    assert "300 of 400 rows" in cost.basis
    assert cost.bytes_out is None
    assert found.lever("recorded-other").cost.marginal is None
    assert found.lever("recorded-other").bill.dollars_per_month is None
    own = found.lever("linear").cost
    assert own.marginal == pytest.approx(0.004 * 0.05 / 3600)
    assert own.bytes_out == 0
    with pytest.raises(TaskError, match="nearest"):
        summarise([replace(recorded, price_as="gpt4turbo")], task(), LABELS)


def test_no_row_answered_is_said():
    with pytest.raises(DataError, match="no lever answered"):
        summarise([outcome("prompt", [], [])], task(), LABELS)


def test_hundreds_of_classes_in_seconds():
    random = np.random.default_rng(5)
    labels = [f"CWE-{i}" for i in range(427)]
    truth = np.minimum(random.zipf(1.3, 1000), 427) - 1
    four = [
        outcome(f"l{i}", truth, answers(random, truth, 0.4 + 0.05 * i, 427),
                scores=random.dirichlet(np.full(427, 0.1), 1000).astype(np.float32))
        for i in range(4)
    ]  # fmt: skip
    began = time.process_time()
    found = summarise(
        four, task("goal: {margin: 0.02}\n").model_copy(update={"labels": {}}), labels
    )
    assert time.process_time() - began < 20
    assert len(found.model_dump_json()) < 400_000
    some = found.lever("l0").metrics
    assert some["recall.CWE-0"].low is None  # too many classes for intervals of each
    assert not any(key.startswith("recall_at_fpr") for key in some)
