"""Thresholds by false alarms: they keep to the rate they were chosen for, with confidence too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.calibrate.false_alarms import (
    alarm_rates,
    alarm_threshold,
    rows_needed,
    shares_by,
    sure_threshold,
)

scores = st.lists(st.floats(0, 1), min_size=1, max_size=200).map(np.array)


@given(scores, st.floats(0, 0.5))
def test_the_rate_is_kept_on_the_rows_it_was_chosen_on(wanted: np.ndarray, share: float) -> None:
    threshold = alarm_threshold(wanted, share)
    assert (wanted >= threshold).sum() <= share * len(wanted) + 1e-6


@given(scores)
def test_no_lower_threshold_keeps_it(wanted: np.ndarray) -> None:
    threshold = alarm_threshold(wanted, 0.1)
    lower = np.nextafter(threshold, -np.inf)
    assert (wanted >= lower).sum() > 0.1 * len(wanted) - 1e-6 or threshold == 0


def test_the_sure_threshold_holds_on_new_rows_in_at_least_95_of_100_draws() -> None:
    """Simulated: uniform scores, so that a threshold's true share is one minus it."""
    rng = np.random.default_rng(0)
    kept = [1 - sure_threshold(rng.random(800), 0.01) <= 0.01 for _ in range(1_000)]
    assert np.mean(kept) >= 0.95
    bare = [1 - alarm_threshold(rng.random(800), 0.01) <= 0.01 for _ in range(1_000)]
    assert np.mean(bare) < 0.75  # what the calibration rows show by themselves promises less


def test_too_few_rows_are_refused_and_counted() -> None:
    needed = rows_needed(0.001)
    assert sure_threshold(np.zeros(needed - 1), 0.001) is None
    assert sure_threshold(np.zeros(needed), 0.001) is not None
    assert needed == 2995


def test_rates_and_sources() -> None:
    wanted, deserved = np.array([0.1, 0.2, 0.9, 0.3]), np.array([0.95, 0.4])
    rates = alarm_rates(wanted, deserved, 0.5)
    assert (rates.alarms, rates.wanted) == (1, 4)
    assert rates.false_share[0] == 0.25
    assert rates.caught[0] == pytest.approx(0.5)
    assert shares_by(["a", "a", "b", None], wanted, 0.5) == {"a": (0, 2), "b": (1, 1)}
