"""A teacher that costs money: a hard bound, and no answer paid for twice, whatever happens."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from loopback_server import Answer, LoopbackServer, completion

import whichlever as wl
from whichlever.distilling import distill

TASK = """\
version: 1
task: notes
about: Simulated notes for a help desk.
data: {{rows: rows.jsonl, id: id, input: text, target: label,
       split: {{by: random, valid: 0.2, calibrate: 0.1, test: 0.3}}}}
constraints: {{data_may_leave: true}}
goal: {{metric: accuracy}}
llms:
  house: {{base_url: "{url}", model: some-model, dollars_in: 1000, dollars_out: 1000}}
levers:
  linear: {{windows: [all], c: [1.0], chars: false, families: [svm]}}
  prompt: {{model: house, shots: 0, rotations: 1, minutes: 5, parallel: 1}}
  distill: {{teacher: prompt, student: linear, rows: more.jsonl, labelled: "true"}}
"""
EACH = 0.011
"""Dollars of one answer: ten tokens in and one out, at a dollar a thousand."""

WORDS = {"network": ["vpn", "dns", "wifi"], "printer": ["toner", "paper", "tray"]}


def write(folder: Path, url: str) -> Path:
    rng = random.Random(0)

    def note(i: int) -> dict[str, str]:
        label = rng.choice(list(WORDS))
        return {"id": f"n{i}", "text": f"{rng.choice(WORDS[label])} again {i}", "label": label}

    notes = [note(i) for i in range(260)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(n) + "\n" for n in notes[:60]))
    more = [{k: n[k] for k in ("id", "text")} for n in notes[60:]]
    (folder / "more.jsonl").write_text("".join(json.dumps(n) + "\n" for n in more))
    (folder / "task.yaml").write_text(TASK.format(url=url))
    return folder / "task.yaml"


def say(body: dict[str, Any]) -> Answer:
    """Answer with the letter of the right option."""
    system, text = body["messages"][0]["content"], body["messages"][-1]["content"]
    letters = {label: letter for letter, label in re.findall(r"^([A-Z]) = (\w+)$", system, re.M)}
    for label, words in WORDS.items():
        if any(word in text for word in words) and label in letters:
            return completion(letters[label])
    return completion("OK")


def asked(server: LoopbackServer) -> Counter[str]:
    return Counter(str(b["messages"]) for b in server.seen if "again" in str(b["messages"]))


def test_a_run_that_was_killed_pays_for_no_answer_again_and_stays_within_its_dollars(
    tmp_path: Path,
) -> None:
    pytest.importorskip("openai", reason="the llm extra is not installed")
    running: list[subprocess.Popen[bytes]] = []
    answered: set[str] = set()

    def answer(body: dict[str, Any]) -> Answer:
        if running and len(answered) == 60:  # in the middle of the pool, before it is answered
            os.kill(running.pop().pid, signal.SIGKILL)
            return completion("A")
        if "again" in str(body["messages"]):
            answered.add(str(body["messages"]))
        return say(body)

    server = LoopbackServer(answer)
    try:
        path = write(tmp_path, server.url)
        command = [sys.executable, "-m", "whichlever", "distill", str(path), "-o"]
        process = subprocess.Popen(
            [*command, str(tmp_path / "run"), "--dollars", "0.5", "--json"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running.append(process)
        assert process.wait(timeout=120) == -signal.SIGKILL
        before = set(answered)
        found = distill(wl.Task.load(path), tmp_path / "run", dollars=0.5)
        times = asked(server)
        assert max(times[body] for body in before) == 1
        assert sum(count - 1 for count in times.values()) <= 1  # the one that the kill cut off
        facts = found.comparison.measures.lever("finetune-distilled-linear").chosen["distilled"]
        assert facts["asked"] == int(0.5 / EACH)
        assert facts["teacher_dollars"] <= 0.5
        assert facts["true_labels"] == 24  # training rows keep their labels and are not asked about
        assert "dollars were spent" in facts["stopped"]
        assert facts["rounds"] > 2
        (kept,) = found.kept
        assert kept.once > facts["teacher_dollars"]
        assert kept.pays_back == pytest.approx(kept.once / EACH, rel=0.01)
        # Once more, with more money: only what is new is asked about.
        count = len(server.seen)
        distill(wl.Task.load(path), tmp_path / "run", dollars=0.6, ask="random")
        fresh = len(asked(server)) - len(times)
        assert 0 < fresh <= int(0.1 / EACH)  # what was spent before counts
        assert len(server.seen) - count <= fresh + 8  # a few probes besides
        assert max(asked(server)[body] for body in before) == 1
    finally:
        server.close()
