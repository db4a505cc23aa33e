"""Phishing with a source of legitimate mail left out, and authors with impostors never seen.

    python bench/mail.py content RUNS [--data ../shared/data]
    python bench/mail.py authors RUNS [--data ../shared/data]
    python bench/mail.py few [--data ../shared/data]
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
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mail_statistics import interval

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "docs" / "results" / "phishing.json"
PARTS = ("content", "authors", "few", "simulated", "verify", "speed")
LEFT_OUT = ("hard-ham-1", "easy-ham-1")
DRAWS = 2_000
ENGLISH = frozenset(
    ("the", "to", "and", "of", "a", "in", "you", "is", "for", "your", "this", "that", "it", "on",
     "with", "are", "be", "we")
)  # fmt: skip


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
            plain = f"{read_mail.subject}\n{read_mail.text}".strip() or "(no text)"
            rows.append({
                "id": row["id"], "eml": row["eml"], "label": row["label"], "role": role,
                "source": row.get("corpus", "phishing_pot"), "plain": plain,
            })  # fmt: skip
        folder = runs / held
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / "rows.jsonl.gz", "wt") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
        scores: dict[str, Scores] = {}
        shortcut = {}
        for name, columns in (("floor", {"input": "plain"}), ("pack", {})):
            run = _compare(folder, name, columns)
            scores |= _scores(run, name)
            audit = json.loads((run / "audit.json").read_text())["findings"]
            shortcut[name] = [f["text"] for f in audit if f["kind"] == "shortcut"]
        english = {row["id"] for row in rows if is_english(row["plain"])}
        found[held] = {**_recalls(scores, english), "shortcut": shortcut}
    return found


def is_english(text: str) -> bool:
    """Whether a tenth of the words are among English's commonest: a rough sieve, by no library."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return len(words) >= 5 and sum(word in ENGLISH for word in words) >= 0.1 * len(words)


def _compare(folder: Path, name: str, columns: dict[str, Any]) -> Path:
    levers: dict[str, Any] = {"linear": {"windows": ["all"]}}
    if name == "pack":
        levers["finetune"] = {"rungs": ["static"], "joined": True}
    task = {
        "version": 1, "task": f"phishing-{name}", "kind": "classify",
        "data": {
            "rows": "rows.jsonl.gz", "id": "id", "target": "label", "source": "source",
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


@dataclass(frozen=True)
class Scores:
    """One lever's probability of phishing: of test rows with id and truth, of calibration rows."""

    ids: list[str]
    score: np.ndarray
    truth: np.ndarray
    wanted_calibrate: np.ndarray


def _scores(run: Path, name: str) -> dict[str, Scores]:
    import polars as pl

    frame = pl.read_parquet(run / "trials.parquet")
    measures = json.loads((run / "measures.json").read_text())
    place = measures["labels"].index("phishing")
    found = {}
    for (lever,), part in frame.sort("id").group_by("lever", maintain_order=True):
        if lever == "majority" or part["scores"].null_count():
            continue
        part = part.with_columns(pl.col("scores").list.get(place).alias("score"))
        test, aside = (part.filter(pl.col("role") == role) for role in ("test", "calibrate"))
        wanted = aside.filter(pl.col("target") != "phishing")["score"]
        found[f"{name} {lever}"] = Scores(
            test["id"].to_list(), test["score"].to_numpy(),
            (test["target"] == "phishing").to_numpy(), wanted.to_numpy(),
        )  # fmt: skip
    return found


def _recalls(scores: dict[str, Scores], english: set[str]) -> dict[str, Any]:
    """Recall at 1 % false alarms of each lever, and minus the floor's by paired bootstrap."""
    from whichlever.calibrate.false_alarms import alarm_threshold

    rng = np.random.default_rng(0)
    first = next(iter(scores.values()))
    assert all(one.ids == first.ids for one in scores.values())
    yes, no = np.flatnonzero(first.truth), np.flatnonzero(~first.truth)
    drawn = [(rng.choice(yes, len(yes)), rng.choice(no, len(no))) for _ in range(DRAWS)]

    def recall(score: np.ndarray, a: np.ndarray, b: np.ndarray, rate: float = 0.01) -> float:
        # The least threshold that at most this share of the legitimate mails are above.
        allowed = int(rate * len(b))
        threshold = np.sort(score[b])[::-1][allowed]
        return float(np.mean(score[a] > threshold))

    floor = scores["floor linear"].score
    at = [recall(floor, a, b) for a, b in drawn]
    spoken = np.array([first.ids[i] in english for i in yes])
    found: dict[str, Any] = {
        "phishing": len(yes), "legitimate": len(no), "english": int(spoken.sum()), "levers": {},
    }  # fmt: skip
    for name, one in scores.items():
        mine = [recall(one.score, a, b) for a, b in drawn]
        away = np.array(mine) - np.array(at)
        threshold = alarm_threshold(one.wanted_calibrate, 0.01)
        found["levers"][name] = {
            "recall_at_1": recall(one.score, yes, no), "interval": interval(mine),
            "minus_floor": recall(one.score, yes, no) - recall(floor, yes, no),
            "minus_interval": interval(away),
            "recall_at_5": recall(one.score, yes, no, 0.05),
            "recall_at_1_english": recall(one.score, yes[spoken], no),
            "recall_at_1_other": recall(one.score, yes[~spoken], no),
            # What a user gets who chooses the threshold on mails of the sources at hand.
            "false_alarms_at_chosen": float(np.mean(one.score[no] >= threshold)),
            "recall_at_chosen": float(np.mean(one.score[yes] >= threshold)),
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
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("runs", nargs="?", type=Path, default=Path("runs/mail"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    if given.part == "content":
        made = content(given.runs, given.data)
    elif given.part == "authors":
        from mail_authors import authors

        made = authors(given.data, given.runs)
    elif given.part == "few":
        from mail_authors import few

        made = few(given.data)
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
