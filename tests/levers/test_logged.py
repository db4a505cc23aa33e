"""Logs of API answers as teachers: read as they are kept, and never trusted."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import whichlever as wl
from whichlever.distilling import distill
from whichlever.errors import DataError
from whichlever.levers.logged import left_out, read_log
from whichlever.predict import Row
from whichlever.settings_decoder import LogSettings

LABELS = ("network", "printer")
PATTERN = "Note: {input}\nWhich team?"
WORDS = {"network": ["vpn", "dns", "wifi"], "printer": ["toner", "paper", "tray"]}


def openai(text: str, said: str, tokens: int = 1000) -> dict[str, Any]:
    messages = [{"role": "system", "content": "Sort notes."}, {"role": "user", "content": text}]
    return {
        "request": {"model": "gpt-4o-mini", "messages": messages},
        "response": {
            "model": "gpt-4o-mini",
            "choices": [{"message": {"role": "assistant", "content": said}}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 2},
        },
    }


def anthropic(text: str, said: str) -> dict[str, Any]:
    return {
        "request": {
            "model": "claude-3-5-haiku-latest",
            "system": "Sort notes.",
            "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
        },
        "response": {
            "type": "message",
            "model": "claude-3-5-haiku-latest",
            "content": [{"type": "text", "text": said}],
            "usage": {"input_tokens": 500, "output_tokens": 2},
        },
    }


def note(text: str) -> str:
    return PATTERN.replace("{input}", text)


def write_lines(file: Path, *records: Any) -> Path:
    file.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records))
    return file


def test_both_apis_are_read_and_what_cannot_be_is_named_and_counted(tmp_path: Path) -> None:
    file = write_lines(
        tmp_path / "log.jsonl",
        openai(note("vpn down"), "network"),
        anthropic(note("no toner"), '{"label": "printer"}'),
        "{half a line",
        "[" * 100_000,
        json.dumps(["not", "an object"]),
        openai(note("tray 2"), "It may be the printer or the network."),
        openai("Something else entirely", "network"),
        {"request": {"messages": "x"}, "response": {"error": {"message": "overloaded"}}},
        openai(note("vpn  down"), "printer"),
        openai(note("x" * 2_000), "network"),
        {"request": {"messages": [{"role": "user", "content": {"a": 1}}]}, "response": 7},
    )
    log = read_log(
        LogSettings(path="log.jsonl", input=PATTERN), file, LABELS, max_chars=1_000
    )  # fmt: skip
    texts = {entry.row.text: entry.answers for entry in log.entries.values()}
    assert texts == {"vpn down": ["network", "printer"], "no toner": ["printer"]}
    assert (log.broken, log.refused, log.unmatched) == (3, 1, 2)
    assert log.failed == 2
    assert log.model == "gpt-4o-mini"
    assert [u.tokens_in for u in log.usage] == [1000, 1000, 500]
    said = left_out(log)
    assert "3 broken lines" in said
    assert "log.jsonl:3" in said
    assert "\n" not in said


def test_a_batch_names_rows_by_id(tmp_path: Path) -> None:
    body = openai("", "network")["response"]
    file = write_lines(
        tmp_path / "batch.jsonl",
        {"custom_id": "n1", "response": {"status_code": 200, "body": body}},
        {"custom_id": "n9", "response": {"status_code": 200, "body": body}},
    )
    log = read_log(LogSettings(path="batch.jsonl"), file, LABELS, rows=[Row("n1", "vpn down")])
    assert [entry.row.text for entry in log.entries.values()] == ["vpn down"]
    assert log.unmatched == 1


def test_a_log_of_nothing_is_refused_in_one_line(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "log.jsonl", "nothing", "here")
    with pytest.raises(DataError, match=r"2 broken lines.*log\.jsonl:1") as caught:
        read_log(LogSettings(path="log.jsonl"), file, LABELS)
    assert "\n" not in str(caught.value)


TASK = """\
version: 1
task: notes
data: {rows: rows.jsonl, id: id, input: text, target: label,
       split: {by: random, valid: 0.2, calibrate: 0.1, test: 0.4}}
goal: {metric: accuracy}
levers: {linear: {windows: [all], c: [1.0], chars: false, families: [svm]}}
"""


def test_a_student_learns_from_a_log_and_not_from_its_test_rows(tmp_path: Path) -> None:
    rng = random.Random(0)
    rows = []
    for i in range(300):
        label = rng.choice(LABELS)
        words = " ".join(rng.sample(WORDS[label], 2))
        rows.append({"id": f"n{i}", "text": f"{words} {i}", "label": label})
    write_lines(tmp_path / "rows.jsonl", *rows[:120])
    # The log asked about the other rows, and about the labelled ones that test holds, too.
    (tmp_path / "task.yaml").write_text(TASK)
    write_lines(tmp_path / "log.jsonl", *(openai(note(r["text"]), r["label"]) for r in rows))
    found = distill(
        wl.Task.load(tmp_path / "task.yaml"), tmp_path / "run", student=["linear"],
        logs={"path": "log.jsonl", "input": PATTERN},
    )  # fmt: skip
    (kept,) = found.kept
    student = found.comparison.measures.lever("finetune-distilled-linear")
    facts = student.chosen["distilled"]
    held = 24 + 12 + 48  # validation, calibration, test
    assert facts["log"]["held_apart"] == held
    assert facts["rows_taught"] == 300 - held
    assert facts["rows_without_label"] == 180
    # 216 answers of 1,000 tokens in and 2 out, at gpt-4o-mini's price.
    assert facts["teacher_dollars"] == pytest.approx(216 * (1000 * 0.15 + 2 * 0.6) / 1e6, rel=0.01)
    assert kept.teacher.value == 1.0
    assert kept.student.value > 0.9
    assert kept.cost_ratio > 1
    assert found.volume[0].tokens == 50e6 * 1002
    assert "120 labelled rows have a text of the log" in found.text[0]
