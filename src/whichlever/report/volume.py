"""Each lever's bill at any volume, and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.measure.summary import LeverSummary
from whichlever.report import wording

DECADES = 3
"""How far the curves reach to each side of the user's volume."""
STEPS = 12
"""Points per decade."""


@dataclass(frozen=True)
class Curve:
    """One lever's bill: dollars a month at each of ``volumes`` calls a month, with its ends.

    ``low`` shares the machine with other work, ``high`` counts tokens at the top of their
    interval; see `whichlever.prices.Bill.month`.
    """

    lever: str
    volumes: tuple[float, ...]
    dollars: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def curves(levers: Sequence[LeverSummary], calls_per_month: float) -> list[Curve]:
    """Bills around the user's volume, for every lever whose cost was measured and is above 0."""
    start = calls_per_month / 10**DECADES
    volumes = tuple(start * 10 ** (i / STEPS) for i in range(2 * DECADES * STEPS + 1))
    drawn = []
    for summary in levers:
        bill = summary.bill
        if bill is None:
            continue
        month, low, high = (
            tuple(d for v in volumes if (d := bill.month(v, end)) is not None)
            for end in ("expected", "low", "high")
        )
        if len(month) == len(low) == len(high) == len(volumes) and min(month) > 0:
            drawn.append(Curve(summary.lever, volumes, month, low, high))
    return drawn


BILL_COLUMNS = (
    "lever", "a month in all", "labels, once", "training, once", "judging, once", "upkeep a month",
    "one change of the task", "changes a month", "machine a month",
)  # fmt: skip


def bill_rows(levers: Sequence[LeverSummary]) -> list[tuple[str, ...]]:
    """What each lever's month is made of, as `BILL_COLUMNS` names it."""
    rows: list[tuple[str, ...]] = []
    for summary in levers:
        bill = summary.bill
        if bill is None:
            continue
        rows.append(
            (
                summary.lever, wording.money(bill.dollars_per_month), wording.money(bill.labels),
                wording.money(bill.training), wording.money(bill.evaluation),
                wording.money(bill.upkeep),
                f"{wording.money(bill.change)}, {bill.change_hours:g} h",
                wording.significant(bill.changes_per_month),
                "–" if bill.machine_month is None else wording.money(bill.machine_month),
            )
        )  # fmt: skip
    return rows
