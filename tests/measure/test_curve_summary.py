"""Curves from answers: paired, counted, and told apart by more than luck."""

import numpy as np
import pytest

from whichlever.measure.curve import Curve
from whichlever.measure.curve_draws import Answered, Board
from whichlever.measure.curve_summary import Luck, summarise_curve

N, WHOLE = 500, 1_600


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(0).integers(0, 3, N)


class Lever:
    """Right on the rows that are easy enough for it: one lever's answers agree with each other."""

    def __init__(self, truth, seed=0):
        random = np.random.default_rng(seed)
        self.truth, self.hard = truth, random.random(N)
        self.random = random

    def said(self, accuracy, luck=0.0):
        hard = self.hard + self.random.normal(0, luck, N)
        return np.where(hard < accuracy, self.truth, (self.truth + 1) % 3)


def answers(lever, name="linear", rising=(0.5, 0.6, 0.7, 0.8), newer=0.0, luck=0.0):
    out = []
    for fraction, accuracy in zip((0.125, 0.25, 0.5), rising, strict=False):
        labels = round(fraction * WHOLE)
        out.append(Answered(name, "newest", lever.said(accuracy + newer), labels, fraction))
        for draw in range(3):
            said = lever.said(accuracy, luck)
            out.append(Answered(name, "random", said, labels, fraction, draw))
    out.append(Answered(name, "all", lever.said(rising[-1]), WHOLE))
    return out


def curve(truth, given, levels=(), metric="accuracy", groups=None, **more) -> Curve:
    return summarise_curve(given, Board(truth, groups, metric), margin=0.02, levels=levels, **more)


def test_points_hold_each_count_once_and_survive_json(truth):
    found = curve(truth, answers(Lever(truth)), notes=["a note"], seconds=3.0)
    assert [(p.order, p.labels, p.draws) for p in found.points] == [
        ("newest", 200, 1), ("newest", 400, 1), ("newest", 800, 1), ("newest", 1_600, 1),
        ("random", 200, 3), ("random", 400, 3), ("random", 800, 3), ("random", 1_600, 1),
    ]  # fmt: skip
    assert found.labels == WHOLE
    assert Curve.model_validate_json(found.model_dump_json()) == found
    for point in found.points:
        assert point.score.low <= point.score.value <= point.score.high


def test_a_crossing_with_recorded_answers_is_found_on_their_own_rows(truth):
    lever, other = Lever(truth), Lever(truth, 5)
    level = Answered("recorded-x", "level", other.said(0.65)[:300])
    found = curve(truth, answers(lever), levels=[(level, False)])
    (crossed,) = [c for c in found.crossings if c.order == "newest"]
    assert (crossed.lever, crossed.other, crossed.outcome) == ("linear", "recorded-x", "crosses")
    assert 200 < crossed.at < 1_600
    assert crossed.low is None or crossed.low <= crossed.at <= (crossed.high or np.inf)
    assert found.levels[0].rows == 300


def test_the_same_answers_never_cross_and_a_falling_curve_is_overtaken(truth):
    lever = Lever(truth)
    level = Answered("recorded-x", "level", lever.said(0.65))
    falling = curve(truth, answers(lever, rising=(0.8, 0.7, 0.6, 0.5)), levels=[(level, False)])
    crossed = {(c.lever, c.other): c.outcome for c in falling.crossings}
    assert crossed == {("recorded-x", "linear"): "crosses"}
    majority = curve(truth, answers(lever), levels=[(Answered("majority", "level", truth), False)])
    assert majority.crossings == (), "the floor is no lever to overtake"


def test_luck_widens_what_one_fit_shows_of_the_age_of_labels(truth):
    quiet = curve(truth, answers(Lever(truth), newer=0.04))
    lucky = curve(truth, answers(Lever(truth), newer=0.04, luck=0.25))
    for calm, wild in zip(quiet.ages, lucky.ages, strict=True):
        assert (calm.first, calm.second) == ("newest", "random")
        assert calm.difference.value == pytest.approx(0.04, abs=0.02)
        assert wild.difference.high - wild.difference.low > 1.2 * (
            calm.difference.high - calm.difference.low
        )


def test_late_labels_are_compared_with_none_late_on_the_same_rows(truth):
    lever = Lever(truth)
    late = Answered("linear", "delay", lever.said(0.7), 1_400, 0.875, 0, 30.0)
    found = curve(truth, [*answers(lever), late], delay_from="the first test row")
    (delay,) = found.delays
    assert delay.difference.value == pytest.approx(-0.1, abs=0.03)
    assert delay.difference.low < delay.difference.value < delay.difference.high < 0
    assert found.figures()["delays"]["linear.30"] is delay


def test_groups_widen_every_interval(truth):
    groups, given = [f"g{i // 20}" for i in range(N)], Lever(truth)
    given.hard = np.repeat(np.random.default_rng(6).random(N // 20), 20)  # alike within a group
    found = answers(given)
    apart, together = (curve(truth, found, metric="macro_f1", groups=g) for g in (None, groups))
    assert together.groups == N // 20
    wide = [p.score.high - p.score.low for p in together.points]
    assert np.mean(wide) > 1.5 * np.mean([p.score.high - p.score.low for p in apart.points])


def test_luck_is_recovered_from_repeated_draws():
    random = np.random.default_rng(4)
    counts, scale = [200, 400, 800], 0.3
    parts = [(n, random.normal(0, scale * np.sqrt(1 / n - 1 / WHOLE), 2_000)) for n in counts]
    luck = Luck.of(parts, WHOLE)
    assert luck.scale == pytest.approx(scale, rel=0.05)
    assert luck.deviation(WHOLE) == 0
    assert Luck.of([(200, np.array([0.5]))], WHOLE) is None
