"""What left this machine."""

from __future__ import annotations

from whichlever.measure.outcome import Outcome


def bytes_per_call(outcome: Outcome) -> float | None:
    """Mean bytes that left this machine per answered row; None is not measured.

    For recorded answers it is what the other system was sent, which no one counted here.
    """
    import numpy as np

    if outcome.place == "recorded":
        return None
    known = outcome.bytes_out[~np.isnan(outcome.bytes_out)]
    return float(known.mean()) if len(known) else None
