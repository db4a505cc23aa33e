"""The co-pilot's simulated notes: the same for every seed, and a task that can be learned."""

from __future__ import annotations

import json
from pathlib import Path

import whichlever as wl
from whichlever.packs.copilot import pack
from whichlever.packs.copilot.words import TRADES


def test_the_same_seed_writes_the_same_bytes_and_says_that_it_is_simulated(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        pack.write_template(tmp_path / name, seed=seed)
    read = {n: (tmp_path / n / "data" / "notes.jsonl").read_bytes() for n in "abc"}
    assert read["a"] == read["b"] != read["c"]
    rows = [json.loads(line) for line in read["a"].splitlines()]
    assert all(row["simulated"] for row in rows)
    answers = {sentence for codes in TRADES.values() for sentence in codes}
    assert {row["output"] for row in rows} == answers
    assert "SIMULATED" in (tmp_path / "a" / "task.yaml").read_text()


def test_the_template_is_a_task_that_the_floor_learns_in_part(tmp_path: Path) -> None:
    pack.write_template(tmp_path / "task", seed=0)
    task = wl.Task.load(tmp_path / "task" / "task.yaml")
    assert task.kind == "generate"
    done = wl.compare(task, tmp_path / "run", only=["majority", "linear"])
    floor = done.measures.lever("linear").metrics["exact_match"].value
    assert 0.5 < floor < 0.97  # 4 % of the answers are wrong on purpose
