"""How figures read, and how the figure behind a reason is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_run import MAIN, Spec, make_run

from whichlever.measure.summary import Interval
from whichlever.report import wording
from whichlever.report.figures import turned, value_behind
from whichlever.report.files import read_run


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0.0000012, ("$0.0000012", "$1.20 per million calls")),
        (0.01, ("$0.010", "")),
        (0.0004, ("$0.00040", "$0.40 per 1,000 calls")),
        (3e-12, ("$0.0000000000030", "$0.0000030 per million calls")),
        (0.0, ("$0", "")),
        (None, ("not measured", "")),
    ],
)
def test_a_price_per_call_is_also_said_at_a_scale_people_feel(dollars, said):
    assert wording.per_call(dollars) == said


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (100_000, "$100,000"),
        (12.5, "$12.50"),
        (99.999, "$100"),
        (-0.5, "−$0.50"),
        (0.0099, "$0.0099"),
        (0.075, "$0.075"),
        (0.1, "$0.10"),
    ],
)
def test_money(dollars, said):
    assert wording.money(dollars) == said


@given(st.floats(1e-15, 1e15))
def test_no_amount_is_written_with_an_exponent_or_as_zero(dollars):
    said = wording.money(dollars)
    assert "e" not in said
    assert float(said.removeprefix("$").replace(",", "")) == pytest.approx(dollars, rel=0.06)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0.002, "2.0 µs"),
        (12.34, "12 ms"),
        (2500, "2.5 s"),
        (90_000, "1.5 min"),
        (None, "not measured"),
    ],
)
def test_times_use_the_unit_that_reads_best(ms, said):
    assert wording.milliseconds(ms) == said


@pytest.mark.parametrize(
    ("calls", "said"),
    [(10_000_000, "10 M"), (250_000, "250 k"), (1_600_000, "1.6 M"), (950, "950"), (None, "never"),
     (2e9, "2 bn"), (100_000, "100 k"), (200_000_000, "200 M")],
)  # fmt: skip
def test_volumes_are_short_and_keep_their_zeros(calls, said):
    assert wording.volume(calls) == said


def test_nothing_sent_is_a_word_and_unknown_is_not_zero():
    assert wording.size(0) == "none"
    assert wording.size(None) == "not measured"
    assert wording.size(1536) == "1.5 kB"


def test_p_below_a_thousandth():
    assert wording.probability(0.0001) == "< .001"
    assert wording.probability(1.0) == "1.000"
    assert wording.signed(Interval(value=-0.0001, low=-0.02, high=0.01)) == "+.000 [−.020, +.010]"


def test_figures_are_found_behind_names_that_hold_dots(tmp_path):
    labels = ("sev.1", "sev.2")
    run = make_run(
        tmp_path / "run", Spec(levers=("recorded-gpt-3.5", MAIN, "prompt"), labels=labels, rows=60)
    )
    files = read_run(run)
    known = files.measures.lever("recorded-gpt-3.5").metrics["recall.sev.1"]
    assert value_behind("levers.recorded-gpt-3.5.metrics.recall.sev.1", files) == wording.interval(
        known
    )
    pair = files.measures.pair("recorded-gpt-3.5", MAIN)
    assert value_behind(f"pairs.{pair.a}~{pair.b}.difference", files) == wording.signed(
        pair.difference
    )
    assert value_behind(f"pairs.{pair.a}~{pair.b}.p", files).startswith("p ")
    assert turned(turned(pair.difference)) == pair.difference
    assert value_behind("levers.prompt.cost.always_on", files) == "$21.00 per million calls"
    assert value_behind("levers.prompt.latency.p95_ms", files) == "1.5 s"
    assert value_behind("constraints.data_may_leave", files) == "no"
    assert value_behind("constraints.calls_per_month", files) == "10,000,000"
    assert value_behind("goal.margin", files) == ".020"
    assert value_behind("levers.nobody.metrics.macro_f1", files) == ""
    assert value_behind("nonsense", files) == ""
