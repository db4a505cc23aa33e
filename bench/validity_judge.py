"""Answers through the tool's own path to a verdict, and the verdict held against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from whichlever.measure import Outcome, summarise
from whichlever.measure.summary import Latency, Measures
from whichlever.task import Task
from whichlever.verdict import Verdict, decide

Ints = npt.NDArray[np.int64]

FAST = Latency(
    rows=1000, p50_ms=1.0, p95_ms=2.0, p99_ms=3.0, rows_per_second=1000.0, cores=1,
    core_seconds=0.001,
)  # fmt: skip
CLAIMED = 0.05


def judge(
    targets: Ints,
    answers: Mapping[str, Ints],
    groups: Sequence[str] | None,
    labels: Sequence[str],
    *,
    metric: str,
    margin: float,
    seed: int,
    dear: Mapping[str, int],
) -> tuple[Measures, Verdict]:
    """What `comparison` does with finished answers: outcomes, `summarise`, `decide`.

    Parameters
    ----------
    targets, answers
        Label numbers, shape (rows,), and those answered, by lever.
    dear
        Labelled rows each lever is said to have learned from: what makes one dearer than another.
    """
    task = Task.model_validate(
        {
            "task": "validity",
            "data": {"rows": "rows.jsonl", "input": "text"},
            "labels": list(labels),
            "goal": {"metric": metric, "margin": margin},
        }
    )
    n = len(targets)
    unknown = np.full(n, np.nan)
    outcomes = [
        Outcome(
            lever=name, what=name, place="here", ids=tuple(map(str, range(n))),
            targets=np.asarray(targets, dtype=np.int64),
            predicted=np.asarray(said, dtype=np.int64),
            statuses=tuple("ok" if p >= 0 else "missing" for p in said),
            scores=None, raw_scores=None, groups=None if groups is None else tuple(groups),
            leaked=None, seconds=unknown, tokens_in=unknown, tokens_cached=unknown,
            tokens_out=unknown, bytes_out=np.zeros(n), estimated=False, all_rows=n, latency=FAST,
            temperature=None, rows_seen=dear.get(name, 1000), fit_seconds=1.0, chosen={},
        )
        for name, said in answers.items()
    ]  # fmt: skip
    measures = summarise(outcomes, task, labels, seed=seed)
    return measures, decide(task, measures)


def held(
    measures: Measures, verdict: Verdict, truth: Mapping[str, float], margin: float
) -> dict[str, Any]:
    """Hold one verdict against the true scores; JSON values.

    A *winner claim* is the outcome ``pull``: its lever is said to be as good as the best of the
    eligible within the margin, or ahead of all. It is *false* where the lever's true score is
    behind that of the truly best lever (any that is truly better than the majority floor, shown
    so or not) by more than the margin. A *direction claim* is a pair whose paired test is
    significant after Holm, or the sentence "It is ahead of every other eligible lever"; it is
    false where the true scores do not differ, or differ the other way.
    """
    candidates = {n: s for n, s in truth.items() if n != "majority"}
    able = {n: s for n, s in candidates.items() if s > truth["majority"]}
    pulled = verdict.outcome == "pull"
    short = max(able.values(), default=0.0) - truth[verdict.lever] if pulled else 0.0
    claims, wrong = 0, 0
    inside, pairs = 0, 0
    for pair in measures.pairs:
        true = truth[pair.a] - truth[pair.b]
        true = 0.0 if abs(true) < 1e-9 else true
        if pair.p_holm <= CLAIMED:
            claims += 1
            wrong += bool(true * pair.difference.value <= 0)
        if "majority" not in (pair.a, pair.b) and pair.difference.low is not None:
            pairs += 1
            inside += pair.difference.low <= true <= (pair.difference.high or 0.0)
    ahead = any(r.text.startswith("It is ahead of every other") for r in verdict.reasons)
    rest = [s for n, s in candidates.items() if n != verdict.lever]
    wrong_ahead = ahead and truth[verdict.lever] <= max(rest) + 1e-9
    own = [m.metrics[measures.metric] for m in measures.levers if m.lever != "majority"]
    names = [m.lever for m in measures.levers if m.lever != "majority"]
    scored = [(i, truth[n]) for i, n in zip(own, names, strict=True) if i.low is not None]
    return {
        "outcome": verdict.outcome,
        "lever": verdict.lever,
        "labels_needed": verdict.labels_needed,
        "rows": measures.levers[0].rows,
        "false_winner": bool(pulled and short > margin + 1e-9),
        "claims": claims,
        "false_claim": bool(wrong or wrong_ahead),
        "false_test": bool(wrong),
        "ahead": ahead,
        "false_ahead": bool(wrong_ahead),
        "pairs": pairs,
        "pairs_covered": inside,
        "scores": len(scored),
        "scores_covered": sum(i.low <= t <= i.high for i, t in scored),
    }


def exact(hits: int, of: int, level: float = 0.95) -> dict[str, Any]:
    """A share with its Clopper–Pearson interval; JSON values."""
    if of == 0:
        return {"hits": 0, "of": 0, "value": None, "low": None, "high": None}
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, of - hits + 1))
    high = 1.0 if hits == of else float(beta.ppf(1 - tail, hits + 1, of - hits))
    return {"hits": hits, "of": of, "value": hits / of, "low": low, "high": high}
