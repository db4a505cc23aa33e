"""Real alerts, split as honestly as they allow: by scenario, by product, and at random beside.

    python bench/triage.py RUNS [--data ../shared/data]

AIT alerts (with and without DNS exfiltration) are split by scenario, Panther's rule tests by
product; the random split stands beside each, as the number that would have been believed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

LABELS = {
    "critical": "An attack is under way; wake someone.",
    "investigate": "Odd enough that a person should look today.",
    "noise": "Expected activity; close it.",
}

SETS = {
    "ait-scenario": ("ait", "group"),
    "panther-product": ("panther", "product"),
    "panther-product-match": ("panther", "product"),
    "ait-nodns-scenario": ("ait_nodns", "group"),
    "panther-rule": ("panther", "group"),
    "panther-rule-match": ("panther", "group"),
    "ait-random": ("ait", None),
    "panther-random": ("panther", None),
}

MATCH = "-match"
"""Field-aware: the event alone is the input, with marks of which of the rule's words it holds."""

ENCODER = ("ait-scenario", "panther-product", "panther-product-match")
"""The honest splits are worth the encoder's minutes; the others show what a split hides."""


def task(name: str, data: Path, encoder: bool) -> dict[str, object]:
    """One set under one split."""
    file, group = SETS[name]
    split = {"by": "group"} if group else {"by": "random"}
    columns: dict[str, object] = {
        "rows": str(data / "alerts" / f"{file}.jsonl.gz"),
        "id": "id",
        "input": "text",
        "target": "label",
        "split": {**split, "valid": 0.2, "calibrate": 0.15, "test": 0.3},
    }
    if group:
        columns["group"] = group
    if name.endswith(MATCH):
        columns |= {"input": "event", "match": "text"}
    return {
        "version": 1,
        "task": name,
        "kind": "classify",
        "about": "What should the analyst on shift do with this alert?",
        "data": columns,
        "labels": LABELS,
        "constraints": {"calls_per_month": 10_000_000, "latency_p95_ms": 50},
        "mistakes": {"critical": {"noise": 200, "investigate": 5}, "noise": {"critical": 1}},
        "levers": {
            "linear": {},
            "rag": {"vote_only": True},
            "finetune": {
                "rungs": ["static", "encoder"] if encoder else ["static"],
                "max_tokens": 160,
                "epochs": 3,
                "minutes": 4,
            },
        },
    }


def main() -> None:
    """Compare each set under RUNS/<name>."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", action="append", choices=sorted(SETS))
    parser.add_argument("--no-encoder", action="store_true")
    args = parser.parse_args()
    for name in args.only or SETS:
        folder = args.runs / name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "task.yaml"
        file.write_text(
            yaml.safe_dump(
                task(name, args.data.resolve(), name in ENCODER and not args.no_encoder),
                sort_keys=False,
            )
        )
        command = [
            sys.executable,
            "-m",
            "whichlever",
            "compare",
            str(file),
            "-o",
            str(folder / "run"),
        ]
        if subprocess.run(command).returncode:
            sys.exit(f"{name} failed")


if __name__ == "__main__":
    main()
