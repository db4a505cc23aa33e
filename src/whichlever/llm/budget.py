"""How many rows a budget of minutes and dollars pays for, worked out before a test row is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whichlever.errors import DataError, InputError
from whichlever.llm.client import Client
from whichlever.predict import Prediction
from whichlever.prices import TokenPrice, token_price
from whichlever.task import LLM, Task

Prices = tuple[float, float, float]

ANSWERS_SHARE = 0.5
"""Of the minutes, what is kept for answering whatever choosing took."""

MONEY_SHARE = 0.9
"""Of the dollars left, what rows are sized for: money is a hard bound, and rows that turn out
dearer than those measured would go unanswered at its end."""


@dataclass(frozen=True)
class Billing:
    """How a model's tokens are paid: see `whichlever.levers.base.Fit`."""

    price_as: str | None = None
    token_prices: Prices | None = None

    @classmethod
    def of(cls, name: str, task: Task) -> Billing:
        """What the task says of the model called ``name``; nothing for embedded weights."""
        llm = task.llms.get(name)
        return cls() if llm is None else cls(llm.price_as, _own(llm))

    @property
    def price(self) -> TokenPrice | None:
        """Its token price; None where tokens are not what is paid, or the price is not known."""
        if self.token_prices is not None:
            return TokenPrice("the task's own token prices", *self.token_prices)
        return None if self.price_as is None else token_price(self.price_as)

    def priced(self, client: Client) -> bool:
        """Whether a call's price can be known, as `whichlever.levers.base.Fit` says it.

        A server ``place: here`` on another machine of the user's takes that machine's time, of
        which nothing is known here; only its tokens can be priced.
        """
        own = client.server.place == "here" and not client.on_this_machine
        return not own or self.price is not None


@dataclass(frozen=True)
class Spent:
    """What some answers took: seconds of wall time, dollars (None: not known), and rows."""

    rows: int = 0
    seconds: float = 0.0
    dollars: float | None = 0.0

    def __add__(self, other: Spent) -> Spent:
        known = self.dollars is not None and other.dollars is not None
        dollars = (self.dollars or 0.0) + (other.dollars or 0.0) if known else None
        return Spent(self.rows + other.rows, self.seconds + other.seconds, dollars)


def dollars_of(answers: Sequence[Prediction], price: TokenPrice | None) -> float | None:
    """Dollars of answers whose tokens were counted; None where there is no price.

    A row whose tokens are not known (it failed) is taken at the mean of the others.
    """
    if price is None:
        return None
    paid = [
        price.dollars(u.tokens_in, u.tokens_cached or 0, u.tokens_out or 0)
        for u in (answer.usage for answer in answers)
        if u.tokens_in is not None
    ]
    return sum(paid) * len(answers) / len(paid) if paid else None


def affordable(
    lever: str,
    budget: tuple[float, float | None, int | None],
    spent: Spent,
    per_row: Spent,
) -> int:
    """Rows that what is left of a budget pays for.

    Parameters
    ----------
    lever
        What errors call it.
    budget
        Minutes, dollars and rows at most; None is no limit.
    spent
        What choosing has taken so far.
    per_row
        What its measured rows took; ``rows`` of them.

    Raises
    ------
    InputError
        It pays for no row at all, or is in dollars and the model has no price.
    DataError
        No row was measured.
    """
    minutes, dollars, most = budget
    if per_row.rows < 1:
        raise DataError(
            f"levers.{lever}: no row was there to measure what one takes; give the task training "
            "or validation rows (data.split)"
        )
    each = per_row.seconds / per_row.rows
    # Time is a soft budget: choosing that overran (a busy machine) never eats the half that is
    # kept for answers. Money is not: what is spent is spent.
    left = max(minutes * 60 - spent.seconds, minutes * 60 * ANSWERS_SHARE)
    rows = int(left / each) if each > 0 else most or 10**9
    if dollars is not None:
        if per_row.dollars is None or spent.dollars is None:
            raise InputError(unpriced(lever))
        price = per_row.dollars / per_row.rows
        if price > 0:
            rest = dollars - spent.dollars
            rows = min(rows, max(int(rest * MONEY_SHARE / price), min(1, int(rest / price))))
    if rows < 1:
        money = "" if dollars is None else f", ${spent.dollars:.4g} of ${dollars:g} spent"
        raise InputError(
            f"levers.{lever}: the budget pays for no row ({each:.1f} s a row, {left:.0f} s left of "
            f"{minutes:g} minutes{money}); raise minutes: or dollars:, or use a faster model"
        )
    return rows if most is None else min(rows, most)


def unpriced(lever: str) -> str:
    """What to say where a budget is in dollars and the model has no price."""
    return (
        f"levers.{lever}.dollars: the model's price is not known; give dollars_in and "
        "dollars_out, or price_as, under llms:, or leave dollars: out"
    )


def _own(llm: LLM) -> Prices | None:
    if llm.dollars_in is None or llm.dollars_out is None:
        return None
    cached = llm.dollars_in if llm.dollars_cached is None else llm.dollars_cached
    return (llm.dollars_in, cached, llm.dollars_out)
