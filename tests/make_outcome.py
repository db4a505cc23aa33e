"""Outcomes made by hand, for tests of measuring and deciding."""

from __future__ import annotations

import numpy as np

from whichlever.measure import Outcome
from whichlever.measure.summary import Latency
from whichlever.task import Task

LABELS = ("critical", "investigate", "noise")
FAST = Latency(
    rows=100, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0, rows_per_second=500.0, cores=2, core_seconds=0.004
)
UNTIMED = Latency(rows=0, p50_ms=None, p95_ms=None, p99_ms=None, rows_per_second=None)


def task(extra: str = "") -> Task:
    return Task.parse(
        "task: toy\ndata: {rows: rows.jsonl, input: text}\n"
        "labels: [critical, investigate, noise]\n" + extra
    )


def outcome(lever, targets, predicted, **given) -> Outcome:
    n = len(targets)
    unknown = np.full(n, np.nan)
    predicted = np.asarray(predicted, dtype=np.int64)
    fields = {
        "lever": lever,
        "what": f"{lever} as tested",
        "place": "here",
        "ids": tuple(f"r{i}" for i in range(n)),
        "targets": np.asarray(targets, dtype=np.int64),
        "predicted": predicted,
        "statuses": tuple("ok" if p >= 0 else "error" for p in predicted),
        "scores": None,
        "raw_scores": None,
        "groups": None,
        "leaked": None,
        "seconds": unknown,
        "tokens_in": unknown,
        "tokens_cached": unknown,
        "tokens_out": unknown,
        "bytes_out": np.zeros(n),
        "estimated": False,
        "all_rows": n,
        "latency": FAST,
        "temperature": None,
        "rows_seen": 1000,
        "fit_seconds": 10.0,
        "chosen": {},
    }
    return Outcome(**{**fields, **given})


def answers(random, targets, accuracy, classes=3):
    """Right with this probability, else any label."""
    targets = np.asarray(targets)
    wild = random.integers(0, classes, len(targets))
    return np.where(random.random(len(targets)) < accuracy, targets, wild)
