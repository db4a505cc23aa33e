"""The static rung against model2vec's own pipeline, text in to calibrated label out, one core.

    python bench/static_speed.py [--data ../shared/data] [--repeats 15]

Both start from the same token vectors and train on the same alerts (AIT, one scenario left out at
a time, another one as validation rows); both then answer the scenario left out, in turn, in this
run. Two speeds of ours are given: `stream`, where the words of the training rows have been met
before, as in a service that runs; and `cold`, where no word has: each pass begins with an empty
memory of words, as in a new process. model2vec's training needs: pip install datasets
"""

# ruff: noqa: E402 - thread counts must be set before numpy is imported
from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import argparse
import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from whichlever.calibrate import Temperature
from whichlever.infer.static import StaticClassifier, StaticModel
from whichlever.levers.base import Context
from whichlever.levers.finetune_static import MODEL, FinetuneStatic
from whichlever.llm import find_weights
from whichlever.measure.paired import attainable_p, randomisation_p
from whichlever.measure.scores import Answers
from whichlever.models.static_distill import distilled
from whichlever.predict import Row
from whichlever.task import FinetuneSettings, Task

LABELS = ("critical", "investigate", "noise")
CORE_HOUR = 0.05
ESSAY = 0.000001
DRAWS = 2_000
RESULTS = Path(__file__).parent / "results" / "static_speed.json"

Answer = Callable[[Sequence[str]], np.ndarray]


@dataclass
class Fold:
    """One scenario left out: what both pipelines said, and how fast they can say it."""

    scenario: str
    texts: list[str]
    targets: np.ndarray
    seen: list[str]
    ours: StaticClassifier
    theirs: Answer


def read(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def train_ours(train: list[Row], valid: list[Row], task: Task, seed: int) -> StaticClassifier:
    with tempfile.TemporaryDirectory() as folder:
        lever = FinetuneStatic(FinetuneSettings(threads=1, windows=["all"]))
        lever.fit(train, valid, Context(task, LABELS, seed, Path(folder)))
        model = StaticModel.read(Path(folder) / MODEL)
    classifier = StaticClassifier(model)
    scores = classifier.probabilities([row.text for row in valid])
    targets = np.array([LABELS.index(str(row.target)) for row in valid])
    return StaticClassifier(model, temperature=Temperature.fit(scores, targets).value)


def train_theirs(train: list[Row], valid: list[Row], weights: Path, seed: int) -> Answer:
    from model2vec import StaticModel as Model2Vec
    from model2vec.train import StaticModelForClassification
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.post_processor = None
    base = Model2Vec(distilled(weights), tokenizer, normalize=True)
    model = StaticModelForClassification.from_static_model(model=base, out_dim=len(LABELS))
    model.fit(
        [r.text for r in train], [str(r.target) for r in train],
        X_val=[r.text for r in valid], y_val=[str(r.target) for r in valid],
        random_seed=seed, device="cpu",
    )  # fmt: skip
    pipeline = model.to_pipeline()
    order = [list(pipeline.classes_).index(label) for label in LABELS]

    def answer(texts: Sequence[str]) -> np.ndarray:
        found: np.ndarray = pipeline.predict_proba(texts, use_multiprocessing=False)
        return found[:, order]

    return answer


def folds(data: Path, seed: int) -> list[Fold]:
    records = read(data / "alerts" / "ait.jsonl.gz")
    task = Task.parse(
        "version: 1\ntask: ait\nkind: classify\ndata: {rows: ait.jsonl.gz, input: text}\n"
        "labels: {critical: '', investigate: '', noise: ''}\n"
    )
    weights = find_weights("all-minilm-l6-v2").path
    by_scenario: dict[str, list[Row]] = {}
    for r in records:
        row = Row(r["id"], r["text"], r["label"], r["group"], r["time"])
        by_scenario.setdefault(r["group"], []).append(row)
    names = sorted(by_scenario)
    out = []
    for i, name in enumerate(names):
        held = names[(i + 1) % len(names)]
        train = [row for n in names if n not in (name, held) for row in by_scenario[n]]
        valid, test = by_scenario[held], by_scenario[name]
        out.append(
            Fold(
                name,
                [row.text for row in test],
                np.array([LABELS.index(str(row.target)) for row in test]),
                [row.text for row in train],
                train_ours(train, valid, task, seed),
                train_theirs(train, valid, weights, seed),
            )
        )
        print(f"trained both without {name}", file=sys.stderr)
    return out


def seconds(answer: Answer, texts: Sequence[str]) -> float:
    """Wall time to a label with its calibrated probability for each text."""
    began = time.perf_counter()
    scores = answer(texts)
    best = scores.argmax(axis=1)
    _ = [(LABELS[b], scores[i, b]) for i, b in enumerate(best.tolist())]
    return time.perf_counter() - began


def one_pass(made: list[Fold]) -> dict[str, float]:
    """Seconds for all test rows, each way, the ways in turn within each fold."""
    spent = {"theirs": 0.0, "stream": 0.0, "cold": 0.0}
    for fold in made:
        spent["theirs"] += seconds(fold.theirs, fold.texts)
        fold.ours.forget()
        spent["cold"] += seconds(fold.ours.probabilities, fold.texts)
        fold.ours.forget()
        fold.ours.probabilities(fold.seen)
        spent["stream"] += seconds(fold.ours.probabilities, fold.texts)
    return spent


def difference(made: list[Fold], by_group: bool) -> dict[str, float]:
    """Macro-F1 of ours minus theirs over all test rows, with a paired bootstrap interval."""
    targets = np.concatenate([fold.targets for fold in made])
    ours = Answers(targets, said(made, ours=True))
    theirs = Answers(targets, said(made, ours=False))
    groups = np.repeat(np.arange(len(made)), [len(fold.texts) for fold in made])
    units = groups if by_group else np.arange(len(targets))
    count = int(units.max()) + 1
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).T.astype(np.float64)
    draws = ours.metric("macro_f1", drawn[units]) - theirs.metric("macro_f1", drawn[units])
    low, high = np.quantile(draws, [0.025, 0.975])
    one = np.ones((len(targets), 1))
    a, b = (float(x.metric("macro_f1", one)[0]) for x in (ours, theirs))
    return {
        "ours": a,
        "model2vec": b,
        "difference": a - b,
        "low": float(low),
        "high": float(high),
        "p": randomisation_p(ours, theirs, "macro_f1", groups if by_group else None),
        "attainable_p": attainable_p(count),
    }


def said(made: list[Fold], *, ours: bool) -> np.ndarray:
    return np.concatenate(
        [
            (fold.ours.probabilities if ours else fold.theirs)(fold.texts).argmax(axis=1)
            for fold in made
        ]
    )


def main() -> None:
    """Print and write the ratios, both macro-F1s with their paired interval, dollars per call."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        import model2vec.train  # noqa: F401
    except ImportError as error:
        sys.exit(f"{error}\nmodel2vec's own training needs: pip install datasets")
    made = folds(given.data, given.seed)
    one_pass(made)
    passes = [one_pass(made) for _ in range(given.repeats)]
    rows = sum(len(fold.texts) for fold in made)
    speed = {way: rows / statistics.median(p[way] for p in passes) for way in passes[0]}
    ratios = {
        way: statistics.median(p["theirs"] / p[way] for p in passes) for way in ("stream", "cold")
    }
    dollars = {way: CORE_HOUR / 3600 / speed[way] for way in speed}
    scores = {
        "by_scenario": difference(made, by_group=True),
        "by_row": difference(made, by_group=False),
    }
    result = {
        "what": "AIT alerts, one scenario left out at a time; text in, calibrated label out; "
        "one core each, in turn, in one run; model2vec trained with its defaults (early stopping "
        "on accuracy), ours as the lever does (early stopping on macro-F1, class weights tried)",
        "rows": rows,
        "repeats": given.repeats,
        "seed": given.seed,
        "rows_per_second": {"model2vec": speed["theirs"], **{w: speed[w] for w in ratios}},
        "ratio_to_model2vec": ratios,
        "macro_f1": scores,
        "dollars_per_call": {
            "core_hour": CORE_HOUR,
            "model2vec": dollars["theirs"],
            **{way: dollars[way] for way in ratios},
            "essay": ESSAY,
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    print(
        f"static rung: {ratios['stream']:.1f}× model2vec in a running stream, "
        f"{ratios['cold']:.1f}× with no word met before; ${dollars['stream']:.2e} a call "
        f"(cold ${dollars['cold']:.2e}) at ${CORE_HOUR} a core-hour, beside ${ESSAY:.6f}"
    )


if __name__ == "__main__":
    main()
