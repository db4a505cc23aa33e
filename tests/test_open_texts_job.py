"""Open answers asked of a server, held to a schema, and judged by a model and by people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import whichlever as wl
from llm.loopback_server import Answer, LoopbackServer, completion
from whichlever.answer_schema import AnswerSchema
from whichlever.cli import main
from whichlever.errors import DataError, TaskError
from whichlever.judging import read_people
from whichlever.report import write_report

NUMBERS = {f"T{i}": f"tooth {i}" for i in range(1, 9)}
SCHEMA = {
    "type": "object",
    "properties": {"tooth": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["tooth", "count"],
}
TASK = """\
version: 1
task: teeth
kind: generate
answers: open
about: Simulated chart marks as JSON.
answer_schema: schema.json
goal: {metric: token_f1}
data: {rows: rows.jsonl, id: id, input: input,
       split: {by: random, valid: 0.2, calibrate: 0.1, test: 0.3}}
llms:
  near: {base_url: "%s", model: m, place: here, context: 4096}
levers:
  prompt: {model: near, shots: 2}
  rag: {model: near, k: 2, retrieve: rows}
judge: {model: near, rubric: Judge the chart mark., max_rows: 12%s}
"""


def held_to(body: dict[str, Any], answer: str) -> Answer:
    """The answer in the form that the request's schema asks for."""
    held = body.get("response_format")
    if held is None:
        return completion(answer)
    (field,) = held["json_schema"]["schema"]["properties"]
    return completion(json.dumps({field: answer}))


def said(body: dict[str, Any]) -> Answer:
    """Answer as a model that sees the code would: right, or without the schema's other half."""
    system = body["messages"][0]["content"]
    if system.startswith("Judge"):
        asked = body["messages"][-1]["content"]
        true, mine = (
            asked.split(f"{name}: ")[1].split("\n")[0] for name in ("True answer", "To judge")
        )
        options = dict(
            line.split(":")[0].split(" = ")[::-1] for line in system.splitlines() if " = " in line
        )
        return held_to(body, options["right" if mine[:18] == true[:18] else "wrong"])
    if "banana" in body["messages"][-1]["content"]:
        return held_to(body, "kiwi" if "response_format" in body else "banana")
    code = body["messages"][-1]["content"].rsplit("mark ", 1)[1].split()[0]
    whole = "<example>" in body["messages"][-1]["content"]  # rag shows the form, and it is kept
    made: dict[str, Any] = {"tooth": NUMBERS[code], **({"count": 1} if whole else {})}
    return completion(f"```json\n{json.dumps(made)}\n```", completion_tokens=12)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, LoopbackServer]]:
    pytest.importorskip("openai", reason="the llm extra is not installed")
    folder = tmp_path_factory.mktemp("open")
    server = LoopbackServer(said)
    with (folder / "rows.jsonl").open("w") as out:
        for i in range(90):
            code = f"T{i % 8 + 1}"
            answer = {"tooth": NUMBERS[code], "count": 1}
            row = {"id": f"r{i}", "input": f"visit {i} mark {code} seen", "output": answer}
            out.write(json.dumps({**row, "output": json.dumps(answer)}) + "\n")
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "task.yaml").write_text(TASK % (server.url, ""))
    yield folder, server
    server.close()


@pytest.fixture(scope="module")
def done(task: tuple[Path, LoopbackServer]) -> wl.Comparison:
    folder, _ = task
    return wl.compare(wl.Task.load(folder / "task.yaml"), folder / "run")


def test_a_model_is_asked_in_free_words_and_held_to_the_schema(
    done: wl.Comparison, task: tuple[Path, LoopbackServer]
) -> None:
    levers = {s.lever: s for s in done.measures.levers}
    assert set(levers) == {"majority", "prompt", "rag-vote", "rag"}
    assert levers["rag"].metrics["exact_match"].value == 1
    assert levers["rag"].metrics["valid"].value == 1
    prompted = levers["prompt"].metrics
    if levers["prompt"].chosen["prompt"] == "zero-shot":
        assert prompted["valid"].value == 0
    assert prompted["exact_match"].value < 1 < 1 + prompted["token_f1"].value
    writing = [b for b in task[1].seen if "fits this schema" in b["messages"][0]["content"]]
    assert writing
    assert all(b["response_format"]["json_schema"]["schema"] == SCHEMA for b in writing)


def test_the_judge_sees_no_lever_and_stands_beside_the_verdict(
    done: wl.Comparison, task: tuple[Path, LoopbackServer]
) -> None:
    judge = done.measures.judge
    assert judge is not None
    assert judge.rows_cut == 12
    shares = {one.lever: one for one in judge.levers}
    assert shares["rag"].right.value == shares["rag"].equal / shares["rag"].rows == 1
    assert shares["prompt"].right.value == 1 > shares["prompt"].equal / shares["prompt"].rows
    assert shares["majority"].right.value < 0.5
    assert judge.people is None
    asked = [b for b in task[1].seen if b["messages"][0]["content"].startswith("Judge")]
    assert asked
    assert not any(name in json.dumps(asked) for name in ("prompt", "rag", "majority"))
    page = write_report(done.run).read_text()
    assert "No person has judged any of these answers" in page


def test_people_judge_a_sheet_and_the_judge_is_put_beside_them(
    done: wl.Comparison, task: tuple[Path, LoopbackServer], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, server = task
    sheet = folder / "sheet.csv"
    assert main(["judge", str(done.run), "-o", str(sheet), "--rows", "30"]) == 0
    with sheet.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert set(rows[0]) == {"id", "input", "true_answer", "answer", "right"}
    for i, row in enumerate(rows):  # one person, who disagrees once, and leaves one out
        same = row["answer"][:18] == row["true_answer"][:18]
        row["right"] = "" if i == 1 else ("yes" if same is (i > 0) else "no")
    with sheet.open("w", newline="") as stream:
        out = csv.DictWriter(stream, rows[0])
        out.writeheader()
        out.writerows(rows)
    (folder / "task.yaml").write_text(TASK % (server.url, ", human: sheet.csv"))
    before = len(server.seen)
    again = wl.compare(wl.Task.load(folder / "task.yaml"), done.run)
    assert not [b for b in server.seen[before:] if b["messages"][0]["content"].startswith("Judge")]
    judge = again.measures.judge
    assert judge is not None
    assert judge.people is not None
    assert judge.people.rows == len(rows) - 1
    assert judge.people.judge_only + judge.people.people_only == 1
    assert judge.people.kappa is not None
    assert judge.people.kappa > 0.5
    assert "Cohen" in write_report(again.run).read_text()


def test_what_cannot_be_a_schema_or_a_sheet_is_refused(tmp_path: Path) -> None:
    text = TASK % ("http://127.0.0.1:9/v1", "")
    for given, words in (
        ("{$ref: 'https://elsewhere.example/x'}", "nothing is fetched"),
        ("{type: nonsense}", "no JSON schema"),
        ("{$ref: '#/$defs/nowhere'}", "which is not in it"),
        ("{type: string, pattern: '('}", "pattern"),
        ("missing.json", "cannot be read"),
    ):
        (tmp_path / "t.yaml").write_text(text.replace("schema.json", given))
        with pytest.raises(TaskError, match=words):
            wl.compare(wl.Task.load(tmp_path / "t.yaml"), tmp_path / "run")
    (tmp_path / "t.yaml").write_text(text)
    (tmp_path / "people.jsonl").write_text('{"id": "a", "answer": "b", "right": "perhaps"}\n')
    with pytest.raises(DataError, match=r"people\.jsonl:1"):
        read_people(wl.Task.load(tmp_path / "t.yaml"), "people.jsonl")


def test_a_schema_may_refer_to_itself() -> None:
    tree = {"$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}
    schema = AnswerSchema(tree)
    assert schema.fits("[[], [[]]]")
    assert not schema.fits("[1]")
    assert not schema.fits("no JSON")


def test_where_no_text_is_kept_nothing_is_called_wrong(
    task: tuple[Path, LoopbackServer], tmp_path: Path
) -> None:
    loaded = wl.Task.load(task[0] / "task.yaml")
    done = wl.compare(loaded, tmp_path / "run", only=["majority"], keep_texts=False)
    assert done.measures.judge is not None
    (only,) = done.measures.judge.levers
    assert only.unjudged + only.rows == 12
    assert only.rows == only.equal
