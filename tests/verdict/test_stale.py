"""What a change of the facts does to the verdict, and what one change of the task costs."""

from __future__ import annotations

import numpy as np
import pytest

from make_outcome import LABELS, outcome, task
from whichlever.change import retrieval_evidence
from whichlever.measure import summarise
from whichlever.measure.change import Twice, change_evidence
from whichlever.prices.bill import CHANGES_PER_MONTH
from whichlever.verdict import decide
from whichlever.verdict.figures import resolve
from whichlever.verdict.rules import advise

N = 600


def said(truth, wrong, seed):
    out = truth.copy()
    at = np.random.default_rng(seed).choice(len(truth), wrong, replace=False)
    out[at] = (truth[at] + 1) % 3
    return out


def measured(changes="daily", tasks="rarely", oracle=5):
    the_task = task(
        f"constraints: {{knowledge_changes: {changes}, task_changes: {tasks}}}\n"
        "goal: {metric: accuracy, margin: 0.05}\n"
    )
    truth = np.random.default_rng(0).integers(0, 3, N)
    levers = [
        outcome("majority", truth, np.zeros(N, np.int64), rows_seen=0),
        outcome("linear", truth, said(truth, 6, 1)),
        outcome("rag-match", truth, said(truth, 60, 2), rows_seen=100),
        outcome("rag-match-oracle", truth, said(truth, oracle, 3), rows_seen=100),
    ]
    measures = summarise(levers, the_task, LABELS)
    now = (truth + (np.arange(N) % 2)) % 3
    none = np.zeros(N, np.int64)
    stale = said(truth, 6, 4)
    twice = [
        Twice("majority", False, none, none, now, truth, None),
        Twice("linear", False, stale, stale, now, truth, None),
        Twice("rag-match", True, said(truth, 9, 5), said(now, 9, 5), now, truth, None, 0.02, 0.03),
    ]
    found = change_evidence(twice, 0.05)
    ranks = {"rag-match": [1] * 500 + [4] * 80 + [None] * 20}
    measures = measures.model_copy(
        update={"change": found, "retrieval": retrieval_evidence(measures, ranks, 0.05)}
    )
    return the_task, measures


def standings(found):
    return {s.lever: s for s in found.standings}


def test_what_goes_stale_is_excluded_where_knowledge_changes_daily():
    found = decide(*measured())
    assert found.lever == "rag-match"
    linear = standings(found)["linear"]
    assert linear.state == "excluded"
    assert "goes stale" in linear.reasons[0].text
    assert "daily" in linear.reasons[0].text
    assert any("monthly instead of daily: pull linear" in r.text for r in found.would_change)


@pytest.mark.parametrize("changes", ["weekly", "monthly"])
def test_elsewhere_it_may_be_pulled_with_the_caveat_beside_it(changes):
    found = decide(*measured(changes))
    linear = standings(found)["linear"]
    assert (found.lever, linear.state) == ("linear", "eligible")
    assert "goes stale when facts change" in linear.reasons[-1].text
    assert "a month of labels and machine time" in linear.reasons[-1].text
    assert any("linear goes stale" in r.text for r in found.reasons)


def test_every_sentence_stands_on_a_figure():
    the_task, measures = measured("weekly")
    found = decide(the_task, measures)
    for reason in [*found.reasons, *(r for s in found.standings for r in s.reasons)]:
        resolve(reason.figure, the_task, measures)


def test_the_oracle_is_never_pulled_and_is_no_candidate():
    the_task, measures = measured(oracle=0)
    found = decide(the_task, measures)
    oracle = standings(found)["rag-match-oracle"]
    assert oracle.state == "excluded"
    assert "diagnostic" in oracle.reasons[0].text
    assert measures.pair("rag-match", "rag-match-oracle").a_over_b is None
    assert all("oracle" not in b.lever + b.against for b in found.break_evens)


def test_a_change_that_was_not_measured_is_said_where_knowledge_is_fresh():
    the_task, measures = measured("live")
    bare = measures.model_copy(update={"change": None})
    assert any("is not measured" in line for line in decide(the_task, bare).scope)
    the_task, measures = measured("monthly")
    bare = measures.model_copy(update={"change": None})
    assert not any("follow a change" in line for line in decide(the_task, bare).scope)


def test_each_change_of_the_task_is_in_the_month_and_in_the_standing():
    bills = {}
    for tasks in ("rarely", "monthly", "weekly"):
        the_task, measures = measured(tasks=tasks)
        found = standings(decide(the_task, measures))
        for lever in ("linear", "rag-match"):
            bill, stands = measures.lever(lever).bill, found[lever]
            assert stands.change_hours == bill.change_hours == 2
            assert stands.change_dollars == pytest.approx(2 * 90 + bill.relabel + bill.training)
            assert stands.changes_per_month == CHANGES_PER_MONTH[tasks]
            bills[lever, tasks] = bill
    for lever in ("linear", "rag-match"):
        base, weekly = bills[lever, "rarely"], bills[lever, "weekly"]
        more = (52 / 12 - 1 / 12) * base.change
        assert weekly.dollars_per_month - base.dollars_per_month == pytest.approx(more)


def test_advice_says_that_following_will_be_measured():
    given = task(
        "documents: d\nchange: {documents: e, rows: r.jsonl, was: w}\n"
        "constraints: {knowledge_changes: live}\n"
    )
    fresh = next(a for a in advise(given) if "fresh" in a.situation)
    assert fresh.holds
    assert fresh.lever == "rag"
    assert "who follows" in fresh.reason
