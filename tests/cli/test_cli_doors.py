"""Out by one door and in by the other: requests, somebody else's replies, recorded rows."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import yaml

from tiny import TASK, write_task
from whichlever.cli import main
from whichlever.data import read_dataset, split_rows
from whichlever.task import Task


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def task(tmp_path):
    return write_task(tmp_path / "task", rows=80)


def said(line: dict) -> str:
    """What a simulated model answers: right of the text where it says, else a guess."""
    text = json.dumps(line)
    word = "open" if any(w in text for w in ("denied", "failed", "crash")) else "close"
    return word if random.Random(text).random() < 0.9 else "either of them"


def openai_reply(line: dict) -> dict:
    body = {"model": "gpt-4o-mini", "choices": [{"message": {"content": said(line["body"])}}],
            "usage": {"prompt_tokens": 50, "completion_tokens": 1}}  # fmt: skip
    response = {"status_code": 200, "body": body}
    return {"custom_id": line["custom_id"], "response": response, "error": None}


def anthropic_reply(line: dict) -> dict:
    block = {"type": "tool_use", "name": "answer", "input": {"label": said(line["params"])}}
    message = {"type": "message", "role": "assistant", "model": "claude-3-5-haiku-20241022",
               "content": [block], "usage": {"input_tokens": 50, "output_tokens": 9}}  # fmt: skip
    result = {"type": "succeeded", "message": message}
    return {"custom_id": line["custom_id"], "result": result}


def promptfoo_reply(line: dict) -> dict:
    return {"vars": line["vars"], "promptIdx": 0, "provider": {"id": "openai:chat:gpt-4o-mini"},
            "response": {"output": said(line["vars"])}, "latencyMs": 300}  # fmt: skip


@pytest.mark.parametrize(
    ("format", "file", "reply"),
    [
        ("openai", "openai-1.jsonl", openai_reply),
        ("anthropic", "anthropic-1.jsonl", anthropic_reply),
        ("promptfoo", "tests.jsonl", promptfoo_reply),
    ],
)
def test_requests_go_out_and_their_replies_come_back(capsys, tmp_path, task, format, file, reply):
    code, out, _ = run(capsys, "requests", task, "--format", format, "-o", tmp_path / "out")
    assert code == 0
    assert file in out
    lines = [json.loads(x) for x in (tmp_path / "out" / file).read_text().splitlines()]
    loaded = Task.load(task)
    test = split_rows(read_dataset(loaded), loaded).test
    assert len(lines) == len(test)
    replies = [json.dumps(reply(line)) for line in lines]
    random.Random(0).shuffle(replies)
    (tmp_path / "replies.jsonl").write_text("\n".join(replies))
    answers = tmp_path / "task" / "answers.jsonl"
    command = ["record", tmp_path / "replies.jsonl", "--task", task, "-o", answers]
    code, out, _ = run(capsys, *command, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["test_rows_answered"] == found["test_rows"] == len(test)
    assert found["answered"] + found["refused"] == len(test)
    assert found["refused"] > 0
    assert found["unknown_ids"] == 0
    code, out, _ = run(capsys, *command)
    assert f"answered {found['answered']}, refused {found['refused']}, errors 0" in out
    # The recorded rows are a lever like any other, and a good one: the model read the words.
    code, out, _ = run(
        capsys, "compare", task, "-o", tmp_path / "run", "--lever", "recorded", "--json"
    )
    assert code == 0
    [summary] = [x for x in json.loads(out)["measures"]["levers"] if "other" in x["lever"]]
    assert summary["metrics"]["accuracy"]["value"] > 0.7


def test_requests_come_from_a_run_alone(capsys, tmp_path, task):
    assert run(capsys, "compare", task, "-o", tmp_path / "run", "--lever", "majority")[0] == 0
    before = (tmp_path / "run" / "requests.jsonl").read_bytes()
    for file in (tmp_path / "task").iterdir():
        file.unlink()
    code, out, _ = run(
        capsys, "requests", tmp_path / "run", "--format", "anthropic", "-o", tmp_path / "out",
        "--model", "claude-x", "--json",
    )  # fmt: skip
    assert code == 0
    [path] = json.loads(out)["files"]
    first = json.loads(Path(path).read_text().splitlines()[0])
    assert first["params"]["model"] == "claude-x"
    assert (tmp_path / "run" / "requests.jsonl").read_bytes() == before


def test_slips_are_one_line_and_exit_2(capsys, tmp_path, task):
    cases = [
        (["requests", task, "--format", "gemini", "-o", tmp_path / "o"], "known: openai"),
        (["requests", tmp_path, "-o", tmp_path / "o"], "requests.jsonl is not there"),
        (["record", tmp_path / "no.jsonl", "--task", task, "-o", tmp_path / "a"], "no such file"),
        (["init", "--format", "cef", tmp_path / "new"], "it writes: native, ecs, ocsf"),
    ]
    (tmp_path / "odd.jsonl").write_text('{"some": "thing"}\n')
    odd = ["record", tmp_path / "odd.jsonl", "--task", task, "-o", tmp_path / "a"]
    for arguments, message in [*cases, (odd, "in none of the known formats")]:
        code, _, err = run(capsys, *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1
    assert not (tmp_path / "a").exists()


def test_a_file_in_another_format_is_a_lever_directly(capsys, tmp_path, task):
    run(capsys, "requests", task, "-o", tmp_path / "out")
    written = (tmp_path / "out" / "openai-1.jsonl").read_text()
    lines = [json.loads(x) for x in written.splitlines()]
    replies = "\n".join(json.dumps(openai_reply(line)) for line in lines)
    (task.parent / "replies.jsonl").write_text(replies)
    values = yaml.safe_load(TASK)
    values["levers"] = {"recorded": {"mini": {"path": "replies.jsonl", "what": "simulated"}}}
    task.write_text(yaml.safe_dump(values))
    code, out, _ = run(
        capsys, "compare", task, "-o", tmp_path / "run", "--lever", "recorded", "--json"
    )
    assert code == 0
    [summary] = [x for x in json.loads(out)["measures"]["levers"] if x["lever"] == "recorded-mini"]
    assert summary["what"] == "recorded answers of mini (gpt-4o-mini, simulated)"
    # Priced by the model that the replies name.
    assert summary["cost"]["marginal"] > 0
