"""Is the band that a learning curve is continued with right? Checked against held-back rows.

    python bench/curve_band.py [--data ../shared/data] [--work runs/curve_band] [--minutes 10]

Per set and seed: some rows are "all the labels there are"; the linear lever is fitted on nested
parts of them (three random draws), scored on a small test set, and the curve is continued to twice
and four times the labels as a run would do it. Then the lever is really fitted on twice and four
times the labels, and scored on many other test rows. Counted is how often that score, and the
gain over the score with all labels, lies in the band. Seeds that were done are read back from
``--work``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from whichlever.calibrate import clopper_pearson
from whichlever.levers.base import Context
from whichlever.levers.linear import Linear
from whichlever.measure.curve_band import _predict
from whichlever.measure.curve_draws import Answered, Board
from whichlever.measure.curve_summary import summarise_curve
from whichlever.measure.scores import Answers
from whichlever.predict import Row
from whichlever.task import LinearSettings, Task

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
PARTS = (0.125, 0.25, 0.5)
DRAWS = 3
TIMES = (2, 4)
MARGIN = 0.02
FIRST = 4
"""Seeds before this one were looked at while the band's method was chosen; they do not count."""

SETS: dict[str, tuple[int, int, str]] = {
    "sms spam": (1_000, 500, "macro_f1"),
    "goods to customs chapter": (800, 400, "accuracy"),
    "triage, simulated": (1_000, 500, "macro_f1"),
    "banking77": (1_500, 500, "accuracy"),
    "cwe, newest 16,000": (1_500, 500, "accuracy"),
}
"""Labels there are, rows of the small test set, and the metric."""


def read(path: Path, text: str = "text", label: str = "label") -> list[Row]:
    """Rows of a gzip JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [Row(str(i), r[text], str(r[label])) for i, r in enumerate(found) if r[text].strip()]


def triage_rows(data: Path) -> list[Row]:
    """Simulated alerts, as a task of the pack would read them."""
    from whichlever.data import read_dataset
    from whichlever.packs.triage.simulate import simulate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts.jsonl"
        path.write_text("".join(json.dumps(s.row) + "\n" for s in simulate(6_000, seed=5)))
        task = Task.parse(
            "task: t\npack: triage@1\ndata: {rows: alerts.jsonl, id: id, target: label}\n",
            folder=folder,
        )
        return list(read_dataset(task).rows)


def load(name: str, data: Path) -> list[Row]:
    """The rows of one set."""
    made: dict[str, Callable[[], list[Row]]] = {
        "banking77": lambda: read(data / "general" / "banking77.jsonl.gz"),
        "sms spam": lambda: read(data / "general" / "sms_spam.jsonl.gz"),
        "cwe, newest 16,000": lambda: read(data / "cwe" / "train.jsonl.gz")[-16_000:],
        "triage, simulated": lambda: triage_rows(data),
        "goods to customs chapter": lambda: [
            Row(row.id, row.text, str(row.target)[:2])
            for row in read(data / "copilot" / "hs.jsonl.gz", "input", "output")
        ],
    }
    return made[name]()


def one(rows: Sequence[Row], have: int, tested: int, metric: str, seed: int) -> dict[str, Any]:
    """One seed of one set: answers of every point, and the scores there really were."""
    random = np.random.default_rng([seed, 23])
    mixed = [rows[i] for i in random.permutation(len(rows))]
    small, mixed = mixed[:tested], mixed[tested:]
    pool, large = mixed[: max(TIMES) * have], mixed[max(TIMES) * have :]
    labels = tuple(sorted({str(row.target) for row in rows}))
    index = {label: i for i, label in enumerate(labels)}
    targets = [np.array([index[str(r.target)] for r in part]) for part in (small, large)]
    task = Task.parse(f"task: t\ndata: {{rows: r, input: text}}\ngoal: {{metric: {metric}}}\n")
    settings = LinearSettings(windows=["all"], c=[3.0], families=["svm"], chars=False)

    def answers(train: Sequence[Row], draw: int) -> list[np.ndarray]:
        with tempfile.TemporaryDirectory() as folder:
            fit = Linear(settings).fit(train, [], Context(task, labels, draw, Path(folder)))
            both = fit.predictor.predict([*small, *large])
        numbers = np.array([index.get(str(p.label), -1) for p in both])
        return [numbers[: len(small)], numbers[len(small) :]]

    def truth(numbers: np.ndarray) -> float:
        one = np.ones((len(numbers), 1))
        return float(Answers(targets[1], numbers).metric(metric, one)[0])

    whole = answers(pool[:have], 0)
    points = [{"order": "all", "labels": have, "said": whole[0].tolist()}]
    for draw in range(DRAWS):
        order = np.random.default_rng([seed, 29, draw]).permutation(have)
        for part in PARTS:
            n = round(part * have)
            numbers = answers([pool[i] for i in order[:n]], draw)[0].tolist()
            points.append(
                {"order": "random", "labels": n, "fraction": part, "draw": draw, "said": numbers}
            )
    real = {1: truth(whole[1])}
    real |= {times: truth(answers(pool[: times * have], 0)[1]) for times in TIMES}
    return {"targets": targets[0].tolist(), "points": points, "truth": real, "seed": seed}


def judged(found: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    """The bands of one seed beside what was really there."""
    board = Board(np.array(found["targets"]), None, metric, found["seed"])
    points = [
        Answered(
            "linear", p["order"], np.array(p["said"]), p["labels"], p.get("fraction", 1.0),
            p.get("draw", 0),
        )
        for p in found["points"]
    ]  # fmt: skip
    curve = summarise_curve(points, board, margin=MARGIN)
    real = {int(times): score for times, score in found["truth"].items()}
    return [
        {
            "times": band.times, "truth": real[band.times], "gain": real[band.times] - real[1],
            "low": band.low, "high": band.high, "gain_low": band.gain_low,
            "gain_high": band.gain_high, "outcome": band.outcome,
            **naive(points, board, band.times),
        }
        for band in curve.bands
    ]  # fmt: skip


def naive(points: Sequence[Answered], board: Board, times: int) -> dict[str, float]:
    """One inverse square root through the mean scores: what the widest band stands beside."""
    counts = sorted({p.labels for p in points})
    groups = [[p for p in points if p.labels == n] for n in counts]
    draws = np.column_stack(
        [np.mean([board.score(p).draws for p in group], axis=0) for group in groups]
    )
    there = _predict("power 0.5", np.array(counts, float), draws, float(times * counts[-1]))
    gain = there - draws[:, -1]
    low, high = np.quantile(there, [0.025, 0.975])
    gain_low, gain_high = np.quantile(gain, [0.025, 0.975])
    return {
        "naive_low": float(low), "naive_high": float(high),
        "naive_gain_low": float(gain_low), "naive_gain_high": float(gain_high),
    }  # fmt: skip


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A seed's answers, from their file where it is done."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def table(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Coverage and mean width by set and multiple, and over all."""
    rows = [{"set": name, **r} for name, several in found.items() for r in several]
    out = []
    for times in TIMES:
        for name in (*found, "all sets"):
            own = [r for r in rows if r["times"] == times and name in (r["set"], "all sets")]
            if own:
                out.append({"set": name, "times": times, "seeds": len(own), **said(own)})
    flat = [r for r in rows if r["outcome"] == "flat"]
    grows = [r for r in rows if r["outcome"] == "grows"]
    return {
        "rows": out,
        "flat": {"said": len(flat), "true": sum(r["gain"] < MARGIN for r in flat)},
        "grows": {"said": len(grows), "true": sum(r["gain"] > 0 for r in grows)},
        "said": {
            word: sum(r["outcome"] == word for r in rows)
            for word in ("flat", "grows", "falls", "open")
        },
    }


def said(own: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Coverage with its exact interval, and mean width, of each kind of band."""
    out: dict[str, Any] = {"mean_gain": float(np.mean([r["gain"] for r in own]))}
    for key, value in (("", "truth"), ("gain_", "gain"), ("naive_", "truth"),
                       ("naive_gain_", "gain")):  # fmt: skip
        inside = sum(r[f"{key}low"] <= r[value] <= r[f"{key}high"] for r in own)
        low, high = clopper_pearson(inside, len(own), 0.95)
        out[f"{key}coverage"] = {"value": inside / len(own), "low": low, "high": high}
        out[f"{key}width"] = float(np.mean([r[f"{key}high"] - r[f"{key}low"] for r in own]))
    return out


def main() -> None:
    """Run every seed within the budget, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    parser.add_argument("--work", type=Path, default=Path("runs/curve_band"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0, help="of processor time")
    args = parser.parse_args()
    loaded: dict[str, list[Row]] = {}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SETS}
    began = time.process_time()
    for seed in range(FIRST, FIRST + args.seeds):
        for name, (have, tested, metric) in SETS.items():
            path = args.work / f"{name.split(',')[0].replace(' ', '_')}-{seed}.json"
            if not path.exists() and time.process_time() - began > 60 * args.minutes:
                continue
            if not path.exists() and name not in loaded:
                loaded[name] = load(name, args.data)
            answers = kept(path, partial(one, loaded.get(name, []), have, tested, metric, seed))
            found[name] += judged(answers, metric)
            print(name, seed, f"{time.process_time() - began:.0f} s", file=sys.stderr, flush=True)
    result = {
        "sets": {name: {"labels": h, "test_rows": t, "metric": m}
                 for name, (h, t, m) in SETS.items()},
        "margin": MARGIN, "parts": PARTS, "draws": DRAWS,
        **table(found),
    }  # fmt: skip
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "curves.json").write_text(json.dumps(result, indent=1) + "\n")
    from results import fill

    fill()


if __name__ == "__main__":
    main()
