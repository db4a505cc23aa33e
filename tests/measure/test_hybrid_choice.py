"""The threshold: what it minimises, what it may cost, and that test rows judge it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_outcome import FAST, LABELS, UNTIMED, task
from whichlever.measure.figure import Interval
from whichlever.measure.hybrid_choice import (
    Handing,
    Option,
    choose,
    choose_by_share,
    thresholds,
)
from whichlever.measure.hybrid_curve import curve, joined_latency, saving
from whichlever.measure.scores import mistake_costs
from whichlever.measure.summary import Latency

MISTAKES = "mistakes: {critical: {noise: 50}}\n"


def matrix(of):
    true, said = np.divmod(np.arange(9), 3)
    return mistake_costs(true, said, LABELS, of.mistakes).reshape(3, 3)


def handing(random, n, *, then=1.0, costs=None):
    """Calibrated scores of a first part that is right as often as it says; ``then`` as given."""
    scores = random.dirichlet([0.6, 0.6, 0.6], size=n)
    targets = np.array([random.choice(3, p=p) for p in scores])
    first = scores.argmax(axis=1)
    second = np.where(random.random(n) < then, targets, (targets + 1) % 3)
    doubts = {"doubt": 1 - scores.max(axis=1)}
    if costs is not None:
        doubts["cost"] = (scores * costs.T[first]).sum(axis=1)
    return Handing(targets, first, second, second, doubts)


def pick(of, price, n=400, cap=None, then=1.0, seed=0):
    costs = matrix(of)
    random = np.random.default_rng(seed)
    given = handing(random, n, then=then, costs=costs if of.mistakes else None)
    return choose([Option("rag", given, price)], of, LABELS, costs, cap), given


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.99), min_size=1, max_size=60))
def test_thresholds_go_from_nothing_to_everything_and_part_no_equal_rows(doubts):
    doubts = np.array(doubts)
    grid = thresholds(doubts, 1.0)
    shares = [(doubts >= t).mean() for t in grid]
    assert grid == sorted(grid, reverse=True)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert not set(grid[1:-1]) & set(doubts), "a last bit would move a row"


def test_dollars_decide_where_a_mistake_has_a_price():
    dear = pick(task("prices: {mistake_unit: 1}\n"), price=2.0)[0]
    assert (dear.rule, dear.share) == ("dollars", 0.0)
    free = pick(task("prices: {mistake_unit: 1}\n"), price=0.0)[0]
    given = pick(task("prices: {mistake_unit: 1}\n"), price=0.0)[1]
    said = given.said(free.score, free.threshold)
    assert (said == given.targets).all(), "what costs nothing and is always right gets every error"
    between = pick(task("prices: {mistake_unit: 1}\n"), price=0.3, n=4000)[0]
    # Chow's rule: hand over where a mistake is likelier than the price is in units of mistakes.
    assert between.threshold == pytest.approx(0.3, abs=0.06)


def test_dear_mistakes_choose_the_expected_cost():
    found, given = pick(task(MISTAKES + "prices: {mistake_unit: 1}\n"), price=0.5, n=4000)
    assert found.score == "cost"
    assert found.threshold == pytest.approx(0.5, rel=0.6)
    by_doubt = given.said("doubt", np.quantile(given.doubts["doubt"], 1 - found.share))
    by_cost = given.said(found.score, found.threshold)
    loss = [
        mistake_costs(given.targets, said, LABELS, task(MISTAKES).mistakes).mean()
        for said in (by_doubt, by_cost)
    ]
    assert loss[1] < loss[0]


def test_without_a_price_of_mistakes_the_fewest_rows_within_the_margin():
    of = task("goal: {metric: accuracy, margin: 0.05}\n")
    found, given = pick(of, price=None)
    assert found.rule == "margin"
    right = (given.said(found.score, found.threshold) == given.targets).mean()
    assert 0.95 <= right < 0.97
    assert pick(task("goal: {metric: accuracy, margin: 0.3}\n"), None)[0].share < found.share


def test_a_second_that_is_no_better_is_handed_nothing():
    assert pick(task("goal: {margin: 0.01}\n"), price=1e-6, then=0.0)[0].share == 0.0


@pytest.mark.parametrize("extra", ["", "prices: {mistake_unit: 100}\n"])
def test_the_cap_holds(extra):
    found, given = pick(task(extra), price=0.01, cap=0.1)
    assert given.handed(found.score, found.threshold).mean() == found.share <= 0.1


def test_of_two_the_one_that_is_worth_its_price():
    of = task("prices: {mistake_unit: 1}\n")
    random = np.random.default_rng(1)
    good = handing(random, 500)
    poor = Handing(good.targets, good.first, good.first, good.first, good.doubts)
    options = [Option("prompt", poor, 0.0), Option("rag", good, 0.05)]
    assert choose(options, of, LABELS, matrix(of)).name == "rag"


def test_a_share_is_kept_where_nobody_knows_what_the_second_says():
    random = np.random.default_rng(2)
    given = handing(random, 500, costs=matrix(task(MISTAKES)))
    found = choose_by_share("x", given.doubts, matrix(task(MISTAKES)), 0.2, priced_mistakes=True)
    assert (found.score, found.rule) == ("cost", "share")
    assert 0.19 <= found.share <= 0.2
    lumpy = {"doubt": np.repeat([0.1, 0.4], 50)}
    tied = choose_by_share("x", lumpy, matrix(task()), 0.2, priced_mistakes=False)
    assert tied.share == 0.0, "half the rows are equally unsure: none rather than too many"


def test_the_chosen_point_is_judged_on_rows_that_did_not_choose_it():
    """The interval on test rows holds the truth about as often as it says, chosen or not."""
    of = task("goal: {metric: accuracy}\nprices: {mistake_unit: 1}\n")
    held, optimism = 0, []
    random = np.random.default_rng(3)
    many = handing(random, 60_000, then=0.8)
    for _ in range(60):
        chosen_on = handing(random, 60, then=0.8)
        found = choose([Option("rag", chosen_on, 0.1)], of, LABELS, matrix(of))
        truth = (many.said(found.score, found.threshold) == many.targets).mean()
        test = handing(random, 150, then=0.8)
        (point,) = curve(test, found.score, [found.threshold], of, LABELS, lambda _: (None, None))
        held += point.metric.low <= truth <= point.metric.high
        own = (chosen_on.said(found.score, found.threshold) == chosen_on.targets).mean()
        optimism.append(own - truth)
    assert held >= 52, "95 % intervals: fewer than 52 of 60 has a chance under 0.5 %"
    assert np.mean(optimism) > 0, "on the rows that chose it, it looks better than it is"


def test_savings_are_mistakes_avoided_less_what_is_paid_more():
    of = task(MISTAKES + "prices: {mistake_unit: 2}\nconstraints: {calls_per_month: 1000}\n")
    n = 100
    targets = np.zeros(n, dtype=int)
    first = np.where(np.arange(n) < 10, 2, 0)  # ten criticals taken for noise, at 50 each
    given = Handing(targets, first, targets, targets, {"doubt": np.zeros(n)})
    found = saving(given, targets, LABELS, of, more=300.0)
    assert found.value == pytest.approx(1000 * 2 * 50 * 0.1 - 300)
    assert found.low < found.value < found.high
    assert saving(given, targets, LABELS, task(MISTAKES), more=0.0) is None


def test_ends_of_the_curve_and_costs_by_share():
    of = task("goal: {metric: accuracy}\nprices: {mistake_unit: 3}\n")
    given = handing(np.random.default_rng(4), 200)

    def dollars(handed: Interval):
        return handed.value, 1000 * handed.value

    points = curve(given, "doubt", [1.0, 0.3, 0.0], of, LABELS, dollars)
    assert [p.handed.value for p in points][::2] == [0.0, 1.0]
    assert points[0].metric.value == (given.first == given.targets).mean()
    assert points[-1].metric.value == 1.0
    assert points[-1].metric.low < 1.0, "a perfect score on 200 rows is no certainty"
    calls = of.constraints.calls_per_month
    assert points[1].with_mistakes == pytest.approx(
        points[1].dollars_per_month + calls * 3 * points[1].loss.value
    )


def test_groups_widen_the_band():
    of = task("goal: {metric: accuracy}\n")
    given = handing(np.random.default_rng(5), 300)
    grouped = Handing(
        given.targets, given.first, given.then, given.alone, given.doubts,
        tuple(f"g{t}" for t in np.sort((given.first == given.targets) * 5 + np.arange(300) % 3)),
    )  # fmt: skip
    alone, together = (
        curve(g, "doubt", [1.0], of, LABELS, lambda _: (None, None))[0].metric
        for g in (given, grouped)
    )
    assert together.high - together.low > alone.high - alone.low


def test_latency_of_both_waits_for_both_on_what_is_handed_over():
    slow = Latency(rows=9, p50_ms=1000.0, p95_ms=2000.0, p99_ms=3000.0, rows_per_second=1.0)
    few, many = joined_latency(FAST, slow, 0.03), joined_latency(FAST, slow, 0.3)
    assert few.p95_ms < 10 < 1000 < few.p99_ms
    assert many.p50_ms < 10
    assert 1000 < many.p95_ms < 3010
    assert many.rows_per_second == pytest.approx(1 / (1 / 500 + 0.3))
    assert joined_latency(FAST, slow, 1.0).p50_ms == pytest.approx(1001, rel=0.01)
    assert joined_latency(FAST, UNTIMED, 0.3).p95_ms is None
    assert joined_latency(FAST, UNTIMED, 0.0) == FAST
