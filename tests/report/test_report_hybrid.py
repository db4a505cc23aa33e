"""The hybrid's section: both curves, every figure, no input, and nothing where there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest
from make_run import Spec, make_run
from test_report_terminal import load, printed

from make_outcome import answers, outcome
from whichlever.measure import summarise
from whichlever.measure.hybrid import HybridLeftOut
from whichlever.measure.hybrid_bill import measured
from whichlever.measure.hybrid_choice import Handing, Picked
from whichlever.measure.scores import mistake_costs
from whichlever.report import write_report
from whichlever.task import Task
from whichlever.verdict import decide

TASK = (
    "task: <b>toy</b>\ndata: {rows: rows.jsonl, input: text}\n"
    "labels: [critical, investigate, noise]\n"
    "mistakes: {critical: {noise: 20}}\nprices: {mistake_unit: 0.5}\n"
    "levers: {hybrid: {then: person, review_accuracy: 0.95}}\n"
)


@pytest.fixture
def run(tmp_path):
    """A finished folder whose measures hold a hybrid with a person."""
    folder = make_run(tmp_path / "run", Spec(rows=60))
    of = Task.parse(TASK)
    random = np.random.default_rng(0)
    targets = random.integers(0, 3, 200)
    first = answers(random, targets, 0.7)
    doubt = np.where(first == targets, 0.4, 0.6) * random.uniform(0.5, 1.0, 200)
    given = Handing(targets, first, targets, targets, {"doubt": doubt})
    outcomes = [
        outcome("majority", targets, np.zeros(200)),
        outcome("linear", targets, first),
        outcome("hybrid", targets, given.said("doubt", 0.4), priced=False),
    ]
    true, said = np.divmod(np.arange(9), 3)
    costs = mistake_costs(true, said, ("critical", "investigate", "noise"), of.mistakes)
    measures = summarise(outcomes, of, ("critical", "investigate", "noise"))
    measures = measured(
        measures, of, Picked("person", "doubt", 0.4, "dollars", 0.3), "linear", given, given,
        costs.reshape(3, 3), unanswered=0, calibration_rows=200,
    )  # fmt: skip
    (folder / "task.yaml").write_text(TASK)
    write(folder, of, measures)
    return folder, of, measures


def write(folder, of, measures):
    (folder / "measures.json").write_text(measures.model_dump_json())
    verdict = decide(of, measures)
    (folder / "verdict.json").write_text(verdict.model_dump_json())


def section(folder, **more) -> str:
    text = write_report(folder, **more).read_text()
    start = text.find('<section id="hybrid"')
    return "" if start < 0 else text[start : text.index("</section>", start)]


def test_the_curve_with_its_figures_and_what_is_assumed(run):
    folder, _, measures = run
    shown = section(folder)
    assert shown.count("<svg") == 2, "wide and narrow"
    assert shown.count("<tr>") >= 2 + 2 * len(measures.hybrid.curve)
    assert "Assumed, not measured: a person is right on 95 %" in shown
    assert "200 calibration rows" in shown
    assert "with mistakes" in shown
    assert "a probability up to" in shown
    assert section(folder, redact=True) == shown, "it quotes no input"


def test_the_terminal_says_both_ends_and_the_point(run):
    folder, _, _ = run
    measures, verdict = load(folder)
    text = " ".join(printed(measures, verdict, folder).split())
    assert "linear alone: macro-F1" in text
    assert "over to a person: macro-F1" in text
    assert "a person alone (assumed to be right on 95 %)" in text
    assert "with its mistakes" in text


def test_left_out_and_not_asked_for(run):
    folder, of, measures = run
    left = {
        "hybrid": HybridLeftOut(why="<script>no rows</script>"),
        "levers": tuple(s for s in measures.levers if s.lever != "hybrid"),
        "pairs": tuple(p for p in measures.pairs if "hybrid" not in (p.a, p.b)),
    }
    write(folder, of, measures.model_copy(update=left))
    shown = section(folder)
    assert "Left out: &lt;script&gt;no rows" in shown
    old = json.loads((folder / "measures.json").read_text())
    del old["hybrid"]
    (folder / "measures.json").write_text(json.dumps(old))
    assert section(folder) == "", "a folder of an earlier version is read as before"
