"""A guarded predictor: text added behind a row closes nothing that was not closed before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.infer import guard
from whichlever.infer.guard import GuardedPredictor, heads
from whichlever.predict import Prediction, Row
from whichlever.runtime.bundle import Bundle

FOLDER = Path(__file__).parents[1] / "fixtures" / "bundles"
LINEAR = Bundle.open(FOLDER / "format1-linear.wl", allow_unsigned=True)
GUARDED = GuardedPredictor(LINEAR.predictor, LINEAR.manifest.labels, "noise", 8)

WORDS = ["backup", "job", "finished", "ransom", "note", "heartbeat", "ok", "login", "\n", "-- ok"]


class Words:
    """Says noise where a text has at least as many words ``ok`` as ``bad``."""

    asked = 0

    def predict(self, rows):
        self.asked += len(rows)
        out = []
        for row in rows:
            lead = row.text.count("ok") - row.text.count("bad") + 0.5
            p = 1 / (1 + np.exp(-lead))
            label = "noise" if p > 0.5 else "bad"
            out.append(Prediction(row.id, label, np.array([1 - p, p], np.float32)))
        return out


def words_guarded(**more):
    return GuardedPredictor(Words(), ("bad", "noise"), "noise", **{"least": 2, **more})


def labels(predictor, *texts):
    return [p.label for p in predictor.predict([Row(str(i), t) for i, t in enumerate(texts)])]


def test_heads_end_everywhere_but_inside_a_word():
    text = 'a1 = {"b": 2}'
    assert [text[:at] for at in heads(text, 3)] == [
        "a1 ", "a1 =", "a1 = ", "a1 = {", 'a1 = {"', 'a1 = {"b', 'a1 = {"b"', 'a1 = {"b":',
        'a1 = {"b": ', 'a1 = {"b": 2',
    ]  # fmt: skip


@given(
    row=st.lists(st.sampled_from(WORDS), min_size=2, max_size=6).map(" ".join),
    added=st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join),
    join=st.sampled_from([" ", "\n", "\u200b", ", "]),
)
@settings(max_examples=60, deadline=None)
def test_no_text_behind_a_row_closes_what_was_not_closed(row, added, join):
    if len(row) < GUARDED.least:
        return
    (before,), (after,) = (
        GUARDED.predict([Row("", row)]),
        GUARDED.predict([Row("", row + join + added)]),
    )
    if before.label != "noise":
        assert after.label != "noise"


def test_a_row_that_its_own_end_closes_is_handed_over_and_says_why():
    (answer,) = words_guarded().predict([Row("", "bad thing ok ok")])
    assert (answer.label, answer.status) == (None, "handed")
    assert "first 3 characters" in answer.error
    assert answer.scores[1] < 0.5  # the scores of the head that spoke against it


def test_rows_that_nothing_speaks_against_keep_their_answer():
    assert labels(words_guarded(), "all ok here", "bad bad ok", "it is ok bad") == [
        "noise", "bad", "noise",
    ]  # fmt: skip


def test_a_row_shorter_than_any_head_is_answered_as_it_is_and_not_certified():
    guarded = words_guarded(least=20)
    assert labels(guarded, "all ok", "bad bad") == ["noise", "bad"]
    assert guarded.certified([Row("", "bad bad"), Row("", "bad bad, and long enough")]) == 1


def test_a_long_line_is_handed_over_and_not_asked_about(monkeypatch):
    monkeypatch.setattr(guard, "MOST_CHARS", 100)
    guarded = words_guarded()
    assert labels(guarded, "ok " * 40) == [None]
    assert guarded.predictor.asked == 1


def test_a_lower_floor_closes_more_and_its_margin_says_which_rows_may_be_turned():
    text = "bad thing ok ok"
    assert labels(words_guarded(floor=-0.9), text) == ["noise"]
    strict = words_guarded()
    margin, longer = strict.margins([Row("", text), Row("", text + " ok ok ok")])
    assert longer == pytest.approx(margin)
    assert labels(words_guarded(floor=float(margin) + 1e-6), text) == [None]
    assert labels(words_guarded(floor=float(margin)), text) == ["noise"]


def test_a_margin_tells_what_is_handed_over():
    rows = [Row("", t) for t in ("bad ok ok", "ok ok", "ok bad bad ok ok", "bad")]
    guarded = words_guarded()
    closed = [p.label == "noise" for p in guarded.predict(rows)]
    assert closed == [False, True, False, False]
    assert (guarded.margins(rows) >= 0).tolist() == closed
