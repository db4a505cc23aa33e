from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.llm.options import answered, gbnf, option_scores
from whichlever.llm.reply import Reply


def reply(*rivals: tuple[str, float]) -> Reply:
    return Reply("A", tokens=("A",), top=(rivals,))


def test_scores_are_renormalised_over_the_options() -> None:
    found = option_scores(
        reply(("A", math.log(0.3)), ("The", math.log(0.5)), (" B", math.log(0.05)),
              ("B", math.log(0.05))), "AB", "grammar")  # fmt: skip
    assert found == pytest.approx([0.75, 0.25])


def test_an_option_not_listed_gets_the_least_listed_probability() -> None:
    found = option_scores(reply(("A", math.log(0.9)), ("x", math.log(0.01))), "AB", "grammar")
    assert found == pytest.approx([0.9 / 0.91, 0.01 / 0.91])


def test_without_any_option_listed_there_are_no_scores() -> None:
    assert option_scores(reply(("x", -0.1)), "AB", "grammar") is None
    assert option_scores(Reply("A"), "AB", "grammar") is None


@given(st.lists(st.tuples(st.sampled_from(["A", "B", "C", "x", " A", ""]), st.floats(-700, 0))))
def test_scores_are_probabilities_whatever_was_listed(rivals: list[tuple[str, float]]) -> None:
    found = option_scores(reply(*rivals), "ABC", "grammar")
    if found is not None:
        assert np.all(found >= 0)
        assert float(found.sum()) == pytest.approx(1.0)


def test_a_grammar_quotes_what_a_label_may_hold() -> None:
    assert gbnf(['say "hi"', "back\\slash", "two\nlines"]) == (
        r'root ::= "say \"hi\"" | "back\\slash" | "two\nlines"'
    )


@pytest.mark.parametrize(
    ("text", "option"),
    [("noise", "noise"), (" Noise.\n", "noise"), ('"noise"', "noise"), ("noise or not", None),
     ("", None), ("not noise", None)],
)  # fmt: skip
def test_a_sentence_is_not_searched_for_a_label(text: str, option: str | None) -> None:
    assert answered(text, ["noise", "critical"], "none") == option


def test_a_case_that_two_labels_share_is_not_guessed() -> None:
    assert answered("Us", ["us", "US"], "none") is None
