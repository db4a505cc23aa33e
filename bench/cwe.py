"""The case with real frontier answers: weakness classes of published vulnerabilities.

    python bench/cwe.py RUN [--data ../shared/data]

Descriptions from 1999 to 2023 train, the newest of them choose (`valid`) and calibrate; the 1,000
rows of 2024 are read once. Five models' real answers to those rows stand beside, recorded by
CTIBench, zero-shot. The data is not shipped; see its terms where it lies.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

RECORDED = {
    "chatgpt-4": "gpt-4-turbo",
    "chatgpt-3.5": "gpt-3.5-turbo",
    "gemini-1.5": "gemini-1.5-pro",
    "llama3-70b": None,
    "llama3-8b": None,
}


CURVE = {
    "fractions": [0.0075, 0.03, 0.12],
    "orders": ["newest", "random"],
    "levers": ["linear", "finetune-static"],
    "draws": 2,
    "delays": [30, 180],
    "minutes": 15,
}
"""From a thousand labels on: where owned models overtake the recorded ones."""


def task(data: Path, encoder: bool, curve: bool = True) -> dict[str, object]:
    """The task, with every setting that is not a default in sight."""
    cwe = data / "cwe"
    return {
        "version": 1,
        "task": "cwe",
        "kind": "classify",
        "about": "Which weakness class (CWE) does this vulnerability description show?",
        "data": {
            "train": str(cwe / "train.jsonl.gz"),
            "test": str(cwe / "test_2024.jsonl.gz"),
            "id": "id",
            "input": "text",
            "target": "label",
            "time": "published",
            "split": {"by": "time", "valid": 1500, "calibrate": 600},
            "unseen_labels": "count_wrong",
        },
        "constraints": {
            "calls_per_month": 1_000_000,
            "data_may_leave": True,
            "knowledge_changes": "monthly",
        },
        "goal": {"metric": "accuracy", "margin": 0.02},
        "levers": {
            "linear": {},
            "rag": {"vote_only": True},
            "finetune": {
                "rungs": ["static", "encoder"] if encoder else ["static"],
                "max_rows": 25_000,
                "max_tokens": 96,
                "epochs": 2,
                "minutes": 75,
                "windows": [20_000],
            },
            "recorded": {
                name: {
                    "path": str(cwe / "recorded_2024" / f"{name}.jsonl.gz"),
                    "what": "zero-shot prompting, recorded by CTIBench in 2024",
                    **({"price_as": price} if price else {}),
                }
                for name, price in RECORDED.items()
            },
        },
        **({"curve": CURVE} if curve else {}),
    }


def main() -> None:
    """Write the task into RUN's parent and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--no-encoder", action="store_true", help="leave out the 40-minute rung")
    parser.add_argument("--no-curve", action="store_true", help="leave out the learning curves")
    args = parser.parse_args()
    args.run.parent.mkdir(parents=True, exist_ok=True)
    file = args.run.parent / "cwe.task.yaml"
    wanted = task(args.data.resolve(), not args.no_encoder, not args.no_curve)
    file.write_text(yaml.safe_dump(wanted, sort_keys=False))
    command = [sys.executable, "-m", "whichlever", "compare", str(file), "-o", str(args.run)]
    sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
