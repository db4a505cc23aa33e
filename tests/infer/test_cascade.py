"""Shapes first, the tagger for the rest: what it is asked, what it teaches, what it takes back."""

from infer.shapes.make_book import SCHEMA, labelled, login
from whichlever.fields.spans import Parsed
from whichlever.infer.cascade import Cascade
from whichlever.infer.shapes import ShapeBook


class Teller:
    """Knows the answers to some lines, and keeps what it was asked."""

    def __init__(self, known, confidence=1.0):
        self.known = {line: Parsed(p.spans, confidence) for line, p in known}
        self.asked = []

    def parse(self, lines, sources=None):
        self.asked += lines
        return [self.known.get(line, Parsed((), 0.0)) for line in lines]


def test_the_second_line_of_a_shape_is_not_asked_again():
    first, second = login("ann", "10.0.0.1", "22"), login("bob", "10.0.0.2", "23")
    teller = Teller([first])
    cascade = Cascade(ShapeBook(SCHEMA), teller)
    assert cascade.parse([first[0]])[0].shape is None
    teller.asked.clear()
    cascade.shapes._index(None)._matchers[0].due = 10
    answer = cascade.parse([second[0]])[0]
    assert answer.fields["user.name"] == "bob"
    assert teller.asked == []


def test_an_unsure_answer_makes_no_shape():
    first = login("ann", "10.0.0.1", "22")
    cascade = Cascade(ShapeBook(SCHEMA), Teller([first], confidence=0.5))
    cascade.parse([first[0]])
    assert len(cascade.shapes) == 0


def test_order_is_kept_and_equal_unknown_lines_are_asked_once():
    known, other = login("ann", "10.0.0.1", "22"), ("something else", Parsed((), 0.3))
    book = ShapeBook(SCHEMA)
    book.learn(*known)
    teller = Teller([known])
    cascade = Cascade(book, teller, learn=False)
    answers = cascade.parse([other[0], known[0], other[0]])
    assert [bool(a.spans) for a in answers] == [False, True, False]
    assert teller.asked == [other[0]]


def test_audited_disagreement_withdraws_a_shape_and_its_answer():
    lines = [login(f"u{n}", "10.0.0.1", str(n)) for n in range(40)]
    book = ShapeBook(SCHEMA)
    book.learn(*lines[0])
    truth = [(line, labelled(line, user=f"u{n}")) for n, (line, _) in enumerate(lines)]
    cascade = Cascade(book, Teller(truth))
    for line, _ in lines:
        cascade.parse([line])
    assert cascade.tally.withdrawn == 1
    assert [s.names for s in cascade.parse([lines[7][0]])[0].spans] == [("user.name",)]
    assert cascade.tally.audited < 6
