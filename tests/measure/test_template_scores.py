"""GA, PA, FGA and FTA by hand-counted cases."""

import pytest

from whichlever.measure.templates import score_templates


def test_a_split_group_counts_for_no_grouping():
    scores = score_templates(["a <*>", "a <*>", "b", "c"], ["a 1", "a <*>", "b", "c"])
    assert scores.ga == 2 / 4  # b and c; the lines of "a <*>" were split
    assert scores.pa == 3 / 4
    assert scores.fga == pytest.approx(2 * 2 / (4 + 3))
    assert scores.fta == pytest.approx(2 * 3 / (4 + 3))  # "a <*>" holds only lines of its own


def test_right_groups_with_other_words_are_grouped_and_not_parsed():
    scores = score_templates(["a <*>", "a <*>"], ["<*> <*>", "<*> <*>"])
    assert (scores.ga, scores.pa, scores.fga, scores.fta) == (1, 0, 1, 0)


def test_a_merged_template_is_not_the_template_of_its_lines():
    scores = score_templates(["a <*>", "a b"], ["a <*>", "a <*>"])
    assert (scores.ga, scores.pa, scores.fta) == (0, 0.5, 0)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="as many"):
        score_templates(["a"], [])
