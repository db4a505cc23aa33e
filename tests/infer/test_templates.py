"""Template mining: made-up lines, so that the right answer is known."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.infer.templates import choose_lines, mine_templates
from whichlever.infer.templates.items import items
from whichlever.infer.templates.match import align, collapse, matcher


def made_lines(number=300, seed=0):
    draw = random.Random(seed)
    makers = {
        "Session <*> opened for user <*> from <*>": lambda: (
            f"Session {draw.randrange(9999)} opened for user "
            f"{draw.choice(['ann', 'bob', 'eve', 'joe', 'kim', 'lee', 'max'])} "
            f"from 10.0.{draw.randrange(255)}.{draw.randrange(255)}"
        ),
        "disk <*> is full": lambda: f"disk /dev/sd{draw.choice('abc')}1 is full",
        "cache miss": lambda: "cache  miss",
        "took <*> ms, state=<*>": lambda: (
            f"took {draw.randrange(999)} ms, state={draw.choice(['up', 'down'])}"
        ),
    }
    true = [draw.choice(list(makers)) for _ in range(number)]
    return [makers[t]() for t in true], true


def test_labelled_lines_teach_what_no_form_shows():
    lines, true = made_lines()
    asked = choose_lines(lines, 8)
    mined = mine_templates(lines, [(lines[i], true[i]) for i in asked])
    assert [mined.template_of(line) for line in lines] == true


def test_a_varying_word_is_a_variable_without_any_label():
    lines, _ = made_lines()
    mined = mine_templates(lines)
    assert "Session <*> opened for user <*> from <*>" in mined.counts


def test_a_line_never_seen_gets_the_template_of_its_kind():
    lines, true = made_lines()
    mined = mine_templates(lines, [(lines[i], true[i]) for i in choose_lines(lines)])
    said = mined.template_of("Session 5 opened for user nobody-yet from 192.0.2.7")
    assert said == "Session <*> opened for user <*> from <*>"


def test_choosing_asks_for_different_templates_first():
    lines, true = made_lines()
    asked = choose_lines(lines, 4)
    assert {true[i] for i in asked} == set(true)


def test_a_label_that_cuts_a_word_is_followed_for_words_of_its_kind():
    lines = ["joined host-alpha7.example now", "left host-beta3.example now"]
    mined = mine_templates(lines, [(lines[0], "joined host-<*> now")])
    assert mined.template_of(lines[1]) == "left host-<*> now"


def test_a_literal_after_a_variable_is_found_at_the_end_of_its_word():
    pattern = matcher("from <*>: <*>/<*> done")
    assert pattern.fullmatch("from a:b:c: 1/2 done")
    assert not pattern.fullmatch("from a b: 1/2 done")


@given(st.text(max_size=200))
def test_items_joined_are_the_line(line):
    found = items(line)
    assert "".join(i.text for i in found) == line
    assert [i.start for i in found] == [
        sum(len(j.text) for j in found[:n]) for n in range(len(found))
    ]


@given(st.text(max_size=80))
def test_a_template_matches_the_line_it_was_read_from(line):
    template = mine_templates([line]).template_of(line)
    assert align(collapse(line), template) is not None


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "a-",
        "1,",
        "a.",
        "1.",
        ":",
        "/a:",
        "a://",
        "-1",
        "0x",
        "a:1",
        " ",
        "a@",
        "::ffff",
        "<*>",
    ],
)
def test_time_is_linear_on_lines_made_to_hurt(piece):
    def seconds(size):
        line = piece * (size // len(piece)) + "\x00"
        start = time.process_time()
        items(line)
        matcher("a<*>:<*>:<*>.<*>-<*>x", ()).fullmatch(line)
        return time.process_time() - start

    short, long = min(seconds(1000) for _ in range(5)), min(seconds(8000) for _ in range(5))
    # Eight times the text: quadratic would be 64 times the time.
    assert long < max(24 * short, 0.02)
