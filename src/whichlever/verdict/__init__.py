"""Which lever to pull and why, or that the data cannot tell.

`advise` reads the constraints only; `decide` reads what was measured.
"""

from whichlever.verdict.decide import decide
from whichlever.verdict.rules import advise
from whichlever.verdict.types import Advice, BreakEven, Reason, Standing, Verdict

__all__ = ["Advice", "BreakEven", "Reason", "Standing", "Verdict", "advise", "decide"]
