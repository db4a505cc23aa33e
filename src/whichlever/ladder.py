"""From finished steps to the rung ladder: validation scores that every rung kept, and its price."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from whichlever.data import Splits
from whichlever.levers.held_out import HeldOut
from whichlever.measure import Measures
from whichlever.measure.ladder import Ladder, Tried, climb
from whichlever.step import Step
from whichlever.task import Task

ORDER = ("linear", "finetune-static", "finetune-encoder", "finetune-joined")
"""Lowest first; the joined model stands on all of them."""


def rung_ladder(
    run: Path, task: Task, splits: Splits, steps: Sequence[Step], measures: Measures, seed: int
) -> Ladder | None:
    """The ladder of a run, None where fewer than two of its levers are rungs.

    Parameters
    ----------
    run
        Its ``fits/`` hold the scores that each rung gave validation rows before learning from
        them.
    measures
        Say what each rung takes in milliseconds and dollars.
    """
    facts = {s.facts["lever"]: s.facts for s in steps}
    kept = {}
    for name in ORDER:
        folders = list((run / "fits" / name).glob("*/step.json")) if name in facts else []
        found = HeldOut.load(folders[0].parent) if folders else None
        if found is not None:
            kept[name] = found
    if len(kept) < 2:
        return None
    index = {label: i for i, label in enumerate(measures.labels)}
    tables = {name: dict(zip(h.ids, h.scores, strict=True)) for name, h in kept.items()}
    rows = [r for r in splits.valid if all(r.id in t for t in tables.values())]
    if not rows:
        return None
    groups = [r.group for r in rows]
    tried = [
        Tried(
            lever=name,
            predicted=np.stack([table[r.id] for r in rows]).argmax(axis=1).astype(np.int64),
            seed_scores=tuple(facts[name]["chosen"].get("seed_scores", ())),
            too_dear=too_dear(name, task, measures),
        )
        for name, table in tables.items()
    ]
    return climb(
        tried,
        np.array([index.get(r.target or "", -1) for r in rows], np.int64),
        task.goal.metric,
        task.goal.margin,
        groups=None if any(g is None for g in groups) else [str(g) for g in groups],
        seed=seed,
    )


def too_dear(name: str, task: Task, measures: Measures) -> str | None:
    """Why a rung breaks the latency or the dollar constraint, in words; None where it does not."""
    lever, limits = measures.lever(name), task.constraints
    p95, limit = lever.latency.p95_ms, limits.latency_p95_ms
    if p95 is not None and limit is not None and p95 > limit:
        return f"its p95 latency of {p95:.3g} ms is over {limit:g} ms"
    month = None if lever.bill is None else lever.bill.month(limits.calls_per_month)
    most = limits.dollars_per_month
    if month is not None and most is not None and month > most:
        return f"its ${month:,.0f} a month are over ${most:,.0f}"
    return None
