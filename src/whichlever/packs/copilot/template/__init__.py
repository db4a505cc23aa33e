"""The folder that ``whichlever init --pack copilot`` makes: all of it simulated, from a seed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from whichlever.data.simulate import write_jsonl
from whichlever.packs.copilot.simulate import BY_MISTAKE, SITES, notes


def write_template(folder: Path, seed: int = 0) -> None:
    """Write task, README and notes; the same seed writes the same bytes."""
    drawn = notes(seed)
    facts = {
        "simulated": True,
        "seed": seed,
        "notes": len(drawn),
        "sites": 2 * SITES,
        "answers": len({note["output"] for note in drawn}),
        "answered_by_mistake": BY_MISTAKE,
    }
    words = {
        "@SEED@": str(seed),
        "@NOTES@": str(len(drawn)),
        "@SITES@": str(facts["sites"]),
        "@ANSWERS@": str(facts["answers"]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for item in (files(__name__) / "files").iterdir():
        text = item.read_text(encoding="utf-8")
        for mark, word in words.items():
            text = text.replace(mark, word)
        (folder / item.name).write_text(text, encoding="utf-8", newline="\n")
    write_jsonl(folder / "data" / "notes.jsonl", drawn)
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (folder / "data" / "simulated.json").write_text(text, encoding="utf-8")
