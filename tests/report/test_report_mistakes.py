"""Mistakes, confusion, colours and labels: the parts that the page is put together from."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from whichlever.report.files import Answer
from whichlever.report.mistakes import confusion, largest_classes, most_confused, worst
from whichlever.report.palette import marks
from whichlever.report.placement import Box, place_labels, spread


def answer(row, target, predicted, confidence=None, status="ok"):
    return Answer(row, target, predicted, status, None, confidence)


ROWS = [
    answer("1", "critical", "noise", 0.6),
    answer("2", "critical", "noise", 0.9),
    answer("3", "noise", "critical", 0.99),
    answer("4", "noise", "noise", 0.99),
    answer("5", "critical", None, status="timeout"),
    answer("6", "critical", "investigate", 0.7),
]
COSTS = {"critical": {"noise": 200.0, "investigate": 5.0}}


def test_dearest_mistakes_come_first_then_the_surest():
    assert [m.answer.row for m in worst(ROWS, COSTS, 9)] == ["2", "1", "5", "6", "3"]
    assert [m.cost for m in worst(ROWS, COSTS, 9)] == [200, 200, 200, 5, 1]


def test_without_costs_the_surest_come_first():
    assert [m.answer.row for m in worst(ROWS, {}, 3)] == ["3", "2", "6"]


def test_rows_without_an_answer_are_counted_as_such():
    matrix = confusion(ROWS, ("critical", "investigate", "noise"))
    assert matrix.counts == ((0, 1, 2, 1), (0, 0, 0, 0), (1, 0, 1, 0))
    assert sum(map(sum, matrix.counts)) == len(ROWS)
    assert most_confused(ROWS, 2)[0] == ("critical", "noise", 2)
    assert ("critical", "no answer", 1) in most_confused(ROWS, 9)
    assert largest_classes(ROWS, 1) == [("critical", 4, 0)]


@given(st.lists(st.text(max_size=8), unique=True, max_size=24))
def test_no_two_levers_look_alike(names):
    known = ["linear", "prompt", "rag", "finetune-static"]
    given_ = marks([*known, *(n for n in names if n not in known)])
    assert len({(m.slot, m.shape) for m in given_.values()}) == len(given_)


def test_a_lever_keeps_its_colour_whichever_others_run():
    assert marks(["linear", "rag"])["linear"] == marks(["x", "y", "prompt", "linear"])["linear"]


def test_names_do_not_lie_on_each_other():
    points = [(100.0, 100.0), (104.0, 102.0), (98.0, 97.0), (102.0, 110.0)]
    names = ["finetune-static", "linear", "rag-vote", "encoder"]
    placed = place_labels(points, names, [], Box(0, 0, 400, 300))
    boxes = []
    for (x, y), name, label in zip(points, names, placed, strict=True):
        left = x + label.dx if label.align == "left" else x + label.dx - 6.3 * len(name)
        boxes.append(Box(left, y + label.dy - 7, left + 6.3 * len(name), y + label.dy + 7))
    for i, a in enumerate(boxes):
        assert all(a.overlap(b) == 0 for b in boxes[i + 1 :])


@given(st.lists(st.floats(0, 300), max_size=15))
def test_spread_names_keep_order_distance_and_bounds(wanted):
    out = spread(wanted, 14, 0, 300)
    assert all(-1e-6 <= y <= 300 + 1e-6 for y in out)
    gaps = sorted(out)
    assert all(b - a >= 14 - 1e-6 for a, b in pairwise(gaps))
    for i, a in enumerate(wanted):
        for j, b in enumerate(wanted):
            if a < b:
                assert out[i] < out[j]
