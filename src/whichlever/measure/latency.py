"""How fast a predictor answers: one row at a time, and in batches."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np

from whichlever.measure.summary import Latency
from whichlever.predict import Predictor, Row

WARM_UP = 3
LEAST_ROWS = 5
BATCH = 256


def measure_latency(
    predictor: Predictor,
    rows: Sequence[Row],
    seconds: float = 5.0,
    rows_per_second: float | None = None,
) -> Latency:
    """Time a predictor on rows, within about ``seconds``.

    Two thirds of the time go to rows one at a time (after a warm-up), at least five of them
    however slow; the rest to batches of up to 256 rows, where wall and processor time are taken.

    Parameters
    ----------
    predictor
        Answers rows on this machine.
    rows
        Rows to take in turn, from the first.
    seconds
        Time to spend.
    rows_per_second
        Throughput already measured on more rows; kept instead of the batches' own.
    """
    if not rows:
        return Latency(rows=0, p50_ms=None, p95_ms=None, p99_ms=None, rows_per_second=None)
    for row in rows[:WARM_UP]:
        predictor.predict([row])
    singles: list[float] = []
    stop = time.perf_counter() + seconds * 2 / 3
    while len(singles) < LEAST_ROWS or time.perf_counter() < stop:
        row = rows[len(singles) % len(rows)]
        began = time.perf_counter()
        predictor.predict([row])
        singles.append(time.perf_counter() - began)
    # As many rows at once as fit the rest of the time if batching won nothing.
    size = int(np.clip(seconds / 3 / max(float(np.median(singles)), 1e-9), 1, BATCH))
    done, wall, processor = 0, 0.0, 0.0
    while done == 0 or wall < seconds / 3:
        start = done % len(rows)
        batch = rows[start : start + size]
        began, began_processor = time.perf_counter(), time.process_time()
        predictor.predict(batch)
        wall += time.perf_counter() - began
        processor += time.process_time() - began_processor
        done += len(batch)
    return Latency(
        rows=len(singles),
        **_percentiles(singles),
        rows_per_second=done / max(wall, 1e-9) if rows_per_second is None else rows_per_second,
        cores=_cores(),
        # Almost no processor time in this process: the work is done in another one.
        core_seconds=processor / done if processor > 0.2 * wall else None,
    )


def from_seconds(seconds: Sequence[float | None]) -> Latency:
    """Latency of answers whose wall time was recorded; None is an unmeasured row.

    ``rows_per_second`` is that of one answer after the other.
    """
    known = [s for s in seconds if s is not None and not np.isnan(s)]
    if not known:
        return Latency(rows=0, p50_ms=None, p95_ms=None, p99_ms=None, rows_per_second=None)
    return Latency(
        rows=len(known),
        **_percentiles(known),
        rows_per_second=len(known) / max(sum(known), 1e-9),
        cores=None,
    )


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = np.quantile(np.asarray(seconds) * 1000, [0.5, 0.95, 0.99])
    return {"p50_ms": float(p50), "p95_ms": float(p95), "p99_ms": float(p99)}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
