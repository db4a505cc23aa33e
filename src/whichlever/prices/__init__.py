"""What things cost, in dollars: tokens by a dated table, own machines by measured time, people.

`call_cost` and `row_dollars` price answers; `Bill` adds labels, training, upkeep and changes, and
gives dollars a month at any volume.
"""

from whichlever.prices.bill import Bill, build_bill, family
from whichlever.prices.calls import CallCost, CallTotals, call_cost, row_dollars
from whichlever.prices.frozen import Frozen
from whichlever.prices.tokens import TokenPrice, token_price

__all__ = [
    "Bill",
    "CallCost",
    "CallTotals",
    "Frozen",
    "TokenPrice",
    "build_bill",
    "call_cost",
    "family",
    "row_dollars",
    "token_price",
]
