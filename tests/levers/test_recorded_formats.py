"""Answers in other systems' formats, crafted here as their documentation describes them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit
from whichlever.levers.recorded import Recorded
from whichlever.levers.recorded_convert import convert
from whichlever.levers.recorded_settle import read_settled
from whichlever.predict import Prediction, Row
from whichlever.task import RecordedAnswers, Task

LABELS = ("noise", "critical")
ROWS = [Row(f"r{i}", f"alert number {i}\nfrom 10.0.0.{i}", "noise") for i in range(1, 7)]
IDS = frozenset(row.id for row in ROWS)


def chat(content: Any, **more: Any) -> dict[str, Any]:
    """A chat completion as OpenAI's API describes it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-mini",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **more},
             "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 4, "total_tokens": 124,
                  "prompt_tokens_details": {"cached_tokens": 64}},
    }  # fmt: skip


def responses(*parts: dict[str, Any]) -> dict[str, Any]:
    """A response of OpenAI's Responses API."""
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "error": None,
        "model": "gpt-4o-mini",
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "assistant", "content": list(parts)},
        ],
        "usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0},
                  "output_tokens": 7, "total_tokens": 107},
    }  # fmt: skip


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message of Anthropic's API."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-5-haiku-20241022",
        "content": list(content),
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 20, "cache_creation_input_tokens": 5,
                  "cache_read_input_tokens": 300, "output_tokens": 9},
        **more,
    }  # fmt: skip


def write(folder: Path, *records: Any, name: str = "in.jsonl") -> str:
    text = "".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in records)
    (folder / name).write_text(text, encoding="utf-8")
    return name


def fit(folder: Path, name: str, **settings: Any) -> Fit:
    task = Task.parse("task: t\ndata: {rows: rows.jsonl, input: text}\n", folder=folder)
    lever = Recorded("x", RecordedAnswers(path=name, **settings))
    lever.check(task)
    return lever.fit([], [], Context(task, LABELS, 0, folder, test_ids=IDS))


def ask(fitted: Fit) -> dict[str, Prediction]:
    return {p.id: p for p in fitted.predictor.predict(ROWS)}


def test_openai_batch_output_of_both_apis(tmp_path: Path) -> None:
    def line(id_: str, body: Any, status: int = 200, error: Any = None) -> dict[str, Any]:
        response = {"status_code": status, "request_id": "q", "body": body}
        return {"id": "batch_req_1", "custom_id": id_, "response": response, "error": error}

    fitted = fit(tmp_path, write(
        tmp_path,
        line("r1", chat('{"label": "critical"}')),
        line("r2", responses({"type": "output_text", "text": "noise", "annotations": []})),
        line("r3", chat(None, refusal="I cannot help with that.")),
        line("r4", {"error": {"message": "overloaded", "code": 503}}, status=503),
        {"id": "batch_req_2", "custom_id": "r5", "response": None,
         "error": {"code": "batch_expired", "message": "expired"}},
    ))  # fmt: skip
    answers = ask(fitted)
    assert [p.status for p in answers.values()] == [
        "ok", "ok", "refused", "error", "error", "missing",
    ]  # fmt: skip
    assert answers["r1"].label == "critical"
    assert answers["r1"].usage.tokens_in == 120
    assert answers["r1"].usage.tokens_cached == 64
    assert answers["r2"].label == "noise"
    assert answers["r2"].usage.tokens_out == 7
    assert answers["r4"].error == "overloaded"
    assert answers["r5"].error == "expired"
    assert fitted.chosen["format"] == "OpenAI batch"
    # The price of the model that the replies name, since the task names none.
    assert fitted.price_as == "gpt-4o-mini"
    assert "gpt-4o-mini" in fitted.what


def test_anthropic_batch_results(tmp_path: Path) -> None:
    tool = {"type": "tool_use", "id": "t", "name": "answer", "input": {"label": "critical"}}
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}}
    fitted = fit(tmp_path, write(
        tmp_path,
        {"custom_id": "r1", "result": {"type": "succeeded", "message": message(tool)}},
        {"custom_id": "r2", "result": {"type": "succeeded", "message": message(
            {"type": "thinking", "thinking": "critical?"},
            {"type": "text", "text": "```json\n{\"label\": \"noise\"}\n```"})}},
        {"custom_id": "r3", "result": {"type": "errored", "error": error}},
        {"custom_id": "r4", "result": {"type": "expired"}},
        {"custom_id": "r5", "result": {"type": "canceled"}},
    ))  # fmt: skip
    answers = ask(fitted)
    assert [p.label for p in answers.values()] == ["critical", "noise", None, None, None, None]
    assert answers["r3"].error == "too long"
    assert answers["r4"].error == "expired"
    # What was read from the cache and written to it is input too.
    assert answers["r1"].usage.tokens_in == 325
    assert answers["r1"].usage.tokens_cached == 300
    assert answers["r1"].usage.tokens_out == 9
    with pytest.raises(DataError, match=r"in\.jsonl:1: result\.type is 'done'"):
        fit(tmp_path, write(tmp_path, {"custom_id": "r1", "result": {"type": "done"}}))


def test_chat_logs_are_matched_by_id_or_by_the_text_asked_about(tmp_path: Path) -> None:
    def asked(text: str, **more: Any) -> dict[str, Any]:
        return {
            "model": "gpt-4o-mini",
            "messages": [{"role": "system", "content": "Sort."}, {"role": "user", "content": text}],
            **more,
        }

    fitted = fit(tmp_path, write(
        tmp_path,
        {"request": asked("?", metadata={"id": "r1"}), "response": chat("noise"), "seconds": 1.5},
        {"request": asked("?", user="r2"), "response": chat("critical"), "latency_ms": 250},
        # No id: the row's own text, and the text between a request's marks.
        {"request": asked(ROWS[2].text), "response": chat("noise")},
        {"request": asked(f"<text>\n{ROWS[3].text}\n</text>\nAnswer:"), "response": chat("noise")},
        {"request": asked("a text that is no row's"), "response": chat("noise")},
    ))  # fmt: skip
    answers = ask(fitted)
    assert [p.label for p in answers.values()] == [
        "noise", "critical", "noise", "noise", None, None,
    ]  # fmt: skip
    assert answers["r1"].usage.seconds == 1.5
    assert answers["r2"].usage.seconds == 0.25


def test_chat_logs_of_proxies(tmp_path: Path) -> None:
    body = {"model": "claude-3-5-haiku-20241022", "max_tokens": 5, "metadata": {"user_id": "r1"},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}]}]}  # fmt: skip
    said = message({"type": "text", "text": "noise"})
    lite = {"id": "uuid", "model": "claude-3-5-haiku-20241022", "messages": body["messages"],
            "response": chat("critical") | {"model": "claude-3-5-haiku-20241022"},
            "metadata": {"requester_metadata": {"row_id": "r3"}},
            "startTime": 1700000000.0, "endTime": 1700000000.75}  # fmt: skip
    fitted = fit(tmp_path, write(
        tmp_path,
        {"request_body": json.dumps(body), "response_body": json.dumps(said)},
        {"request": {"body": body | {"metadata": {"user_id": "r2"}}},
         "response": {"status": 529, "body": {"type": "error", "error": {"message": "busy"}}}},
        lite,
    ))  # fmt: skip
    answers = ask(fitted)
    assert [answers[i].label for i in ("r1", "r2", "r3")] == ["noise", None, "critical"]
    assert answers["r2"].status == "error"
    assert answers["r3"].usage.seconds == pytest.approx(0.75)


def result(id_: str, output: Any, provider: str = "openai:chat:gpt-4o-mini", **more: Any) -> Any:
    return {
        "promptIdx": 0, "testIdx": 0, "vars": {"id": id_, "question": "…"},
        "provider": {"id": provider, "label": ""},
        "response": {"output": output, "cached": False,
                     "tokenUsage": {"total": 30, "prompt": 28, "completion": 2, "numRequests": 1}},
        "latencyMs": 420, "cost": 0.00001, "success": True, "score": 1, **more,
    }  # fmt: skip


def promptfoo(*results: Any, version: int = 3) -> str:
    inner = {"version": version, "timestamp": "t", "prompts": [], "results": list(results)}
    return json.dumps({"evalId": "eval-1", "results": inner, "config": {}}, indent=2)


def test_promptfoo_json_in_its_versions(tmp_path: Path) -> None:
    cached = result("r3", "noise")
    cached["response"] |= {"cached": True, "tokenUsage": {"cached": 30, "total": 30}}
    failed = result("r4", None) | {"response": {"error": "API error: 429"}}
    wrong = result("r5", '{"label": "critical"}', success=False, error="Expected output …")
    rows = [result("r1", "noise"), result("r2", {"label": "critical"}), cached, failed, wrong]
    old = json.dumps({"version": 1, "results": rows})
    lines = "\n".join(json.dumps(row) for row in rows)
    for text in (promptfoo(*rows), old, lines):
        (tmp_path / "r.json").write_text(text)
        fitted = fit(tmp_path, "r.json")
        answers = ask(fitted)
        # An assertion that failed there says nothing of the label here.
        assert [p.label for p in answers.values()] == [
            "noise", "critical", "noise", None, "critical", None,
        ]  # fmt: skip
        assert answers["r1"].usage.tokens_in == 28
        assert answers["r1"].usage.seconds == 0.42
        assert answers["r3"].usage.tokens_in is None
        assert answers["r3"].usage.seconds is None
        assert answers["r4"].error == "API error: 429"
        assert fitted.price_as == "gpt-4o-mini"


def test_of_several_providers_one_is_named(tmp_path: Path) -> None:
    both = [result("r1", "noise"), result("r1", "critical", "anthropic:messages:claude-3-5-haiku")]
    (tmp_path / "r.json").write_text(promptfoo(*both))
    with pytest.raises(DataError, match=r"r\.json: answers of 2 models .*name one of them"):
        fit(tmp_path, "r.json")
    assert ask(fit(tmp_path, "r.json", model="claude-3-5-haiku"))["r1"].label == "critical"
    assert ask(fit(tmp_path, "r.json", model="openai:chat:gpt-4o-mini"))["r1"].label == "noise"
    with pytest.raises(DataError, match=r"no answers of 'gpt-9' \(it holds openai"):
        fit(tmp_path, "r.json", model="gpt-9")


def test_promptfoo_csv_with_a_prompt_of_several_lines(tmp_path: Path) -> None:
    out = io.StringIO()
    per = ["Status", "Score", "Named Scores", "Grader Reason", "Comment"]
    table = csv.writer(out)
    table.writerow(["id", "question", "[openai:chat:a] Sort:\n{{question}}", *per,
                    "[openai:chat:b] Sort:\n{{question}}", *per])  # fmt: skip
    table.writerow(["r1", "x\ny", "noise", "PASS", "1.00", "", "", "",
                    "I cannot tell noise from critical", "FAIL", "0.00", "", "", ""])  # fmt: skip
    table.writerow(["r2", "x", "'-critical-", "PASS", "1", "", "", "",
                    "timeout", "ERROR", "0", "", "", ""])  # fmt: skip
    (tmp_path / "r.csv").write_text(out.getvalue())
    assert [ask(fit(tmp_path, "r.csv", model="a"))[i].label for i in ("r1", "r2")] == [
        "noise",
        None,
    ]
    answers = ask(fit(tmp_path, "r.csv", model="openai:chat:b"))
    assert answers["r1"].status == "refused"
    assert answers["r2"].status == "error"


def test_plain_csv(tmp_path: Path) -> None:
    text = "id,prediction,tokens_in,tokens_out,seconds,error\nr1,noise,10,2,0.5,\nr2,,,,,late\n"
    (tmp_path / "a.csv").write_text(text)
    answers = ask(fit(tmp_path, "a.csv"))
    assert (answers["r1"].label, answers["r1"].usage.tokens_in) == ("noise", 10)
    assert answers["r2"].error == "late"
    (tmp_path / "b.csv").write_text("alert,answer\nr1,noise\n")
    with pytest.raises(DataError, match=r"b\.csv:1: no columns id and prediction \(it has alert"):
        fit(tmp_path, "b.csv")


def test_an_answer_is_read_as_the_levers_read_it(tmp_path: Path) -> None:
    said = ["Noise.", "(critical)", "noise or critical", "it is noise", '{"label": ["noise"]}',
            '{"answer": "CRITICAL"}']  # fmt: skip
    lines = [{"custom_id": f"r{i}", "response": {"status_code": 200, "body": chat(text)}}
             for i, text in enumerate(said, 1)]  # fmt: skip
    answers = ask(fit(tmp_path, write(tmp_path, *lines)))
    assert [p.label for p in answers.values()] == [
        "noise", "critical", None, None, None, "critical",
    ]  # fmt: skip
    assert [p.status for p in answers.values()].count("refused") == 3


def test_a_failed_try_gives_way_to_a_later_answer_and_two_answers_are_refused(
    tmp_path: Path,
) -> None:
    def line(id_: str, kind: str) -> dict[str, Any]:
        return {"custom_id": id_, "result": {"type": kind, "message": message(
            {"type": "text", "text": "noise"})}}  # fmt: skip

    name = write(tmp_path, line("r1", "errored"), line("r1", "succeeded"), line("r1", "expired"))
    settled = read_settled(name, tmp_path / name)
    assert settled.by_id["r1"].prediction == "noise"
    assert settled.retried == 2
    name = write(tmp_path, line("r1", "succeeded"), line("r1", "succeeded"))
    with pytest.raises(DataError, match=r"in\.jsonl:2: id 'r1' was answered on line 1 already"):
        read_settled(name, tmp_path / name)


@pytest.mark.parametrize(
    "text",
    ["{}", '{"a": 1}', "[1, 2]", '"x"', "5", '{"results": {}}', '{"results": 3}', "[", "{", "[[]]",
     '[{"a": 1}]', "null", '{"results": {"results": [1]}}', '{"custom_id": "a"', "\x00"],
)  # fmt: skip
def test_what_is_no_known_format_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError) as caught:
        read_settled("x.json", tmp_path / "x.json")
    assert str(caught.value).startswith("x.json")
    assert "\n" not in str(caught.value)


def test_convert_writes_rows_that_read_back_the_same(tmp_path: Path) -> None:
    lines = [{"custom_id": id_, "response": {"status_code": 200, "body": chat(text)}}
             for id_, text in (("r1", "noise"), ("r2", "either"), ("zz", "noise"))]  # fmt: skip
    lines.append({"custom_id": "r3", "response": None, "error": {"message": "gone \ud800"}})
    name = write(tmp_path, *lines)
    found = convert(tmp_path / name, tmp_path / "out.jsonl", ROWS, LABELS, ["r1", "r2", "r6"])
    assert (found.rows, found.answered, found.refused, found.errors) == (3, 1, 1, 1)
    assert (found.unknown_ids, found.test_rows, found.test_rows_answered) == (1, 3, 2)
    before, after = ask(fit(tmp_path, name)), ask(fit(tmp_path, "out.jsonl"))
    for id_, prediction in before.items():
        assert after[id_].label == prediction.label
        assert after[id_].status == prediction.status
        assert after[id_].usage.tokens_in == prediction.usage.tokens_in
        assert after[id_].usage.tokens_cached == prediction.usage.tokens_cached
    other = [Row("q1", "x", "noise"), Row("q2", "y", "noise")]
    with pytest.raises(DataError, match=r"in\.jsonl: answers no row of the task"):
        convert(tmp_path / name, tmp_path / "no.jsonl", other, LABELS, [])
    assert not (tmp_path / "no.jsonl").exists()
