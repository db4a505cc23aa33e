"""What garak found on a served bundle: its report's figures, without its prompts or answers.

    python bench/attack_garak.py NAME=REPORT.jsonl [NAME=REPORT.jsonl ...]

garak is a driver from outside, in an environment of its own; docs/attack.md says how it is run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "attack_garak.json"


def read(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """A report's version of garak, and one record for each probe and detector."""
    version, found = "", []
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if entry["entry_type"] == "init":
            version = entry.get("garak_version", "")
        if entry["entry_type"] == "eval":
            found.append(
                {
                    "probe": entry["probe"],
                    "detector": entry["detector"],
                    "asked": entry["total_evaluated"],
                    "hits": entry["fails"],
                }
            )
    return version, found


def main() -> None:
    """Write docs/results/attack_garak.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+")
    args = parser.parse_args()
    said: dict[str, Any] = {"version": "", "bundles": {}}
    for given in args.reports:
        name, path = given.split("=", 1)
        said["version"], said["bundles"][name] = read(Path(path))
    RESULTS.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
