"""Phishing with a source of legitimate mail left out, and authors with impostors never seen.

    python bench/mail.py content RUNS [--data ../shared/data]
    python bench/mail.py authors RUNS [--data ../shared/data]
    python bench/mail.py simulated
    python bench/mail.py verify RUN
    python bench/mail.py speed [--data ../shared/data]

What RUNS has already is read back. All write their figures into ``docs/results/phishing.json``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mail_statistics import interval

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "docs" / "results" / "phishing.json"
LEFT_OUT = ("hard-ham-1", "easy-ham-1")
DRAWS = 2_000


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a gzipped file of JSON lines."""
    with gzip.open(path, "rt") as stream:
        return [json.loads(line) for line in stream]


def content(runs: Path, data: Path) -> dict[str, Any]:
    """Recall at 1 % false alarms on later phishing and a source never seen, pack against floor."""
    from whichlever.packs.phishing.render import message_of

    phishing = read(data / "mail" / "phishing_pot_2022_2024.jsonl.gz")
    ham = read(data / "mail" / "spamassassin_ham.jsonl.gz")
    found: dict[str, Any] = {}
    for held in LEFT_OUT:
        rng = random.Random(0)
        rows = []
        for row in (*phishing, *ham):
            test = row["corpus"] == held if "corpus" in row else row["year"] == 2024
            role = (
                "test" if test else rng.choices(("train", "valid", "calibrate"), (7, 1.5, 1.5))[0]
            )
            read_mail = message_of(row)
            rows.append({
                "id": row["id"], "eml": row["eml"], "label": row["label"], "role": role,
                "plain": f"{read_mail.subject}\n{read_mail.text}".strip() or "(no text)",
            })  # fmt: skip
        folder = runs / held
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / "rows.jsonl.gz", "wt") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        scores = {}
        for name, columns in (("floor", {"input": "plain"}), ("pack", {})):
            run = _compare(folder, name, columns)
            scores |= _scores(run, name)
        found[held] = _recalls(scores)
    return found


def _compare(folder: Path, name: str, columns: dict[str, Any]) -> Path:
    levers: dict[str, Any] = {"linear": {"windows": ["all"]}}
    if name == "pack":
        levers["finetune"] = {"rungs": ["static"], "joined": True}
    task = {
        "version": 1, "task": f"phishing-{name}", "kind": "classify",
        "data": {
            "rows": "rows.jsonl.gz", "id": "id", "target": "label",
            "split": {"by": "given", "column": "role"}, "max_chars": 2_000_000, **columns,
        },
        "labels": {"phishing": "", "legitimate": ""},
        "levers": levers,
    }  # fmt: skip
    if name == "pack":
        task["pack"] = "phishing@1"
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(task, sort_keys=False))
    run = folder / name
    command = [sys.executable, "-m", "whichlever", "compare", str(path), "-o", str(run)]
    subprocess.run(command, check=True)
    return run


def _scores(run: Path, name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    import polars as pl

    frame = pl.read_parquet(run / "trials.parquet").filter(pl.col("role") == "test")
    measures = json.loads((run / "measures.json").read_text())
    place = measures["labels"].index("phishing")
    found = {}
    for (lever,), part in frame.sort("id").group_by("lever", maintain_order=True):
        if lever == "majority" or part["scores"].null_count():
            continue
        score = np.array([s[place] for s in part["scores"].to_list()])
        found[f"{name} {lever}"] = (score, (part["target"] == "phishing").to_numpy())
    return found


def _recalls(scores: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Recall at 1 % false alarms of each lever, and minus the floor's by paired bootstrap."""
    rng = np.random.default_rng(0)
    truth = next(iter(scores.values()))[1]
    yes, no = np.flatnonzero(truth), np.flatnonzero(~truth)
    drawn = [(rng.choice(yes, len(yes)), rng.choice(no, len(no))) for _ in range(DRAWS)]

    def recall(score: np.ndarray, a: np.ndarray, b: np.ndarray, rate: float = 0.01) -> float:
        # The least threshold that at most this share of the legitimate mails are above.
        allowed = int(rate * len(b))
        threshold = np.sort(score[b])[::-1][allowed]
        return float(np.mean(score[a] > threshold))

    floor = scores["floor linear"][0]
    at = [recall(floor, a, b) for a, b in drawn]
    found: dict[str, Any] = {"phishing": len(yes), "legitimate": len(no), "levers": {}}
    for name, (score, _) in scores.items():
        mine = [recall(score, a, b) for a, b in drawn]
        away = np.array(mine) - np.array(at)
        found["levers"][name] = {
            "recall_at_1": recall(score, yes, no), "interval": interval(mine),
            "minus_floor": recall(score, yes, no) - recall(floor, yes, no),
            "minus_interval": interval(away),
            "recall_at_5": recall(score, yes, no, 0.05),
        }  # fmt: skip
    return found


def verify(run: Path) -> dict[str, Any]:
    """What a finished run of the simulated ``kind: verify`` task showed."""
    measures = json.loads((run / "measures.json").read_text())
    verdict = json.loads((run / "verdict.json").read_text())
    names = {"linear", "finetune-style"}
    pair = next(p for p in measures["pairs"] if {p["a"], p["b"]} == names)
    keys = ("auc", "eer", "recall_at_1", "own_flagged_at_5")
    return {
        "rows": measures["levers"][0]["rows"], "pair": pair, "headline": verdict["headline"],
        "levers": [
            {"lever": x["lever"], "metrics": {k: x["metrics"][k] for k in keys}}
            for x in measures["levers"]
        ],
    }  # fmt: skip


def main() -> None:
    """Measure one part and keep the others' figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("content", "authors", "simulated", "verify", "speed"))
    parser.add_argument("runs", nargs="?", type=Path, default=Path("runs/mail"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    if given.part == "content":
        made = content(given.runs, given.data)
    elif given.part == "authors":
        from mail_authors import authors

        made = authors(given.data, given.runs)
    elif given.part == "simulated":
        from mail_simulated import own_payments

        made = own_payments()
    elif given.part == "verify":
        made = verify(given.runs)
    else:
        from mail_speed import speed

        made = speed(given.data)
    known = json.loads(OUT.read_text()) if OUT.exists() else {}
    known[given.part] = made
    OUT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(json.dumps(made, indent=1)[:3_000])


if __name__ == "__main__":
    main()
