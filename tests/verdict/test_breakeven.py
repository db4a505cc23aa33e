"""Break-even as a range, or never."""

import numpy as np
import pytest

from make_outcome import LABELS, UNTIMED, outcome, task
from whichlever.measure import summarise
from whichlever.verdict.breakeven import break_even, calls, crossing


def two(tokens_in=500.0, estimated=False, price="gpt-4-turbo"):
    truth = np.tile([0, 1, 2], 50)
    levers = [
        outcome("finetune-static", truth, truth),
        outcome("recorded-gpt-4", truth, truth, place="recorded", price_as=price,
                tokens_in=np.full(150, tokens_in), tokens_out=np.full(150, 2.0),
                estimated=estimated, latency=UNTIMED, rows_seen=0, fit_seconds=0.0),
    ]  # fmt: skip
    found = summarise(levers, task(), LABELS)
    return found.lever("finetune-static"), found.lever("recorded-gpt-4")


def test_a_small_model_pays_from_a_range():
    own, api = two()
    found = break_even(own, api)
    assert (found.lever, found.against) == ("finetune-static", "recorded-gpt-4")
    # 1,000 labels and 10 s of training over a year, upkeep, a change a year; the same test rows.
    fixed = own.bill.fixed() - api.bill.fixed()
    per_call = (500 * 10 + 2 * 30) / 1e6
    assert found.low == pytest.approx(fixed / (per_call - own.bill.marginal), rel=1e-6)
    assert found.high == pytest.approx((fixed + 73) / per_call, rel=1e-6)
    assert calls(found.low) in found.text
    assert calls(found.high) in found.text
    # Whichever way round it is asked.
    assert break_even(api, own) == found


def test_from_what_volume_on_labelling_pays():
    """The essay's cent a call against a millionth and its machine: 20,000 labels at $0.40."""
    own, api = two()
    once = {"labels": 8_000.0, "training": 0.0, "upkeep": 0.0, "change": 0.0, "evaluation": 0.0}
    small = own.bill.model_copy(
        update={**once, "marginal": 0.000001, "machine_month": 73.0, "machine_calls": 36.5e6}
    )
    cent = dict.fromkeys(("marginal", "marginal_low", "marginal_high"), 0.01)
    dear = api.bill.model_copy(update={**once, "labels": 0.0, **cent})
    found = break_even(
        own.model_copy(update={"bill": small}), api.model_copy(update={"bill": dear})
    )
    assert found.low == pytest.approx(8_000 / 12 / (0.01 - 0.000001), rel=1e-6)
    assert found.high == pytest.approx((8_000 / 12 + 73) / 0.01, rel=1e-6)
    assert "67,000 to 74,000 calls a month" in found.text


def test_estimated_tokens_widen_the_range():
    plain, rough = break_even(*two()), break_even(*two(estimated=True))
    assert rough.low < plain.low
    assert rough.high > plain.high


def test_never():
    """A token price below the own machine's time for a call."""
    own, api = two(tokens_in=0.0)
    cheap = api.bill.model_copy(
        update=dict.fromkeys(("marginal", "marginal_low", "marginal_high"), 1e-12)
    )
    found = break_even(own, api.model_copy(update={"bill": cheap}))
    # The provider is the cheaper one at any volume; the own model never is.
    assert (found.lever, found.low, found.high) == ("recorded-gpt-4", 0, 0)
    assert found.text == "recorded-gpt-4 is cheaper than finetune-static at any volume."
    assert crossing(lambda v: 10 + v, lambda v: v) is None


def test_not_measured_has_no_break_even():
    own, api = two(price=None)
    assert break_even(own, api) is None


def test_the_last_crossing_counts_where_machines_make_steps():
    def steps(volume):
        return 100.0 * np.ceil(volume / 1000)

    found = crossing(steps, lambda v: 0.15 * v)
    # Cheaper from 667 to 1,000, dearer again with the second machine until 1,334, and so on up to
    # where every step is below the line.
    assert found == pytest.approx(200 / 0.15, rel=1e-3)


@pytest.mark.parametrize(
    ("volume", "text"), [(0.2, "0"), (7.4, "7"), (12_345, "12,000"), (999_999, "1,000,000")]
)
def test_volumes_are_said_to_two_figures(volume, text):
    assert calls(volume) == text
