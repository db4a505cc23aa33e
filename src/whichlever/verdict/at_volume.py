"""What a month of many calls takes of each lever: dollars, core-hours, machines, time a call."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whichlever.measure.summary import LeverSummary
from whichlever.prices import Frozen

MANY = 50_000_000.0
"""Calls a month of the page that every distillation gets."""


class AtVolume(Frozen):
    """One lever at a volume; None is not measured.

    ``calls_dollars`` is one more call times the volume; ``month_dollars`` everything counted, as
    the bill has it (labels, training, upkeep, changes, machines kept on). ``core_hours`` and
    ``machines`` are of own machines. Latency is of one row at a time, as measured.
    """

    lever: str
    calls: float
    calls_dollars: float | None
    month_dollars: float | None
    core_hours: float | None
    machines: int | None
    p50_ms: float | None
    p95_ms: float | None
    tokens: float | None

    @property
    def said(self) -> str:
        """The figures in a line."""
        parts = [
            "dollars not measured"
            if self.calls_dollars is None
            else f"${self.calls_dollars:,.2f} one more call each",
            None
            if self.month_dollars is None
            else f"${self.month_dollars:,.0f} everything counted",
            None if self.core_hours is None else f"{self.core_hours:,.1f} core-hours",
            None if self.tokens is None else f"{self.tokens:,.0f} tokens",
            None if self.p95_ms is None else f"p95 {self.p95_ms:.3g} ms",
        ]
        return ", ".join(part for part in parts if part)


def at_volume(levers: Sequence[LeverSummary], calls: float = MANY) -> tuple[AtVolume, ...]:
    """The same month for each lever, in their order."""
    return tuple(_one(own, calls) for own in levers)


def _one(own: LeverSummary, calls: float) -> AtVolume:
    cost, bill = own.cost, own.bill
    tokens = None
    if cost.tokens_in is not None and cost.tokens_out is not None:
        tokens = calls * (cost.tokens_in + cost.tokens_out)
    machines = None
    if cost.core_seconds is not None:
        room = cost.machine_calls
        machines = 1 if room is None else max(1, math.ceil(calls / room))
    return AtVolume(
        lever=own.lever,
        calls=calls,
        calls_dollars=None if cost.marginal is None else calls * cost.marginal,
        month_dollars=None if bill is None else bill.month(calls),
        core_hours=None if cost.core_seconds is None else calls * cost.core_seconds / 3600,
        machines=machines,
        p50_ms=own.latency.p50_ms,
        p95_ms=own.latency.p95_ms,
        tokens=tokens,
    )
