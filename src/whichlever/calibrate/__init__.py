"""Fitting and applying what makes probabilities and promises hold: numpy and scipy only."""

from whichlever.calibrate.binomial import clopper_pearson, rows_for_share
from whichlever.calibrate.policy import Decision, Policy, decide_row
from whichlever.calibrate.promises import Stratum, promised_threshold, units_needed
from whichlever.calibrate.sequence import confidence_sequence
from whichlever.calibrate.temperature import Temperature, negative_log_likelihood

__all__ = [
    "Decision",
    "Policy",
    "Stratum",
    "Temperature",
    "clopper_pearson",
    "confidence_sequence",
    "decide_row",
    "negative_log_likelihood",
    "promised_threshold",
    "rows_for_share",
    "units_needed",
]
