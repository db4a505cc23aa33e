"""A hybrid's cost, bill and curve, from its parts' summaries."""

from __future__ import annotations

from collections.abc import Sequence

from whichlever.measure.figure import Interval
from whichlever.measure.hybrid import PERSON, Hybrid, HybridPoint
from whichlever.measure.hybrid_choice import Handing, Picked, thresholds, top_doubt
from whichlever.measure.hybrid_curve import Floats, curve, points, saving, shown_thresholds
from whichlever.measure.summary import LeverSummary, Measures
from whichlever.prices import Bill, CallCost
from whichlever.prices.joined import Handed, joined_bill, joined_cost, person_cost, review_dollars
from whichlever.task import Task


def measured(
    measures: Measures,
    task: Task,
    picked: Picked,
    first: str,
    calibrate: Handing | None,
    test: Handing,
    costs: Floats,
    *,
    unanswered: int,
    calibration_rows: int,
    seed: int = 0,
) -> Measures:
    """Give the lever ``hybrid`` its cost and bill, and the measures their curve.

    Parameters
    ----------
    measures
        With summaries of ``hybrid`` and of both parts.
    calibrate, test
        Both parts' answers, by role.
    costs
        Mistake costs, shape (classes, classes).
    calibration_rows
        Labelled rows that the threshold was chosen on: the bill counts them.
    """
    labels = measures.labels
    bills = _Bills(measures, task, first, picked.name, calibration_rows)
    grid = thresholds((calibrate or test).doubts[picked.score], top_doubt(picked.score, costs))
    shown = shown_thresholds((calibrate or test).doubts[picked.score], grid, picked.threshold)
    own = measures.lever("hybrid")

    def draw(handing: Handing) -> tuple[HybridPoint, ...]:
        return curve(handing, picked.score, shown, task, labels, bills.dollars, seed)

    tested = draw(test)
    at = next(p for p in tested if p.threshold == picked.threshold)
    # The lever's own intervals stand on all draws: one figure, one interval.
    at = at.model_copy(
        update={"metric": own.metrics[task.goal.metric], "loss": own.metrics.get("loss", at.loss)}
    )
    tested = tuple(at if p.threshold == picked.threshold else p for p in tested)
    cost, bill = bills.at(at.handed)
    summary = own.model_copy(update={"cost": cost, "bill": bill})
    ends = bills.ends(test, labels, seed)
    saves = None
    alone = ends[0].dollars_per_month
    if bill is not None and bill.dollars_per_month is not None and alone is not None:
        said = test.said(picked.score, picked.threshold)
        saves = saving(test, said, labels, task, bill.dollars_per_month - alone, seed)
    settings = task.levers.hybrid
    person = picked.name == PERSON
    found = Hybrid(
        first=first,
        then=picked.name,
        score=picked.score,
        threshold=picked.threshold,
        rule=picked.rule,
        rows=len(test),
        calibration_rows=calibration_rows,
        unanswered=unanswered,
        chosen=at,
        all_first=ends[0],
        all_then=ends[1],
        curve=tested,
        calibrate=() if calibrate is None else draw(calibrate),
        budget_share=settings.budget_share if settings else None,
        review_accuracy=settings.review_accuracy if settings and person else None,
        review_dollars=review_dollars(task.prices) if person else None,
        saves=saves,
    )
    levers = tuple(summary if s.lever == "hybrid" else s for s in measures.levers)
    return measures.model_copy(update={"levers": levers, "hybrid": found})


class _Bills:
    """Dollars of the hybrid at any share handed over."""

    def __init__(
        self, measures: Measures, task: Task, first: str, then: str, labelled: int
    ) -> None:
        self.task, self.name, self.labelled = task, then, labelled
        self.first = measures.lever(first)
        self.then: LeverSummary | None = None if then == PERSON else measures.lever(then)
        self.cost = person_cost(task.prices) if self.then is None else self.then.cost

    def at(self, handed: Interval) -> tuple[CallCost, Bill | None]:
        """Cost and bill where this share of calls is handed over."""
        low = handed.value if handed.low is None else handed.low
        high = handed.value if handed.high is None else handed.high
        name = "a person" if self.then is None else self.name
        share = Handed(handed.value, low, high)
        cost = joined_cost(self.first.cost, self.cost, name, share, self.task)
        second = None if self.then is None else self.then.bill
        if self.first.bill is None or (self.then is not None and second is None):
            return cost, None
        bill = joined_bill(
            self.first.bill, second, (self.first.cost, self.cost, cost), handed.value, self.task,
            labelled=self.labelled,
        )  # fmt: skip
        return cost, bill

    def dollars(self, handed: Interval) -> tuple[float | None, float | None]:
        """Dollars a call and dollars a month."""
        cost, bill = self.at(handed)
        return cost.marginal, None if bill is None else bill.dollars_per_month

    def ends(
        self, test: Handing, labels: Sequence[str], seed: int
    ) -> tuple[HybridPoint, HybridPoint]:
        """Each part alone on the same rows, with its own bill; a person's is the reading alone."""
        none = test.first != test.first

        def alone(_: Interval) -> tuple[float | None, float | None]:
            bill = self.first.bill
            return self.first.cost.marginal, None if bill is None else bill.dollars_per_month

        def handed(_: Interval) -> tuple[float | None, float | None]:
            if self.then is None:
                calls = self.task.constraints.calls_per_month
                return self.cost.marginal, calls * (self.cost.marginal or 0.0)
            bill = self.then.bill
            return self.then.cost.marginal, None if bill is None else bill.dollars_per_month

        start = points(test, [None], [none], [test.first], self.task, labels, alone, seed)
        end = points(test, [None], [~none], [test.alone], self.task, labels, handed, seed)
        metric = self.task.goal.metric
        return (
            _as_lever(start[0], self.first, metric, len(test), 0.0),
            _as_lever(end[0], self.then, metric, len(test), 1.0),
        )


def _as_lever(
    point: HybridPoint, lever: LeverSummary | None, metric: str, rows: int, handed: float
) -> HybridPoint:
    """An end of the curve, with the lever's own intervals where it is judged on the same rows."""
    update: dict[str, object] = {"handed": Interval(value=handed)}
    if lever is not None and lever.rows == rows:
        update |= {
            "metric": lever.metrics[metric],
            "loss": lever.metrics.get("loss", point.loss),
        }
    return point.model_copy(update=update)
