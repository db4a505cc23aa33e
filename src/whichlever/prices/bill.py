"""What a lever costs a month, everything counted, at any volume."""

from __future__ import annotations

import math
from typing import Literal

from whichlever.prices.calls import CallCost, Place
from whichlever.prices.frozen import Frozen
from whichlever.task import OwnPrices, Task

End = Literal["low", "expected", "high"]

CHANGES_PER_MONTH = {"rarely": 1 / 12, "monthly": 1.0, "weekly": 52 / 12}
"""How often the task changes; "rarely" is taken as once a year."""

CHANGE_HOURS = {"majority": 0.0, "prompt": 1.0, "recorded": 1.0, "rag": 2.0, "linear": 2.0}
"""Engineer hours for one change of the task, by family, unless the task says otherwise: a prompt
is reworded and tried again; an index or a small model is rebuilt; a fine-tune (any family not
named here) is also looked over before it replaces the old one."""

FINETUNE_HOURS = 4.0


class Bill(Frozen):
    """Everything a lever costs, in dollars.

    Paid once and spread over ``months``: ``labels`` (the labelled rows it learned from),
    ``training`` (this machine's time), ``evaluation`` (labelling the test rows; every lever's is
    the same). Each month: ``upkeep`` of an own model, and ``changes_per_month`` times ``change``,
    which is ``change_hours`` of an engineer, labels to do again (``relabel``) and a new training.
    Each call: ``marginal`` (with the ends ``marginal_low`` and ``marginal_high``), and for an own
    machine the whole machines that are kept on (``machine_month`` dollars and ``machine_calls``
    calls a month each). Where own machine and somebody else work together, ``besides`` is the part
    of ``marginal`` that goes to the other: tokens, or a person's minutes. ``dollars_per_month`` is
    the sum at the task's volume, machines always on; None is not measured.
    """

    labels: float
    training: float
    evaluation: float
    months: float
    upkeep: float
    change_hours: float
    change: float
    changes_per_month: float
    marginal: float | None
    marginal_low: float | None
    marginal_high: float | None
    machine_month: float | None
    machine_calls: float | None
    calls_per_month: float
    dollars_per_month: float | None
    relabel: float = 0.0
    besides: float = 0.0

    def fixed(self) -> float:
        """Dollars a month that do not depend on the volume, without the machine."""
        once = (self.labels + self.training + self.evaluation) / self.months
        return once + self.upkeep + self.changes_per_month * self.change

    def month(self, calls: float, end: End = "expected") -> float | None:
        """Dollars a month at ``calls`` a month; None is not measured.

        Parameters
        ----------
        calls
            Calls a month.
        end
            ``low``: an own machine is shared with other work and only the time used is paid, token
            counts at the low end of their interval. ``expected``: own machines are kept on all
            month, as many whole ones as the volume needs. ``high``: the same, token counts at the
            high end.
        """
        if self.marginal is None:
            return None
        ends = {"low": self.marginal_low, "high": self.marginal_high}
        known = ends.get(end)
        marginal = self.marginal if known is None else known
        if self.machine_month is None or end == "low":
            return self.fixed() + calls * marginal
        busy = 0.0 if self.machine_calls is None else calls / self.machine_calls
        besides = self.besides + (marginal - self.marginal)
        return self.fixed() + max(1, math.ceil(busy)) * self.machine_month + calls * besides

    def without_labels(self) -> Bill:
        """The same bill where labels are there anyway and cost nothing more."""
        hours = self.change - self.relabel
        update = {"labels": 0.0, "evaluation": 0.0, "relabel": 0.0, "change": hours}
        bill = self.model_copy(update=update)
        return bill.model_copy(update={"dollars_per_month": bill.month(bill.calls_per_month)})


def family(lever: str) -> str:
    """The lever's word in the vocabulary: ``finetune`` for ``finetune-encoder``."""
    return lever.split("-", 1)[0]


def build_bill(
    lever: str,
    place: Place,
    cost: CallCost,
    task: Task,
    *,
    rows_seen: int,
    fit_seconds: float,
    test_rows: int,
) -> Bill:
    """Add up a lever's costs from what was measured and the prices and habits the task gives.

    Parameters
    ----------
    rows_seen, test_rows
        Labelled rows it learned from, and those it is judged on.
    fit_seconds
        Wall time of its training; all cores of the task's machine are taken as busy.
    """
    prices = task.prices
    kind = family(lever)
    training = fit_seconds * prices.cores * prices.core_hour / 3600
    labels = rows_seen * prices.label
    hours = change_hours(prices, kind)
    bill = Bill(
        labels=labels,
        training=training,
        evaluation=test_rows * prices.label,
        months=prices.months,
        upkeep=0.0
        if place != "here" or kind == "majority"
        else prices.upkeep_hours * prices.engineer_hour,
        change_hours=hours,
        relabel=prices.relabel * labels,
        change=hours * prices.engineer_hour + prices.relabel * labels + training,
        changes_per_month=CHANGES_PER_MONTH[task.constraints.task_changes],
        marginal=cost.marginal,
        marginal_low=cost.marginal_low,
        marginal_high=cost.marginal_high,
        machine_month=cost.machine_month,
        machine_calls=cost.machine_calls,
        calls_per_month=task.constraints.calls_per_month,
        dollars_per_month=None,
    )
    return bill.model_copy(update={"dollars_per_month": bill.month(bill.calls_per_month)})


def change_hours(prices: OwnPrices, kind: str) -> float:
    """Engineer hours that one change of the task takes with a lever of this family."""
    return prices.change_hours.get(kind, CHANGE_HOURS.get(kind, FINETUNE_HOURS))
