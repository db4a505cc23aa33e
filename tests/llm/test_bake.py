"""Baking a prompt in: what a prompted model does, learned without the prompt."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from loopback_server import Answer, LoopbackServer, completion

import whichlever as wl
from whichlever.baking import WITHOUT, bake
from whichlever.cli import main
from whichlever.errors import DataError, InputError

SYSTEM = "Sort each note of a help desk. Whatever names a printer's part goes to the printer team."
WORDS = {"network": ["vpn", "dns", "wifi"], "printer": ["toner", "paper", "tray"]}
TASK = """\
version: 1
task: notes
data: {{rows: notes.jsonl, id: id, input: text}}
labels: [network, printer]
constraints: {{data_may_leave: true}}
llms:
  house: {{base_url: "{url}", model: some-model, dollars_in: 10, dollars_out: 10}}
levers: {{linear: {{windows: [all], c: [1.0], chars: false, families: [svm]}}}}
"""


def write(folder: Path, url: str, count: int = 150) -> Path:
    rng = random.Random(0)
    with (folder / "notes.jsonl").open("w") as out:
        for i in range(count):
            words = rng.sample(WORDS[rng.choice(list(WORDS))], 2)
            out.write(json.dumps({"id": f"n{i}", "text": f"{' '.join(words)} {i}"}) + "\n")
    (folder / "task.yaml").write_text(TASK.format(url=url))
    (folder / "system.txt").write_text(SYSTEM)
    return folder / "task.yaml"


def behave(body: dict[str, Any]) -> Answer:
    """With the prompt, sort; without, always say the same."""
    system = "".join(m["content"] for m in body["messages"] if m["role"] == "system")
    text = body["messages"][-1]["content"]
    printer = any(word in text for word in WORDS["printer"])
    said = "printer" if system == SYSTEM and printer else "network"
    return completion(said, prompt_tokens=(70 if system else 0) + 12)


def test_the_student_is_faithful_without_the_prompt_and_the_tokens_saved_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("openai", reason="the llm extra is not installed")
    server = LoopbackServer(behave)
    try:
        path = write(tmp_path, server.url)
        command = ["bake", str(path), "--system", str(tmp_path / "system.txt"), "--model", "house"]
        command += ["--student", "linear", "-o", str(tmp_path / "run"), "--json"]
        assert main(command) == 0
        said = json.loads(capsys.readouterr().out)
        assert said["faithful"]["linear"]["value"] > 0.95
        assert said["faithful"][WITHOUT]["value"] < 0.8
        assert (said["tokens_with"], said["tokens_without"]) == (82.0, 12.0)
        assert said["volume"][0]["tokens"] == 50e6 * 83
        assert "70 saved, 85%" in " ".join(said["text"])
        assert "ahead of the same model without the prompt" in " ".join(said["text"])
        # Nothing is asked twice, and the students are owned like any other lever.
        count = len(server.seen)
        found = bake(
            wl.Task.load(path), tmp_path / "run", system=SYSTEM, model="house", students=["linear"]
        )
        assert len([b for b in server.seen[count:] if "banana" not in str(b)]) <= 2
        found.comparison.pack("linear", tmp_path / "model.wl")
        bundle = wl.Bundle.open(tmp_path / "model.wl", allow_unsigned=True)
        assert bundle.predict(["toner tray"])[0].label == "printer"
        with pytest.raises(DataError, match="inputs have an answer"):  # $0.00083 an answer
            bake(wl.Task.load(path), tmp_path / "poor", system=SYSTEM, model="house", dollars=0.02)
        assert len([b for b in server.seen if "vpn" in str(b) or "toner" in str(b)]) < 260
        with pytest.raises(DataError, match="nothing to bake"):
            bake(wl.Task.load(path), tmp_path / "flat", system="Say network.", model="house")
        with pytest.raises(InputError, match="either --system FILE"):
            bake(wl.Task.load(path), tmp_path / "none")
    finally:
        server.close()
