"""Dollars a month at any volume, from what one call costs at the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.measure.summary import CallCost, LeverSummary
from whichlever.task import Task

DECADES = 3
"""How far the curve reaches to each side of the user's volume."""
STEPS = 12
"""Points per decade."""


@dataclass(frozen=True)
class Curve:
    """One lever's bill: dollars a month at each of ``volumes`` calls a month."""

    lever: str
    volumes: tuple[float, ...]
    dollars: tuple[float, ...]


def monthly(cost: CallCost, calls_per_month: float, at: float) -> float | None:
    """Dollars a month at ``at`` calls a month; None where the cost was not measured.

    ``always_on`` is dollars per call at ``calls_per_month`` with the machines kept on; what it
    has above ``marginal`` is the fixed part of the bill, which other volumes share differently.
    The bill is never below ``at`` calls at their marginal cost.
    """
    if cost.marginal is None and cost.always_on is None:
        return None
    marginal = cost.marginal if cost.marginal is not None else cost.always_on
    always_on = cost.always_on if cost.always_on is not None else marginal
    assert marginal is not None
    assert always_on is not None
    kept_on = always_on * calls_per_month
    fixed = kept_on if always_on > marginal else 0.0
    return max(fixed, marginal * at)


def curves(levers: Sequence[LeverSummary], task: Task) -> list[Curve]:
    """Bills around the user's volume, for every lever whose cost was measured and is above 0."""
    calls_per_month = task.constraints.calls_per_month
    low = calls_per_month / 10**DECADES
    volumes = tuple(low * 10 ** (i / STEPS) for i in range(2 * DECADES * STEPS + 1))
    drawn = []
    for summary in levers:
        dollars = [monthly(summary.cost, calls_per_month, v) for v in volumes]
        known = [d for d in dollars if d is not None]
        if len(known) == len(volumes) and max(known) > 0:
            drawn.append(Curve(summary.lever, volumes, tuple(known)))
    return drawn
