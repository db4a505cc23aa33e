"""Learning curves on the page and in the terminal."""

from __future__ import annotations

import json

import pytest
from make_curve import make_curve
from make_run import Spec, make_run

from whichlever.measure.curve import Band, Crossing
from whichlever.report import write_report
from whichlever.report.curve import band_words, crossing_words, curve_lines


def curved(folder, level="recorded-gpt-4"):
    """A RUN whose measures hold a curve."""
    spec = Spec(levers=("majority", "linear", level), rows=60)
    run = make_run(folder, spec)
    measures = json.loads((run / "measures.json").read_text())
    measures["curve"] = make_curve(level=level).model_dump(mode="json")
    (run / "measures.json").write_text(json.dumps(measures))
    return run


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_report(curved(tmp_path_factory.mktemp("curve"))).read_text()


def test_the_section_stands_in_the_page_and_in_its_contents(page):
    assert '<a href="#curve">Learning curves</a>' in page
    section = page.split('id="curve"')[1].split("</section>")[0]
    assert section.count("<svg") >= 2, "a wide and a narrow drawing"
    for said in ("From how many labels on", "What more labels would bring", "one point left out",
                 "Labels that come late", "newest minus random", "the first test row"):  # fmt: skip
        assert said in section
    assert "aria-labelledby" in section
    colours = {"#1d6fb8", "#5b6672"}
    assert all(f'fill="{c}"' in section for c in colours), "the style sheet darkens these"


def test_no_curve_no_section(tmp_path):
    bare = write_report(
        make_run(tmp_path, Spec(levers=("majority", "linear"), rows=60))
    ).read_text()
    assert 'id="curve"' not in bare
    assert "#curve" not in bare


def test_a_hostile_name_is_shown_and_does_nothing(tmp_path):
    name = 'recorded-<b onclick="x">\u202e'
    said = write_report(curved(tmp_path, level=name)).read_text()
    assert "<b onclick" not in said
    assert "\u202e" not in said


def crossing(**given):
    fields = {
        "lever": "linear", "other": "x", "order": "newest", "outcome": "crosses", "at": 900,
        "low": 500, "high": 2_000, "from_smallest": False, "smallest": 100, "largest": 9_000,
        "ahead": 0.99,
    }  # fmt: skip
    return Crossing(**{**fields, **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "900 [500, 2,000]"),
        ({"low": None, "from_smallest": True}, "900 [100 or fewer, 2,000]"),
        ({"high": None}, "900 [500, more than 9,000]"),
        ({"low": None, "from_smallest": True, "high": None}, "not told apart (measured: 900)"),
        ({"outcome": "behind", "at": None, "low": None, "high": None}, "never within 9,000"),
        ({"outcome": "behind", "at": None, "high": None},
         "not within 9,000, though perhaps from 500 on"),
        ({"outcome": "ahead", "at": None, "low": None, "from_smallest": True, "high": None},
         "not told apart (measured: 100 or fewer)"),
        ({"outcome": "ahead", "at": None, "low": None, "from_smallest": True, "high": 300},
         "already at 100, surely from 300 on"),
    ],
)  # fmt: skip
def test_a_crossing_says_what_is_known_and_what_is_not(given, words):
    assert crossing_words(crossing(**given)) == words


def test_flat_is_said_where_it_is():
    band = Band(
        lever="linear", order="random", times=2, labels_then=200, low=0.7, high=0.8, gain_low=-0.01,
        gain_high=0.01, outcome="flat", families=("flat",), luck=0.01,
    )  # fmt: skip
    assert band_words(band).startswith("flat")


def test_the_terminal_says_each_curve_in_a_line():
    (line,) = curve_lines(make_curve())
    assert line.startswith("linear, accuracy by labels (newest first) 400: ")
    assert "ahead of recorded-gpt-4 from" in line
    assert "twice the labels:" in line
