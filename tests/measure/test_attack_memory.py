"""Membership and exposure against hand-made cases and another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from whichlever.measure.attack_memory import auc, auc_interval, caught, exposure


def test_auc_is_that_of_another_implementation_ties_and_all():
    rng = np.random.default_rng(3)
    members, others = rng.integers(0, 9, 70) / 4.0, rng.integers(0, 7, 50) / 4.0
    truth = [1] * 70 + [0] * 50
    wanted = roc_auc_score(truth, np.concatenate([members, others]))
    assert auc(members, others) == pytest.approx(wanted)


def test_an_interval_over_few_groups_is_wider_than_over_rows():
    rng = np.random.default_rng(4)
    base = np.repeat(rng.normal(0, 1, 12), 20)
    members, others = base[:120] + rng.normal(0.3, 1, 120), base[120:] + rng.normal(0, 1, 120)
    by_row = auc_interval(members, others, ([None] * 120, [None] * 120), 0)
    names = [f"g{i // 20}" for i in range(240)]
    by_group = auc_interval(members, others, (names[:120], names[120:]), 0)
    assert by_row.low is not None and by_row.high is not None  # noqa: PT018
    assert by_group.low is not None and by_group.high is not None  # noqa: PT018
    assert by_group.high - by_group.low > 1.5 * (by_row.high - by_row.low)
    assert by_row.value == by_group.value


def test_caught_counts_members_above_what_one_in_a_hundred_others_reach():
    others = np.arange(200.0)  # two of them may be called members: the limit is 197
    members = np.array([197.0, 197.5, 500.0, 3.0])
    assert caught(members, others, [None] * 4).value == 0.5
    assert caught(members, others[:50], [None] * 4).value == 0.75  # none of fifty may be


def test_exposure_is_all_bits_for_the_first_and_one_for_the_middle():
    candidates = np.arange(1023.0)
    assert exposure(5000.0, candidates) == 10.0
    assert exposure(511.0, candidates) == pytest.approx(1.0, abs=0.01)
    assert exposure(-1.0, candidates) == 0.0
