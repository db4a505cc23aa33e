"""A RUN folder as `compare` leaves it, with simulated rows and answers, for the report's tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from make_outcome import outcome
from whichlever.data.findings import Audit, Finding, ProbeScore, Scores, found
from whichlever.measure import summarise
from whichlever.measure.summary import (
    Calibration,
    CallCost,
    Interval,
    Latency,
    LeverSummary,
    Measures,
    Pair,
    ReliabilityBin,
)
from whichlever.prices import build_bill
from whichlever.task import Task
from whichlever.verdict import decide
from whichlever.verdict.types import Advice, BreakEven, Reason, Standing, Verdict


@dataclass
class Spec:
    """What the simulated run holds."""

    task: str = "alert-triage"
    labels: Sequence[str] = ("critical", "investigate", "noise")
    rows: int = 400
    seed: int = 0
    texts: Sequence[str] | None = None
    ids: Sequence[str] | None = None
    levers: Sequence[str] = (
        "majority", "linear", "prompt", "rag", "rag-vote", "finetune-static", "finetune-encoder",
        "recorded-gpt-4",
    )  # fmt: skip
    outcome: str = "pull"
    error: str = "timed out"
    findings: Sequence[Finding] | None = None
    chosen: dict[str, Any] | None = None


ACCURACY = {
    "majority": 0.62, "linear": 0.81, "prompt": 0.55, "rag": 0.66, "rag-vote": 0.74,
    "finetune-static": 0.84, "finetune-encoder": 0.87, "recorded-gpt-4": 0.79,
}  # fmt: skip
COST = {  # marginal, always on: dollars per call
    "majority": (1e-11, 5e-9), "linear": (4e-9, 7.3e-6), "prompt": (2.1e-5, 2.1e-5),
    "rag": (3.4e-5, 3.4e-5), "rag-vote": (2e-7, 7.3e-6), "finetune-static": (3e-9, 7.3e-6),
    "finetune-encoder": (1.4e-7, 7.5e-6), "recorded-gpt-4": (None, None),
}  # fmt: skip
P50 = {
    "majority": 0.002, "linear": 0.9, "prompt": 900.0, "rag": 1900.0, "rag-vote": 12.0,
    "finetune-static": 0.3, "finetune-encoder": 14.0, "recorded-gpt-4": None,
}  # fmt: skip
WORDS = (
    "user svc_backup logged on to host fin-db-02 from 10.4.7.19 outside working hours",
    "powershell.exe -enc JABjAGwAaQBlAG4AdAA spawned by winword.exe on laptop-118",
    "dns query for kq3v9x2.biz answered with NXDOMAIN 214 times in one minute",
    "scheduled scan by nessus-01 touched 1,204 ports; rule 5710 fired 96 times",
    "new local administrator 'helpdesk2' created on dc-01 by a service account",
)
MAIN = "finetune-static"


def make_run(folder: Path, spec: Spec | None = None) -> Path:
    """Write a finished RUN into ``folder``."""
    spec = spec or Spec()
    rng = np.random.default_rng(spec.seed)
    folder.mkdir(parents=True, exist_ok=True)
    labels = list(spec.labels)
    weights = np.array([1.0 / (i + 1) for i in range(len(labels))])[::-1]
    targets = rng.choice(len(labels), size=spec.rows, p=weights / weights.sum())
    ids = list(spec.ids or [f"a{i:05d}" for i in range(spec.rows)])[: spec.rows]
    texts = list(spec.texts or [f"{WORDS[i % 5]} (event {i})" for i in range(spec.rows)])
    texts = [texts[i % len(texts)] for i in range(spec.rows)]
    # JSON is YAML; escaped, since YAML refuses bare control characters.
    (folder / "task.yaml").write_text(json.dumps(_task(spec)), encoding="utf-8")
    frames, summaries = [], []
    for lever in spec.levers:
        frame, summary = _lever(lever, spec, rng, ids, targets)
        frames.append(frame)
        summaries.append(summary)
    arrow = pl.concat(frames).to_arrow()
    metadata = {b"whichlever.labels": json.dumps(labels).encode()}
    pq.write_table(arrow.replace_schema_metadata(metadata), folder / "trials.parquet")
    measures = Measures(
        labels=tuple(labels), metric="macro_f1", levers=tuple(summaries),
        pairs=tuple(_pairs(summaries)),
    )  # fmt: skip
    _write(folder / "measures.json", measures.model_dump(mode="json"))
    _write(folder / "verdict.json", _verdict(spec, measures).model_dump(mode="json"))
    _write(folder / "audit.json", _audit(spec, ids))
    _write(folder / "environment.json", _environment(spec))
    roles = [(f"t{i}", "train") for i in range(900)] + [(f"v{i}", "valid") for i in range(200)]
    roles += [(f"c{i}", "calibrate") for i in range(200)] + [(i, "test") for i in ids]
    pl.DataFrame(roles, schema=["id", "role"], orient="row").write_parquet(
        folder / "splits.parquet"
    )
    pl.DataFrame(
        {"id": ids, "text": [t[:2000] for t in texts], "chars": [len(t) for t in texts]}
    ).write_parquet(folder / "examples.parquet")
    return folder


def decide_again(folder: Path) -> Path:
    """Put the measures and the verdict that follow from the answers in place of the drawn ones."""
    frame = pl.read_parquet(folder / "trials.parquet")
    drawn = Measures.model_validate(json.loads((folder / "measures.json").read_text("utf-8")))
    task = Task.load(folder / "task.yaml")
    place = {label: i for i, label in enumerate(drawn.labels)}
    outcomes = []
    for summary in drawn.levers:
        rows = frame.filter(pl.col("lever") == summary.lever)
        outcomes.append(
            outcome(
                summary.lever,
                [place[t] for t in rows["target"]],
                [place.get(p, -1) for p in rows["predicted"]],
                ids=tuple(rows["id"]), place=summary.place, what=summary.what,
                all_rows=summary.all_rows, latency=summary.latency.model_copy(
                    update={"core_seconds": 2 * (summary.latency.p50_ms or 0) / 1000}
                ),
                rows_seen=summary.rows_seen,
            )
        )  # fmt: skip
    measures = summarise(outcomes, task, drawn.labels)
    _write(folder / "measures.json", measures.model_dump(mode="json"))
    _write(folder / "verdict.json", decide(task, measures).model_dump(mode="json"))
    return folder


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def _task(spec: Spec) -> dict[str, Any]:
    return {
        "version": 1, "task": spec.task, "kind": "classify",
        "about": "What should the analyst on shift do with this alert?",
        "data": {"rows": "alerts.jsonl.gz", "id": "id", "input": "text", "target": "label"},
        "labels": dict.fromkeys(spec.labels, ""),
        "constraints": {
            "calls_per_month": 10_000_000, "data_may_leave": False, "latency_p95_ms": 50,
        },
        "mistakes": {spec.labels[0]: {spec.labels[-1]: 200.0, spec.labels[1]: 5.0}},
        "goal": {"metric": "macro_f1", "margin": 0.02},
    }  # fmt: skip


def _lever(
    lever: str, spec: Spec, rng: np.random.Generator, ids: list[str], targets: np.ndarray
) -> tuple[pl.DataFrame, LeverSummary]:
    rows, classes = len(ids), len(spec.labels)
    family = lever if lever in ACCURACY else "recorded-gpt-4" if lever[:8] == "recorded" else None
    skill = ACCURACY[family] if family else 0.70
    answered = rows // 2 if lever in ("prompt", "rag") else rows
    logits = rng.normal(0, 1, (rows, classes))
    logits[np.arange(rows), targets] += 4.2 * skill - 1.2
    if lever == "majority":
        logits = np.tile(np.log(np.arange(1, classes + 1)), (rows, 1))
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    predicted = scores.argmax(1)
    recorded = lever.startswith("recorded")
    broken = rng.random(rows) < (0.02 if lever in ("prompt", "rag") or recorded else 0.0)
    frame = pl.DataFrame(
        {
            "lever": [lever] * rows, "seed": [spec.seed] * rows, "fraction": [1.0] * rows,
            "role": ["test"] * rows, "id": ids, "group": [None] * rows,
            "target": [spec.labels[t] for t in targets],
            "predicted": [
                None if b else spec.labels[p] for p, b in zip(predicted, broken, strict=True)
            ],
            "scores": [
                None if b or recorded else [float(x) for x in s]
                for s, b in zip(scores, broken, strict=True)
            ],
            "status": ["error" if b else "ok" for b in broken],
            "error": [spec.error if b else None for b in broken],
            "seconds": [(P50.get(family or "", 5.0) or 0.0) / 1000] * rows,
        },
        schema_overrides={
            "seed": pl.Int32, "fraction": pl.Float32, "scores": pl.List(pl.Float32),
            "group": pl.String, "error": pl.String, "predicted": pl.String,
        },
    ).head(answered)  # fmt: skip
    right = (predicted == targets) & ~broken
    return frame, _summary(lever, family, spec, right[:answered], scores, targets, broken, rows)


def _interval(value: float, spread: float) -> Interval:
    return Interval(value=value, low=max(0.0, value - spread), high=min(1.0, value + spread))


def _summary(
    lever: str, family: str | None, spec: Spec, right: np.ndarray, scores: np.ndarray,
    targets: np.ndarray, broken: np.ndarray, rows: int,
) -> LeverSummary:  # fmt: skip
    accuracy = float(right.mean())
    f1 = 0.26 if lever == "majority" else accuracy - 0.03
    spread = 1.96 * (accuracy * (1 - accuracy) / len(right)) ** 0.5
    marginal, always_on = COST.get(family or "", (1e-6, 9e-6))
    p50 = P50.get(family or "", 5.0)
    recorded = lever.startswith("recorded")
    place = "recorded" if recorded else "here"
    metrics = {"macro_f1": _interval(f1, spread * 1.3), "accuracy": _interval(accuracy, spread)}
    for i, label in enumerate(spec.labels):
        metrics[f"recall.{label}"] = _interval(max(0.02, accuracy - 0.05 * (i % 4)), spread * 2)
        metrics[f"precision.{label}"] = _interval(max(0.02, accuracy - 0.03 * (i % 5)), spread * 2)
    metrics["loss"] = Interval(
        value=3.1 - 2 * accuracy, low=2.8 - 2 * accuracy, high=3.4 - 2 * accuracy
    )
    wrong = int(broken[: len(right)].sum())
    own = not recorded and lever not in ("prompt", "rag")
    cost = CallCost(
        marginal=marginal,
        always_on=always_on,
        estimated=lever == "prompt",
        basis="not measured" if recorded else "2 cores at $0.05 a core-hour, kept on",
        bytes_out=None if recorded else 0.0,
        machine_month=73.0 if own else None,
        machine_calls=4e9 if own else None,
        marginal_low=marginal and marginal * 0.8,
        marginal_high=marginal and marginal * 1.3,
    )
    seen = 0 if lever in ("prompt", "majority") or recorded else 1100
    statuses = {"ok": len(right) - wrong, **({"error": wrong} if wrong else {})}
    return LeverSummary(
        lever=lever, what=f"{lever} on simulated rows", place=place, rows=len(right), all_rows=rows,
        statuses=statuses, metrics=metrics,
        calibration=None if recorded else _calibration(scores, targets),
        latency=Latency(
            rows=0 if p50 is None else 200, p50_ms=p50,
            p95_ms=None if p50 is None else p50 * 1.7, p99_ms=None if p50 is None else p50 * 2.6,
            rows_per_second=None if p50 is None else 1600 / p50, cores=2,
        ),
        cost=cost, rows_seen=seen,
        bill=build_bill(
            lever, place, cost, Task.model_validate(_task(spec)), rows_seen=seen, fit_seconds=42.0,
            test_rows=rows,
        ),
        fit_seconds=0.01 if lever == "majority" else 42.0,
        chosen=spec.chosen or ({"window": 20_000, "C": 1.0} if lever == "linear" else {}),
        seeds=3 if lever.startswith("finetune") else 1,
        without_leaks={"macro_f1": _interval(f1 - 0.017, spread * 1.4)},
    )  # fmt: skip


def _calibration(scores: np.ndarray, targets: np.ndarray) -> Calibration:
    confidence, hit = scores.max(1), scores.argmax(1) == targets
    bins = []
    for low in np.arange(0, 1, 0.1):
        inside = (confidence > low) & (confidence <= low + 0.1)
        if inside.any():
            bins.append(
                ReliabilityBin(
                    confidence=float(confidence[inside].mean()),
                    accuracy=float(hit[inside].mean()), rows=int(inside.sum()),
                )
            )  # fmt: skip
    ece = sum(b.rows * abs(b.confidence - b.accuracy) for b in bins) / len(targets)
    return Calibration(
        ece=_interval(ece, 0.012), brier=_interval(0.21, 0.02), temperature=1.31, bins=tuple(bins),
        ece_before=ece * 2.2,
    )  # fmt: skip


def _pairs(levers: list[LeverSummary]) -> list[Pair]:
    pairs = []
    for i, a in enumerate(levers):
        for b in levers[i + 1 :]:
            gap = a.metrics["macro_f1"].value - b.metrics["macro_f1"].value
            p = float(np.exp(-abs(gap) * 60))
            pairs.append(
                Pair(
                    a=a.lever, b=b.lever, metric="macro_f1", rows=min(a.rows, b.rows), groups=None,
                    difference=Interval(value=gap, low=gap - 0.03, high=gap + 0.03), p=p,
                    p_holm=min(1.0, p * 28), p_attainable=0.0001, mcnemar=min(1.0, p * 1.1),
                )
            )  # fmt: skip
    return pairs


def _verdict(spec: Spec, measures: Measures) -> Verdict:
    pulled = MAIN if spec.outcome == "pull" and MAIN in spec.levers else None
    told = {
        "pull": f"Pull {MAIN}: macro-F1 .840, the cheapest of the two levers that are as good.",
        "cannot tell": "Cannot tell: label about 640 more test rows for a margin of .020.",
        "none eligible": "No lever meets your constraints: recall of critical stays below .950.",
    }
    standings = tuple(
        Standing(
            lever=s.lever,
            state="excluded" if s.place == "recorded" else "eligible" if i % 3 else "unproven",
            non_inferior=s.lever in (MAIN, "finetune-encoder"), margin_to_best=0.012,
            dollars_per_month=s.bill.dollars_per_month if s.bill else None,
            reasons=(Reason(text="its bytes would leave", figure="constraints.data_may_leave"),),
        )
        for i, s in enumerate(measures.levers)
    )  # fmt: skip
    return Verdict(
        task=spec.task, outcome=spec.outcome, lever=pulled, headline=told[spec.outcome],  # type: ignore[arg-type]
        reasons=(
            Reason(
                text="finetune-static scores .840 macro-F1 on 400 rows, interval .801 to .871.",
                figure=f"levers.{MAIN}.metrics.macro_f1",
            ),
            Reason(
                text="It beats linear by .031, interval .008 to .055.",
                figure=f"pairs.{MAIN}~linear.difference",
            ),
            Reason(text="No byte leaves this machine.", figure="constraints.data_may_leave"),
        ),
        standings=standings,
        break_evens=(
            BreakEven(lever=MAIN, against="prompt", low=1_600_000, high=4_100_000,
                      text="finetune-static is cheaper from 1.6 M to 4.1 M calls a month."),
            BreakEven(lever=MAIN, against="recorded-gpt-4", low=None, high=None,
                      text="finetune-static against recorded-gpt-4: never, as measured."),
        ),
        would_change=(
            Reason(text="A prompt that scores .861 at $0.00001 a call would win.",
                   figure="levers.prompt.metrics.macro_f1"),
            Reason(text="Weekly changes of the task would favour prompting.",
                   figure="constraints.task_changes"),
        ),
        labels_needed=640 if spec.outcome == "cannot tell" else None,
        advice=(
            Advice(situation="data cannot leave your infrastructure", holds=True, lever="finetune",
                   reason="data_may_leave is false"),
            Advice(situation="fresh or live knowledge", holds=False, lever="rag",
                   reason="knowledge changes monthly"),
        ),
        scope=(
            "prompting means prompting SmolLM2-135M-Instruct, 4 shots; no larger model was asked",
            "recorded-gpt-4 was prompted zero-shot",
        ),
    )  # fmt: skip


def _audit(spec: Spec, ids: list[str]) -> dict[str, Any]:
    findings = (
        spec.findings
        if spec.findings is not None
        else [
            found(
                "near_across",
                "leak",
                "31 of 400 test rows nearly repeat a training row.",
                ids[:31],
                "split by: group, or leave them out",
                Scores(
                    leaky=ProbeScore(rows=400, accuracy=0.85, macro_f1=0.812),
                    clean=ProbeScore(rows=369, accuracy=0.83, macro_f1=0.791),
                    clean_means="without the 31 rows",
                ),
            ),
            found(
                "conflict",
                "warning",
                "2 texts stand with two labels.",
                ids[31:33],
                "look at them and decide",
            ),
            found(
                "small_class", "info", "critical has 73 test rows.", ids[:73], "label more of it"
            ),
        ]
    )
    audit = Audit(
        rows={"train": 900, "test": len(ids)}, findings=tuple(findings), leaked_ids=tuple(ids[:31])
    )
    return audit.model_dump(mode="json")


def _environment(spec: Spec) -> dict[str, Any]:
    return {
        "whichlever": "0.1.0", "python": "3.12.3", "system": "Linux x86_64", "cores": 2,
        "packages": {"numpy": "2.3.0", "polars": "2.1.0", "torch": None}, "seed": spec.seed,
        "rows_sha256": "9f2c" * 16,
    }  # fmt: skip
