"""A tiny simulated task of log lines that several tests run whole: three sources, seconds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

TASK = """\
version: 1
task: tiny-lines
kind: extract
about: Simulated lines of a few devices.
data: {rows: lines.jsonl, id: id, input: raw, source: source, file: path,
       split: {by: shape, valid: 0.2, calibrate: 0.15, test: 0.3}}
constraints: {calls_per_month: 1_000_000, data_may_leave: true}
levers:
  rag: {vote_only: true, vote_k: [1, 3]}
"""

USERS = ("anna", "bo", "chen", "dora", "emil")


WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath")


def line(rng: random.Random, source: str) -> tuple[str, dict[str, Any]]:
    """One line of a source, in one of its eight shapes, and the fields in it."""
    ip = f"10.{rng.randrange(9)}.{rng.randrange(250)}.{rng.randrange(1, 250)}"
    user, port, kind = rng.choice(USERS), rng.randrange(1024, 60000), rng.randrange(8)
    word, other = WORDS[kind], WORDS[(kind + 3) % 8]
    hour, minute = rng.randrange(24), rng.randrange(60)
    stamp = f"2024-03-0{rng.randrange(1, 9)} {hour:02d}:{minute:02d}:07"
    when = f"{stamp.replace(' ', 'T')}.000Z"
    if source == "door":
        text = f"{stamp} door {word} user={user} {other} from {ip} {word}ing the {other} {kind}"
        return text, {"@timestamp": when, "user.name": user, "source.ip": ip, "client.ip": ip}
    if source == "wall":
        text = f"{stamp} wall: {word.upper()} {other} src={ip}:{port} {word}/{other} proto=TCP"
        fields = {"source.ip": ip, "source.port": port, "network.transport": "tcp"}
        return text, {"@timestamp": when, **fields}
    if kind < 2:
        return f"note: the {word} of {other} {word}, nothing else happened {rng.randrange(99)}", {}
    return f'note: [{word}] {other} "{user}" {word}ed it for the {other} again', {"user.name": user}


def rows(count: int = 180, seed: int = 0) -> list[dict[str, Any]]:
    """Rows as a file holds them."""
    rng = random.Random(seed)
    out = []
    for i in range(count):
        source = ("door", "wall", "note")[i % 3]
        text, fields = line(rng, source)
        out.append(
            {"id": f"s{i}", "raw": text, "fields": fields, "source": source,
             "path": f"{source}-{i % 2}.log", "simulated": True}
        )  # fmt: skip
    return out


def write_task(folder: Path, task: str = TASK, count: int = 180) -> Path:
    """Write a simulated task folder and return its task file."""
    folder.mkdir(parents=True, exist_ok=True)
    made = rows(count)
    text = "".join(json.dumps(row) + "\n" for row in made)
    (folder / "lines.jsonl").write_text(text)
    with (folder / "answers.jsonl").open("w") as out:
        for i, row in enumerate(made):
            said = dict(row["fields"])
            if i % 4 == 0:
                said["user.name"] = "nobody-at-all"
            out.write(json.dumps({"id": row["id"], "prediction": said}) + "\n")
    (folder / "task.yaml").write_text(task)
    return folder / "task.yaml"
