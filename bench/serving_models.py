"""The two models that docs/results/serving.md serves: real data, minutes of training, signed.

    python bench/serving_models.py RUNS [--data ../shared/data]

Triage: Panther's rule tests by product; linear, static and a short encoder. Weakness classes: the
newest 20,000 descriptions before 2024; linear and static. Each lever is packed from its run, signed
with a key made here, and verified; the sizes go to bench/results/serving_models.json. The data is
not shipped.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from cwe import task as cwe_task
from triage import task as triage_task

RESULT = Path(__file__).with_name("results") / "serving_models.json"

NEWEST = 20_000

NAMES = {"triage": "triage", "cwe": "cwe-20k"}

LEVERS = {
    "triage": ("linear", "finetune-static", "finetune-encoder"),
    "cwe": ("linear", "finetune-static"),
}


def newest(source: Path, target: Path) -> Path:
    """Write the newest rows of the training file to a file of their own, once."""
    if target.exists():
        return target
    with gzip.open(source, "rt", encoding="utf-8") as file:
        rows = [(json.loads(line)["published"], line) for line in file]
    rows.sort(key=lambda row: row[0])
    with gzip.open(target, "wt", encoding="utf-8") as out:
        out.writelines(line for _, line in rows[-NEWEST:])
    return target


def tasks(folder: Path, data: Path) -> dict[str, dict[str, Any]]:
    """Both tasks, without the levers that pack nothing."""
    triage: dict[str, Any] = triage_task("panther-product", data, encoder=True)
    cwe: dict[str, Any] = cwe_task(data, encoder=False, curve=False)
    cwe["data"]["train"] = str(newest(data / "cwe" / "train.jsonl.gz", folder / "newest.jsonl.gz"))
    for said in (triage, cwe):
        said["levers"] = {k: v for k, v in said["levers"].items() if k in ("linear", "finetune")}
    return {"triage": triage, "cwe": cwe}


def whichlever(*words: str | Path) -> str:
    """Run a verb as a user would; its standard output."""
    command = [sys.executable, "-m", "whichlever", *map(str, words)]
    print("whichlever", *words, flush=True)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Compare, pack, sign, verify."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    key, public = args.runs / "team.key", args.runs / "team.pub"
    if not key.exists():
        whichlever("sign", "--new-key", args.runs / "team")
    found: dict[str, Any] = {}
    for name, said in tasks(args.runs, args.data.resolve()).items():
        file, run = args.runs / f"{name}.yaml", args.runs / name
        file.write_text(yaml.safe_dump(said, sort_keys=False))
        whichlever("compare", file, "-o", run)
        measures = json.loads((run / "measures.json").read_text())
        metric = measures["metric"]
        scores = {lever["lever"]: lever["metrics"][metric] for lever in measures["levers"]}
        for lever in LEVERS[name]:
            bundle = args.runs / f"{NAMES[name]}-{lever}.wl"
            whichlever("pack", run, "--lever", lever, "--task", file, "-o", bundle)
            whichlever("sign", bundle, "--key", key)
            whichlever("verify", bundle, "--key", public)
            found[bundle.stem] = {
                "megabytes": round(bundle.stat().st_size / 1e6, 1),
                "metric": metric,
                "score": scores[lever],
            }
            for judged in run.glob(f"fits/{lever}/*/int8.json"):
                found[bundle.stem]["int8"] = json.loads(judged.read_text())
            RESULT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
