"""From how many calls a month one lever is cheaper than another: a range, or never."""

from __future__ import annotations

import math
from collections.abc import Callable

from whichlever.measure.summary import LeverSummary
from whichlever.prices import Bill
from whichlever.verdict.types import BreakEven

MOST_CALLS = 1e12
"""Volumes beyond this are "never"."""

STEPS_PER_DECADE = 40

Cost = Callable[[float], float]


def break_even(first: LeverSummary, second: LeverSummary) -> BreakEven | None:
    """Where the lines of two levers' monthly dollars cross, everything counted.

    The low end is in favour of the lever that wins at high volume: an own machine is shared with
    other work (only the time used is paid), token counts are at the end of their interval that
    favours it. The high end is against it: its machines are kept on all month. Two levers on own
    machines are counted the same way at each end.

    Returns
    -------
    BreakEven or None
        None where a cost is not measured.
    """
    if first.bill is None or second.bill is None:
        return None
    if first.bill.marginal is None or second.bill.marginal is None:
        return None
    lever, against = first, second
    if crossing(_line(first.bill, "expected"), _line(second.bill, "expected")) is None:
        lever, against = second, first
    assert lever.bill is not None
    assert against.bill is not None
    low, high = _ends(lever.bill, against.bill)
    return BreakEven(
        lever=lever.lever,
        against=against.lever,
        low=low,
        high=high,
        text=_text(lever, against.lever, low, high),
    )


def crossing(lever: Cost, against: Cost) -> float | None:
    """The volume from which ``lever`` costs less and goes on doing so; None is never.

    0 means at any volume. Machines come in whole numbers, so the lines have steps: the last
    crossing is found on a logarithmic grid and then by bisection.
    """
    decades = math.log10(MOST_CALLS)
    grid = [10 ** (i / STEPS_PER_DECADE) for i in range(int(decades * STEPS_PER_DECADE) + 1)]
    cheaper = [lever(v) < against(v) for v in grid]
    if not cheaper[-1]:
        return None
    last = max((i for i, ok in enumerate(cheaper) if not ok), default=-1)
    if last < 0:
        return 0.0
    low, high = grid[last], grid[last + 1]
    for _ in range(40):
        middle = math.sqrt(low * high)
        if lever(middle) < against(middle):
            high = middle
        else:
            low = middle
    return high


def _line(bill: Bill, end: str) -> Cost:
    def dollars(calls: float) -> float:
        found = bill.month(calls, end)  # type: ignore[arg-type]
        return math.inf if found is None else found

    return dollars


def _ends(lever: Bill, against: Bill) -> tuple[float | None, float | None]:
    both_own = lever.machine_month is not None and against.machine_month is not None
    if both_own:
        found = [crossing(_line(lever, end), _line(against, end)) for end in ("low", "expected")]
    else:
        found = [
            crossing(_line(lever, "low"), _line(against, "high")),
            crossing(_line(lever, "high"), _line(against, "low")),
        ]
    known = sorted(v for v in found if v is not None)
    if not known:
        return None, None
    return known[0], known[-1] if len(known) == 2 else None


def _text(lever: LeverSummary, against: str, low: float | None, high: float | None) -> str:
    name = lever.lever
    if low is None:
        return f"{name} is never cheaper than {against}."
    if high is None:
        return (
            f"{name} is cheaper than {against} from {calls(low)} calls a month at the earliest, "
            "and never on the less favourable assumptions."
        )
    if high == 0:
        return f"{name} is cheaper than {against} at any volume."
    if calls(low) == calls(high):
        return f"{name} is cheaper than {against} from about {calls(high)} calls a month."
    start = "the first call" if low == 0 else calls(low)
    return (
        f"{name} becomes cheaper than {against} somewhere from {start} to {calls(high)} calls a "
        "month, by how its machine and tokens are counted."
    )


def calls(volume: float) -> str:
    """A number of calls to two figures: 12,000."""
    if volume < 1:
        return "0"
    digits = max(0, math.floor(math.log10(volume)) - 1)
    return f"{round(volume / 10**digits) * 10**digits:,.0f}"
