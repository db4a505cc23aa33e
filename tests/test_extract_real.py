"""`kind: extract` on real vendor lines, where they are: read only, nothing of them is kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from whichlever.comparison import compare, prepare
from whichlever.task import Task

pytestmark = pytest.mark.real

SOURCES = ("cisco_asa.log", "system.auth", "squid.log", "nginx.access", "kafka.log")
TASK = """\
version: 1
task: real-lines
kind: extract
data: {rows: lines.jsonl, id: id, input: raw, source: source, file: path,
       split: {by: %s, valid: 0.15, calibrate: 0.1, test: 0.3}}
levers:
  linear: {minutes: 1}
  rag: {vote_only: true, vote_k: [1, 3]}
"""


def task(folder: Path, shared: Path, by: str) -> Task:
    """A task on sixty lines of each of five sources."""
    taken: dict[str, int] = dict.fromkeys(SOURCES, 0)
    with (
        gzip.open(shared / "logs" / "ecs.jsonl.gz", "rt", encoding="utf-8") as given,
        (folder / "lines.jsonl").open("w", encoding="utf-8") as out,
    ):
        for number, text in enumerate(given):
            row = json.loads(text)
            if taken.get(row["source"], 60) < 60:
                taken[row["source"]] += 1
                kept = {k: row[k] for k in ("raw", "fields", "source", "path")}
                out.write(json.dumps({"id": f"r{number}", **kept}) + "\n")
    (folder / "task.yaml").write_text(TASK % by)
    return Task.load(folder / "task.yaml")


def test_real_lines_reach_a_verdict_above_the_floor(shared_data: Path, tmp_path: Path) -> None:
    done = compare(task(tmp_path, shared_data, "shape"), tmp_path / "run")
    scores = {s.lever: s.metrics["micro_f1"].value for s in done.measures.levers}
    assert scores["majority"] < min(scores["linear"], scores["rag-vote"])
    assert max(scores.values()) > 0.6
    assert not done.audit.has_leak
    for own in done.measures.levers:  # none of these can make a value up
        assert own.metrics["invented"].value == 0


def test_lines_split_at_random_are_called_a_leak(shared_data: Path, tmp_path: Path) -> None:
    audit = prepare(task(tmp_path, shared_data, "random")).audit
    assert audit.has_leak
    near = next(f for f in audit.findings if f.kind == "near_across")
    assert near.leaky is not None
    assert near.clean is not None
    assert (near.clean.micro_f1 or 0) < (near.leaky.micro_f1 or 0)
