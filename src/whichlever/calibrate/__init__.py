"""Fitting and applying what makes probabilities and promises hold: numpy only at its core."""

from whichlever.calibrate.binomial import clopper_pearson, rows_for_share
from whichlever.calibrate.temperature import Temperature, negative_log_likelihood

__all__ = ["Temperature", "clopper_pearson", "negative_log_likelihood", "rows_for_share"]
