"""Shapes learned from lines: what they answer, how they merge, when they are withdrawn."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infer.shapes.make_book import IP, SCHEMA, labelled, login, simulated, taught
from whichlever.errors import DataError
from whichlever.fields.spans import Parsed, Span
from whichlever.fields.values import fields_of
from whichlever.infer.shapes import ShapeBook
from whichlever.infer.shapes.merging import Place, merged


def book_of(*lines):
    book = ShapeBook(SCHEMA)
    book.learn_many([(line, parsed, None) for line, parsed in lines], labelled=True)
    return book


def test_a_line_of_a_known_shape_needs_no_model():
    book = book_of(login("ann", "10.0.0.1", "22"))
    answer = book.parse("login: user bob-2 from 192.0.2.7 port 65535")
    assert answer.fields == {
        "user.name": "bob-2",
        "client.ip": "192.0.2.7",
        "source.ip": "192.0.2.7",
        "source.port": 65535,
    }
    assert answer.spans[1] == Span(23, 32, IP)
    assert answer.shape is not None
    assert answer == Parsed(answer.spans, answer.confidence, answer.shape, answer.fields)


@pytest.mark.parametrize(
    "line",
    [
        "login: user bob from 192.0.2.7 port x",  # not digits
        "login: user bob from host7 port 1",  # not an address
        "login: user  from 192.0.2.7 port 1",  # nothing
        "login: user - from 192.0.2.7 port 1",  # a dash for nothing
        "login: user a b from 192.0.2.7 port 1",  # two words
        "logout: user bob from 192.0.2.7 port 1",
        "login: user bob from 192.0.2.7 port 1 ",
        "",
    ],
)
def test_a_line_of_another_shape_is_left_to_the_tagger(line):
    assert book_of(login("ann", "10.0.0.1", "22")).parse(line) is None


def test_a_variable_holds_more_once_more_was_seen():
    book = book_of(login("ann", "10.0.0.1", "22"), login("ann", "fe80::1", "22"))
    assert len(book) == 1
    assert (
        book.parse("login: user bob from 2001:db8::7 port 1").fields["source.ip"] == "2001:db8::7"
    )


def test_shapes_that_differ_in_an_open_class_of_words_become_one():
    book = book_of(
        *(login("ann", "10.0.0.1", "22", word=w) for w in ("web1", "db2", "mail3", "dns4"))
    )
    assert len(book) == 1
    assert book.parse("cache9: user bob from 192.0.2.7 port 1").fields["user.name"] == "bob"


def test_shapes_that_differ_in_a_closed_class_of_words_stay_apart():
    draw = random.Random(0)
    words = ["opened", "closed", "reset", "denied", "queued"]
    book = book_of(
        *(login(f"u{n}", f"10.0.0.{n}", str(n), word=draw.choice(words)) for n in range(1, 120))
    )
    assert len(book) == len(words)
    assert book.parse("unheard: user bob from 192.0.2.7 port 1") is None


def test_two_shapes_that_disagree_on_a_line_leave_it_to_the_tagger():
    line, parsed = login("ann", "10.0.0.1", "22")
    other = Parsed((Span(12, 15, ("event.action",)), *parsed.spans[1:]), 1.0)
    book = ShapeBook(SCHEMA)
    book.learn(line, parsed)
    book.learn(login("eve", "10.0.0.2", "23")[0], other)
    assert book.parse(line) is None
    for n in range(12):  # the better supported one answers
        book.learn(*login(f"u{n}", "10.0.0.1", "22"))
    assert book.parse(line).fields["user.name"] == "ann"


def test_a_label_withdraws_a_shape_for_good():
    line, parsed = login("ann", "10.0.0.1", "22")
    book = book_of((line, parsed))
    wrong = labelled(line, user="ann")
    assert book.check(line, wrong.spans, labelled=True)
    assert len(book) == 0
    assert len(book.withdrawn) == 1
    book.learn(*login("bob", "10.0.0.2", "23"))
    assert book.parse(line) is None
    assert ShapeBook.from_bytes(book.to_bytes()).withdrawn == book.withdrawn


def test_one_disagreement_of_the_tagger_is_not_enough_and_two_are():
    line, parsed = login("ann", "10.0.0.1", "22")
    book = book_of((line, parsed))
    said = labelled(line, user="ann").spans
    assert not book.check(line, said)
    assert book.check(line, said)


def test_names_that_nest_are_found_again():
    line = "GET https://shop.example/cart?x=1 done"
    spans = (Span(4, 33, ("event.action",)), Span(12, 24, ("user.name",)))
    book = ShapeBook(SCHEMA)
    assert book.learn(line, Parsed(spans, 1.0))
    assert book.parse("GET https://www.test/cart?x=22 done").spans[1] == Span(
        12, 20, ("user.name",)
    )


def test_a_source_has_its_own_shapes():
    line, parsed = login("ann", "10.0.0.1", "22")
    book = ShapeBook(SCHEMA)
    book.learn(line, parsed, "ours")
    book.learn("other thing 5", Parsed((), 1.0), "theirs")
    assert book.parse(line, "ours") is not None
    assert book.parse(line, "theirs") is None
    assert book.parse(line, "never met") is not None


def test_answers_are_those_of_the_schema_on_simulated_lines():
    aligned, schema = simulated()
    book = taught()
    answered = 0
    for one in aligned:
        answer = book.parse(one.line.text, one.line.source)
        if answer is None:
            continue
        answered += 1
        wanted = fields_of(one.line.text, answer.spans, schema, one.line.source, 2024)
        assert dict(answer.fields) == wanted
        assert "".join(answer.matcher.skeleton.texts(one.line.text)) == one.line.text
        places = {n: [[s.start, s.end]] for s in answer.spans for n in s.names}
        assert {n: p[-1:] for n, p in answer.places().items()} == places
    assert answered > 0.9 * len(aligned)


def test_a_stored_book_answers_as_before():
    aligned, _ = simulated()
    book = taught()
    again = ShapeBook.from_bytes(book.to_bytes(floor=1), 2024)
    for one in aligned:
        before = book.parse(one.line.text, one.line.source)
        after = again.parse(one.line.text, one.line.source)
        assert (before and before.spans) == (after and after.spans)
    assert again.to_bytes(floor=1) == ShapeBook.from_bytes(again.to_bytes(floor=1)).to_bytes(1)


def test_no_literal_of_few_lines_is_stored():
    lines = [login(f"u{n}", f"10.0.0.{n}", str(n)) for n in range(9)]
    line = "login: user ann from 10.0.0.9 port 4 password canary77secret"
    book = book_of(*lines, (line, labelled(line, user="ann", ip="10.0.0.9", port="4")))
    content = book.to_bytes()
    assert b"canary" not in content
    assert b"secret" not in content
    assert b"port" in content
    assert ShapeBook.from_bytes(content).parse(line).fields["source.port"] == 4


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"format": 9}', b"\xff", b"[" * 100_000, b'{"format":1,"schema":{}}'],
)
def test_a_damaged_book_is_refused_in_one_line(content):
    with pytest.raises(DataError, match=r"shapes|schema"):
        ShapeBook.from_bytes(content)


@given(st.text(max_size=120), st.data())
@settings(max_examples=150)
def test_what_is_learned_is_answered_and_joins_to_the_line(line, data):
    if not line:
        return
    start = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(start + 1, len(line)))
    spans = (Span(start, end, ("user.name",)),)
    book = ShapeBook(SCHEMA)
    if book.learn(line, Parsed(spans, 1.0)) is None:
        return
    answer = book.parse(line)
    assert answer.spans == spans
    assert answer.fields == {"user.name": line[start:end]}
    assert "".join(answer.matcher.skeleton.texts(line)) == line
    again = ShapeBook.from_bytes(book.to_bytes(floor=1)).parse(line)
    assert again is None or again.spans == spans


@given(st.text(max_size=300))
def test_arbitrary_lines_never_break_the_search(line):
    book = book_of(login("ann", "10.0.0.1", "22"))
    for text in (line, "login: user " + line, "login: user a from 10.0.0.1 port" + line):
        answer = book.parse(text)
        if answer is not None:
            assert all(text[s.start : s.end] for s in answer.spans)


@pytest.mark.parametrize("piece", ["a", " ", "1", "-", "a ", "a: ", "from ", '"', "\x00", "\ud800"])
def test_time_is_linear_on_lines_made_to_hurt(piece):
    line = 'x "say from me" from a: b: c "d" - from 1.2 end'
    spans = [Span(3, 14, ("user.name",)), Span(21, 28, ("event.action",))]
    book = ShapeBook(SCHEMA)
    assert book.learn(line, Parsed(tuple(spans), 1.0))

    def seconds(size):
        text = 'x "' + piece * (size // len(piece))
        start = time.process_time()
        for _ in range(20):
            book.parse(text)
        return time.process_time() - start

    short, long = min(seconds(500) for _ in range(5)), min(seconds(8000) for _ in range(5))
    assert long < max(48 * short, 0.02)  # 16 times the text; quadratic would be 256


def test_a_megabyte_is_not_tried():
    book = book_of(login("ann", "10.0.0.1", "22"))
    line, parsed = login("a" * 1_000_000, "10.0.0.1", "22")
    assert book.learn(line, parsed) is None
    assert book.parse(line) is None


def test_a_place_that_another_shape_has_not_merges_nothing():
    """Places are found by hash; lines made to share one must not stop the stream."""
    known = [
        next(iter(book_of((line, labelled(line, ip="10.0.0.1")))))
        for line in ("fetch 10.0.0.1 done", "10.0.0.1 gone", "-- 10.0.0.1")
    ]
    place = Place(0, 0, 5)
    assert merged(known[:1] + known[1:2], place) is None
    assert merged(known[:1] + known[2:], place) is None
