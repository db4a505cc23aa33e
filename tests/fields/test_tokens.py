"""Tokens: whole values are runs of whole tokens, and no text takes long."""

import time

from hypothesis import given
from hypothesis import strategies as st

from whichlever.fields.tokens import tokens


def cut(text):
    return [text[t.start : t.end] for t in tokens(text)]


def test_what_belongs_together_stays_together():
    assert cut("Apr  1 20:06:15 fw: 192.0.2.7/53500 de:fb:00:01:02:0a 2001:db8::1") == [
        "Apr  1 20:06:15", "fw", ":", "192.0.2.7", "/", "53500", "de:fb:00:01:02:0a", "2001:db8::1",
    ]  # fmt: skip
    assert cut("a=1.5,b='x_y'") == ["a", "=", "1.5", ",", "b", "=", "'", "x_y", "'"]


@given(st.text(max_size=200))
def test_every_visible_character_is_in_one_token(text):
    covered = 0
    for token in tokens(text):
        assert token.start >= covered
        assert not text[covered : token.start].strip()
        covered = token.end
    assert not text[covered:].strip()


def test_a_million_characters_take_linear_time():
    for text in ("1" * 10**6, "1:" * 5 * 10**5, "a" * 10**6, "Jan 1 " * 10**5, ":" * 10**6):
        started = time.perf_counter()
        tokens(text, limit=10_000)
        assert time.perf_counter() - started < 2
