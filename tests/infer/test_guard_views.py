"""Other views of a row: fields that an attacker writes, text in front of it and inside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.infer.guard import GuardedPredictor, heads, tails
from whichlever.infer.guard_novelty import Novelty
from whichlever.infer.guard_text import canonical
from whichlever.predict import Prediction, Row
from whichlever.runtime.bundle import Bundle

FOLDER = Path(__file__).parents[1] / "fixtures" / "bundles"
LINEAR = Bundle.open(FOLDER / "format1-linear.wl", allow_unsigned=True)

WORDS = ["backup", "job", "finished", "ransom", "note", "heartbeat", "ok", "login", "\n", "-- ok"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=2, max_size=6).map(" ".join)


def guarded(*views, **more):
    return GuardedPredictor(
        LINEAR.predictor, LINEAR.manifest.labels, "noise", 8, views=views, **more
    )


def label(predictor, row):
    return predictor.predict([row])[0].label


class Words:
    """Says noise where a text has more words ``ok`` than ``bad``."""

    def predict(self, rows):
        leads = np.array([r.text.count("ok") - r.text.count("bad") - 0.5 for r in rows])
        p = 1 / (1 + np.exp(-leads))
        return [
            Prediction(r.id, "noise" if q > 0.5 else "bad", np.array([1 - q, q], np.float32))
            for r, q in zip(rows, p.tolist(), strict=True)
        ]


def words(*views, **more):
    return GuardedPredictor(Words(), ("bad", "noise"), "noise", **{"least": 2, **more}, views=views)


@given(trusted=TEXTS, honest=TEXTS, put=TEXTS)
@settings(max_examples=60, deadline=None)
def test_nothing_in_untrusted_fields_closes_a_row_that_is_not_closed_without_them(
    trusted, honest, put
):
    guard = guarded("trusted")
    alone = guard.certified([Row("", trusted, trusted=trusted)], "untrusted") == 1
    for said in (honest, put, f"{put} {honest}"):
        if alone:
            assert label(guard, Row("", f"{trusted}\n{said}", trusted=trusted)) != "noise"


def test_what_is_trusted_must_be_known_and_say_something():
    guard = words("trusted")
    none, nothing, other = guard.predict(
        [Row("a", "ok ok"), Row("b", "ok ok", trusted=" "), Row("c", "ok", trusted="bad")]
    )
    assert [a.status for a in (none, nothing, other)] == ["handed"] * 3
    assert "give the record" in none.error
    assert "only fields that an attacker writes" in nothing.error
    assert other.scores[1] < 0.5  # of the trusted text
    assert label(guard, Row("d", "ok", trusted="ok")) == "noise"
    assert label(words("trusted", trusted_floor=0.9), Row("d", "ok", trusted="ok")) is None


@given(row=TEXTS, added=TEXTS, join=st.sampled_from([" ", "\n", ", "]))
@settings(max_examples=60, deadline=None)
def test_no_text_in_front_of_a_row_closes_what_was_not_closed(row, added, join):
    guard = guarded("endings")
    if len(row) >= guard.least and label(guard, Row("", row)) != "noise":
        assert label(guard, Row("", added + join + row)) != "noise"
    if guard.certified([Row("", row)], "before"):
        assert label(guard, Row("", added + join + row)) != "noise"


@given(row=TEXTS, added=TEXTS, at=st.integers(0, 40))
@settings(max_examples=80, deadline=None)
def test_what_is_certified_inside_is_not_closed_by_text_put_anywhere(row, added, at):
    guard = guarded("beginnings", "endings")
    places = [0, *heads(row, 1), len(row)]
    place = places[at % len(places)]
    if guard.certified([Row("", row)], "inside"):
        assert label(guard, Row("", f"{row[:place]} {added} {row[place:]}")) != "noise"


def test_a_certificate_is_given_only_for_what_the_views_show():
    rows = [Row("", "bad bad thing"), Row("", "ok ok ok")]
    assert words("beginnings").certified(rows, "behind") == 1
    assert words("beginnings").certified(rows, "before") is None
    assert words("endings").certified(rows, "before") == 1
    assert words("beginnings", "endings").certified(rows, "inside") == 1
    assert words("beginnings", "endings").certified(rows, "untrusted") is None


def test_tails_begin_everywhere_but_inside_a_word():
    assert ["a1 = b2"[at:] for at in tails("a1 = b2", 2)] == [" = b2", "= b2", " b2", "b2"]


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("no\u200bi\u202ese", "noise"),
        ("nоіѕе", "noise"),
        ("ｎｏｉｓｅ", "noise"),
        ("a\x00b\r\n\n\n\n\n  c", "ab\n\n c"),
        ("naïve größe", "naïve größe"),
    ],
)
def test_one_form_of_what_looks_alike(given_, wanted):
    assert canonical(given_) == wanted
    guard = words("beginnings", one_form=True)
    assert label(guard, Row("", "o\u200bk " + given_)) == "noise"


@given(st.text(max_size=30), st.text(max_size=12))
@settings(max_examples=100, deadline=None)
def test_a_beginning_has_the_same_form_whatever_follows(text, more):
    begun = canonical(text).rstrip(" \t\n")
    assert canonical(text + more).startswith(begun)


def test_new_words_are_counted_and_too_many_hand_a_row_over():
    known = Novelty.of(["the backup job is ok", "disk ok"])
    assert known.share("the disk job 4711") == 0.0
    assert known.share("zebra quagga ok ok") == 0.5
    assert known.share("123 456") == 0.0
    limited = Novelty(known.bits, 0.4)
    guard = words(novelty=limited)
    assert label(guard, Row("", "the ok job ok")) == "noise"
    (answer,) = guard.predict([Row("", "zebra quagga ok ok")])
    assert answer.status == "handed"
    assert "no training row" in answer.error
