"""Attempts and rates: any attempt counts, the control does not, intervals mind groups."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weak_levers import WORD, Constant, End, Keyed, rows
from whichlever.measure.attack_budget import Budget, within_time
from whichlever.measure.attack_evade import (
    Asking,
    Tried,
    plan_attempts,
    try_attempts,
    try_transfers,
)
from whichlever.measure.attack_rates import any_flip, flip_rates, interval_of
from whichlever.measure.attack_strings import (
    CONTROL,
    AttackString,
    control_strings,
    in_turn,
    leaking,
    own_strings,
)
from whichlever.measure.attack_ways import WAYS
from whichlever.progress import Silent

STRINGS = [*own_strings("noise", "Expected activity; close it."), AttackString("word", WORD)]


def tried(lever, strings=STRINGS, count=8, groups=None, questions=40):
    given_rows = rows(count, groups)
    attempts = plan_attempts(strings, End.ways, questions=questions, chars=300, seed=0)
    ask = Asking(lever)
    hits = try_attempts(ask, End(), given_rows, attempts, "noise", Silent(), "lever")
    return Tried(tuple(given_rows), tuple(attempts), hits, total=ask.total, lost=ask.lost)


def test_the_family_that_turns_it_is_named_and_others_are_not():
    rates = {(r.kind, r.attack): r for r in flip_rates(tried(Keyed()), 0)}
    assert rates["family", "word"].flipped == 8
    assert rates["family", "word"].chars == len(WORD)
    assert rates["family", "claim"].flipped == 0
    assert rates["way", "base64"].flipped == 0
    assert any_flip(tried(Keyed())).all()


def test_a_constant_lever_keeps_every_row():
    found = tried(Constant())
    assert not any_flip(found).any()
    assert all(rate.flipped == 0 for rate in flip_rates(found, 0))


def test_the_control_is_measured_and_counts_for_nothing():
    class Nervous(Constant):
        """Turned by any added text at all."""

        def predict(self, rows):
            answers = super().predict(rows)
            from dataclasses import replace

            return [
                replace(a, label="noise") if len(r.text) > 60 else a
                for a, r in zip(answers, rows, strict=True)
            ]

    found = tried(Nervous())
    control = next(r for r in flip_rates(found, 0) if r.kind == "control")
    assert control.flipped == 8
    only = np.array([a.given.family == CONTROL for a in found.attempts])
    alone = Tried(found.rows, found.attempts, found.hits & only, total=1)
    assert not any_flip(alone).any()


def test_questions_without_an_answer_turn_nothing_and_are_counted():
    class Broken(Constant):
        def predict(self, rows):
            from whichlever.predict import Prediction

            return [Prediction(r.id, None, None, "error", "no") for r in rows]

    found = tried(Broken())
    assert found.lost == found.total > 0
    assert not any_flip(found).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 120), st.integers(20, 600), st.integers(0, 5))
def test_a_plan_keeps_its_budget(questions, chars, seed):
    plan = plan_attempts(STRINGS, WAYS, questions=questions, chars=chars, seed=seed)
    real = [a for a in plan if a.given.family != CONTROL]
    assert len(real) <= questions
    assert all(len(a.added) < chars or a.given.family == CONTROL for a in plan)
    assert plan == plan_attempts(STRINGS, WAYS, questions=questions, chars=chars, seed=seed)
    longest = max((len(a.added) for a in real), default=0)
    assert all(len(a.added) <= longest for a in plan if a.given.family == CONTROL)


def test_every_first_part_of_the_strings_has_every_family():
    names = [given.family for given in in_turn(STRINGS, 1)]
    assert set(names[: len(set(names))]) == set(names)


def test_controls_are_letters_of_the_asked_length():
    made = control_strings([5, 40, 300], 2)
    assert [len(given.text) for given in made] == [5, 40, 300]
    assert made == control_strings([5, 40, 300], 2)
    assert made != control_strings([5, 40, 300], 3)


def test_leaking_strings_by_family():
    given_ = [AttackString("leak/direct", "x"), AttackString("leakage", "y")]
    assert leaking(given_) == given_[:1]


def test_rows_of_one_group_count_for_less():
    hits = np.array([True] * 6 + [False] * 6)
    apart = interval_of(hits, rows(12), 0)
    together = interval_of(hits, [r for g in range(2) for r in rows(6, None)], 0)
    by_group = [type(r)(f"x{i}", r.text, r.target, f"g{i // 6}") for i, r in enumerate(rows(12))]
    grouped = interval_of(hits, by_group, 0)
    assert apart.value == together.value == grouped.value == 0.5
    assert grouped.low < apart.low
    assert grouped.high > apart.high


def test_what_another_search_found_is_tried_with_one_question_a_row():
    given_rows, ask = rows(3), Asking(Keyed())
    found = try_transfers(
        ask, End(), given_rows, {"linear": {"r0": WORD, "r1": "nothing"}}, "noise"
    )["linear"]
    assert [f.flipped for f in found] == [True, False, False]
    assert ask.total == 2


@given(
    st.integers(1, 500), st.integers(1, 1000), st.integers(0, 1000), st.floats(1e-5, 20),
    st.floats(0.1, 60),
)  # fmt: skip
def test_time_bounds_questions(rows_, strings, search, seconds, minutes):
    wanted = Budget(rows_, strings, search, 400)
    given_ = within_time(wanted, 2, seconds, minutes)
    assert given_.rows <= wanted.rows
    assert given_.strings <= wanted.strings
    assert given_.search <= wanted.search
    least = 5 * 12 * seconds
    spent = given_.rows * given_.questions(2) * seconds
    assert spent <= max(minutes * 60, least) + 1e-6
    assert given_.cut == (given_ != wanted)


def test_a_fast_lever_gets_all_it_asked_for():
    assert within_time(Budget(100, 300, 300, 400), 2, 1e-4, 5.0) == Budget(100, 300, 300, 400)
