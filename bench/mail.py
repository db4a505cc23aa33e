"""Phishing with a source of legitimate mail left out, and authors with impostors never seen.

    python bench/mail.py content RUNS [--data ../shared/data]
    python bench/mail.py authors [--data ../shared/data]

Both write their figures into ``docs/results/mail.json``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "docs" / "results" / "mail.json"
LEFT_OUT = ("hard-ham-1", "easy-ham-1")
DRAWS = 2_000
PAYMENTS = (
    "Please wire 24,500 to the account in the attachment before noon.",
    "Can you pay the invoice from our supplier today, I will send the details.",
    "I need you to buy ten gift cards and email me the codes.",
    "Kindly process the outstanding payment to the new bank account as soon as possible.",
    "We have to settle the bill by tomorrow, transfer it to the IBAN below.",
    "By the way, could you release the funds for the contractor this afternoon?",
)
"""Written for this benchmark, before its figures were seen; not among the simulated ones."""


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
            "recall_at_1": recall(score, yes, no), "interval": _interval(mine),
            "minus_floor": recall(score, yes, no) - recall(floor, yes, no),
            "minus_interval": _interval(away),
            "recall_at_5": recall(score, yes, no, 0.05),
        }  # fmt: skip
    return found


def _interval(values: Any) -> list[float]:  # noqa: ANN401 - any sequence of numbers
    return [float(x) for x in np.quantile(values, [0.025, 0.975])]


def authors(data: Path) -> dict[str, Any]:
    """Each author against impostors that neither training nor thresholds have seen.

    Six tenths of an author's mails, the earliest, enrol; the rest are asked. Half of the other
    authors are what the style is told apart from, the other half's later mails are the impostors;
    then the halves are changed.
    """
    from whichlever.infer.style import distances
    from whichlever.mail.sentences import sentences
    from whichlever.models.style import train_style

    found: dict[str, Any] = {}
    for name in ("authors_list", "authors_enron"):
        rows = sorted(
            read(data / "mail" / f"{name}.jsonl.gz"), key=lambda r: (r["author"], r["day"])
        )
        by: dict[str, list[str]] = {}
        for row in rows:
            by.setdefault(row["author"], []).append(row["text"])
        order = [str(x) for x in np.random.default_rng(0).permutation(sorted(by))]
        draw = random.Random(0)
        lines = []
        for author in sorted(by):
            early = {who: len(texts) * 6 // 10 for who, texts in by.items()}
            own, later = by[author][: early[author]], by[author][early[author] :]
            others = [who for who in order if who != author]
            for half in (0, 1):
                known = [t for who in others[half::2] for t in by[who][: early[who]]]
                foreign = [t for who in others[1 - half :: 2] for t in by[who][early[who] :]]
                began = time.process_time()
                profile = train_style(author, own, known, salt=7)
                seconds = time.process_time() - began
                mine, theirs = distances(profile, later), distances(profile, foreign)

                def asks(text: str, read: Callable[[str], float] = profile.asks) -> float:
                    return max((read(text[a:b]) for a, b in sentences(text)), default=-10.0)

                plain = [asks(text) for text in later]
                put = [asks(_inserted(text, draw, sentences)) for text in later]
                lines.append({
                    "author": author, "own": len(own), "seconds": seconds,
                    **_verification(mine, theirs),
                    "own_flagged_at_5": float(
                        np.mean([profile.own_share(s) <= 0.05 for s in mine])
                    ),
                    "inserted_auc": _auc(np.array(put), np.array(plain)),
                })  # fmt: skip
        keys = [key for key in lines[0] if key not in ("author",)]
        found[name] = {
            "authors": len(by), "fits": len(lines),
            "mean": {key: float(np.mean([line[key] for line in lines])) for key in keys},
            "interval": {
                key: _over_authors([(line["author"], line[key]) for line in lines]) for key in keys
            },
            "lines": lines,
        }  # fmt: skip
    return found


def _over_authors(values: list[tuple[str, float]]) -> list[float]:
    """Bootstrap interval of the mean over whole authors."""
    names = sorted({name for name, _ in values})
    means = np.array([np.mean([v for n, v in values if n == name]) for name in names])
    rng = np.random.default_rng(0)
    return _interval(means[rng.integers(0, len(means), (DRAWS, len(means)))].mean(1))


def _inserted(text: str, draw: random.Random, sentences: Any) -> str:  # noqa: ANN401
    ends = [end for _, end in sentences(text)] or [len(text)]
    end = draw.choice(ends)
    return f"{text[:end]} {draw.choice(PAYMENTS)}{text[end:]}"


def _verification(mine: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    order = np.sort(theirs)
    rates = [(float(np.mean(theirs >= s)), float(np.mean(mine < s))) for s in np.sort(mine)]
    false, missed = min(rates, key=lambda rate: abs(rate[0] - rate[1]))
    above = order[int(np.ceil(0.99 * len(order))) - 1]
    return {
        "auc": _auc(mine, theirs), "eer": (false + missed) / 2,
        "recall_at_1": float(np.mean(mine > above)),
    }  # fmt: skip


def _auc(high: np.ndarray, low: np.ndarray) -> float:
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(high, low).statistic) / (len(high) * len(low))


def main() -> None:
    """Measure one part and keep the others' figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("content", "authors"))
    parser.add_argument("runs", nargs="?", type=Path, default=Path("runs/mail"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    known = json.loads(OUT.read_text()) if OUT.exists() else {}
    made = content(given.runs, given.data) if given.part == "content" else authors(given.data)
    known[given.part] = made
    OUT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(json.dumps(made, indent=1)[:3_000])


if __name__ == "__main__":
    main()
