"""The folder that ``whichlever init --pack logs DIR`` makes; every line in it is simulated."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from whichlever.data.simulate import write_jsonl
from whichlever.packs.logs.ocsf import ocsf_fields
from whichlever.packs.logs.simulate import SimulatedLine, simulate, simulate_lines

ROWS = 2000
NEW = 60
"""Raw events of each source to try a parser on."""


def write_template(folder: Path, seed: int = 0, rows: int = ROWS, format: str = "native") -> None:
    """Write task, README, simulated rows, their truth, and raw lines to run a parser on.

    The same seed writes the same bytes. ``format`` is native (fields by ECS) or ocsf.
    """
    drawn = simulate(rows, seed)
    sources = sorted({line.row["source"] for line in drawn})
    facts: dict[str, Any] = {
        "simulated": True,
        "seed": seed,
        "rows": rows,
        "sources": sources,
        "shapes": len({line.shape for line in drawn}),
    }
    naming = "names by OCSF 1.1" if format == "ocsf" else "names by the Elastic Common Schema"
    words = {
        "@ROWS@": str(rows),
        "@SEED@": str(seed),
        "@NEW@": str(NEW),
        "@SOURCES@": str(len(sources)),
        "@SHAPES@": str(facts["shapes"]),
        "@NAMING@": naming,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for item in (files(__name__) / "files").iterdir():
        text = item.read_text(encoding="utf-8")
        for mark, word in words.items():
            text = text.replace(mark, word)
        (folder / item.name).write_text(text, encoding="utf-8", newline="\n")
    write_jsonl(folder / "data" / "lines.jsonl.gz", (_row(line, format) for line in drawn))
    write_jsonl(folder / "data" / "truth.jsonl", (line.truth() for line in drawn))
    (folder / "data" / "new").mkdir()
    for place, source in enumerate(sources):
        lines = simulate_lines(NEW, seed + 1 + place, source)
        text = "".join(f"{line}\n" for line in lines)
        path = folder / "data" / "new" / f"{source}.log"
        path.write_text(text, encoding="utf-8", newline="\n")
    said = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    (folder / "data" / "simulated.json").write_text(said, encoding="utf-8")


def _row(line: SimulatedLine, format: str) -> dict[str, Any]:
    if format != "ocsf":
        return line.row
    return {**line.row, "fields": ocsf_fields(line.row["fields"])}
