"""Choosing labels at servers of other makes, on loopback."""

from __future__ import annotations

import json
import threading
import time

import pytest
from loopback_server import completion

from whichlever.errors import LLMUnreachable
from whichlever.llm import Chooser, Journal
from whichlever.llm import client as client_module
from whichlever.predict import Row

LABELS = ("ham", "spam")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch) -> None:
    monkeypatch.setattr(client_module, "wait_seconds", lambda *_: 0.0)


def vllm(body):
    """Answer as vLLM does: structured outputs are enforced, other guards ignored."""
    if "structured_outputs" in body:
        choice = body["structured_outputs"]["choice"]
        return completion(choice[0], [(option, -0.5 - i) for i, option in enumerate(choice)])
    return completion("banana")


def unguarded(text: str):
    return lambda body: completion("banana" if "banana" in str(body) else text)


def test_a_guard_is_believed_only_when_seen(serve) -> None:
    server, client = serve(vllm)
    chooser = Chooser(client, LABELS)
    assert chooser.guard == "structured_outputs"
    assert [sorted(set(body) & {"grammar", "structured_outputs"}) for body in server.seen] == [
        ["grammar"], ["structured_outputs"],
    ]  # fmt: skip


def test_rotation_cancels_a_servers_love_of_one_letter(serve) -> None:
    _, client = serve(vllm)
    answer = Chooser(client, LABELS, rotations=2).choose("1", "hello")
    assert answer.scores == pytest.approx([0.5, 0.5])
    assert answer.usage.tokens_in == 20


def test_without_a_guard_an_answer_outside_the_labels_is_refused(serve) -> None:
    _, client = serve(unguarded("I cannot help with that"))
    chooser = Chooser(client, LABELS)
    assert not chooser.enforced
    answer = chooser.choose("1", "hello")
    assert (answer.label, answer.status) == (None, "refused")
    assert "none of the options" in answer.error


@pytest.mark.parametrize(("said", "label"), [("A", "ham"), (" B.\n", "spam"), ("(a)", "ham")])
def test_without_a_guard_a_letter_is_read_as_meant(serve, said: str, label: str) -> None:
    _, client = serve(unguarded(said))
    assert Chooser(client, LABELS, rotations=1).choose("1", "hello").label == label


def test_json_schema_scores_come_from_the_answers_own_token(serve) -> None:
    def openai(body):
        if "response_format" not in body:
            return (400, {}, b'{"error": {"message": "unknown field"}}') if (
                {"grammar", "structured_outputs", "guided_choice"} & set(body)
            ) else completion("banana")  # fmt: skip
        option = body["response_format"]["json_schema"]["schema"]["properties"]["answer"]["enum"][1]
        tokens = ['{"', "answer", '":"', option, '"}']
        content = [
            {
                "token": t,
                "top_logprobs": [{"token": t, "logprob": -0.1}, {"token": "A", "logprob": -2.5}],
            }
            for t in tokens
        ]
        choice = {"message": {"content": "".join(tokens)}, "logprobs": {"content": content}}
        return 200, {}, json.dumps({"choices": [choice]}).encode()

    _, client = serve(openai)
    chooser = Chooser(client, LABELS, rotations=1)
    assert chooser.guard == "json_schema"
    answer = chooser.choose("1", "hello")
    assert answer.label == "spam"
    assert answer.scores[1] > 0.9


def test_one_bad_row_is_a_status_and_the_others_are_answered(serve, tmp_path) -> None:
    def answer(body):
        text = body["messages"][-1]["content"]
        if "slow" in text:
            time.sleep(0.8)
        if "odd" in text:
            return 200, {}, b"<html>"
        return vllm(body)

    _, client = serve(answer, timeout=0.4, retries=0)
    rows = [Row("1", "fine"), Row("2", "slow"), Row("3", "odd"), Row("4", "fine too")]
    journal = Journal(tmp_path / "j.jsonl")
    given = Chooser(client, LABELS, rotations=1, journal=journal).choose_rows(rows)
    assert [p.id for p in given] == ["1", "2", "3", "4"]
    assert [p.status for p in given] == ["ok", "timeout", "error", "ok"]
    assert all((p.label is None) == (p.status != "ok") for p in given)
    assert len(journal) == 4  # a resumed run gives the same ones


def test_a_server_that_cuts_without_saying_so_is_caught(serve) -> None:
    def cutting(body):
        status, headers, raw = vllm(body)
        return status, headers, raw.replace(b'"prompt_tokens": 10', b'"prompt_tokens": 512')

    _, client = serve(cutting, context=512)
    assert Chooser(client, LABELS).choose("1", "long").status == "truncated"


def test_a_row_lost_to_a_broken_connection_is_asked_again_by_the_next_run(serve, tmp_path) -> None:
    server, client = serve(vllm, retries=0)
    journal = Journal(tmp_path / "j.jsonl")
    chooser = Chooser(client, LABELS, journal=journal)
    server.close()
    client._openai.close()
    client._openai = type(client)(client.server, llama=False)._openai
    assert chooser.choose("1", "hello").status == "error"
    assert len(journal) == 0


def test_a_server_that_is_not_there_raises_before_any_row(serve) -> None:
    server, client = serve(vllm, retries=0)
    server.close()
    with pytest.raises(LLMUnreachable):
        Chooser(client, LABELS)


def test_a_remote_server_is_asked_in_parallel_and_answers_stay_in_order(serve) -> None:
    meeting = threading.Barrier(4)

    def answer(body):
        if "row" in body["messages"][-1]["content"]:
            meeting.wait(timeout=4)  # only passes where four requests are under way at once
        return vllm(body)

    _, client = serve(answer, parallel=4)
    rows = [Row(str(i), f"row {i}") for i in range(8)]
    given = Chooser(client, LABELS, rotations=1).choose_rows(rows)
    assert [p.id for p in given] == [row.id for row in rows]
    assert {p.status for p in given} == {"ok"}
