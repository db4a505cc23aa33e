"""What five models really answered about the vulnerabilities of 2024."""

import gzip
import json

import numpy as np
import pytest

from make_outcome import UNTIMED, outcome, task
from whichlever.measure import summarise

KNOWN = {0.720, 0.672, 0.659, 0.615, 0.447}


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.real
def test_recorded_frontier_answers(shared_data):
    rows = read(shared_data / "cwe" / "test_2024.jsonl.gz")
    labels = sorted({r["label"] for r in rows})
    index = {label: i for i, label in enumerate(labels)}
    truth = np.array([index[r["label"]] for r in rows])
    levers = []
    for path in sorted((shared_data / "cwe" / "recorded_2024").glob("*.jsonl.gz")):
        said = {r["id"]: r["prediction"] for r in read(path)}
        answers = np.array([index.get(said.get(r["id"]), -1) for r in rows])
        levers.append(
            outcome(path.stem, truth, answers, place="recorded", latency=UNTIMED, rows_seen=0)
        )
    plain = task("goal: {metric: accuracy}\n").model_copy(update={"labels": {}})
    found = summarise(levers, plain, labels)
    figures = {round(s.metrics["accuracy"].value, 3): s for s in found.levers}
    assert set(figures) == KNOWN
    best, worst = figures[0.720], figures[0.447]
    assert best.metrics["accuracy"].low == pytest.approx(0.691, abs=0.002)
    assert found.pair(best.lever, worst.lever).p_holm < 0.01
    macro = best.metrics["macro_f1"]
    assert macro.low < macro.value < macro.high
