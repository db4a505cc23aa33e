"""Wrong labels planted in real sets, and how many of them `whichlever audit --noise` ranks first.

    python bench/label_noise.py --data ../shared/data [--sets sms,triage] [--seeds 3] [--rates .05]

Two kinds of noise: ``anywhere`` (any row, any other label) and ``confusable`` (labels differ in
how often they are mistaken, up to four rows in ten, and a row gets one of the two labels whose
texts are most like its own label's). Precision is the share of planted rows among as many first
rows of the ranking as were planted; labels that were wrong before count against it, except in the
simulated company, where the true labels are known and every wrong label counts as one.

Results are kept in docs/results/label_noise.json as they come, one entry per set, kind, rate and
seed, so that a long run may be stopped and gone on with; the page is written from them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from whichlever.data.noise import find_noise
from whichlever.data.noise_features import TextFeatures, text_features
from whichlever.data.noise_folds import cluster_rows, deal_folds
from whichlever.data.noise_joint import confident_joint, rank
from whichlever.data.noise_models import MODELS
from whichlever.data.noise_pool import fold_scores, pool_weights, pooled
from whichlever.data.rows import Splits
from whichlever.predict import Row
from whichlever.progress import Silent
from whichlever.settings import NoiseSettings

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
FOLDS = 5
LEAST = 5
SETS = ("banking77", "sms", "tos", "triage", "panther", "panther by rule", "cwe")
KINDS = ("anywhere", "confusable")
METHODS = ("log-odds", "self-confidence", "joint first", "logistic alone")


@dataclass(frozen=True, eq=False)
class Bench:
    """One set: rows, label numbers, the true ones and their best possible odds where known."""

    rows: list[Row]
    targets: np.ndarray
    true: np.ndarray | None
    by_group: bool = False
    best: np.ndarray | None = None


def load(name: str, data: Path) -> Bench:
    """Read a set; labels with fewer than five rows are left out."""
    if name == "triage":
        return simulated()
    files = {
        "banking77": "general/banking77.jsonl.gz",
        "sms": "general/sms_spam.jsonl.gz",
        "tos": "copilot/tos.jsonl.gz",
        "cwe": "cwe/train.jsonl.gz",
    }
    with gzip.open(data / files.get(name, "alerts/panther.jsonl.gz"), "rt") as lines:
        found = [json.loads(line) for line in lines]
    if name == "cwe":
        found = sorted(found, key=lambda row: row["published"])[-20_000:]
    if name == "banking77":
        found = found[::2]
    text, label = ("input", "output") if name == "tos" else ("text", "label")
    counts: dict[str, int] = {}
    for row in found:
        counts[row[label]] = counts.get(row[label], 0) + 1
    kept = [row for row in found if counts[row[label]] >= LEAST]
    rows = [
        Row(str(i), row[text], row[label], group=row.get("group")) for i, row in enumerate(kept)
    ]
    return numbered(rows, None, by_group=name == "panther by rule")


def simulated() -> Bench:
    """The simulated company, with its true labels."""
    from whichlever.data import read_dataset
    from whichlever.packs.triage.simulate import read_truth
    from whichlever.render import find_pack
    from whichlever.task import Task

    with TemporaryDirectory() as folder:
        home = Path(folder) / "company"
        find_pack("triage@1")[0].write_template(home, 0)
        rows = list(read_dataset(Task.load(home / "task.yaml")).rows)
        truth = {line["id"]: line for line in read_truth(home / "data" / "truth.jsonl")}
    found = numbered(rows, [truth[row.id]["true_label"] for row in rows])
    names = sorted({row.target or "" for row in rows})
    best = np.array([[truth[row.id]["bayes"][name] for name in names] for row in rows])
    return replace(found, best=best.astype(np.float32))


def numbered(rows: list[Row], true: list[str] | None, by_group: bool = False) -> Bench:
    """Labels as numbers."""
    names = sorted({row.target or "" for row in rows})
    place = {label: i for i, label in enumerate(names)}
    given = np.array([place[row.target or ""] for row in rows])
    return Bench(
        rows, given, None if true is None else np.array([place[t] for t in true]), by_group
    )


def plant(bench: Bench, dense: np.ndarray, kind: str, rate: float, seed: int) -> np.ndarray:
    """Labels with errors planted, shape (n,)."""
    random = np.random.default_rng([seed, KINDS.index(kind), round(rate * 1000)])
    given, classes = bench.targets, int(bench.targets.max()) + 1
    out, count = given.copy(), round(rate * len(given))
    if kind == "anywhere":
        at = random.choice(len(given), count, replace=False)
        said = random.integers(0, classes - 1, count)
        out[at] = said + (said >= given[at])
        return out
    centres = np.zeros((classes, dense.shape[1]))
    np.add.at(centres, given, dense)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    alike = centres @ centres.T
    np.fill_diagonal(alike, -np.inf)
    near = np.argsort(-alike, axis=1)[:, : min(2, classes - 1)]
    often = random.gamma(1.0, 1.0, classes)
    chance = np.minimum(rate * often[given] / often[given].mean(), 0.4)
    at = random.choice(len(given), count, replace=False, p=chance / chance.sum())
    out[at] = near[given[at], random.integers(0, near.shape[1], count)]
    return out


def average_precision(order: np.ndarray, wrong: np.ndarray) -> float:
    """Mean over wrong rows of the precision where each is met."""
    hit = np.isin(order, wrong)
    return float((np.cumsum(hit)[hit] / (np.flatnonzero(hit) + 1)).mean())


def measure(bench: Bench, features: TextFeatures, clusters: np.ndarray, kind: str, rate: float,
            seed: int) -> dict[str, Any]:  # fmt: skip
    """One draw of noise: every method's precision at the planted count, and average precision."""
    classes = int(bench.targets.max()) + 1
    given = plant(bench, features.dense, kind, rate, seed)
    planted = np.flatnonzero(given != bench.targets)
    wrong = planted if bench.true is None else np.flatnonzero(given != bench.true)
    folds = deal_folds(clusters, given, FOLDS, seed)
    began = time.process_time()
    every = np.ones(len(given), dtype=bool)
    parts = fold_scores(features, given, folds, every, classes, seed, Silent())
    weights = pool_weights(parts, given, np.arange(len(given)), seed)
    shares = pooled(parts, weights)
    seconds = time.process_time() - began
    first = np.zeros(len(MODELS))
    first[0] = pool_weights(parts[:1], given, np.arange(len(given)), seed)[0]
    alone = pooled(parts, first)
    ranked, joint = rank(shares, given), confident_joint(shares, given)
    off = (joint.confident >= 0) & (joint.confident != given)
    keys = {
        "log-odds": ranked.odds,
        "self-confidence": ranked.confidence,
        "joint first": np.where(off, ranked.margin - 3, ranked.margin),
        "logistic alone": rank(alone, given).confidence,
    }
    out: dict[str, Any] = {
        "rows": len(given),
        "planted": len(planted),
        "wrong": len(wrong),
        "labels": classes,
        "accuracy": float(np.mean(shares.argmax(axis=1) == given)),
        "estimated": joint.errors,
        "suggested_right": float(np.mean(ranked.suggested[planted] == bench.targets[planted])),
        "core_seconds": round(seconds, 1),
        "weights": [round(float(w), 3) for w in weights],
    }
    for name, key in keys.items():
        order = np.argsort(key, kind="stable")
        out[name] = {
            "precision": float(np.isin(order[: len(wrong)], wrong).mean()),
            "average": average_precision(order, wrong),
        }
    if bench.best is not None:  # somebody who knows how the company was made
        order = np.argsort(rank(bench.best, given).odds, kind="stable")
        out["best possible"] = float(np.isin(order[: len(wrong)], wrong).mean())
    if seed == 0:
        out["estimate"] = estimate(bench, given)
    out["random"] = {"precision": len(wrong) / len(given), "average": len(wrong) / len(given)}
    return out


def estimate(bench: Bench, given: np.ndarray) -> dict[str, Any]:
    """What `find_noise` says of the labels with its own planted errors."""
    names = sorted({row.target or "" for row in bench.rows})
    rows = tuple(
        replace(row, target=names[label])
        for row, label in zip(bench.rows, given.tolist(), strict=True)
    )
    true = bench.targets if bench.true is None else bench.true
    wrong = {row.id for row, bad in zip(rows, (given != true).tolist(), strict=True) if bad}
    settings = NoiseSettings(by_group=bench.by_group, minutes=600)
    found = find_noise(Splits(rows, (), (), ()), names, settings)
    side, check = found.noise.train, found.noise.check
    assert check is not None
    listed = [row.id in wrong for row in found.suspects()]
    return {
        "errors": [side.errors, side.errors_low, side.errors_high],
        "joint": side.joint_errors,
        "check": check.found / check.rows,
        "listed": side.listed,
        "listed_wrong": sum(listed),
    }


def main() -> None:
    """Measure what is not yet there, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", default="0.05,0.1")
    parser.add_argument("--out", type=Path, default=RESULTS / "label_noise.json")
    args = parser.parse_args()
    kept: dict[str, Any] = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.sets.split(","):
        bench = load(name, args.data)
        classes = int(bench.targets.max()) + 1
        features = text_features([row.text for row in bench.rows], len(bench.rows), classes, 0)
        clusters = cluster_rows(bench.rows, FOLDS, by_group=bench.by_group).of
        for seed in range(args.seeds):
            for rate in map(float, args.rates.split(",")):
                for kind in KINDS:
                    key = f"{name} | {kind} | {rate:g} | {seed}"
                    if key in kept and (seed or "estimate" in kept[key]):
                        continue
                    kept[key] = measure(bench, features, clusters, kind, rate, seed)
                    args.out.write_text(json.dumps(kept, indent=1) + "\n")
                    found = kept[key]
                    shown = {m: round(found[m]["precision"], 3) for m in METHODS}
                    print(key, shown, f"estimated {found['estimated']:.0f} of {found['wrong']}",
                          f"{found['core_seconds']} s", flush=True)  # fmt: skip
    write_page(kept)


def write_page(kept: dict[str, Any]) -> None:
    """Put the tables into docs/results/label_noise.md; its words stay."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for key, found in kept.items():
        name, kind, rate, _ = key.split(" | ")
        groups.setdefault((name, kind, rate), []).append(found)
    ordered = sorted(groups, key=lambda g: (SETS.index(g[0]), g[1], float(g[2])))
    ranking = ["| set | noise | planted | precision | average precision | by self-confidence | "
               "joint first | logistic alone | random | seeds |",
               "|---" * 10 + "|"]  # fmt: skip
    counting = ["| set | noise | planted | wrong | estimated [95 %] | confident joint | "
                "listed, of them wrong | check |",
                "|---" * 8 + "|"]  # fmt: skip
    for name, kind, rate in ordered:
        runs = groups[name, kind, rate]
        head = f"| {name} | {kind} | {float(rate):.0%} |"
        cells = [spread(runs, "log-odds", "precision"), spread(runs, "log-odds", "average")]
        cells += [
            spread(runs, method, "precision")
            for method in ("self-confidence", "joint first", "logistic alone")
        ]
        random = np.mean([run["random"]["precision"] for run in runs])
        ranking.append(f"{head} {' | '.join(cells)} | {random:.3f} | {len(runs)} |")
        for run in runs:
            if "estimate" in run:
                counting.append(f"{head} {counted(run)} |")
    page = RESULTS / "label_noise.md"
    text = page.read_text(encoding="utf-8")
    for mark, lines in (("ranking", ranking), ("counting", counting)):
        before, _, rest = text.partition(f"<!-- {mark} -->\n")
        _, _, after = rest.partition("<!-- end -->")
        table = "\n".join(lines)
        text = f"{before}<!-- {mark} -->\n\n{table}\n\n<!-- end -->{after}"
    page.write_text(text, encoding="utf-8")


def counted(run: dict[str, Any]) -> str:
    """The cells of one run's estimate."""
    found = run["estimate"]
    value, low, high = found["errors"]
    share = found["listed_wrong"] / max(found["listed"], 1)
    return (
        f"{run['wrong']} | {value:.0f} [{low:.0f}, {high:.0f}] | {found['joint']:.0f} | "
        f"{found['listed']}, {share:.0%} | {found['check']:.0%}"
    )


def spread(runs: list[dict[str, Any]], method: str, figure: str) -> str:
    """Mean over seeds, with the 95 % interval of Student's t where there are three or more."""
    from scipy.special import stdtrit

    values = np.array([run[method][figure] for run in runs])
    if len(values) < 3:
        return f"{values.mean():.3f}"
    half = float(stdtrit(len(values) - 1, 0.975)) * values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():.3f} ± {half:.3f}"


if __name__ == "__main__":
    main()
