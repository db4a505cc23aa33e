"""What is known of each lever after a run: frozen, JSON in and out."""

from __future__ import annotations

from typing import Any, Literal

from whichlever.measure.attack import Attacks
from whichlever.measure.autoclosing import Autoclose
from whichlever.measure.change import Change
from whichlever.measure.curve import Curve
from whichlever.measure.figure import Interval
from whichlever.measure.hybrid import Hybrid, HybridLeftOut
from whichlever.measure.judge import Judging
from whichlever.measure.ladder import Ladder
from whichlever.measure.line_scores import LineScores
from whichlever.measure.noise import NoiseEvidence
from whichlever.measure.oracle import Retrieval
from whichlever.measure.workload import Workload
from whichlever.prices import Bill, CallCost, Frozen

__all__ = [
    "Bill",
    "Calibration",
    "CallCost",
    "Frozen",
    "Interval",
    "Latency",
    "LeverSummary",
    "Measures",
    "Pair",
    "ReliabilityBin",
]


class ReliabilityBin(Frozen):
    """One bin of a reliability diagram: mean confidence against accuracy over ``rows`` rows."""

    confidence: float
    accuracy: float
    rows: int


class Calibration(Frozen):
    """How far the probabilities can be believed, on test rows, after calibration."""

    ece: Interval
    brier: Interval
    temperature: float | None
    bins: tuple[ReliabilityBin, ...]
    ece_before: float | None = None


class Latency(Frozen):
    """One row at a time in milliseconds, and batched throughput; None is not measured.

    ``core_seconds`` is processor time per row of a batch, all threads together.
    """

    rows: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    rows_per_second: float | None
    cores: int | None = None
    core_seconds: float | None = None


class LeverSummary(Frozen):
    """One lever on its test rows.

    ``metrics`` keys: ``macro_f1``, ``accuracy``, ``recall.LABEL``, ``precision.LABEL``,
    ``recall_at_fpr.LABEL.RATE``, ``loss`` (mean cost per row by the task's ``mistakes``).
    Rows that were not answered count as wrong in every one of them; ``statuses`` counts them.
    ``without_leaks`` holds the overall metrics without the test rows that training had (nearly)
    seen: on ``clean_rows`` rows of ``clean_classes`` classes, which may be few.

    For `kind: extract` they are ``micro_f1``, ``line_exact``, ``invented`` (the share of values
    said that were made up) and ``recall.NAME``, ``precision.NAME``; ``lines`` has them in part.
    """

    lever: str
    what: str
    place: Literal["here", "remote", "recorded"]
    rows: int
    all_rows: int
    statuses: dict[str, int]
    metrics: dict[str, Interval]
    calibration: Calibration | None
    latency: Latency
    cost: CallCost
    rows_seen: int
    fit_seconds: float
    chosen: dict[str, Any]
    seeds: int = 1
    without_leaks: dict[str, Interval] | None = None
    clean_rows: int | None = None
    clean_classes: int | None = None
    bill: Bill | None = None
    lines: LineScores | None = None


class Pair(Frozen):
    """``a`` minus ``b`` on the goal metric, on the rows both answered.

    ``p`` is from the paired randomisation test (whole groups swapped), ``p_holm`` after Holm over
    the run's family, ``p_attainable`` the smallest p that so few groups can give, ``mcnemar`` only
    where rows are independent.

    ``error`` is the bootstrap standard error of the difference. ``b_over_a`` and ``a_over_b`` are
    upper bounds of (b − a) and of (a − b) that hold together for all pairs of the run (multiple
    comparisons with the best), None for pairs with the majority floor. ``rows_needed`` is how many
    labelled test rows in all would show within the task's margin that two equally good levers are
    so, at 80 % power.
    """

    a: str
    b: str
    metric: str
    rows: int
    groups: int | None
    difference: Interval
    p: float
    p_holm: float
    p_attainable: float
    mcnemar: float | None
    error: float | None = None
    b_over_a: float | None = None
    a_over_b: float | None = None
    rows_needed: int | None = None


class Measures(Frozen):
    """Everything measured in a run, on its test rows."""

    labels: tuple[str, ...]
    metric: str
    levers: tuple[LeverSummary, ...]
    pairs: tuple[Pair, ...]
    change: Change | None = None
    retrieval: tuple[Retrieval, ...] = ()
    autoclose: Autoclose | None = None
    curve: Curve | None = None
    ladder: Ladder | None = None
    workload: Workload | None = None
    hybrid: Hybrid | HybridLeftOut | None = None
    noise: NoiseEvidence | None = None
    judge: Judging | None = None
    attacks: Attacks | None = None

    def lever(self, name: str) -> LeverSummary:
        """The summary of one lever; KeyError where it did not run."""
        for summary in self.levers:
            if summary.lever == name:
                return summary
        raise KeyError(name)

    def pair(self, a: str, b: str) -> Pair:
        """The pair of two levers, in the order it is kept; KeyError where there is none."""
        for pair in self.pairs:
            if {pair.a, pair.b} == {a, b}:
                return pair
        raise KeyError(f"{a}~{b}")
