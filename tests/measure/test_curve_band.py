"""The band ahead: never beyond four times, as wide as what the points allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.measure.curve_band import extrapolate

LABELS = np.array([250.0, 500.0, 1_000.0, 2_000.0])
QUIET = np.zeros(4)


def reach(values, times=2, luck=0.004, sd=0.01, seed=0):
    random = np.random.default_rng(seed)
    values = np.asarray(values, dtype=float)
    shared = random.normal(0, sd, (500, 1))  # test rows move all points alike
    return extrapolate(LABELS, values, values + shared, QUIET, luck, times, seed)


def test_nothing_is_said_beyond_four_times_or_of_two_points():
    with pytest.raises(ValueError, match="beyond 4"):
        reach([0.5, 0.6, 0.7, 0.75], times=8)
    two = extrapolate(LABELS[:2], LABELS[:2], np.zeros((5, 2)), QUIET[:2], None, 2)
    assert two is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.sampled_from([2, 4]))
def test_a_band_is_a_band(values, times):
    found = reach(values, times)
    assert 0 <= found.low <= found.high <= 1
    assert found.gain_low <= found.gain_high
    assert found.families[-1] in ("flat", "bend")


def test_no_further_change_stays_while_the_last_two_points_may_be_one():
    assert reach([0.60, 0.70, 0.75, 0.752]).families[-1] == "flat"
    rising = reach([0.50, 0.60, 0.70, 0.80])
    assert rising.families[-1] == "bend"
    assert rising.gain_low > 0


def test_it_widens_with_the_distance_and_with_luck():
    values = [0.60, 0.66, 0.70, 0.73]
    near, far, unlucky = reach(values), reach(values, 4), reach(values, luck=0.03)
    assert far.gain_high > near.gain_high
    assert unlucky.gain_high - unlucky.gain_low > near.gain_high - near.gain_low


def test_a_level_curve_promises_nothing():
    found = reach([0.80, 0.80, 0.80, 0.80], luck=0.002)
    assert found.gain_high < 0.02
    assert found.gain_low > -0.02


def test_the_truth_of_power_laws_lies_in_the_band():
    random = np.random.default_rng(3)
    held = 0
    for i in range(200):
        top, fall, power = random.uniform(0.7, 0.95), random.uniform(1, 6), random.uniform(0.3, 0.8)
        curve = top - fall * np.append(LABELS, 4_000.0) ** -power
        seen = curve[:4] + random.normal(0, 0.01) + random.normal(0, 0.004, 4)
        found = reach(seen, seed=i)
        held += found.low <= curve[4] <= found.high
    assert held / 200 >= 0.93
