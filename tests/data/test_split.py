"""Splits: every row has one role, groups stay whole, time goes forward, prefixes are stratified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from whichlever.data import Dataset, Splits, split_rows
from whichlever.data.rows import ROLES, Role
from whichlever.data.split import answers_are_free, assign_roles
from whichlever.data.stratify import stratified_order
from whichlever.errors import DataError
from whichlever.predict import Row
from whichlever.task import Split, Task


def split(
    rows: Sequence[Row],
    given: dict[str, Role] | None = None,
    unseen: str = "count_wrong",
    **how: Any,
) -> Splits:
    data: dict[str, Any] = {
        "rows": "a.jsonl", "input": "text", "group": "g", "time": "t", "unseen_labels": unseen,
        "split": how,
    }  # fmt: skip
    if how.get("by") == "given":
        how["column"] = "role"
    task = Task.model_validate({"task": "t", "data": data})
    return split_rows(Dataset(tuple(rows), (), given or {}), task)


def make(n: int, labels: int = 3, groups: int = 10, seed: int = 0) -> list[Row]:
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, labels + 1)
    named = rng.choice(labels, n, p=weights / weights.sum())
    return [
        Row(f"r{i:04}", f"text {i}", f"L{named[i]}", f"g{rng.integers(groups)}", float(i))
        for i in range(n)
    ]


def parts(splits: Splits) -> dict[str, tuple[Row, ...]]:
    return {role: getattr(splits, role) for role in ROLES}


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(40, 300), labels=st.integers(2, 6), seed=st.integers(0, 99),
    by=st.sampled_from(["random", "group", "time"]),
)  # fmt: skip
def test_every_row_has_one_role_whatever_the_order_of_lines(
    n: int, labels: int, seed: int, by: str
) -> None:
    rows = make(n, labels, seed=seed)
    assume(len({row.group for row in rows}) >= 6)
    try:
        first = split(rows, by=by, seed=seed)
    except DataError as error:  # rare: one group or the oldest rows hold one label only
        assume("only one label" not in str(error))
        raise
    ids = [row.id for part in parts(first).values() for row in part]
    assert sorted(ids) == sorted(row.id for row in rows)
    again = split(rows[::-1], by=by, seed=seed)
    assert again.test == first.test
    for role, part in parts(first).items():
        assert {row.id for row in part} == {row.id for row in parts(again)[role]}


@settings(max_examples=40, deadline=None)
@given(n=st.integers(60, 400), labels=st.integers(2, 8), seed=st.integers(0, 99))
def test_random_keeps_exact_sizes_and_each_labels_share(n: int, labels: int, seed: int) -> None:
    rows = make(n, labels, seed=seed)
    found = parts(split(rows, by="random", seed=seed, valid=0.1, calibrate=7, test=0.25))
    assert len(found["valid"]) == round(0.1 * n)
    assert len(found["calibrate"]) == 7
    assert len(found["test"]) == round(0.25 * n)
    everywhere = Counter(row.target for row in rows)
    assert {row.target for row in found["train"]} == set(everywhere)
    in_test = Counter(row.target for row in found["test"])
    for label, count in everywhere.items():
        # One training row per label is set aside before the roles are dealt.
        share = len(found["test"]) / (n - len(everywhere))
        assert abs(in_test[label] - share * (count - 1)) <= 3


def test_another_seed_is_another_split() -> None:
    rows = make(200)
    assert split(rows, seed=0).test != split(rows, seed=1).test


@settings(max_examples=40, deadline=None)
@given(n=st.integers(60, 300), groups=st.integers(4, 60), seed=st.integers(0, 99))
def test_no_group_stands_on_two_sides(n: int, groups: int, seed: int) -> None:
    rows = make(n, 2, groups, seed)
    assume(len({row.group for row in rows}) >= 4)
    dealt = assign_roles(rows, {}, Split(by="group", seed=seed))
    sides: dict[str | None, set[Role]] = {}
    for row, role in zip(rows, dealt, strict=True):
        sides.setdefault(row.group, set()).add(role)
    assert all(len(roles) == 1 for roles in sides.values())
    assert set(dealt) == set(ROLES)


def test_many_groups_come_close_to_the_shares_and_keep_the_labels() -> None:
    rows = make(3000, 3, 300)
    found = parts(split(rows, by="group", valid=0.15, calibrate=0.15, test=0.25))
    for role, share in (("valid", 0.15), ("calibrate", 0.15), ("test", 0.25)):
        assert abs(len(found[role]) / 3000 - share) < 0.01
        for label, count in Counter(row.target for row in rows).items():
            mine = sum(row.target == label for row in found[role]) / len(found[role])
            assert abs(mine - count / 3000) < 0.03


def test_a_group_that_is_a_rare_labels_only_home_goes_to_train() -> None:
    rows = make(400, 2, 20)
    rows += [Row(f"x{i}", "x", "rare", "only", 0.0) for i in range(30)]
    found = split(rows, by="group", unseen="refuse")
    assert "only" in {row.group for row in found.train}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=20, max_size=200), st.integers(0, 5))
def test_time_only_goes_forward(moments: list[int], seed: int) -> None:
    rows = [Row(f"r{i}", "x", "ab"[i % 2], None, float(t)) for i, t in enumerate(moments)]
    dealt = assign_roles(rows, {}, Split(by="time", seed=seed))
    by_role = {
        role: [row.time for row, its in zip(rows, dealt, strict=True) if its == role]
        for role in ROLES
    }
    assert all(by_role.values())
    for older, newer in pairwise(ROLES):
        assert max(by_role[older]) <= min(by_role[newer])


def test_rows_of_one_moment_stay_together_where_that_costs_little() -> None:
    rows = [Row(f"r{i:03}", "x", "ab"[i % 2], None, float(i // 4)) for i in range(200)]
    dealt = assign_roles(rows, {}, Split(by="time"))
    sides: dict[float | None, set[Role]] = {}
    for row, role in zip(rows, dealt, strict=True):
        sides.setdefault(row.time, set()).add(role)
    assert all(len(roles) == 1 for roles in sides.values())


def test_one_moment_for_all_is_divided_by_id() -> None:
    rows = [Row(f"r{i:03}", "x", "ab"[i % 2], None, 5.0) for i in range(100)]
    dealt = assign_roles(rows, {}, Split(by="time"))
    assert Counter(dealt) == {"train": 45, "valid": 15, "calibrate": 15, "test": 25}
    assert dealt[0] == "train"
    assert dealt[-1] == "test"


def test_a_role_that_is_not_wanted_stays_empty() -> None:
    rows = make(200)
    for by in ("random", "group", "time"):
        found = split(rows, by=by, calibrate=0)
        assert found.calibrate == ()
        assert found.valid
        assert found.test


def test_given_files_stay_and_the_newest_training_rows_choose() -> None:
    rows = make(100)
    given: dict[str, Role] = {row.id: "test" if i >= 80 else "train" for i, row in enumerate(rows)}
    found = split(rows, given, by="time", valid=10, calibrate=0.25)
    assert {row.id for row in found.test} == {row.id for row in rows[80:]}
    assert {row.id for row in found.calibrate} == {row.id for row in rows[60:80]}
    assert [row.id for row in found.valid] == [row.id for row in rows[50:60]]
    assert len(found.train) == 50


def test_given_roles_are_kept_and_missing_ones_come_out_of_train() -> None:
    rows = make(100)
    roles: list[Role] = ["train", "train", "valid", "test"]
    given: dict[str, Role] = {row.id: roles[i % 4] for i, row in enumerate(rows)}
    found = split(rows, given, by="given", calibrate=0.2)
    assert {row.id for row in found.valid} == {i for i, role in given.items() if role == "valid"}
    assert len(found.calibrate) == 10
    assert len(found.train) == 40
    with pytest.raises(DataError, match="no row has the role test"):
        split(rows, {row.id: "train" for row in rows}, by="given")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=300), st.integers(0, 99), st.data())
def test_any_prefix_of_the_test_order_is_stratified(
    targets: list[int], seed: int, data: st.DataObject
) -> None:
    order = stratified_order(targets, seed)
    assert sorted(order.tolist()) == list(range(len(targets)))
    n = data.draw(st.integers(0, len(targets)))
    prefix = Counter(targets[i] for i in order[:n])
    for label, count in Counter(targets).items():
        assert abs(prefix[label] - n * count / len(targets)) <= 1 + len(set(targets)) / 2


def test_the_order_inside_a_label_is_random() -> None:
    orders = {tuple(stratified_order([0] * 6, seed).tolist()) for seed in range(50)}
    assert len(orders) > 30


def test_too_few_rows_say_how_many_are_needed() -> None:
    rows = [Row(f"r{i}", "x", "ab"[i % 2], f"g{i}", float(i)) for i in range(4)]
    for by in ("random", "group", "time"):
        with pytest.raises(DataError, match=r"too few.*at least 5 are needed"):
            split(rows, by=by)
    many = [Row(f"r{i}", "x", f"L{i}", None, 0.0) for i in range(50)]
    with pytest.raises(DataError, match="one of each label in it make 78"):
        split(many)


def test_too_few_groups_say_how_many_are_needed() -> None:
    rows = make(100, groups=3)
    with pytest.raises(DataError, match=r"3 groups are too few.*4 groups"):
        split(rows, by="group")


def test_a_label_that_is_only_tested_is_refused_unless_it_shall_count() -> None:
    rows = [Row(f"r{i:03}", "x", "ab"[i % 2], None, float(i)) for i in range(100)]
    rows.append(Row("new", "x", "noise", None, 1e9))
    with pytest.raises(DataError, match=r"1 test rows .*'new'.*'noise'.*count_wrong"):
        split(rows, by="time", unseen="refuse")
    assert "new" in {row.id for row in split(rows, by="time").test}


def test_one_label_left_in_training_is_refused() -> None:
    rows = [Row(f"r{i:03}", "x", "a" if i < 80 else "b", None, float(i)) for i in range(100)]
    with pytest.raises(DataError, match=r"training rows have only one label \('a'\)"):
        split(rows, by="time")


def test_no_test_rows_is_refused() -> None:
    with pytest.raises(DataError, match="no test row"):
        split(make(50), test=0)


def test_free_texts_are_split_though_no_two_are_alike() -> None:
    rows = tuple(Row(f"r{i}", f"note {i}", f"answer number {i}") for i in range(60))
    columns = {"rows": "x.jsonl", "input": "input", "target": "output"}
    said = {"version": 1, "task": "t", "kind": "generate", "data": columns}
    task = Task.model_validate({**said, "answers": "open"})
    parts = split_rows(Dataset(rows, (), {}), task)
    assert len(parts.train) + len(parts.valid) + len(parts.calibrate) + len(parts.test) == 60
    assert len(parts.test) == round(60 * task.data.split.test)
    assert answers_are_free(rows, Task.model_validate(said))
    assert not answers_are_free(rows, Task.model_validate({**said, "answers": "closed"}))
