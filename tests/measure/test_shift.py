"""What a lever means on shift: figures worked by hand, intervals that cover, nothing promised."""

from __future__ import annotations

import numpy as np
import pytest

from make_outcome import outcome
from whichlever.measure import shift, shift_wait
from whichlever.measure.grouping import pairwise, purity, saved_looks
from whichlever.measure.queue import Desk
from whichlever.measure.shift_wait import Setting, before

MIX = np.array([0.01, 0.09, 0.90])


def setting(mix=MIX, per_day=1_000.0, analysts=2) -> Setting:
    return Setting(
        desk=Desk(analysts, 1440.0, 6.0), per_day=per_day, mix=np.asarray(mix),
        urgent=np.array([True, False, False]), quiet=np.array([False, False, True]),
        cost=np.array([200.0, 10.0, 0.0]), seed=0,
    )  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    """Without the simulated waits, which are tested elsewhere."""
    monkeypatch.setattr(shift, "wait", lambda *given: None)


def rows(critical, investigate, noise):
    """Answers from counts of (said critical, said investigate, said noise) for each label."""
    targets, said = [], []
    for label, counts in enumerate((critical, investigate, noise)):
        for answer, count in enumerate(counts):
            targets += [label] * count
            said += [answer] * count
    return targets, said


def test_figures_worked_by_hand(quick):
    found = shift.lever_shift(outcome("x", *rows((8, 0, 2), (0, 15, 5), (0, 10, 90))), setting())
    looked = 0.01 * 0.8 + 0.09 * 0.75 + 0.90 * 0.10
    assert found.looked.value == pytest.approx(looked)
    assert found.looked.low < looked < found.looked.high
    assert found.alerts_per_hour.value == pytest.approx(10 / looked)
    assert found.urgent_per_hour.value == pytest.approx(10 * 0.008 / looked)
    assert found.analysts.value == pytest.approx(1000 * looked * 6 / 1440)
    assert (found.urgent_rows, found.missed_rows) == (10, 2)
    assert found.missed.value == pytest.approx(0.2)
    assert (found.missed.low, found.missed.high) == pytest.approx((0.025, 0.556), abs=2e-3)
    assert found.missed_per_month.value == pytest.approx(0.2 * 10 * 30.4)
    assert found.ranked_by == "answers"


def test_none_seen_missed_is_an_upper_bound_never_nothing(quick):
    found = shift.lever_shift(outcome("x", *rows((31, 0, 0), (0, 9, 0), (0, 0, 60))), setting())
    assert found.missed.value == 0
    assert found.missed.high == pytest.approx(1 - 0.025 ** (1 / 31))
    assert found.missed_per_month.high > 30


def test_the_mix_weighs_labels_anew(quick):
    answers = outcome("x", *rows((10, 0, 0), (0, 10, 0), (0, 2, 8)))
    common = shift.lever_shift(answers, setting((1 / 3, 1 / 3, 1 / 3)))
    rare = shift.lever_shift(answers, setting((0.001, 0.009, 0.99)))
    assert common.looked.value == pytest.approx(2.2 / 3)
    assert rare.looked.value == pytest.approx(0.01 + 0.99 * 0.2)
    assert rare.urgent_per_hour.value < 0.06


def test_what_is_not_answered_is_looked_at_and_queued_as_the_average_row(quick):
    targets, said = rows((5, 0, 5), (0, 10, 0), (0, 0, 80))
    answers = outcome(
        "x", targets, [-1 if s == 2 and t == 0 else s for t, s in zip(targets, said, strict=True)]
    )
    found = shift.lever_shift(answers, setting())
    assert found.missed_rows == 0
    keys, _ = shift.order_keys(answers, np.ones(100, dtype=bool), setting())
    unknown = np.asarray(answers.predicted) == -1
    assert (keys[unknown] == keys[unknown][0]).all()
    assert keys[:5].max() < keys[unknown][0] < keys[-1]


def test_a_lever_that_calls_everything_quiet_has_nothing_to_show(quick):
    found = shift.lever_shift(outcome("x", *rows((0, 0, 10), (0, 0, 10), (0, 0, 80))), setting())
    assert found.alerts_per_hour is None
    assert found.urgent_per_hour is None
    assert found.missed.value == 1
    at = {g.looked: g.reached.value for g in found.gain}
    assert at[0.5] == pytest.approx(0.5)  # the order of arrival: the diagonal


def test_the_queue_of_a_perfect_order_begins_with_all_that_is_urgent(quick):
    targets, said = rows((10, 0, 0), (0, 20, 0), (0, 0, 70))
    scores = np.eye(3, dtype=np.float32)[targets]
    found = shift.lever_shift(outcome("x", targets, said, scores=scores), setting())
    at = {g.looked: g.reached for g in found.gain}
    assert found.ranked_by == "scores"
    assert at[0.05].value == 1
    assert at[0.05].low == pytest.approx(0.025 ** (1 / 10), abs=1e-3)  # ten rows show no more
    assert found.first_hour.value == pytest.approx(1.0)  # ten looks, ten urgent a day
    assert at[1.0].value == 1


def test_no_urgent_row_no_claim(quick):
    found = shift.lever_shift(outcome("x", *rows((0, 0, 0), (0, 20, 0), (0, 0, 80))), setting())
    assert found.missed is None
    assert found.missed_per_month is None
    assert found.gain == ()
    assert found.looked.value > 0


def test_groups_make_the_interval_wider(quick):
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 5)
    bad = random.random(20) < 0.3
    targets = [0] * 100 + [2] * 100
    said = [2 if bad[g] else 0 for g in group] + [2] * 100
    names = tuple(f"g{g}" for g in group) + tuple(f"n{i}" for i in range(100))
    alone = shift.lever_shift(outcome("x", targets, said), setting((0.1, 0, 0.9)))
    grouped = shift.lever_shift(outcome("x", targets, said, groups=names), setting((0.1, 0, 0.9)))
    assert grouped.missed.value == alone.missed.value
    wide = grouped.missed.high - grouped.missed.low
    assert wide > 1.6 * (alone.missed.high - alone.missed.low)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_what_is_missed_covers(quick, monkeypatch, grouped):
    """Over simulated test sets, 95 % intervals hold the true monthly misses at least that often."""
    monkeypatch.setattr(shift, "DRAWS", 100)
    random = np.random.default_rng(1)
    hits, runs, rate = 0, 100, 0.15
    for _ in range(runs):
        if grouped:  # twenty incidents of three alerts, each wholly missed or wholly seen
            missed = np.repeat(random.random(20) < rate, 3)
            groups = tuple(f"g{i // 3}" for i in range(60)) + tuple(f"n{i}" for i in range(40))
        else:
            missed, groups = random.random(60) < rate, None
        said = [2 if m else 0 for m in missed] + [2] * 40
        found = shift.lever_shift(
            outcome("x", [0] * 60 + [2] * 40, said, groups=groups), setting((0.05, 0, 0.95))
        )
        truth = rate * 0.05 * 1000 * 30.4
        hits += found.missed_per_month.low <= truth <= found.missed_per_month.high
    assert hits >= 0.93 * runs


def test_waits_before_and_after(monkeypatch):
    monkeypatch.setattr(shift_wait, "ARRIVALS", 12_000)
    targets, said = rows((18, 0, 2), (0, 20, 0), (2, 8, 150))
    # 480 looks, 4,800 alerts a day.
    desk = setting(per_day=4_800.0)
    now = before(np.array(targets), desk)
    assert now.reached.value == pytest.approx(0.1, abs=0.03)
    assert now.median.value is None
    found = shift.lever_shift(outcome("x", targets, said), desk)
    assert found.wait.reached.value > 0.8
    assert found.wait.reached.low < 0.9  # two of twenty rows were put last
    assert found.wait.median.value < 10
    assert found.wait.p95.value is None


def test_pairs_of_alerts_worked_by_hand():
    # Found: {1,2,3} {4}; true: {1,2} {3,4}.
    precision, recall, f1 = pairwise([0, 0, 0, 1], [5, 5, 6, 6])
    assert precision.value == pytest.approx(1 / 3)
    assert recall.value == pytest.approx(1 / 2)
    assert f1.value == pytest.approx(2 / 5)
    assert precision.low is None  # all of it hangs together: one piece shows no spread
    perfect = pairwise([0, 0, 1, 1, 2], [7, 7, 8, 8, 9])
    assert [one.value for one in perfect] == [1, 1, 1]


def test_the_interval_of_pairwise_precision_covers():
    random = np.random.default_rng(4)
    hits = 0
    for _ in range(60):
        found, truth = [], []
        for piece in range(60):  # half of the incidents take in a strange pair, in expectation
            size = 4 if random.random() < 0.5 else 2
            found += [piece] * size
            truth += [2 * piece] * 2 + [2 * piece + 1] * (size - 2)
        # Precision 2 of 6 or 1 of 1 pairs: (0.5·2 + 0.5·1) / (0.5·6 + 0.5·1).
        interval = pairwise(found, truth)[0]
        hits += interval.low <= 1.5 / 3.5 <= interval.high
    assert hits >= 54


def test_purity_and_looks_saved():
    assert purity([]) is None
    assert purity([{"noise": 3, "critical": 1}, {"noise": 2}]).value == pytest.approx(5 / 6)
    saved = saved_looks([1, 1, 2, 4])
    assert saved.value == 0.5
    assert saved.low < 0.5 < saved.high
