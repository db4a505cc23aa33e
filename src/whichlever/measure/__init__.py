"""What each lever is worth on the same test rows: scores, intervals, tests, latency, cost.

`summarise` turns the levers' answers (`Outcome`) into `Measures`; everything is pure and seeded.
"""

from whichlever.measure.outcome import Outcome
from whichlever.measure.summarise import summarise
from whichlever.measure.summary import Measures

__all__ = ["Measures", "Outcome", "summarise"]
