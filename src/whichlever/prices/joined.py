"""What two levers cost together, where the second is asked for a share of the calls only."""

from __future__ import annotations

from dataclasses import dataclass

from whichlever.prices.bill import Bill
from whichlever.prices.calls import NOT_MEASURED, CallCost, CallTotals, call_cost
from whichlever.task import OwnPrices, Task


@dataclass(frozen=True)
class Handed:
    """The share of calls that is handed over, with the ends that the rows leave open (0 to 1)."""

    share: float
    low: float
    high: float


def review_dollars(prices: OwnPrices) -> float:
    """Dollars of a person's time for one row."""
    return prices.analyst_hour * prices.review_minutes / 60


def person_cost(prices: OwnPrices) -> CallCost:
    """One row read by a person: an assumption of the task, no measurement."""
    dollars = review_dollars(prices)
    basis = (
        f"a person's {prices.review_minutes:g} minutes at ${prices.analyst_hour:g} an hour, as the "
        "task says"
    )
    return CallCost(marginal=dollars, always_on=dollars, basis=basis, bytes_out=0.0)


def joined_cost(first: CallCost, then: CallCost, name: str, handed: Handed, task: Task) -> CallCost:
    """Dollars per call where every call goes to ``first`` and a share of them on to ``then``.

    Processor time of both is added up before machines are counted: they share them. The ends are
    those of the share handed over and of both parts' own costs.

    Parameters
    ----------
    name
        What ``then`` is called in ``basis``.
    """
    share = handed.share
    basis = f"{first.basis}; {100 * share:.1f} % of calls also go to {name}: {then.basis}"
    used = {
        "tokens_in": _sum(first.tokens_in, then.tokens_in, share),
        "tokens_cached": _sum(first.tokens_cached, then.tokens_cached, share),
        "tokens_out": _sum(first.tokens_out, then.tokens_out, share),
        "bytes_out": None
        if first.bytes_out is None or then.bytes_out is None
        else first.bytes_out + share * then.bytes_out,
        "estimated": first.estimated or then.estimated,
    }
    if first.marginal is None or then.marginal is None:
        unknown = first.basis if first.marginal is None else f"{name}: {then.basis}"
        if not unknown.startswith(NOT_MEASURED):
            unknown = f"{NOT_MEASURED}: {unknown.replace(f'{NOT_MEASURED}: ', '')}"
        return CallCost(marginal=None, always_on=None, basis=unknown, **used)
    total = {
        "basis": basis,
        "marginal": first.marginal + share * then.marginal,
        "marginal_low": _end(first.marginal_low, first.marginal)
        + handed.low * _end(then.marginal_low, then.marginal),
        "marginal_high": _end(first.marginal_high, first.marginal)
        + handed.high * _end(then.marginal_high, then.marginal),
    }
    seconds = (first.core_seconds or 0.0) + share * (then.core_seconds or 0.0)
    if first.core_seconds is None and then.core_seconds is None:
        return CallCost(always_on=total["marginal"], **total, **used)
    machine = call_cost(CallTotals(rows=0, core_seconds=seconds), "here", task)
    assert machine.always_on is not None
    shared = {
        key: getattr(machine, key)
        for key in ("core_seconds", "machines", "machine_month", "machine_calls", "utilisation")
    }
    always_on = machine.always_on + besides(first, then, share)
    return CallCost(always_on=always_on, **total, **used, **shared)


def besides(first: CallCost, then: CallCost, share: float) -> float:
    """Dollars a call that go to somebody else than an own machine: tokens, a person."""
    own = [
        0.0 if cost.core_seconds is not None else (cost.marginal or 0.0) for cost in (first, then)
    ]
    return own[0] + share * own[1]


def joined_bill(
    first: Bill,
    then: Bill | None,
    costs: tuple[CallCost, CallCost, CallCost],
    share: float,
    task: Task,
    *,
    labelled: int,
) -> Bill:
    """Add both parts' bills up: both are trained, kept up and changed; labels are paid once.

    Parameters
    ----------
    then
        None for a person, who is neither trained nor kept up.
    costs
        Of the first part, of the second, and of both (`joined_cost`).
    labelled
        Further labelled rows: those that the threshold was chosen on.
    """
    prices = task.prices
    parts = [first] if then is None else [first, then]
    labels = max(b.labels for b in parts) + labelled * prices.label
    training = sum(b.training for b in parts)
    hours = prices.change_hours.get("hybrid", sum(b.change_hours for b in parts))
    together = costs[2]
    bill = first.model_copy(
        update={
            "labels": labels,
            "training": training,
            "upkeep": sum(b.upkeep for b in parts),
            "change_hours": hours,
            "relabel": prices.relabel * labels,
            "change": hours * prices.engineer_hour + prices.relabel * labels + training,
            "marginal": together.marginal,
            "marginal_low": together.marginal_low,
            "marginal_high": together.marginal_high,
            "machine_month": together.machine_month,
            "machine_calls": together.machine_calls,
            "besides": besides(costs[0], costs[1], share),
        }
    )
    return bill.model_copy(update={"dollars_per_month": bill.month(bill.calls_per_month)})


def _sum(first: float | None, then: float | None, share: float) -> float | None:
    if then is None:
        return first
    return (first or 0.0) + share * then


def _end(known: float | None, value: float) -> float:
    return value if known is None else known
