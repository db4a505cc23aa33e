"""How like the truth a text is: against plain reference implementations."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from whichlever.likeness import common_subsequence, likeness, normalised, rouge_l, token_f1

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12)


def plain_lcs(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            longest = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else longest
    return table[-1][-1]


@given(WORDS, WORDS)
def test_common_subsequence_is_the_textbook_one(a: list[str], b: list[str]) -> None:
    assert common_subsequence(a, b) == plain_lcs(a, b)


@given(WORDS, WORDS)
def test_scores_are_symmetric_shares(a: list[str], b: list[str]) -> None:
    for score in (token_f1, rouge_l):
        assert score(a, b) == score(b, a)
        assert 0 <= score(a, b) <= 1
    assert rouge_l(a, b) <= token_f1(a, b) + 1e-12  # words in order are words in a bag
    if Counter(a) == Counter(b):
        assert token_f1(a, b) == 1


@given(st.text(), st.text())
def test_any_text_gets_a_score(said: str, true: str) -> None:
    found = likeness(said, true)
    assert found.exact == (normalised(said) == normalised(true))
    assert 0 <= found.rouge_l <= 1


def test_case_marks_and_blanks_do_not_count_and_words_do() -> None:
    assert likeness("  You CAN opt-out. ", "you can opt out").exact
    assert not likeness("you cannot opt out", "you can opt out").exact
    assert likeness(None, "x").token_f1 == 0
    assert likeness("the court of X", "the court of law is X").rouge_l == 2 * 4 / (4 + 6)
