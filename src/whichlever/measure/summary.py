"""What is known of each lever after a run: frozen, JSON in and out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A frozen record that round-trips through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Interval(Frozen):
    """A figure with its interval; ``low`` and ``high`` are None where no interval can be had."""

    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.95


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
    """One row at a time in milliseconds, and batched throughput; None is not measured."""

    rows: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    rows_per_second: float | None
    cores: int | None = None


class CallCost(Frozen):
    """Dollars per call, both ways of counting; None is "not measured".

    ``marginal`` is one more call; ``always_on`` shares the machine that is kept on all month
    (equal to ``marginal`` where a provider bills by token). ``basis`` says in words how it was
    worked out; ``estimated`` marks token counts worked out from characters.
    """

    marginal: float | None
    always_on: float | None
    basis: str
    estimated: bool = False
    tokens_in: float | None = None
    tokens_cached: float | None = None
    tokens_out: float | None = None
    bytes_out: float | None = None


class LeverSummary(Frozen):
    """One lever on its test rows.

    ``metrics`` keys: ``macro_f1``, ``accuracy``, ``recall.LABEL``, ``precision.LABEL``,
    ``recall_at_fpr.LABEL.RATE``, ``loss`` (mean cost per row by the task's ``mistakes``).
    Rows that were not answered count as wrong in every one of them; ``statuses`` counts them.
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


class Pair(Frozen):
    """``a`` minus ``b`` on the goal metric, on the rows both answered.

    ``p`` is from the paired randomisation test (whole groups swapped), ``p_holm`` after Holm over
    the run's family, ``p_attainable`` the smallest p that so few groups can give, ``mcnemar`` only
    where rows are independent.
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


class Measures(Frozen):
    """Everything measured in a run, on its test rows."""

    labels: tuple[str, ...]
    metric: str
    levers: tuple[LeverSummary, ...]
    pairs: tuple[Pair, ...]

    def lever(self, name: str) -> LeverSummary:
        """The summary of one lever; KeyError where it did not run."""
        for summary in self.levers:
            if summary.lever == name:
                return summary
        raise KeyError(name)
