"""The terminal's table: complete, compact, and deaf to what data says to terminals."""

from __future__ import annotations

import io
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from make_run import MAIN, Spec, make_run
from rich.console import Console

from whichlever.measure.summary import Measures
from whichlever.report import print_verdict
from whichlever.report.visible import visible, visible_block
from whichlever.verdict.types import Reason, Verdict


def load(run):
    measures = Measures.model_validate(json.loads((run / "measures.json").read_text()))
    verdict = Verdict.model_validate(json.loads((run / "verdict.json").read_text()))
    return measures, verdict


def printed(measures, verdict, run, width=110, **more) -> str:
    out = io.StringIO()
    print_verdict(Console(file=out, width=width, **more), measures, verdict, run)
    return out.getvalue()


def test_every_lever_its_figures_and_the_way_to_the_page(tmp_path):
    run = make_run(tmp_path / "run")
    measures, verdict = load(run)
    text = printed(measures, verdict, run)
    for summary in measures.levers:
        line = next(line for line in text.splitlines() if line.startswith(summary.lever + " "))
        score = f"{summary.metrics['macro_f1'].value:.3f}".removeprefix("0")
        assert score in line
    assert "$7.30" in text
    assert "200/400" in text
    recorded = next(line for line in text.splitlines() if line.startswith("recorded-gpt-4"))
    assert recorded.count("–") == 3
    assert "$0" not in recorded
    assert verdict.headline in " ".join(text.split())
    assert f"report: {run / 'report.html'}" in text.splitlines()
    assert max(len(line) for line in text.splitlines()[:9]) <= 110


def test_escapes_and_markup_are_only_text(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    measures, verdict = load(run)
    evil = (
        "[bold red]x[/] \x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202ereversed [link=http://e.example]l"
    )
    levers = tuple(s.model_copy(update={"lever": evil}) for s in measures.levers)
    measures = measures.model_copy(update={"levers": levers})
    verdict = verdict.model_copy(
        update={
            "headline": evil,
            "reasons": (Reason(text=evil, figure=evil),),
            "would_change": (Reason(text=evil, figure=evil),),
            "scope": (evil,),
            "attack": evil,
        }
    )
    text = printed(measures, verdict, run, width=400)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert "[bold red]x[/] ␛[2J␛]0;owned␇⟦U+009B⟧31m␍␊⟦U+202E⟧reversed" in text
    coloured = printed(measures, verdict, run, width=400, force_terminal=True)
    codes = set(re.findall("\x1b(.[^m]*m?)", coloured))
    assert codes <= {"[0m", "[1m", "[2m", "[1;32m"}


def test_a_narrow_terminal_keeps_the_scores(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    measures, verdict = load(run)
    score = f"{measures.lever(MAIN).metrics['macro_f1'].value:.3f}".removeprefix("0")
    assert score in printed(measures, verdict, run, width=80)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=60))
def test_what_is_shown_is_printable_and_can_be_written(text):
    shown = visible(text)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", shown)
    assert visible(shown) == shown
    assert visible_block(text).count("\n") == len(re.findall("\r\n?|\n", text))
    if text.isascii() and text.isprintable():
        assert shown == text


def test_a_leak_is_said_once_right_under_the_headline(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    measures, verdict = load(run)
    said = "The audit found a leak."
    verdict = verdict.model_copy(update={"audit": said, "scope": (*verdict.scope, said)})
    text = printed(measures, verdict, run)
    assert text.count(said) == 1
    assert text.index(said) < text.index("What would change it")
