"""The folder that ``whichlever init --pack facts DIR`` makes: all of it simulated, from a seed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from whichlever.data.simulate import Dice, write_jsonl
from whichlever.packs.facts.world import make_world, rows, rows_after

PER_FACT = {"train": 10, "valid": 1, "calibrate": 1, "test": 2}
AFTER_PER_FACT = 3


def write_template(folder: Path, seed: int = 0) -> None:
    """Write task, README, documents before and after the change, and alerts of both times.

    The same seed writes the same bytes.
    """
    world, dice = make_world(seed), Dice(seed + 1)
    drawn = {role: rows(world, role, each, dice) for role, each in PER_FACT.items()}
    after = rows_after(world, AFTER_PER_FACT, dice)
    changed = sum(a.team != b.team for a, b in zip(world.before, world.after, strict=True))
    facts = {
        "simulated": True,
        "seed": seed,
        "facts": len(world.before),
        "facts_changed": changed,
        "documents": len(world.documents),
        "rows": {role: len(found) for role, found in drawn.items()},
        "rows_after": len(after),
        # Every alert names its thing and a document states its team: nothing hides.
        "best_possible": {
            "on": "every row, for a reader of the documents", "accuracy": 1.0, "macro_f1": 1.0,
        },
    }  # fmt: skip
    words = {
        "@SEED@": str(seed),
        "@FACTS@": str(len(world.before)),
        "@CHANGED@": str(changed),
        "@DOCUMENTS@": str(len(world.documents)),
        "@ROWS@": str(sum(map(len, drawn.values()))),
        "@AFTER@": str(len(after)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for item in (files(__name__) / "files").iterdir():
        text = item.read_text(encoding="utf-8")
        for mark, word in words.items():
            text = text.replace(mark, word)
        (folder / item.name).write_text(text, encoding="utf-8", newline="\n")
    for name, documents in (
        ("documents", world.documents),
        ("documents-after", world.documents_after),
    ):
        (folder / name).mkdir()
        for file, text in documents.items():
            (folder / name / file).write_text(text, encoding="utf-8", newline="\n")
    every = [row for found in drawn.values() for row in found]
    write_jsonl(folder / "data" / "alerts.jsonl", every)
    write_jsonl(folder / "data" / "after.jsonl", after)
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (folder / "data" / "simulated.json").write_text(text, encoding="utf-8")
