"""Every sentence stands on a figure that is there and is the one in the text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_outcome import FAST, LABELS, UNTIMED, answers, outcome, task
from whichlever.measure import summarise
from whichlever.measure.summary import Interval
from whichlever.verdict import decide
from whichlever.verdict.figures import money, resolve, spell

GOALS = (
    "goal: {margin: 0.02}\n",
    "goal: {metric: accuracy, margin: 0.1, at_least: {recall.critical: 0.5}}\n",
    "goal: {at_least: {recall.critical: 0.999, macro_f1: 0.3}}\nprices: {label: 2}\n",
)
CONSTRAINTS = (
    "constraints: {data_may_leave: true, calls_per_month: 1000}\n",
    "constraints: {latency_p95_ms: 50, calls_per_month: 10_000_000}\n",
)


def a_run(seed, rows, groups):
    random = np.random.default_rng(seed)
    truth = random.choice(3, rows, p=[0.2, 0.3, 0.5])
    shared = {
        "groups": None if groups is None else tuple(f"g{i % groups}" for i in range(rows)),
        "leaked": random.random(rows) < 0.1,
    }
    quality = random.uniform(0.2, 1, 4)
    few = max(2, rows // 4)
    return [
        outcome("majority", truth, np.full(rows, 2), **shared),
        outcome("linear", truth, answers(random, truth, quality[0]), **shared),
        outcome("finetune-encoder", truth, answers(random, truth, quality[1]), **shared),
        outcome(
            "recorded-gpt-3.5", truth, answers(random, truth, quality[2]), place="recorded",
            price_as="gpt-4o", tokens_in=np.full(rows, 300.0), tokens_out=np.full(rows, 2.0),
            latency=UNTIMED, **shared,
        ),
        outcome(
            "prompt", truth[:few], answers(random, truth[:few], quality[3]), all_rows=rows,
            groups=None if groups is None else shared["groups"][:few],
            latency=FAST.model_copy(update={"p95_ms": 900.0}),
        ),
    ]  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rows=st.sampled_from([24, 150, 600]),
    groups=st.sampled_from([None, 4, 12]),
    goal=st.sampled_from(GOALS),
    constraints=st.sampled_from(CONSTRAINTS),
)
def test_every_reason_resolves_and_shows_its_figure(seed, rows, groups, goal, constraints):
    the_task = task(goal + constraints)
    measures = summarise(a_run(seed, rows, groups), the_task, LABELS)
    found = decide(the_task, measures, audit_note="2 of the test rows are in training too.")
    reasons = [
        *found.reasons,
        *found.would_change,
        *(r for s in found.standings for r in s.reasons),
    ]
    assert reasons
    for reason in reasons:
        value = resolve(reason.figure, the_task, measures)
        assert spell(value, reason.figure) in reason.text, reason
        assert "{" not in reason.text
        assert reason.text.endswith(".")
    if found.outcome == "pull":
        assert found.lever in found.headline
    assert found.scope[-1].startswith("2 of the test rows")


def test_names_with_dots_are_found():
    the_task = task("goal: {at_least: {recall.critical: 0.5}}\n")
    measures = summarise(a_run(0, 60, None), the_task, LABELS)
    found = resolve("levers.recorded-gpt-3.5.metrics.recall.noise", the_task, measures)
    assert isinstance(found, Interval)
    assert resolve("goal.at_least.recall.critical", the_task) == 0.5
    assert resolve("pairs.linear~recorded-gpt-3.5.rows", the_task, measures) == 60
    assert resolve("metric", the_task, measures) == "macro_f1"
    for wrong in ("levers.gone.rows", "constraints.nothing", "pairs.linear~linear.p"):
        with pytest.raises(KeyError, match="no figure at"):
            resolve(wrong, the_task, measures)


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(0, "$0"), (1234.5, "$1,234"), (12.3, "$12.30"), (0.25, "$0.25"), (0.000001, "$0.000001"),
     (0.00000556, "$0.0000056"), (-3, "-$3.00")],
)  # fmt: skip
def test_money(dollars, text):
    assert money(dollars) == text


def test_figures_as_words():
    assert spell(None, "x") == "not measured"
    assert spell(False, "constraints.data_may_leave") == "false"
    assert spell(Interval(value=0.1, low=-0.02, high=0.2), "a.difference") == (
        "+0.100 (-0.020 to +0.200)"
    )
    assert spell(10_000_000.0, "constraints.calls_per_month") == "10,000,000"
    assert spell(0.00005, "p") == "under 0.0001"
