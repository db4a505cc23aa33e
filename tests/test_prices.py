"""Dollars per call and per month, the essay's two worked cases among them."""

import math

import pytest

from make_outcome import task
from whichlever.errors import TaskError
from whichlever.predict import Usage
from whichlever.prices import Bill, CallTotals, build_bill, call_cost, row_dollars, token_price


def bill(**given):
    zero = dict.fromkeys(
        ("labels", "training", "evaluation", "upkeep", "change_hours", "change"), 0.0
    )
    rest = {
        "months": 12.0, "changes_per_month": 1 / 12, "marginal_low": None, "marginal_high": None,
        "machine_month": None, "machine_calls": None, "calls_per_month": 1e7,
        "dollars_per_month": None,
    }  # fmt: skip
    return Bill(**{**zero, **rest, **given})


def test_ten_million_alerts_a_month():
    """$100,000 a month at a cent a call; $10 plus its machine at a millionth of a dollar."""
    api = bill(marginal=0.01)
    small = bill(marginal=0.000001, machine_month=73.0, machine_calls=36.5e6)
    assert api.month(10_000_000) == pytest.approx(100_000)
    assert small.month(10_000_000, "low") == pytest.approx(10)
    assert small.month(10_000_000) == pytest.approx(73)


def test_a_millionth_of_a_dollar_is_72_milliseconds_of_a_core():
    cost = call_cost(CallTotals(rows=9, core_seconds=0.072), "here", task())
    assert cost.marginal == pytest.approx(0.000001)


@pytest.mark.parametrize("saving", [10, 50])
def test_fifty_million_calls_at_ten_to_fifty_times_saving(saving):
    """What is saved each month is the same share of the bill at any price of a call."""
    api = bill(marginal=0.002)
    small = bill(marginal=0.002 / saving)
    month, less = api.month(50_000_000), small.month(50_000_000)
    assert month == pytest.approx(100_000)
    assert less == pytest.approx(100_000 / saving)
    assert month - less == pytest.approx(90_000 if saving == 10 else 98_000)


def test_machines_come_whole_and_utilisation_says_how_busy():
    volume = "constraints: {calls_per_month: 100_000_000}\n"
    cost = call_cost(CallTotals(rows=9, core_seconds=0.1), "here", task(volume))
    # Two cores of a month are 5.256 million core-seconds: 52.56 million calls of 0.1 s.
    assert cost.machine_calls == pytest.approx(52.56e6)
    assert cost.machines == 2
    assert cost.utilisation == pytest.approx(100 / 105.12)
    assert cost.machine_month == pytest.approx(73)
    assert cost.always_on == pytest.approx(146 / 1e8)
    assert cost.marginal < cost.always_on


def test_tokens_at_the_tasks_own_price():
    totals = CallTotals(rows=2, tokens=((1000, 0, 10), (1000, 800, 10)), bytes_out=4000.0)
    cost = call_cost(totals, "remote", task(), token_prices=(2.0, 0.5, 8.0))
    first = (1000 * 2 + 10 * 8) / 1e6
    second = (200 * 2 + 800 * 0.5 + 10 * 8) / 1e6
    assert cost.marginal == pytest.approx((first + second) / 2)
    assert cost.always_on == cost.marginal
    assert (cost.tokens_in, cost.tokens_cached, cost.tokens_out) == (1000, 400, 10)
    assert cost.marginal_low <= cost.marginal <= cost.marginal_high


def test_tokens_by_the_bundled_table_with_its_version():
    totals = CallTotals(rows=1, tokens=((1_000, 0, 1_000),), estimated=True)
    cost = call_cost(totals, "recorded", task(), price_as="gpt-4-turbo")
    assert cost.marginal == pytest.approx(0.01 + 0.03)
    assert cost.estimated
    assert "genai-prices" in cost.basis
    assert "estimated from characters" in cost.basis


def test_the_table_is_never_updated_from_the_network(monkeypatch):
    import genai_prices.update_prices as update

    def refuse(*_, **__):
        raise AssertionError("the price table was updated")

    monkeypatch.setattr(update.UpdatePrices, "start", refuse)
    monkeypatch.setattr(update.UpdatePrices, "fetch", refuse)
    token_price.cache_clear()
    assert token_price("gpt-4o").dollars(1_000_000, 0, 0) == pytest.approx(2.5)


def test_unknown_model_names_the_nearest():
    with pytest.raises(TaskError, match=r"'gpt4-turbo'; the nearest it knows: gpt-4-turbo"):
        token_price("gpt4-turbo")


@pytest.mark.parametrize("place", ["remote", "recorded"])
def test_unknown_tokens_are_not_measured_rather_than_free(place):
    no_tokens = call_cost(CallTotals(rows=5), place, task(), price_as="gpt-4o")
    no_price = call_cost(CallTotals(rows=5, tokens=((10, 0, 1),)), place, task())
    for cost in (no_tokens, no_price):
        assert cost.marginal is None
        assert "not measured" in cost.basis
    unknown = Usage(tokens_in=10)
    assert row_dollars(unknown, place, "gpt-4o", None, task()) is None
    assert row_dollars(Usage(10, 0, 1), place, None, None, task()) is None


def test_row_dollars_agree_with_the_call():
    usage = Usage(tokens_in=1000, tokens_cached=None, tokens_out=10, seconds=3.0)
    assert row_dollars(usage, "remote", None, (2.0, 0.5, 8.0), task()) == pytest.approx(0.00208)
    assert row_dollars(usage, "here", None, None, task()) == pytest.approx(3 * 2 * 0.05 / 3600)


def test_everything_is_counted():
    cost = call_cost(CallTotals(rows=9, core_seconds=0.004), "here", task())
    found = build_bill(
        "finetune-encoder", "here", cost, task(), rows_seen=5000, fit_seconds=3600, test_rows=1000
    )
    assert found.labels == pytest.approx(2000)
    assert found.evaluation == pytest.approx(400)
    assert found.training == pytest.approx(0.10)
    assert found.upkeep == pytest.approx(180)
    # Four hours, a tenth of the labels again, and the training.
    assert found.change == pytest.approx(4 * 90 + 200 + 0.10)
    once = (2000 + 400 + 0.10) / 12
    assert found.dollars_per_month == pytest.approx(once + 180 + 560.10 / 12 + 73)
    free = found.without_labels()
    assert free.dollars_per_month == pytest.approx(0.10 / 12 + 180 + 360.10 / 12 + 73)


def test_a_provider_needs_no_upkeep_and_a_task_may_say_its_hours():
    cost = call_cost(CallTotals(rows=1, tokens=((100, 0, 1),)), "remote", task(), price_as="gpt-4o")
    hours = task("prices: {change_hours: {prompt: 3}}\nconstraints: {task_changes: weekly}\n")
    found = build_bill("prompt", "remote", cost, hours, rows_seen=4, fit_seconds=0, test_rows=0)
    assert found.upkeep == 0
    assert found.change == pytest.approx(3 * 90 + 0.1 * 4 * 0.4)
    assert found.changes_per_month == pytest.approx(52 / 12)


def test_month_of_an_unknown_cost_is_unknown():
    assert bill(marginal=None).month(10) is None
    assert math.isclose(bill(marginal=0.5, marginal_high=0.7).month(10, "high"), 7.0)
