"""Rule 5: constraints, floors on lower bounds, non-inferior to the best, then the cheapest."""

from dataclasses import replace

import numpy as np
import pytest

from make_outcome import FAST, LABELS, UNTIMED, answers, outcome, task
from whichlever.measure import summarise
from whichlever.task import Task
from whichlever.verdict import Verdict, decide

OPEN = "constraints: {data_may_leave: true, calls_per_month: 1_000_000}\n"


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).choice(3, 2000, p=[0.1, 0.3, 0.6])


def flipped(truth, rows, seed):
    """Right everywhere but on this many rows."""
    said = truth.copy()
    wrong = np.random.default_rng(seed).choice(len(truth), rows, replace=False)
    said[wrong] = (truth[wrong] + 1) % 3
    return said


def majority(truth):
    return outcome("majority", truth, np.full(len(truth), 2), rows_seen=0, fit_seconds=0.0)


def api(truth, said, **given):
    n = len(truth)
    more = {
        "place": "recorded", "price_as": "gpt-4-turbo", "tokens_in": np.full(n, 400.0),
        "tokens_out": np.full(n, 3.0), "latency": UNTIMED, "rows_seen": 0, "fit_seconds": 0.0,
    }  # fmt: skip
    return outcome("recorded-gpt-4", truth, said, **{**more, **given})


def verdict(levers, extra=OPEN, labels=LABELS) -> Verdict:
    the_task = task(extra)
    return decide(the_task, summarise(levers, the_task, labels))


def standing(found, lever):
    return {s.lever: s for s in found.standings}[lever]


def test_as_good_as_the_best_and_cheaper_wins(truth):
    """The frontier model is a little better; the floor is within the margin and far cheaper."""
    levers = [
        majority(truth),
        outcome("linear", truth, flipped(truth, 60, 1)),
        api(truth, flipped(truth, 50, 2)),
    ]
    found = verdict(levers, OPEN + "goal: {metric: accuracy}\n")
    assert (found.outcome, found.lever) == ("pull", "linear")
    assert "the linear floor already does it" in found.headline
    assert standing(found, "recorded-gpt-4").non_inferior
    assert standing(found, "linear").non_inferior
    assert found.labels_needed is None


def test_better_by_more_than_the_margin_wins_at_any_price(truth):
    found = verdict(
        [majority(truth), outcome("linear", truth, flipped(truth, 400, 1)),
         api(truth, flipped(truth, 50, 2))],
    )  # fmt: skip
    assert found.lever == "recorded-gpt-4"
    assert standing(found, "linear").non_inferior is False
    assert standing(found, "linear").margin_to_best > 0.02


def test_not_significantly_different_is_not_as_good():
    """On 60 rows nothing differs significantly; none is shown as good as another either."""
    truth = np.random.default_rng(0).choice(3, 60, p=[0.2, 0.3, 0.5])
    levers = [
        majority(truth),
        outcome("linear", truth, flipped(truth, 12, 1)),
        outcome("finetune-static", truth, flipped(truth, 12, 2)),
        api(truth, flipped(truth, 11, 3)),
    ]
    found = verdict(levers)
    measures = summarise(levers, task(OPEN), LABELS)
    assert all(p.p_holm > 0.05 for p in measures.pairs if "majority" not in (p.a, p.b))
    assert (found.outcome, found.lever) == ("cannot tell", None)
    needed = max(p.rows_needed for p in measures.pairs if "recorded-gpt-4" in (p.a, p.b))
    assert 0 < found.labels_needed <= needed
    assert f"{found.labels_needed:,}" in found.headline
    assert any("80 % power" in r.text for r in found.reasons)


def test_labels_needed_come_from_the_margin_not_from_the_difference():
    truth = np.random.default_rng(0).choice(3, 60, p=[0.2, 0.3, 0.5])
    levers = [outcome("linear", truth, flipped(truth, 12, 1)),
              outcome("finetune-static", truth, flipped(truth, 12, 2))]  # fmt: skip
    wide, narrow = (
        verdict(levers, f"goal: {{margin: {m}, metric: accuracy}}\n") for m in (0.04, 0.02)
    )
    assert narrow.labels_needed + 60 == pytest.approx(4 * (wide.labels_needed + 60), rel=0.01)


def test_data_that_may_not_leave_excludes_what_left_it(truth):
    levers = [majority(truth), outcome("linear", truth, flipped(truth, 400, 1)),
              api(truth, flipped(truth, 50, 2)),
              replace(outcome("prompt", truth, flipped(truth, 50, 3)), place="remote")]  # fmt: skip
    found = verdict(levers, "constraints: {data_may_leave: false}\n")
    assert found.lever == "linear"
    for name in ("recorded-gpt-4", "prompt"):
        assert standing(found, name).state == "excluded"
        assert standing(found, name).reasons[0].figure == "constraints.data_may_leave"
        assert standing(found, name).non_inferior is None
    assert any(
        (r.figure == "constraints.data_may_leave" and "recorded-gpt-4" in r.text)
        or "prompt" in r.text
        for r in found.would_change
    )


def test_latency_too_slow_is_excluded_and_unmeasured_is_unproven(truth):
    slow = FAST.model_copy(update={"p95_ms": 80.0})
    levers = [
        outcome("linear", truth, flipped(truth, 60, 1)),
        outcome("finetune-encoder", truth, flipped(truth, 20, 2), latency=slow),
        api(truth, flipped(truth, 10, 3)),
    ]
    found = verdict(levers, "constraints: {data_may_leave: true, latency_p95_ms: 50}\n")
    assert found.lever == "linear"
    assert standing(found, "finetune-encoder").state == "excluded"
    assert standing(found, "recorded-gpt-4").state == "unproven"


def test_a_floor_is_on_the_lower_bound():
    """24 of 24 criticals caught does not show a recall of .95."""
    truth = np.array([0] * 24 + [1] * 200 + [2] * 300)
    levers = [majority(truth), outcome("linear", truth, truth)]
    found = verdict(levers, "goal: {at_least: {recall.critical: 0.95}}\n")
    assert found.outcome == "cannot tell"
    assert standing(found, "linear").state == "unproven"
    reason = standing(found, "linear").reasons[0]
    assert reason.figure == "levers.linear.metrics.recall.critical"
    assert "at least 72 test rows of that label" in reason.text
    assert found.labels_needed > 0
    many = np.array([0] * 240 + [1] * 200 + [2] * 300)
    enough = verdict(
        [majority(many), outcome("linear", many, many)],
        "goal: {at_least: {recall.critical: 0.95}}\n",
    )
    assert enough.lever == "linear"


def test_a_floor_that_is_missed_is_said_so(truth):
    found = verdict(
        [majority(truth), outcome("linear", truth, flipped(truth, 600, 1))],
        "goal: {at_least: {accuracy: 0.9}}\n",
    )
    assert found.outcome == "none eligible"
    assert found.labels_needed is None
    assert "falls short of 0.9" in standing(found, "linear").reasons[0].text
    assert any("linear is unproven" in r.text for r in found.reasons)


def test_no_winner_among_five_scenarios():
    truth = np.tile([0, 1, 2], 200)
    groups = tuple(f"scenario {i // 120}" for i in range(600))
    levers = [replace(majority(truth), groups=groups),
              outcome("linear", truth, flipped(truth, 10, 1), groups=groups)]  # fmt: skip
    found = verdict(levers)
    assert found.outcome == "cannot tell"
    assert any("0.0625" in r.text and "5 groups" in r.text for r in found.reasons)
    assert found.labels_needed == 120
    assert "in new groups" in found.headline  # more rows of the same five would not help
    six = tuple(f"scenario {i // 100}" for i in range(600))
    assert verdict([replace(o, groups=six) for o in levers]).lever == "linear"


def test_a_floor_of_one_is_never_promised():
    truth = np.array([0] * 240 + [1] * 200 + [2] * 300)
    found = verdict(
        [majority(truth), outcome("linear", truth, truth)],
        "goal: {at_least: {recall.critical: 1}}\n",
    )
    assert (found.outcome, found.labels_needed) == ("none eligible", None)
    assert "no number of rows can show" in standing(found, "linear").reasons[0].text
    assert found.headline == "No lever is shown to hold your constraints."


def test_a_floor_missed_by_less_than_the_margin_promises_no_labels():
    """2,000 rows are enough for a margin of .05: to label "one more" would tell nothing."""
    truth = np.tile([0, 1, 2, 2], 500)
    levers = [majority(truth), outcome("linear", truth, flipped(truth, 200, 1))]
    goal = "goal: {metric: accuracy, margin: 0.05, at_least: {accuracy: 0.9}}\n"
    found = verdict(levers, goal)
    assert standing(found, "linear").state == "unproven"
    assert (found.outcome, found.labels_needed) == ("none eligible", None)


def test_rows_a_budget_left_out_are_no_labels_to_buy(truth):
    few = outcome("prompt", truth[:100], flipped(truth[:100], 3, 1), all_rows=2000)
    goal = "goal: {metric: accuracy, at_least: {accuracy: 0.94}}\n"
    found = verdict([majority(truth), few], goal)
    assert (found.outcome, found.labels_needed) == ("cannot tell", None)
    assert "100 of 2,000 test rows: give it a larger budget" in (
        standing(found, "prompt").reasons[0].text
    )


def test_too_few_answers_of_one_lever_are_said_of_that_lever(truth):
    """Five answered rows can give no p below .0625; the others' two thousand can."""
    first = np.concatenate([[0, 1, 0, 1, 0], truth])
    few = outcome("prompt", first[:5], first[:5], all_rows=len(first))
    levers = [majority(first), outcome("linear", first, flipped(first, 60, 1)), few]
    found = verdict(levers, "goal: {metric: accuracy}\n")
    assert standing(found, "prompt").state == "eligible"
    said = next(r for r in found.reasons if r.figure.endswith("p_attainable"))
    assert "With 5 rows" in said.text
    assert "give prompt a larger budget" in said.text
    assert found.labels_needed is None or found.labels_needed > 5


def test_a_fine_tune_ahead_of_the_floor_that_is_pulled_says_its_seeds_too(truth):
    """Linear is within the margin and cheaper; the fine-tune is significantly ahead of it."""
    wrong = flipped(truth, 60, 1)
    better = np.where(np.cumsum(wrong != truth) <= 20, truth, wrong)
    levers = [majority(truth), outcome("linear", truth, wrong),
              outcome("finetune-static", truth, better, rows_seen=100_000)]  # fmt: skip
    found = verdict(levers, "goal: {metric: accuracy, margin: 0.05}\n")
    assert found.lever == "linear"
    said = [r.text for r in found.reasons if r.figure == "levers.finetune-static.seeds"]
    assert "That finetune-static beats linear is said of 1 training seed only" in said[0]


def test_labels_may_hold_braces():
    labels = ("{0}", "{noise}", "z")
    truth = np.tile([0, 1, 2], 100)
    the_task = Task.parse(
        "task: toy\ndata: {rows: rows.jsonl, input: text}\nlabels: ['{0}', '{noise}', z]\n"
        "goal: {at_least: {'recall.{noise}': 0.9}}\n"
    )
    levers = [majority(truth), outcome("linear", truth, truth, what="{a} model")]
    found = decide(the_task, summarise(levers, the_task, labels))
    assert any("recall.{noise}" in r.text for r in found.reasons)
    assert any("{a} model" in r.text for r in found.reasons)


def test_the_majority_floor_is_never_pulled():
    truth = np.array([2] * 950 + [0] * 50)
    useless = np.random.default_rng(0).permutation(truth)
    levers = [majority(truth), outcome("linear", truth, useless)]
    found = verdict(levers, "goal: {metric: accuracy}\n")
    assert found.lever is None
    assert standing(found, "majority").state == "excluded"
    assert "not shown better than the majority floor" in standing(found, "linear").reasons[0].text


def test_a_fine_tune_of_one_seed_says_so(truth):
    levers = [majority(truth), outcome("linear", truth, flipped(truth, 400, 1)),
              outcome("finetune-encoder", truth, flipped(truth, 50, 2))]  # fmt: skip
    found = verdict(levers)
    assert found.lever == "finetune-encoder"
    said = [r for r in found.reasons if r.figure == "levers.finetune-encoder.seeds"]
    assert "linear" in said[0].text
    three = [*levers[:2], replace(levers[2], seeds=3)]
    assert not any(r.figure.endswith(".seeds") for r in verdict(three).reasons)


def test_without_a_capable_prompt_it_says_what_one_would_need(truth):
    levers = [majority(truth), outcome("linear", truth, flipped(truth, 100, 1))]
    found = verdict(levers)
    assert any("No capable prompt was measured" in s and "requests.jsonl" in s for s in found.scope)
    both = verdict([*levers, api(truth, flipped(truth, 100, 2))])
    assert not any("No capable prompt" in s for s in both.scope)


def test_scope_names_what_was_measured_and_on_how_many_rows(truth):
    few = outcome("prompt", truth[:100], truth[:100], all_rows=2000,
                  what="prompting SmolLM2-135M-Instruct with 4 shots")  # fmt: skip
    found = verdict([majority(truth), outcome("linear", truth, flipped(truth, 100, 1)), few])
    said = "prompt is prompting SmolLM2-135M-Instruct with 4 shots, on the first 100"
    assert any(s.startswith(said) for s in found.scope)
    assert found.attack == "attack: not measured"


def test_an_unknown_cost_is_said_and_never_wins_as_cheapest(truth):
    levers = [majority(truth), outcome("linear", truth, flipped(truth, 60, 1)),
              api(truth, flipped(truth, 60, 2), price_as=None)]  # fmt: skip
    found = verdict(levers)
    assert found.lever == "linear"
    assert standing(found, "recorded-gpt-4").dollars_per_month is None
    assert any("not measured" in r.text and "recorded-gpt-4" in r.text for r in found.reasons)
    assert found.break_evens == ()


def test_volume_changes_the_verdict(truth):
    """A few calls a month are cheapest by token: no machine, no upkeep, no labels."""
    levers = [majority(truth), outcome("linear", truth, flipped(truth, 60, 1)),
              api(truth, flipped(truth, 60, 2))]  # fmt: skip
    low, high = (
        verdict(levers, f"constraints: {{data_may_leave: true, calls_per_month: {v}}}\n")
        for v in (1_000, 10_000_000)
    )
    assert (low.lever, high.lever) == ("recorded-gpt-4", "linear")
    assert any("or more" in r.text and "pull linear" in r.text for r in low.would_change)


def test_the_best_of_one_metric_may_be_another_by_the_task(truth):
    found = verdict([majority(truth), outcome("linear", truth, flipped(truth, 100, 1))],
                    "goal: {metric: accuracy, margin: 0.05}\n")  # fmt: skip
    assert found.lever == "linear"
    assert Verdict.model_validate_json(found.model_dump_json()) == found


def test_levers_alone_are_judged_too(truth):
    """``compare --lever linear`` has no pair at all."""
    random = np.random.default_rng(0)
    found = verdict([outcome("linear", truth, answers(random, truth, 0.9))])
    assert found.lever == "linear"
    assert "the only lever" in found.headline or "nothing else" in found.headline
