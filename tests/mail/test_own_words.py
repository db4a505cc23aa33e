"""The author's own words, and sentences."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.mail.own_words import own_words
from whichlever.mail.sentences import sentences


@pytest.mark.parametrize(
    "rest",
    [
        "On Tue, 1 Jul 2025 at 10:00, Bob Roe <bob@corp.example> wrote:\n> old words\n> more\n",
        "On Tue, 1 Jul 2025 at 10:00, Bob Roe <bob@corp.example>\nwrote:\n\n> old words\n",
        "-----Original Message-----\nFrom: Bob\nSent: today\nold words\n",
        "From: Bob Roe\nSent: Tuesday\nTo: Ada\nSubject: Plan\n\nold words\n",
        "Von: Bob Roe\nGesendet: Dienstag\nAn: Ada\nBetreff: Plan\n\nold words\n",
        "Am 01.07.2025 um 10:00 schrieb Bob Roe:\n> old words\n",
        "---------- Forwarded message ---------\nold words\n",
        "-- \nAda Byron\nold words street\n",
        "Sent from my iPhone\n",
        "_______________________________________________\nList mailing list\nold words\n",
    ],
)
def test_what_is_not_the_authors_is_left_out(rest: str) -> None:
    assert own_words(f"Please wait.\nThanks, Ada\n\n{rest}") == "Please wait.\nThanks, Ada"


def test_answers_between_quotations_are_kept() -> None:
    text = "On Monday Bob wrote:\n> first?\nYes.\n\n> second?\nNo, never.\n"
    assert own_words(text) == "Yes.\n\nNo, never."


def test_a_disclaimer_at_the_end_is_left_out() -> None:
    text = (
        "Send it today.\nAda\n\nThis email is confidential and intended only for the recipient.\n"
    )
    assert own_words(text) == "Send it today.\nAda"


def test_a_line_that_begins_like_a_head_but_is_none_stays() -> None:
    text = "From: here to there is far.\nI said so.\nOn second thought, wait.\n"
    assert own_words(text) == text.strip()


def test_linear_in_hostile_text() -> None:
    text = "On " + "a" * 390 + "\n" + ("From: x\n" * 20_000) + "> " * 50_000
    begun = time.process_time()
    own_words(text)
    sentences(text)
    assert time.process_time() - begun < 10


@given(st.text(max_size=400))
def test_own_words_are_lines_of_the_text(text: str) -> None:
    lines = {line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")}
    kept = [own.strip() for own in own_words(text).split("\n")]
    assert {own for own in kept if own} <= {line.strip() for line in lines}


def test_sentences_stop_where_a_reader_does() -> None:
    text = "Dear Dr. Roe, please pay 3.50 today! Thanks. J. Doe\n\n- first point\n- second"
    found = [text[a:b] for a, b in sentences(text)]
    assert found == [
        "Dear Dr. Roe, please pay 3.50 today!", "Thanks.", "J. Doe", "- first point", "- second",
    ]  # fmt: skip


@given(st.text(alphabet="ab. \n!-", max_size=3_000))
def test_sentences_cover_every_word_in_order(text: str) -> None:
    found = sentences(text)
    assert (
        "".join(text[a:b] for a, b in found).split() == "".join(text[a:b] for a, b in found).split()
    )
    assert all(a < b for a, b in found)
    assert all(x[1] <= y[0] for x, y in pairwise(found))
    covered = "".join("".join(text[a:b].split()) for a, b in found)
    assert covered == "".join(text.split())
