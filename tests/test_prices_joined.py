"""What two levers cost together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_outcome import task
from whichlever.prices import CallTotals, build_bill, call_cost
from whichlever.prices.joined import Handed, joined_bill, joined_cost, person_cost

OF = task("constraints: {calls_per_month: 1000000}\n")
OWN = call_cost(CallTotals(rows=9, core_seconds=0.01), "here", OF)
SLOW = call_cost(CallTotals(rows=9, core_seconds=6.0), "here", OF)
TOKENS = call_cost(
    CallTotals(rows=3, tokens=((900.0, 0.0, 5.0), (1000.0, 0.0, 5.0), (1100.0, 0.0, 5.0))),
    "remote", OF, token_prices=(1.0, 0.5, 4.0),
)  # fmt: skip
UNKNOWN = call_cost(CallTotals(rows=3), "recorded", OF)


def bill(cost, place="here", lever="linear"):
    return build_bill(lever, place, cost, OF, rows_seen=100, fit_seconds=60.0, test_rows=50)


def both(then, share, low=None, high=None, place="here", lever="rag"):
    handed = Handed(share, share if low is None else low, share if high is None else high)
    cost = joined_cost(OWN, then, lever, handed, OF)
    second = None if lever == "person" else bill(then, place, lever)
    return cost, joined_bill(bill(OWN), second, (OWN, then, cost), share, OF, labelled=0)


def test_machines_are_shared_before_they_are_counted():
    cost, found = both(SLOW, 0.2)
    assert cost.core_seconds == pytest.approx(0.01 + 0.2 * 6.0)
    assert cost.machines == 1
    assert SLOW.machines == 2, "alone it would need more"
    assert found.month(1e6) == pytest.approx(found.fixed() + cost.machine_month)


def test_tokens_come_on_top_of_the_machine():
    cost, found = both(TOKENS, 0.1, 0.05, 0.2, place="remote")
    assert cost.marginal == pytest.approx(OWN.marginal + 0.1 * TOKENS.marginal)
    assert cost.always_on == pytest.approx(OWN.always_on + 0.1 * TOKENS.marginal)
    assert found.month(1e6) == pytest.approx(
        found.fixed() + OWN.machine_month + 1e6 * 0.1 * TOKENS.marginal
    )
    assert found.month(1e6, "low") < found.month(1e6) < found.month(1e6, "high")
    assert cost.marginal_low == pytest.approx(OWN.marginal + 0.05 * TOKENS.marginal_low)
    assert cost.tokens_in == pytest.approx(100)


def test_a_person_costs_minutes_and_nothing_else():
    cost, found = both(person_cost(OF.prices), 0.01, lever="person")
    assert cost.marginal == pytest.approx(OWN.marginal + 0.01 * 5.0)
    assert found.fixed() == pytest.approx(bill(OWN).fixed())
    assert "a person's 5 minutes at $60 an hour" in cost.basis


def test_what_is_not_measured_stays_so():
    cost, found = both(UNKNOWN, 0.1, place="recorded", lever="recorded-x")
    assert cost.marginal is None
    assert cost.basis.startswith("not measured: recorded-x")
    assert found.month(1e6) is None
    assert found.dollars_per_month is None


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_more_handed_over_is_never_cheaper(one, other):
    less, more = sorted((one, other))
    for then, place in ((TOKENS, "remote"), (SLOW, "here"), (person_cost(OF.prices), "person")):
        lever = "person" if place == "person" else "rag"
        a, b = (both(then, s, place=place, lever=lever)[1] for s in (less, more))
        assert a.month(1e6) <= b.month(1e6) + 1e-9
