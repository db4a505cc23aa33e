"""The desk's simulation against what is known of queues."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.measure.queue import DAY, Desk, Stream, admission, urgent_waits, waits

ALWAYS = 1440.0


def arrivals(rate: float, count: int, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def test_one_analyst_round_the_clock_is_the_m_d_1_queue():
    """Mean wait ρ·s / 2(1 − ρ) (Pollaczek and Khinchine)."""
    times = arrivals(0.07, 60_000, 1)
    found = waits(times, np.zeros(len(times)), Desk(1, ALWAYS, 10.0), give_up=math.inf)
    assert found.mean() == pytest.approx(0.7 * 10 / (2 * 0.3), rel=0.06)


def test_classes_wait_as_cobham_has_it():
    """Mean wait of class k: W0 / ((1 − σ(k−1)) (1 − σk)), W0 = λ s² / 2 (Cobham 1954)."""
    times = arrivals(0.07, 60_000, 2)
    keys = (np.random.default_rng(3).random(len(times)) > 0.3).astype(float)
    found = waits(times, keys, Desk(1, ALWAYS, 10.0), give_up=math.inf)
    base, first, both = 0.07 * 100 / 2, 0.21, 0.7
    assert found[keys == 0].mean() == pytest.approx(base / (1 - first), rel=0.06)
    assert found[keys == 1].mean() == pytest.approx(base / ((1 - first) * (1 - both)), rel=0.08)


def test_looks_one_after_another_worked_by_hand():
    desk = Desk(2, ALWAYS, 10.0)
    found = waits(np.array([0.0, 0.0, 0.0, 1.0, 30.0]), np.array([0.0, 0, 5, 1, 0]), desk)
    assert found.tolist() == [0, 0, 10, 9, 0]


def test_nights_wait_for_the_morning_and_yesterday_does_not_come_back():
    desk = Desk(1, 480.0, 6.0)
    assert waits(np.array([500.0]), np.zeros(1), desk).tolist() == [DAY - 500]
    crowd = np.zeros(200)  # eighty looks a day
    found = waits(crowd, np.zeros(200), desk)
    assert np.isfinite(found).sum() == 81  # the last may begin as the next day does
    assert found[np.isfinite(found)].max() <= DAY


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 4000), min_size=1, max_size=60),
    st.integers(1, 3),
    st.sampled_from([120.0, 480.0, ALWAYS]),
    st.integers(0, 99),
)
def test_nobody_waits_less_than_nothing_and_no_more_is_done_than_can_be(
    times, analysts, shift, seed
):
    desk = Desk(analysts, shift, 7.0)
    keys = np.random.default_rng(seed).integers(0, 3, len(times)).astype(float)
    found = waits(np.sort(np.array(times)), keys, desk)
    assert (found >= 0).all()
    begun = np.sort((np.sort(np.array(times)) + found)[np.isfinite(found)])
    assert (begun % DAY < shift + 1e-6).all()
    for i in range(len(begun) - analysts):
        assert begun[i + analysts] - begun[i] >= 7.0 - 1e-6


def test_probes_take_nobody_s_time():
    times = arrivals(0.07, 5_000, 4)
    keys = np.zeros(len(times))
    desk = Desk(1, ALWAYS, 10.0)
    alone = waits(times, keys, desk)
    both = np.sort(np.concatenate([times, times + 1e-9]))
    probes = np.arange(len(both)) % 2 == 1
    assert np.allclose(waits(both, np.zeros(len(both)), desk, probes)[~probes], alone)


def test_an_overloaded_desk_reaches_its_share_in_any_order():
    desk = Desk(4, 480.0, 6.0)  # 320 looks a day
    stream = Stream(3200, np.array([0.1, 0.9]), np.zeros(2), np.array([True, False]))
    found = urgent_waits(stream, desk, 20_000, 4_000, seed=0)
    assert np.isfinite(found).mean() == pytest.approx(0.1, abs=0.02)
    sorted_stream = Stream(3200, np.array([0.1, 0.9]), np.array([0.0, 1]), np.array([True, False]))
    found = urgent_waits(sorted_stream, desk, 20_000, 4_000, seed=0)
    assert np.isfinite(found).mean() > 0.98  # 320 urgent a day, 320 looks


def test_what_lies_far_behind_the_head_is_never_reached():
    desk = Desk(1, ALWAYS, 14.4)  # 100 looks a day
    stream = Stream(
        10_000, np.array([0.01, 0.01, 0.98]), np.array([0.0, 1, 2]), np.array([True, True, True])
    )
    assert admission(stream, desk).tolist() == pytest.approx([1.0, 1.0, 200 / 9800])


def test_a_large_desk_is_told_from_a_smaller_one():
    stream = Stream(90_000, np.array([0.5, 0.5]), np.zeros(2), np.array([True, False]))
    found = urgent_waits(stream, Desk(500, ALWAYS, 7.0), 20_000, 2_000, seed=1)
    assert np.isfinite(found).all()
    assert np.median(found) < 7
