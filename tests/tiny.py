"""A tiny simulated task that several tests run whole: real files, real levers, seconds."""

from __future__ import annotations

import json
import random
from pathlib import Path

TASK = """\
version: 1
task: tiny
about: Simulated notes for a help desk.
data: {rows: rows.jsonl, id: id, input: text, target: label, group: host, time: time,
       split: {by: random, valid: 0.2, calibrate: 0.15, test: 0.25}}
labels: {open: A person should look., close: Nothing to do.}
constraints: {calls_per_month: 1_000_000, data_may_leave: true}
levers:
  linear: {windows: [all], c: [1.0, 10.0]}
  recorded: {other: answers.jsonl}
"""


def write_task(folder: Path, rows: int = 240, seed: int = 0, task: str = TASK) -> Path:
    """Write a simulated task folder and return its task file."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rows.jsonl").open("w") as out, (folder / "answers.jsonl").open("w") as answers:
        for i in range(rows):
            is_open = rng.random() < 0.4
            hint = rng.choice(["denied", "failed", "crash"] if is_open else ["ok", "done", "quiet"])
            if rng.random() < 0.15:  # noise, so that no lever is perfect
                hint = rng.choice(["denied", "ok"])
            words = " ".join(
                rng.choice(["disk", "login", "mail", "printer", "vpn"]) for _ in "1234"
            )
            row = {
                "id": f"t{i}",
                "text": f"{words} {hint} ticket{i}",
                "label": "open" if is_open else "close",
                "host": f"h{i % 30}",
                "time": f"2026-0{1 + i * 8 // rows}-01",
            }
            out.write(json.dumps(row) + "\n")
            said = "open" if rng.random() < 0.5 else "close"
            answers.write(json.dumps({"id": row["id"], "prediction": said}) + "\n")
    (folder / "task.yaml").write_text(task)
    return folder / "task.yaml"
