from __future__ import annotations

import json
import socket
import time

import pytest
from loopback_server import completion

from whichlever.errors import (
    InputError,
    LLMError,
    LLMGarbage,
    LLMRateLimited,
    LLMTimeout,
    LLMUnreachable,
    LLMWindowError,
)
from whichlever.llm import Client, Reply, Server, open_llm, transport, waiting
from whichlever.llm import client as client_module
from whichlever.task import Task

ASK = [{"role": "user", "content": "hello"}]


def test_tokens_are_as_the_server_counts_them(serve) -> None:
    _, client = serve(
        lambda _: completion("hi", prompt_tokens=42, prompt_tokens_details={"cached_tokens": 30})
    )
    usage = client.complete(ASK, max_tokens=5).usage
    assert (usage.tokens_in, usage.tokens_cached, usage.tokens_out) == (42, 30, 1)
    assert usage.seconds is not None
    assert usage.seconds > 0


def test_loopback_counts_as_nothing_leaving_and_elsewhere_every_byte_counts(
    serve, monkeypatch
) -> None:
    _, client = serve(lambda _: completion("hi"))
    assert client.complete(ASK, max_tokens=5).usage.bytes_out == 0
    monkeypatch.setattr(client, "_loopback", False)
    sent = client.complete(ASK, max_tokens=5).usage.bytes_out
    assert sent is not None
    assert sent > len(json.dumps(ASK))


def test_429_waits_as_long_as_asked_and_goes_on(serve) -> None:
    times: list[float] = []

    def answer(_):
        times.append(time.monotonic())
        return (429, {"retry-after": "1"}, b"{}") if len(times) == 1 else completion("hi")

    _, client = serve(answer)
    assert client.complete(ASK, max_tokens=5).text == "hi"
    assert times[1] - times[0] >= 1.0


def test_429_for_ever_is_one_line_after_bounded_retries(serve, monkeypatch) -> None:
    monkeypatch.setattr(client_module.time, "sleep", lambda _: None)
    server, client = serve(lambda _: (429, {}, b"{}"))
    with pytest.raises(LLMRateLimited, match=r"house: still answers 429 .* parallel") as caught:
        client.complete(ASK, max_tokens=5)
    assert "\n" not in str(caught.value)
    assert len(server.seen) == 3


def test_a_passing_server_error_is_retried(serve, monkeypatch) -> None:
    monkeypatch.setattr(client_module.time, "sleep", lambda _: None)
    answers = iter([(503, {}, b"busy"), completion("hi")])
    _, client = serve(lambda _: next(answers))
    assert client.complete(ASK, max_tokens=5).text == "hi"


def test_the_seconds_of_an_answer_are_those_a_user_waits(serve) -> None:
    answers = iter([(503, {"retry-after": "0.4"}, b"busy"), completion("hi")])
    _, client = serve(lambda _: next(answers))
    began = time.monotonic()
    seconds = client.complete(ASK, max_tokens=5).usage.seconds
    assert seconds is not None
    assert 0.4 <= seconds <= time.monotonic() - began


def test_what_a_server_says_is_one_short_printable_line(serve) -> None:
    said = {"error": {"message": "odd \ud800 \x1b[31m\u202e words\n" * 100}}
    _, client = serve(lambda _: (404, {}, json.dumps(said).encode()))
    with pytest.raises(LLMError) as caught:
        client.complete(ASK, max_tokens=5)
    line = str(caught.value)
    assert line.encode("utf-8")
    assert line.isprintable()
    assert len(line) < 400


@pytest.mark.parametrize("url", ["http://[abc", "http://host:99999/v1", "ftp://host/v1", "host"])
def test_an_address_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(InputError, match=r"^llms\.house\.base_url: .* write http://HOST:PORT/v1$"):
        Client(Server("house", url, "m"))


def test_an_endless_retry_after_is_capped() -> None:
    assert waiting.wait_seconds(0, 86_400.0) == waiting.LONGEST_WAIT
    assert waiting.retry_after("Thu, 01 Jan 1970 00:00:00 GMT") == 0.0
    assert waiting.retry_after("soon") is None


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b"", b"[]", b'{"choices": []}', b"[" * 100_000,
     b'{"choices":[{"message":{"content":7}}]}'],
)  # fmt: skip
def test_garbage_says_which_server_and_what_to_check(serve, body: bytes) -> None:
    _, client = serve(lambda _: (200, {"content-type": "application/json"}, body))
    with pytest.raises(LLMGarbage, match=r"^house: ") as caught:
        client.complete(ASK, max_tokens=5)
    assert "\n" not in str(caught.value)


def test_an_answer_without_end_is_cut_off(serve, monkeypatch) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1000)
    _, client = serve(lambda _: completion("x" * 5000))
    with pytest.raises(LLMGarbage, match="larger than 1000 bytes"):
        client.complete(ASK, max_tokens=5)


def test_a_slow_server_times_out(serve) -> None:
    def answer(_):
        time.sleep(0.6)
        return completion("late")

    _, client = serve(answer, timeout=0.2, retries=0)
    with pytest.raises(LLMTimeout, match=r"house: no answer within 0.2 s"):
        client.complete(ASK, max_tokens=5)


def test_a_server_that_drips_bytes_times_out_as_a_whole(serve) -> None:
    status, headers, raw = completion("x" * 500)
    _, client = serve(
        lambda _: (status, {**headers, "x-drip": "0.02"}, raw), timeout=0.3, retries=0
    )
    began = time.monotonic()
    with pytest.raises(LLMTimeout):
        client.complete(ASK, max_tokens=5)
    assert time.monotonic() - began < 3


def test_nobody_there_is_said_with_the_address(monkeypatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setattr(client_module.time, "sleep", lambda _: None)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with (
        Client(Server("house", f"http://127.0.0.1:{port}/v1", "m", retries=1)) as client,
        pytest.raises(LLMUnreachable, match=f"house: cannot be reached at 127.0.0.1:{port}"),
    ):
        client.check()


def test_a_prompt_too_long_is_not_an_ordinary_error(serve) -> None:
    said = {"error": {"message": "maximum context length is 100 tokens", "code": 400}}
    _, client = serve(lambda _: (400, {}, json.dumps(said).encode()))
    with pytest.raises(LLMWindowError):
        client.complete(ASK, max_tokens=5)


def test_what_a_server_refuses_to_be_told_is_left_out(serve) -> None:
    def answer(body):
        for field in ("max_tokens", "temperature", "logprobs"):
            if field in body:
                said = {"error": {"message": f"Unsupported parameter: '{field}'"}}
                return 400, {}, json.dumps(said).encode()
        return completion("hi")

    server, client = serve(answer)
    assert client.complete(ASK, max_tokens=5, top_logprobs=3).text == "hi"
    assert server.seen[-1]["max_completion_tokens"] == 5
    before = len(server.seen)
    client.complete(ASK, max_tokens=5, top_logprobs=3)
    assert len(server.seen) == before + 1


def test_a_redirect_is_not_followed(serve) -> None:
    server, client = serve(lambda _: (307, {"location": "http://192.0.2.1/v1"}, b""))
    with pytest.raises(LLMError, match="HTTP 307"):
        client.complete(ASK, max_tokens=5)
    assert len(server.seen) == 1


def test_nothing_of_this_machine_is_sent(serve, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:1")
    server, client = serve(lambda _: completion("hi"))
    client.complete(ASK, max_tokens=5)
    allowed = {"host", "authorization", "content-type", "content-length", "accept",
               "accept-encoding", "user-agent"}  # fmt: skip
    assert set(server.headers[0]) <= allowed
    assert server.headers[0]["user-agent"] == "whichlever"


def test_a_reply_survives_the_journal(serve) -> None:
    _, client = serve(lambda _: completion("A", [("A", -0.25), ("B", -1.5)]))
    reply = client.complete(ASK, max_tokens=1, top_logprobs=2)
    assert Reply.from_json(json.loads(json.dumps(reply.to_json()))) == reply


TASK = """
task: t
data: {rows: r.jsonl, input: text}
constraints: {data_may_leave: %s}
llms:
  far: {base_url: "http://192.0.2.1/v1", model: m, key_env: NO_SUCH_KEY_SET}
"""


def test_a_remote_model_is_refused_where_data_may_not_leave() -> None:
    with pytest.raises(InputError, match=r"llms.far is remote .*data_may_leave is false"):
        open_llm("far", Task.parse(TASK % "false"))


def test_a_missing_key_names_its_variable() -> None:
    with pytest.raises(InputError, match="NO_SUCH_KEY_SET is not set"):
        open_llm("far", Task.parse(TASK % "true"))
