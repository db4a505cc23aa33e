"""The word search: finds what is there, finds nothing in a wall, keeps its budget, repeats."""

from __future__ import annotations

import pytest

from weak_levers import WORD, Constant, Counting, End, Keyed, rows
from whichlever.measure.attack_evade import Asking
from whichlever.measure.attack_search import search
from whichlever.measure.attack_words import filling, telling_words
from whichlever.predict import Row

WORDS = ["alpha", "beta", "ok", "done", "gamma", "quiet", WORD, "delta", "idle", "normal"]


def searched(lever, words=WORDS, *, questions=60, chars=120, seed=0, count=6):
    ask, given = Asking(lever), rows(count)
    clean = lever.predict(given)
    found = search(
        ask, End().add, given, clean, words, into=1, label="noise", questions=questions,
        chars=chars, seed=seed,
    )  # fmt: skip
    return found, ask


def test_a_lever_that_one_word_turns_is_found_weak():
    found, _ = searched(Keyed())
    assert all(f.flipped and f.added == WORD for f in found)


def test_several_words_are_put_together_where_one_is_not_enough():
    found, _ = searched(Counting(["ok", "done", "quiet", "idle", "normal"], ["mimikatz"]))
    assert all(f.flipped for f in found)
    assert all(len(f.added.split()) >= 3 for f in found)


@pytest.mark.parametrize("scores", [True, False])
def test_a_constant_lever_is_never_turned(scores):
    found, _ = searched(Constant(scores=scores))
    assert not any(f.flipped for f in found)


@pytest.mark.parametrize(("questions", "chars"), [(5, 120), (30, 20), (60, 120)])
def test_the_budget_is_kept(questions, chars):
    lever = Counting(["ok"], ["mimikatz", "credentials", "dumped"])
    found, ask = searched(lever, questions=questions, chars=chars)
    assert all(f.questions <= questions for f in found)
    assert ask.total <= questions * len(found)
    assert all(len(f.added) < chars for f in found)


def test_the_same_seed_finds_the_same():
    def lever():
        return Counting(["ok", "idle", "done"], ["mimikatz"])

    assert searched(lever(), seed=3)[0] == searched(lever(), seed=3)[0]


def test_without_probabilities_words_are_still_added():
    class Silent(Keyed):
        def predict(self, rows):
            from dataclasses import replace

            answers = super().predict(rows)
            return [replace(a, scores=None) for a in answers]

    found, _ = searched(Silent())
    assert all(f.flipped for f in found)


def test_words_that_speak_for_the_cheap_label_come_first():
    train = [Row(f"a{i}", "backup finished ok", "noise") for i in range(9)]
    train += [Row(f"b{i}", "backup failed mimikatz", "critical") for i in range(9)]
    train += [Row(f"c{i}", "password123secret", "noise") for i in range(1)]
    words = telling_words(train, "noise", ["critical"])
    assert set(words[:2]) == {"finished", "ok"}
    assert "mimikatz" not in words
    assert "password123secret" not in words  # one row alone tells nothing


def test_filling_fits():
    assert filling(["four", "five5", "six666"], 10) == "four five5"
    assert filling(["four"], 3) == ""
