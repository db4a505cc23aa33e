from __future__ import annotations

import pytest

from whichlever.errors import DataError, InputError
from whichlever.llm.budget import Billing, Spent, affordable, dollars_of
from whichlever.predict import Prediction, Usage
from whichlever.task import Task

PER_ROW = Spent(rows=10, seconds=20.0, dollars=0.1)


def test_what_is_left_of_the_time_is_divided_by_what_a_row_takes() -> None:
    assert affordable("prompt", (1.0, None, None), Spent(seconds=20.0), PER_ROW) == 20
    assert affordable("prompt", (1.0, None, 5), Spent(seconds=20.0), PER_ROW) == 5


def test_dollars_can_be_the_tighter_limit() -> None:
    assert affordable("prompt", (60.0, 0.5, None), Spent(dollars=0.2), PER_ROW) == 27
    # A tenth is left for rows dearer than those measured, but never the only row.
    assert affordable("prompt", (60.0, 0.215, None), Spent(dollars=0.2), PER_ROW) == 1


def test_a_budget_in_dollars_wants_a_price() -> None:
    unpriced = Spent(10, 20.0, None)
    with pytest.raises(InputError, match=r"levers\.prompt\.dollars: .* dollars_in"):
        affordable("prompt", (60.0, 0.5, None), unpriced, unpriced)


def test_without_a_measured_row_there_is_no_size() -> None:
    with pytest.raises(DataError, match=r"levers\.prompt: no row was there to measure"):
        affordable("prompt", (60.0, None, None), Spent(), Spent())


def test_a_budget_that_pays_for_nothing_says_so() -> None:
    with pytest.raises(InputError, match=r"pays for no row \(2\.0 s a row"):
        affordable("prompt", (0.05, None, None), Spent(seconds=2.0), PER_ROW)


def test_the_tasks_own_token_prices_are_used() -> None:
    task = Task.parse("""
task: t
data: {rows: r.jsonl, input: text}
llms: {m: {base_url: "http://127.0.0.1/v1", model: m, dollars_in: 1, dollars_out: 2}}
""")
    price = Billing.of("m", task).price
    assert price is not None
    used = Usage(tokens_in=1_000_000, tokens_cached=500_000, tokens_out=1_000_000)
    answers = [Prediction("1", "a", usage=used), Prediction("2", None, status="timeout")]
    assert dollars_of(answers, price) == pytest.approx(6.0)  # the lost row at the others' mean
    assert Billing.of("smollm2-135m-instruct", task).price is None
    assert dollars_of(answers, None) is None


def test_choosing_that_overran_leaves_half_the_minutes_for_answers() -> None:
    assert affordable("prompt", (1.0, None, None), Spent(seconds=300.0), PER_ROW) == 15
