"""Dollars per call, both ways of counting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from whichlever.predict import Usage
from whichlever.prices.frozen import Frozen
from whichlever.prices.tokens import TokenPrice, own_price, token_price
from whichlever.task import Task

Place = Literal["here", "remote", "recorded"]

HOURS_PER_MONTH = 730.0
"""365 × 24 / 12."""

NOT_MEASURED = "not measured"


class CallCost(Frozen):
    """Dollars per call, both ways of counting; None is "not measured".

    ``marginal`` is one more call; ``always_on`` shares the machine that is kept on all month
    (equal to ``marginal`` where a provider bills by token). ``basis`` says in words how it was
    worked out; ``estimated`` marks token counts worked out from characters. ``marginal_low`` and
    ``marginal_high`` are the ends of what the rows measured leave open (95 %). For an own machine:
    ``core_seconds`` per call, ``machines`` needed at the task's volume, their ``machine_month`` in
    dollars each, ``machine_calls`` that one can answer in a month, and the ``utilisation``
    (0 to 1) that the volume makes of them.
    """

    marginal: float | None
    always_on: float | None
    basis: str
    estimated: bool = False
    tokens_in: float | None = None
    tokens_cached: float | None = None
    tokens_out: float | None = None
    bytes_out: float | None = None
    marginal_low: float | None = None
    marginal_high: float | None = None
    core_seconds: float | None = None
    machines: int | None = None
    machine_month: float | None = None
    machine_calls: float | None = None
    utilisation: float | None = None


@dataclass(frozen=True)
class CallTotals:
    """What a lever's measured answers used: means per call, None where not measured.

    ``core_seconds`` is processor time; ``rows`` answers were asked for, and token counts are
    known of ``token_rows`` of them, each as (in, cached, out) in ``tokens``.
    """

    rows: int
    core_seconds: float | None = None
    tokens: tuple[tuple[float, float, float], ...] = ()
    bytes_out: float | None = None
    estimated: bool = False

    def mean(self, which: int) -> float | None:
        """Mean tokens per call: 0 in, 1 cached, 2 out."""
        return math.fsum(t[which] for t in self.tokens) / len(self.tokens) if self.tokens else None


def call_cost(
    totals: CallTotals,
    place: Place,
    task: Task,
    *,
    price_as: str | None = None,
    token_prices: tuple[float, float, float] | None = None,
    priced: bool = True,
) -> CallCost:
    """Price one call of a lever.

    Tokens are priced where the lever has a token price (the task's own before the table's).
    Otherwise a lever that runs here is priced by processor time: ``marginal`` is core-seconds
    times the price of a core-hour, ``always_on`` is the month of as many whole machines as the
    task's volume needs, shared among its calls. ``priced`` is False for another machine of the
    house that has no price: this machine's time is not what it costs.

    Raises
    ------
    TaskError
        ``price_as`` is not in the price table.
    """
    price = _price(price_as, token_prices)
    if price is not None:
        return _by_token(totals, price)
    if place == "here" and priced:
        return _by_machine(totals, task)
    return CallCost(
        marginal=None,
        always_on=None,
        basis=f"{NOT_MEASURED}: no token price; give price_as or dollars_in and dollars_out",
        **_usage(totals),
    )


def row_dollars(
    usage: Usage,
    place: Place,
    price_as: str | None,
    token_prices: tuple[float, float, float] | None,
    task: Task,
    *,
    cores: int | None = None,
    priced: bool = True,
) -> float | None:
    """Marginal dollars of one answer; None is not measured.

    An own machine's row is priced as if ``cores`` of it (all that the task says it has, where not
    known) worked for the row's wall time, which is the most it can have cost.
    """
    price = _price(price_as, token_prices)
    if price is not None:
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        return price.dollars(usage.tokens_in, usage.tokens_cached or 0, usage.tokens_out)
    if place != "here" or not priced or usage.seconds is None:
        return None
    return usage.seconds * (cores or task.prices.cores) * task.prices.core_hour / 3600


def _price(
    price_as: str | None, token_prices: tuple[float, float, float] | None
) -> TokenPrice | None:
    if token_prices is not None:
        return own_price(token_prices)
    return None if price_as is None else token_price(price_as)


def _usage(totals: CallTotals) -> dict[str, float | bool | None]:
    return {
        "tokens_in": totals.mean(0),
        "tokens_cached": totals.mean(1),
        "tokens_out": totals.mean(2),
        "bytes_out": totals.bytes_out,
        "estimated": totals.estimated,
    }


ESTIMATE_ERROR = 0.25
"""How far a token count worked out from characters may be off, either way: four characters a
token is the rule of thumb, and text of one kind keeps within three to five."""


def _by_token(totals: CallTotals, price: TokenPrice) -> CallCost:
    if not totals.tokens:
        basis = f"{NOT_MEASURED}: the tokens (or characters) of its answers are not known"
        return CallCost(marginal=None, always_on=None, basis=basis, **_usage(totals))
    each = [price.dollars(*t) for t in totals.tokens]
    n = len(each)
    mean = math.fsum(each) / n
    spread = math.sqrt(math.fsum((d - mean) ** 2 for d in each) / (n - 1) / n) if n > 1 else 0.0
    low, high = max(0.0, mean - 1.96 * spread), mean + 1.96 * spread
    if totals.estimated:
        low, high = low * (1 - ESTIMATE_ERROR), high * (1 + ESTIMATE_ERROR)
    counted = "tokens estimated from characters" if totals.estimated else "tokens as counted"
    some = "" if n == totals.rows else f" on the {n} of {totals.rows} rows where they are known"
    return CallCost(
        marginal=mean,
        always_on=mean,
        basis=f"{counted}{some}, at {price.source}",
        marginal_low=low,
        marginal_high=high,
        **_usage(totals),
    )


def _by_machine(totals: CallTotals, task: Task) -> CallCost:
    prices, calls = task.prices, task.constraints.calls_per_month
    seconds = totals.core_seconds
    if seconds is None:
        basis = f"{NOT_MEASURED}: the time of its answers is not known"
        return CallCost(marginal=None, always_on=None, basis=basis, **_usage(totals))
    marginal = seconds * prices.core_hour / 3600
    month = prices.cores * HOURS_PER_MONTH * prices.core_hour
    capacity = prices.cores * HOURS_PER_MONTH * 3600 / seconds if seconds > 0 else None
    machines = 1 if capacity is None else max(1, math.ceil(calls / capacity))
    return CallCost(
        marginal=marginal,
        always_on=machines * month / calls,
        basis=(
            f"{seconds:.3g} core-seconds a call at ${prices.core_hour:g} a core-hour; always on: "
            f"{machines} machine{'s' if machines > 1 else ''} of {prices.cores} cores at "
            f"${month:,.0f} a month"
        ),
        core_seconds=seconds,
        machines=machines,
        machine_month=month,
        machine_calls=capacity,
        utilisation=0.0 if capacity is None else calls / (machines * capacity),
        **_usage(totals),
    )
