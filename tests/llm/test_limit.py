"""Budgets that end while they are being spent, and servers that go away, on loopback."""

from __future__ import annotations

import threading
import time

import pytest
from loopback_server import completion

from whichlever.errors import InputError, LLMError
from whichlever.llm import Chooser, Journal, Limit
from whichlever.llm import client as client_module
from whichlever.llm.budget import Billing
from whichlever.predict import Row

LABELS = ("ham", "spam")
DOLLAR_A_ROW = Billing(token_prices=(100_000.0, 100_000.0, 0.0))
"""The loopback server counts ten tokens in."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch) -> None:
    monkeypatch.setattr(client_module, "wait_seconds", lambda *_: 0.0)


def plain(_body):
    return completion("A")


def rows(count: int) -> list[Row]:
    return [Row(str(i), f"row {i}") for i in range(count)]


def asked(server) -> list[str]:
    texts = [body["messages"][-1]["content"] for body in server.seen]
    return [text for text in texts if "row " in text]


def chooser(client, folder, limit=None) -> Chooser:
    journal = Journal(folder / "j.jsonl")
    return Chooser(
        client, LABELS, rotations=1, journal=journal, guard="none", limit=limit
    )  # fmt: skip


@pytest.mark.parametrize("parallel", [1, 4])
def test_dollars_are_a_hard_bound_and_a_rerun_stops_at_the_same_rows(
    serve, tmp_path, parallel: int
) -> None:
    server, client = serve(plain, parallel=parallel)
    first = chooser(client, tmp_path, Limit("prompt", 10, 5.0, DOLLAR_A_ROW)).choose_rows(rows(9))
    assert [p.status for p in first] == ["ok"] * 5 + ["error"] * 4
    assert first[-1].error == "budget: $5 of $5 spent"
    assert len(asked(server)) == 5
    again = chooser(client, tmp_path, Limit("prompt", 10, 5.0, DOLLAR_A_ROW)).choose_rows(rows(9))
    assert [(p.status, p.error) for p in again] == [(p.status, p.error) for p in first]
    assert len(asked(server)) == 5


def test_a_killed_run_goes_on_with_what_is_left_of_the_money(serve, tmp_path) -> None:
    server, client = serve(plain)
    chooser(client, tmp_path, Limit("prompt", 10, 5.0, DOLLAR_A_ROW)).choose_rows(rows(3))
    went_on = chooser(client, tmp_path, Limit("prompt", 10, 5.0, DOLLAR_A_ROW)).choose_rows(rows(9))
    assert sum(p.status == "ok" for p in went_on) == 5
    assert len(asked(server)) == 5


def test_more_money_answers_the_rows_that_less_did_not(serve, tmp_path) -> None:
    _, client = serve(plain)
    chooser(client, tmp_path, Limit("prompt", 10, 2.0, DOLLAR_A_ROW)).choose_rows(rows(4))
    more = chooser(client, tmp_path, Limit("prompt", 10, 4.0, DOLLAR_A_ROW)).choose_rows(rows(4))
    assert {p.status for p in more} == {"ok"}


def test_a_row_that_would_overrun_is_not_asked(serve, tmp_path) -> None:
    _, client = serve(plain)
    limit = Limit("prompt", 10, 2.5, DOLLAR_A_ROW)
    given = chooser(client, tmp_path, limit).choose_rows(rows(4))
    assert [p.status for p in given] == ["ok", "ok", "error", "error"]
    assert limit.spent == pytest.approx(2.0)


def test_failures_may_be_billed_and_count(serve, tmp_path) -> None:
    _, client = serve(lambda body: (200, {}, b"<html>") if "row 1" in str(body) else plain(body))
    limit = Limit("prompt", 10, 3.0, DOLLAR_A_ROW)
    given = chooser(client, tmp_path, limit).choose_rows(rows(5))
    assert [p.error is not None and "budget" in p.error for p in given] == [
        False, False, False, True, True,
    ]  # fmt: skip


def test_a_limit_in_dollars_wants_a_price_and_counted_tokens(serve, tmp_path) -> None:
    with pytest.raises(InputError, match=r"levers\.prompt\.dollars: .* price is not known"):
        Limit("prompt", 10, 5.0, Billing())
    with pytest.raises(InputError, match="0 pays for no row"):
        Limit("prompt", 10, 0.0, DOLLAR_A_ROW)
    _, client = serve(lambda _: completion("A", prompt_tokens=None), parallel=4)
    limit = Limit("prompt", 10, 5.0, DOLLAR_A_ROW)
    with pytest.raises(InputError, match="does not say how many tokens"):
        chooser(client, tmp_path, limit).choose_rows(rows(8))


def test_answers_end_at_twice_the_minutes_and_a_rerun_ends_there_too(serve, tmp_path) -> None:
    def slow(body):
        time.sleep(0.1)
        return plain(body)

    _, client = serve(slow)
    first = chooser(client, tmp_path, Limit("prompt", 0.002, None, Billing())).choose_rows(rows(6))
    statuses = [p.status for p in first]
    assert statuses[0] == "ok"
    assert statuses[-1] == "timeout"
    assert first[-1].error == "budget: 2 times the 0.002 minutes are over"
    again = chooser(client, tmp_path, Limit("prompt", 0.002, None, Billing())).choose_rows(rows(6))
    assert [p.status for p in again] == statuses


def test_time_of_choosing_is_not_time_of_answers(serve, tmp_path) -> None:
    _, client = serve(lambda body: (time.sleep(0.1), plain(body))[1])
    limit = Limit("prompt", 0.001, None, Billing())
    made = chooser(client, tmp_path, limit)
    assert made.choose_rows(rows(3))[-1].status == "timeout"
    limit.start_answers()
    assert made.choose_rows([Row("x", "row x")])[0].status == "ok"


def test_a_server_that_goes_away_ends_the_run_and_its_answers_are_kept(serve, tmp_path) -> None:
    dead = threading.Event()

    def answer(body):
        if "row 4" in str(body):
            dead.set()
        return (429, {}, b"{}") if dead.is_set() else plain(body)

    server, client = serve(answer, retries=0)
    with pytest.raises(LLMError, match=r"429 .*rows answered are kept, and the same command goes"):
        chooser(client, tmp_path).choose_rows(rows(20))
    assert len(asked(server)) == 7  # the third row in a row is the end
    _, back = serve(plain)
    back.server = client.server  # the same server, up again
    assert {p.status for p in chooser(back, tmp_path).choose_rows(rows(20))} == {"ok"}
    assert len(Journal(tmp_path / "j.jsonl")) == 20


def test_the_last_row_is_not_lost_for_good_when_the_server_dies_before_it(serve, tmp_path) -> None:
    gone = threading.Event()

    def answer(body):
        if "row 2" in str(body):
            gone.set()
        return (429, {}, b"{}") if gone.is_set() else plain(body)

    _, client = serve(answer, retries=0)
    with pytest.raises(LLMError, match="same command goes on"):
        chooser(client, tmp_path).choose_rows(rows(3))


def test_a_row_lost_to_a_hiccup_is_asked_again(serve, tmp_path) -> None:
    lost = []

    def answer(body):
        if "row 1" in str(body) and not lost:
            lost.append(1)
            return 429, {}, b"{}"
        return plain(body)

    _, client = serve(answer, retries=0)
    assert {p.status for p in chooser(client, tmp_path).choose_rows(rows(3))} == {"ok"}


def test_a_row_that_only_itself_breaks_is_given_up_and_stays_so(serve, tmp_path) -> None:
    server, client = serve(
        lambda body: (500, {}, b"boom") if "row 1" in str(body) else plain(body), retries=0
    )
    given = chooser(client, tmp_path).choose_rows(rows(3))
    assert [p.status for p in given] == ["ok", "error", "ok"]
    before = len(server.seen)
    again = chooser(client, tmp_path).choose_rows(rows(3))
    assert [p.error for p in again] == [p.error for p in given]
    assert len(server.seen) == before


def test_a_row_that_timed_out_says_how_long_the_user_waited(serve, tmp_path) -> None:
    def slow(body):
        time.sleep(0.4)
        return plain(body)

    _, client = serve(slow, timeout=0.15, retries=1)
    waited = chooser(client, tmp_path).choose("1", "row 1")
    assert waited.status == "timeout"
    assert waited.usage.seconds is not None
    assert waited.usage.seconds >= 0.3
