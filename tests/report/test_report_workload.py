"""What the page says of the desk: upper bounds as such, nothing quoted when redacted."""

from __future__ import annotations

import json

import pytest
from make_run import Spec, decide_again, make_run

from whichlever.measure.figure import Interval
from whichlever.measure.workload import (
    Gain,
    Grouping,
    LeverShift,
    Minutes,
    Wait,
    Workload,
)
from whichlever.report import write_report
from whichlever.report.workload import amount, lever_words, minutes, now_words

WAIT = Wait(
    reached=Interval(value=0.9, low=0.8, high=0.97),
    median=Minutes(value=4.0, low=3.0, high=5.0),
    p95=Minutes(value=None, low=300.0, high=None),
)


def lever(name: str, missed: int) -> LeverShift:
    share = Interval(value=missed / 31, low=0.0 if not missed else 0.04, high=0.112)
    month = Interval(value=missed, low=share.low * 31, high=3.5)
    return LeverShift(
        lever=name, rows=400, urgent_rows=31, missed_rows=missed, ranked_by="scores",
        looked=Interval(value=0.1), alerts_per_hour=Interval(value=100, low=80, high=None),
        urgent_per_hour=Interval(value=0.2), analysts=Interval(value=0.4),
        missed=share, missed_per_month=month, first_hour=Interval(value=0.5, low=0.3, high=0.7),
        shift=Interval(value=0.9), wait=WAIT,
        gain=tuple(Gain(looked=x, reached=Interval(value=x**0.5)) for x in (0.1, 0.5, 1.0)),
    )  # fmt: skip


def desk(missed: int = 0) -> Workload:
    return Workload(
        urgent=("critical",), quiet=("noise",), alerts_per_day=1000, urgent_per_day=1.02,
        urgent_per_month=31, mix={"critical": 0.001, "noise": 0.999}, mix_given=True,
        minutes_per_alert=6, analysts=4, shift_hours=8, looks_per_day=320, grain=3.0,
        alerts_per_hour=10, urgent_per_hour=0.01, wait=WAIT,
        levers=(lever("linear", missed), lever("finetune-static", missed)),
        grouping=Grouping(
            rows=400, without=3, window_minutes=60, incidents=200, grouped=250, largest=9,
            saved=Interval(value=0.5, low=0.4, high=0.6), per_incident=2.0,
            everywhere=("host:<script>alert(1)</script>",), purity=None,
            mixed=Interval(value=0.5, low=0.2, high=0.8), mixed_incidents=4, urgent_incidents=8,
        ),
    )  # fmt: skip


def test_none_missed_is_told_as_what_it_still_allows():
    said = " ".join(lever_words(desk(0), desk(0).levers[0]))
    assert "none of 31 critical test rows was called noise" in said
    assert "still allows for 11 %" in said
    assert "up to 3.5 of 31 a month" in said
    some = " ".join(lever_words(desk(2), desk(2).levers[0]))
    assert "2 of 31 critical test rows were called noise" in some
    assert "1.2 to 3.5" in some


def test_numbers_are_said_as_people_say_them():
    assert (amount(6.0), amount(0.03), amount(2000), amount(None)) == (
        "6", "0.03", "2,000", "an unknown number",
    )  # fmt: skip
    assert minutes(Minutes(value=None, low=None, high=None)) == "never"
    assert minutes(Minutes(value=300, low=0.2, high=None)) == "5.0 h [1 min to never]"
    assert "who can look at 320" in now_words(desk())[0]
    assert "more than one in twenty not at all" in now_words(desk())[1]


@pytest.mark.parametrize("redact", [False, True])
def test_the_page_shows_the_desk_and_quotes_nothing_when_redacted(tmp_path, redact):
    spec = Spec(rows=60, levers=("majority", "linear", "finetune-static"))
    run = decide_again(make_run(tmp_path / "run", spec))
    measures = json.loads((run / "measures.json").read_text("utf-8"))
    measures["workload"] = desk().model_dump(mode="json")
    (run / "measures.json").write_text(json.dumps(measures))
    page = write_report(run, redact=redact).read_text("utf-8")
    assert 'id="workload-h"' in page
    assert "<script>" not in page
    assert ("alert(1)" in page) is not redact
    assert page.count("On shift") >= 2


def test_an_old_run_has_no_desk_and_its_page_none(tmp_path):
    run = decide_again(make_run(tmp_path / "run", Spec(rows=60, levers=("majority", "linear"))))
    old = json.loads((run / "measures.json").read_text("utf-8"))
    old.pop("workload", None)
    (run / "measures.json").write_text(json.dumps(old))
    assert "workload-h" not in write_report(run).read_text("utf-8")
