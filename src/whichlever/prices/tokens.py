"""Dollars for tokens: the user's own prices, or the table that genai-prices bundles.

The table is a file of an installed package. It is never refreshed from the network: that is
another function of genai-prices, which nothing here calls.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from whichlever.errors import TaskError

MILLION = 1_000_000


@dataclass(frozen=True)
class TokenPrice:
    """What one model's tokens cost.

    ``source`` names the table with its version and day, or the user. ``dollars_in``,
    ``dollars_cached`` and ``dollars_out`` are per million tokens, for short prompts; `dollars`
    knows the higher tiers of long ones too.
    """

    source: str
    dollars_in: float
    dollars_cached: float
    dollars_out: float
    _table: Callable[[int, int, int], float] | None = field(default=None, repr=False, compare=False)

    def dollars(self, tokens_in: float, tokens_cached: float, tokens_out: float) -> float:
        """Dollars for one call; ``tokens_cached`` is a part of ``tokens_in``."""
        tokens_cached = min(tokens_cached, tokens_in)
        if self._table is not None:
            return self._table(round(tokens_in), round(tokens_cached), round(tokens_out))
        fresh = tokens_in - tokens_cached
        return (
            fresh * self.dollars_in
            + tokens_cached * self.dollars_cached
            + tokens_out * self.dollars_out
        ) / MILLION


def own_price(prices: tuple[float, float, float]) -> TokenPrice:
    """Prices that the task gives, in dollars per million tokens (in, cached, out)."""
    return TokenPrice("the task's own token prices", *prices)


@cache
def token_price(name: str) -> TokenPrice:
    """Look up a model in the bundled price table, at the prices in force today.

    Parameters
    ----------
    name
        A model name (``gpt-4-turbo``) or provider and model (``openai/gpt-4-turbo``).

    Raises
    ------
    TaskError
        The table does not know the name; the message gives the nearest ones.
    """
    from genai_prices import Usage
    from genai_prices.data import providers
    from genai_prices.data_snapshot import DataSnapshot

    # A snapshot of the bundled data of our own: another part of the process may have asked
    # genai-prices to update its global one from the network.
    snapshot = DataSnapshot(providers=providers, from_auto_update=False)
    today = datetime.now(tz=UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    provider_name, _, model_name = name.rpartition("/")
    try:
        try:
            provider, model = snapshot.find_provider_model(name, None, None, None)
        except LookupError:
            if not provider_name:
                raise
            provider, model = snapshot.find_provider_model(model_name, None, provider_name, None)
    except LookupError:
        raise TaskError(
            f"price_as: the price table does not know {name!r}{_nearest(name, providers)}; "
            "name a model it knows, or give dollars_in and dollars_out"
        ) from None

    @cache
    def dollars(tokens_in: int, tokens_cached: int, tokens_out: int) -> float:
        usage = Usage(
            input_tokens=tokens_in, cache_read_tokens=tokens_cached, output_tokens=tokens_out
        )
        price = model.calc_price(usage, provider, genai_request_timestamp=today)
        return float(price.total_price)

    return TokenPrice(
        source=(
            f"{provider.id} {model.id} in the table of genai-prices {version('genai-prices')}, "
            f"prices in force on {today:%Y-%m-%d}"
        ),
        dollars_in=dollars(1000, 0, 0) * 1000,
        dollars_cached=dollars(1000, 1000, 0) * 1000,
        dollars_out=dollars(0, 0, 1000) * 1000,
        _table=dollars,
    )


def _nearest(name: str, providers: Any) -> str:  # noqa: ANN401 - genai-prices is untyped to us
    """Up to three names of the table that look like ``name``, the plain ones first."""
    # The first-party providers name a model as its maker does; resellers add paths before it.
    known = {model.id for provider in providers for model in provider.models}
    plain = sorted(known, key=lambda k: (k.count("/"), len(k)))
    bare = {_bare(k): k for k in reversed(plain)}
    close = difflib.get_close_matches(_bare(name), list(bare), n=3, cutoff=0.5)
    return f"; the nearest it knows: {', '.join(bare[c] for c in close)}" if close else ""


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().rpartition("/")[2])
