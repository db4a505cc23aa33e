"""When a hybrid may be pulled: a person's answers are assumed, and their time is paid."""

from __future__ import annotations

import numpy as np
import pytest

from make_outcome import FAST, LABELS, answers, outcome, task
from whichlever.measure import summarise
from whichlever.measure.hybrid import HybridLeftOut
from whichlever.measure.hybrid_bill import measured
from whichlever.measure.hybrid_choice import Handing, Picked
from whichlever.measure.scores import mistake_costs
from whichlever.measure.summary import Latency, Measures
from whichlever.verdict import advise, decide
from whichlever.verdict.figures import resolve


def run(extra: str, then: str = "person", n: int = 400, threshold: float = 0.5, p95: float = 3e5):
    """One lever at 80 %, and a second that is always right, handed a quarter of the rows."""
    of = task(extra)
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, n)
    first = answers(random, targets, 0.7)
    doubt = np.where(first == targets, 0.4, 0.6) * random.uniform(0.5, 1.0, n)
    quarter = float(np.quantile(doubt, 0.75))
    given = Handing(targets, first, targets, targets, {"doubt": doubt})
    joined = given.said("doubt", quarter)
    slow = Latency(rows=0, p50_ms=1.0, p95_ms=p95, p99_ms=3e5, rows_per_second=None)
    outcomes = [
        outcome("majority", targets, np.zeros(n)),
        outcome("linear", targets, first),
        *([outcome(then, targets, targets)] if then != "person" else []),
        outcome("hybrid", targets, joined, latency=slow if then == "person" else FAST,
                what="linear, which hands rows over", priced=False),
    ]  # fmt: skip
    measures = summarise(outcomes, of, LABELS)
    true, said = np.divmod(np.arange(9), 3)
    costs = mistake_costs(true, said, LABELS, of.mistakes).reshape(3, 3)
    picked = Picked(then, "doubt", quarter, "margin", 0.25)
    measures = measured(
        measures, of, picked, "linear", given, given, costs, unanswered=0, calibration_rows=100
    )
    return of, measures, decide(of, measures)


def standing(verdict, lever="hybrid"):
    return next(s for s in verdict.standings if s.lever == lever)


HERE = "levers: {hybrid: {then: person%s}}\n"


def test_a_person_is_not_ranked_with_machines_until_the_trade_is_said():
    verdict = run(HERE % "")[2]
    assert verdict.lever == "linear"
    assert standing(verdict).state == "unproven"
    said = standing(verdict).reasons[0].text
    assert "prices.mistake_unit" in said
    assert "levers.hybrid.budget_share" in said


def test_a_share_that_somebody_has_time_for_is_a_trade():
    verdict = run(HERE % ", budget_share: 0.3")[2]
    assert verdict.lever == "hybrid"
    assert any("the task's assumptions" in r.text for r in verdict.reasons)


@pytest.mark.parametrize(("unit", "state"), [(1, "excluded"), (1000, "eligible")])
def test_a_person_must_pay_for_the_time(unit, state):
    of, measures, verdict = run(HERE % "" + f"prices: {{mistake_unit: {unit}}}\n")
    assert standing(verdict).state == state
    assert (verdict.lever == "hybrid") == (state == "eligible")
    saves = measures.hybrid.saves
    bills = [measures.lever(n).bill.dollars_per_month for n in ("linear", "hybrid")]
    ends = (measures.hybrid.all_first, measures.hybrid.chosen)
    calls = of.constraints.calls_per_month
    by_hand = bills[0] - bills[1] + calls * unit * (ends[0].loss.value - ends[1].loss.value)
    assert saves.value == pytest.approx(by_hand)
    assert saves.low < saves.value < saves.high


def test_a_latency_limit_shuts_a_person_out_in_words():
    extra = HERE % ", budget_share: 0.3" + "constraints: {latency_p95_ms: 50}\n"
    verdict = run(extra)[2]
    assert standing(verdict).state == "excluded"
    assert "waits for a person" in standing(verdict).reasons[0].text
    fine = run(extra, p95=10.0)[2]
    assert standing(fine).state == "eligible", "nineteen in twenty answers are in time"


def test_a_second_lever_is_judged_like_any_other():
    of, measures, verdict = run("levers: {hybrid: {then: rag}, rag: {}}\n", then="rag")
    assert standing(verdict).state == "eligible"
    bill, first, then = (measures.lever(n).bill for n in ("hybrid", "linear", "rag"))
    assert bill.upkeep == first.upkeep + then.upkeep
    assert bill.training == pytest.approx(first.training + then.training)
    assert bill.labels == first.labels + 100 * of.prices.label, "labels are paid once, and 100 more"
    assert verdict.lever == "rag"
    assert any("it may be pulled, and is not the one to pull" in r.text for r in verdict.reasons)


def test_every_sentence_stands_on_a_figure():
    for extra in (HERE % "", HERE % "" + "prices: {mistake_unit: 1}\n"):
        of, measures, verdict = run(extra)
        for reason in [*verdict.reasons, *standing(verdict).reasons]:
            resolve(reason.figure, of, measures)
        assert Measures.model_validate_json(measures.model_dump_json()) == measures


def test_left_out_is_said():
    of, measures, _ = run(HERE % "")
    measures = measures.model_copy(
        update={
            "hybrid": HybridLeftOut(why="rag answered no test row"),
            "levers": tuple(s for s in measures.levers if s.lever != "hybrid"),
            "pairs": tuple(p for p in measures.pairs if "hybrid" not in (p.a, p.b)),
        }
    )
    texts = [r.text for r in decide(of, measures).reasons]
    assert "hybrid is left out: rag answered no test row." in texts


def test_advice_where_knowledge_is_fresh_and_calls_are_many():
    both = task("constraints: {knowledge_changes: daily, calls_per_month: 5_000_000}\n")
    (found,) = [a for a in advise(both) if a.lever == "hybrid"]
    assert found.holds
    assert "levers.hybrid" in found.reason
    few = task("constraints: {knowledge_changes: daily, calls_per_month: 5000}\n")
    assert not [a for a in advise(few) if a.lever == "hybrid"]
