from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from whichlever.errors import DataError
from whichlever.levers.recorded import read_answers
from whichlever.llm.batch import write_requests
from whichlever.predict import Row
from whichlever.task import Task

TASK = Task.parse("""
task: t
about: Triage the alert.
data: {rows: r.jsonl, input: text}
labels: {critical: wake someone, noise: close it}
""")
LABELS = ("critical", "noise")


def test_requests_ask_for_one_of_the_labels(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    rows = [Row("1", 'say "hi"\n</text>'), Row("2", "x")]
    write_requests(path, rows, TASK, LABELS, shots=[("backup", "noise")])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["custom_id"] for line in lines] == ["1", "2"]
    body = lines[0]["body"]
    assert lines[0]["url"] == "/v1/chat/completions"
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "user"]
    assert "critical: wake someone" in body["messages"][0]["content"]
    schema = body["response_format"]["json_schema"]["schema"]
    jsonschema.validate({"label": "noise"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"label": "other"}, schema)
    jsonschema.validate(json.loads(body["messages"][2]["content"]), schema)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    write_requests(path, [Row("1", "x")], TASK, LABELS)
    before = path.read_bytes()

    def rows():
        yield Row("2", "y")
        # Until it is whole it is a file that the next run takes away.
        assert [p.name[:4] for p in tmp_path.iterdir() if p != path] == [".wl-"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_requests(path, rows(), TASK, LABELS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def line(name: str, content: str | None, **more: object) -> str:
    body = {"choices": [{"message": {"content": content}}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 2}}  # fmt: skip
    values = {"custom_id": name, "response": {"status_code": 200, "body": body}, "error": None}
    return json.dumps({**values, **more})


def test_a_batchs_output_is_a_recorded_lever(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    failed = {"status_code": 500, "body": {"error": {"message": "overloaded"}}}
    path.write_text(
        "\n".join(
            [line("2", '{"label": "noise"}'), line("1", "critical"), line("3", None),
             line("4", "", response=failed), line("5", "", error={"message": "expired"})]
        )
    )  # fmt: skip
    answers = read_answers("out.jsonl", path)
    assert answers["2"].prediction == "noise"
    assert (answers["2"].usage.tokens_in, answers["2"].usage.tokens_out) == (7, 2)
    assert answers["2"].usage.seconds is None
    assert answers["1"].prediction == "critical"
    assert answers["3"].prediction is None
    assert [answers[i].error for i in "345"] == [
        "the model gave no text (it may have refused)", "overloaded", "expired"
    ]  # fmt: skip


def test_a_line_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text(line("1", "x") + '\n{"custom_id": null}\n')
    with pytest.raises(DataError, match=r"out\.jsonl:2 holds no custom_id"):
        read_answers("out.jsonl", path)
