"""Which rows a point is fitted on: nested, counted, and none from the other side."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_outcome import task
from whichlever.curve_plan import DAY, plan
from whichlever.data import Splits
from whichlever.predict import Row
from whichlever.task import CurveSettings


def rows(name, count, start=0.0, timed=True, groups=5):
    return tuple(
        Row(
            f"{name}{i}", f"text {i}", ("critical", "noise")[i % 2], f"g{i % groups}",
            (start + i) * DAY if timed else None,
        )
        for i in range(count)
    )  # fmt: skip


def splits(train=80, valid=20, *, after=True, timed=True, test_start=200.0):
    return Splits(
        train=rows("t", train, timed=timed),
        valid=rows("v", valid, start=train if after else 0, timed=timed),
        calibrate=rows("c", 10, start=train + valid, timed=timed),
        test=rows("x", 30, start=test_start, timed=timed),
    )


def chosen(point):
    return {row.id for row in (*point.train, *point.valid)}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(40, 120), st.integers(0, 30), st.booleans(), st.integers(0, 3),
    st.sets(st.sampled_from([0.125, 0.25, 0.3, 0.5, 0.9]), min_size=1),
)  # fmt: skip
def test_points_are_nested_counted_and_made_of_train_and_valid_alone(
    train, valid, after, seed, fractions
):
    given_rows = splits(train, valid, after=after)
    wanted = CurveSettings(
        fractions=sorted(fractions), orders=["newest", "random", "oldest"], draws=2
    )
    found = plan(wanted, task(), given_rows, seed)
    pool = {row.id for row in (*given_rows.train, *given_rows.valid)}
    for a in found.points:
        assert chosen(a) <= pool
        assert len(chosen(a)) == a.labels < len(pool)
        if a.order != "delay":
            assert a.labels == max(1, round(a.fraction * len(pool)))
            assert bool(a.valid) == bool(valid)
        for b in found.points:
            same = (a.order, a.draw) == (b.order, b.draw) and a.order != "delay"
            if same and a.fraction < b.fraction:
                assert chosen(a) <= chosen(b)
    assert [p.rank for p in found.points] == sorted(p.rank for p in found.points)


def test_split_by_time_leaves_no_gap_between_fitting_and_choosing():
    found = plan(CurveSettings(fractions=[0.25]), task(), splits(), 0)
    (newest,) = [p for p in found.points if p.order == "newest"]
    times = [row.time for row in (*newest.train, *newest.valid)]
    assert times == sorted(times)
    assert times[-1] == 99 * DAY, "the newest labelled row chooses"
    assert np.diff(times).max() == DAY
    assert (len(newest.train), len(newest.valid)) == (20, 5)


def test_few_labels_do_not_choose_with_a_handful():
    many = splits(1_940, 60, test_start=3_000.0)
    found = plan(CurveSettings(fractions=[0.1, 0.5], delays=[]), task(), many, 0)
    assert {(p.labels, len(p.valid)) for p in found.points if p.order == "newest"} == {
        (200, 30), (1_000, 60),
    }  # fmt: skip
    assert {len(p.valid) for p in found.points if p.order == "random"} == {30, 60}


def test_random_draws_differ_and_are_nested():
    found = plan(CurveSettings(draws=2, orders=["random"], delays=[]), task(), splits(), 0)
    by_draw = [[p for p in found.points if p.order == "random" and p.draw == d] for d in (0, 1)]
    for points in by_draw:
        sizes = sorted(points, key=lambda p: p.labels)
        assert all({r.id for r in a.train} <= {r.id for r in b.train} for a, b in pairwise(sizes))
    assert chosen(by_draw[0][0]) != chosen(by_draw[1][0])


def test_split_by_group_draws_whole_groups():
    grouped = task("").model_copy(
        update={"data": task().data.model_copy(update={
            "split": task().data.split.model_copy(update={"by": "group"})})}
    )  # fmt: skip
    found = plan(CurveSettings(fractions=[0.4], draws=3, delays=[]), grouped, splits(), 0)
    for point in found.points:
        if point.order == "random":
            assert len({row.group for row in point.train}) <= 2 + 1


def test_late_labels_are_counted_back_from_the_first_test_row():
    found = plan(CurveSettings(delays=[110.0, 150.0]), task(), splits(), 0)
    late = {p.days: p for p in found.points if p.order == "delay"}
    assert found.delay_from == "the first test row"
    for days, point in late.items():
        assert max(row.time for row in (*point.train, *point.valid)) <= (200 - days) * DAY
    assert late[110.0].labels == 91
    assert late[150.0].labels == 51


def test_what_cannot_be_measured_is_said():
    untimed = plan(CurveSettings(), task(), splits(timed=False), 0)
    assert {p.order for p in untimed.points} == {"random"}
    assert "no times" in untimed.notes[0]
    mixed = plan(CurveSettings(), task(), splits(test_start=0.0), 0)
    assert not [p for p in mixed.points if p.order == "delay"]
    assert any("do not come after" in note for note in mixed.notes)
    few = plan(CurveSettings(fractions=[0.05]), task(), splits(), 0)
    assert any("too few rows" in note for note in few.notes)
    fresh = plan(CurveSettings(delays=[5.0]), task(), splits(), 0)
    assert "no label is less than 5 days old" in fresh.notes


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_lines_in_a_file_changes_nothing(seed):
    one = splits()
    other = Splits(one.train[::-1], one.valid[::-1], one.calibrate, one.test)
    for a, b in zip(
        plan(CurveSettings(), task(), one, seed).points,
        plan(CurveSettings(), task(), other, seed).points,
        strict=True,
    ):
        assert chosen(a) == chosen(b)
