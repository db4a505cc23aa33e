"""Ways of bringing a text in: they add, lose nothing, stay short, and can be read back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.measure.attack_ways import (
    EMPTY_LINES,
    WAYS,
    ZERO_WIDTH,
    beside,
    disguised,
    revealed,
)

PLAIN = st.text(alphabet=string.printable, min_size=1, max_size=200)
ANY = st.text(min_size=1, max_size=200)
WAY = st.sampled_from(WAYS)


@given(PLAIN, WAY)
def test_what_was_disguised_can_be_read_back(text, way):
    assert revealed(disguised(text, way), way) == text


@given(ANY, ANY, WAY)
def test_the_text_that_was_there_stays(original, text, way):
    attacked = beside(original, disguised(text, way), way)
    assert attacked.startswith(original) or attacked.endswith(original)
    assert disguised(text, way) in attacked
    assert len(attacked) == len(original) + 1 + len(disguised(text, way))


@given(ANY, WAY)
def test_a_disguise_is_of_bounded_length(text, way):
    size = len(text.encode("utf-8", "replace"))
    bound = {
        "zero-width": 2 * len(text), "comment": len(text) + 9, "padded": len(text) + EMPTY_LINES,
        "base64": 4 * (size // 3 + 1), "percent": 3 * size,
    }.get(way, len(text))  # fmt: skip
    assert len(disguised(text, way)) <= bound


@pytest.mark.parametrize("way", WAYS)
def test_an_undisguised_text_is_left_alone_when_read_back(way):
    assert revealed("plain words 12", way) == "plain words 12"


def test_a_homoglyph_looks_the_same_and_is_another_text():
    made = disguised("escape", "homoglyph")
    assert made != "escape"
    assert len(made) == len("escape")
    assert not made.isascii()


def test_zero_width_stands_between_any_two_characters():
    assert disguised("abc", "zero-width") == f"a{ZERO_WIDTH}b{ZERO_WIDTH}c"


def test_nothing_before_an_empty_text():
    assert beside("", "noise", "appended") == "noise"
