"""Scores of fields: the same as counted by hand, and the paired machinery on them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.fields.normalise import Rule
from whichlever.fields.schema import Schema
from whichlever.measure.field_answers import FieldAnswers
from whichlever.measure.field_counts import FieldCounts, count_fields
from whichlever.measure.jackknife import delete_one
from whichlever.measure.paired import randomisation_p
from whichlever.predict import Prediction, Row

NAMES = ("@timestamp", "source.ip", "source.port", "tags", "user.name")
SCHEMA = Schema(
    {
        "@timestamp": Rule("timestamp"),
        "source.ip": Rule(),
        "source.port": Rule("int"),
        "tags": Rule(many=True),
        "user.name": Rule("lower"),
    }
)


def counted(true, said, text="", status="ok"):
    row = Row("r", text, fields=true)
    fields = said if status == "ok" else None
    answer = Prediction("r", None, status=status, fields=fields)
    return count_fields([row], [answer], NAMES, SCHEMA)


@pytest.mark.parametrize(
    ("true", "said", "exact"),
    [
        ({}, {}, True),
        ({"source.port": 22}, {"source.port": "22"}, True),
        ({"user.name": "Anna"}, {"user.name": "anna"}, True),
        ({"@timestamp": "2024-01-01T00:00:00Z"}, {"@timestamp": "2024-01-01T01:00:00+01:00"}, True),
        ({"@timestamp": "2024-01-01T00:00:00.001Z"}, {"@timestamp": "2024-01-01T00:00:00Z"}, False),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, True),
        ({"tags": ["a", "a"]}, {"tags": ["a"]}, False),
        ({"source.ip": "10.0.0.1"}, {"source.ip": "10.0.0.2"}, False),
        ({"source.ip": "10.0.0.1"}, {}, False),
        ({}, {"source.ip": "10.0.0.1"}, False),
    ],
)
def test_a_line_is_right_where_nothing_is_wrong_missing_or_too_many(true, said, exact):
    assert counted(true, said).exact.tolist() == [exact]


def test_a_line_not_answered_is_wrong_even_where_it_holds_nothing():
    assert counted({}, {}, status="timeout").exact.tolist() == [False]


def test_what_stands_nowhere_in_the_line_is_made_up():
    text = "user Anna from 10.0.0.1 port 22 at 2024-01-01 00:00:00"
    said = {"user.name": "anna", "source.ip": "10.0.0.9", "source.port": 22, "of.no.schema": "22"}
    assert counted({}, said, text).invented.tolist() == [2]


def test_names_outside_the_run_count_in_the_last_column():
    found = counted({"new.name": "x"}, {"odd.name": "y"})
    assert found.true[0, -1] == found.said[0, -1] == 1
    assert found.hit.sum() == 0


@st.composite
def counts(draw):
    n = draw(st.integers(2, 7))
    true = np.array(draw(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3),
                                  min_size=n, max_size=n)))  # fmt: skip
    true[0, 0] = max(1, true[0, 0])
    both = []
    for _ in range(2):
        said = np.array([[draw(st.integers(0, 3)) for _ in range(3)] for _ in range(n)])
        hit = np.minimum(said, true) - np.array(
            [[draw(st.integers(0, int(min(a, b)))) for a, b in zip(s, t, strict=True)]
             for s, t in zip(said, true, strict=True)]
        )  # fmt: skip
        exact = (hit == said).all(axis=1) & (hit == true).all(axis=1)
        both.append(FieldCounts(hit, said, true, exact, np.zeros(n, dtype=np.int64)))
    return both


def f1(hit, said, true):
    bottom = said.sum() + true.sum()
    return 2 * hit.sum() / bottom if bottom else 0.0


@given(counts())
@settings(max_examples=60, deadline=None)
def test_micro_f1_and_its_delete_one_values_are_those_counted_by_hand(both):
    c = both[0]
    answers = FieldAnswers(c)
    assert answers.metric("micro_f1", np.ones((len(c), 1)))[0] == pytest.approx(
        f1(c.hit, c.said, c.true)
    )
    left = delete_one(answers, "micro_f1", np.arange(len(c)))
    for i, value in enumerate(left):
        kept = np.arange(len(c)) != i
        if c.true[kept].sum():
            assert value == pytest.approx(f1(c.hit[kept], c.said[kept], c.true[kept]))


@given(counts(), st.sampled_from(["micro_f1", "line_exact"]))
@settings(max_examples=40, deadline=None)
def test_the_randomisation_test_is_every_swap_tried(both, metric):
    a, b = both

    def score(c):
        return c.exact.mean() if metric == "line_exact" else f1(c.hit, c.said, c.true)

    observed = abs(score(a) - score(b))
    extreme = 0
    swaps = list(product([0, 1], repeat=len(a)))
    for swap in swaps:
        s = np.array(swap, dtype=bool)
        first, second = (
            FieldCounts(*(np.where(s[:, None] if x.ndim > 1 else s, y, x) for x, y in zip(
                (p.hit, p.said, p.true, p.exact, p.invented),
                (q.hit, q.said, q.true, q.exact, q.invented), strict=True)))
            for p, q in ((a, b), (b, a))
        )  # fmt: skip
        extreme += abs(score(first) - score(second)) >= observed - 1e-12
    found = randomisation_p(FieldAnswers(a), FieldAnswers(b), metric)
    assert found == pytest.approx(extreme / len(swaps))
