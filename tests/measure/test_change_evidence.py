"""Who goes stale and who follows is said only where statistics show it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.measure.change import Twice, change_evidence, difference, state_of
from whichlever.measure.figure import Interval
from whichlever.measure.oracle import blame_of, recall_at


def twice(lever, n=400, knows=0.95, follows=1.0, groups=None, seed=0, classes=6, reads=True):
    """Half the rows' facts change; ``knows`` of the answers are right, ``follows`` of the changes
    are taken up."""
    random = np.random.default_rng(seed)
    was = random.integers(0, classes, n)
    targets = was.copy()
    changed = np.arange(n) % 2 == 0
    targets[changed] = (was[changed] + random.integers(1, classes, changed.sum())) % classes
    believed = np.where(random.random(n) < follows, targets, was)
    lost = random.random(n) >= knows
    wild = random.integers(0, classes, n)
    before, after = np.where(lost, wild, was), np.where(lost, wild, believed)
    return Twice(
        lever,
        reads,
        before,
        after,
        targets,
        was,
        groups,
        0.02 if reads else None,
        0.03 if reads else None,
    )


def floor(n=400, seed=0):
    t = twice("majority", n, seed=seed, reads=False)
    none = np.zeros(n, np.int64)
    return Twice("majority", False, none, none, t.targets, t.was, t.groups)


def states(*levers, margin=0.05):
    found = change_evidence([floor(len(levers[0].targets)), *levers], margin)
    return {f.lever: f.state for f in found.levers}


def test_a_memory_goes_stale_and_a_reader_follows():
    found = states(twice("linear", follows=0.0, reads=False), twice("rag-match"))
    assert found == {"majority": "not shown", "linear": "goes stale", "rag-match": "follows"}


def test_what_knows_nothing_does_not_follow():
    assert states(twice("prompt", knows=0.0))["prompt"] == "not shown"


def test_few_rows_show_nothing_of_a_reader_and_enough_of_a_memory():
    few = states(twice("rag", n=30), twice("linear", n=30, follows=0.0))
    assert few["rag"] == "not shown"
    assert few["linear"] == "goes stale"


def test_half_a_follower_is_stale_by_what_it_loses():
    found = change_evidence([floor(), twice("hybrid", follows=0.5)], 0.05)
    record = found.lever("hybrid")
    assert record.state == "goes stale"
    assert 0.35 < record.drop.value < 0.65
    assert record.unchanged_drop.value == 0
    assert record.still_old.value > 0.3


def test_groups_are_the_units_when_rows_come_in_groups():
    groups = tuple(f"g{i // 40}" for i in range(400))
    alone, grouped = (twice("rag", groups=g, seed=2) for g in (None, groups))
    a, b = (
        difference(t.right_before, t.right_after, t.changed, t.groups, 0) for t in (alone, grouped)
    )
    assert b.high - b.low > a.high - a.low
    assert states(grouped)["rag"] == "not shown"  # ten groups cannot show five hundredths


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 200), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_an_interval_holds_its_value_and_is_no_point(n, p, q, seed):
    random = np.random.default_rng(seed)
    a, b = ((random.random(n) < x).astype(float) for x in (p, q))
    found = difference(a, b, np.ones(n, bool), None, seed)
    assert found.low <= found.value <= found.high
    assert found.low < found.high
    assert found.low >= -1
    assert found.high <= 1


def test_stale_is_said_falsely_in_few_draws():
    """Where the true loss is the margin itself, "goes stale" and "follows" are each rare."""
    said = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        steps = np.where(random.random(250) < 0.05, 1.0, 0.0)
        drop = difference(steps, np.zeros(250), np.ones(250, bool), None, seed)
        said.append(state_of(drop, Interval(value=0.5, low=0.4, high=0.6), 0.05))
    assert said.count("goes stale") <= 14
    assert said.count("follows") <= 14


def test_intervals_over_groups_hold_the_truth():
    """Facts of three rows each that stand or fall mostly together, a true loss of four in 100."""
    groups = tuple(f"g{i // 3}" for i in range(450))
    held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        hit = np.repeat(random.random(150) < 0.1, 3) & (random.random(450) < 0.6)
        back = np.repeat(random.random(150) < 0.04, 3) & (random.random(450) < 0.5)
        found = difference(hit.astype(float), back.astype(float), np.ones(450, bool), groups, seed)
        held += found.low <= 0.06 - 0.02 <= found.high
    assert held >= 186


def test_blame_is_shown_or_not_at_all():
    def around(value):
        return Interval(value=value, low=value - 0.03, high=value + 0.03)

    assert blame_of(around(0.3), around(0.0), 0.05) == "search"
    assert blame_of(around(0.0), around(0.4), 0.05) == "reader"
    assert blame_of(around(0.3), around(0.4), 0.05) == "both"
    assert blame_of(around(0.06), around(0.06), 0.05) == "neither shown"
    assert blame_of(Interval(value=0.9), None, 0.05) == "neither shown"


def test_recall_counts_what_is_found_at_each_depth():
    found = recall_at([1, 2, None, 4])
    assert {k: f.value for k, f in found.items()} == {"1": 0.25, "3": 0.5, "5": 0.75, "10": 0.75}
    assert found["1"].low == pytest.approx(0.0063, abs=1e-3)
