"""What curves add to a verdict: every number in a sentence is read from the path beside it."""

import numpy as np

from make_outcome import LABELS, answers, outcome, task
from whichlever.measure import summarise
from whichlever.measure.curve_draws import Answered, Board
from whichlever.measure.curve_summary import summarise_curve
from whichlever.verdict import decide
from whichlever.verdict.figures import resolve

N, WHOLE = 600, 2_000


def measured(top):
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, N)
    other = answers(random, truth, 0.6)
    linear = answers(random, truth, top)
    found = summarise(
        [
            outcome("majority", truth, np.zeros(N), rows_seen=0),
            outcome("linear", truth, linear),
            outcome("recorded-gpt-4", truth, other, place="recorded", rows_seen=0),
        ],
        task("constraints: {data_may_leave: true}\n"),
        LABELS,
    )
    parts = [
        Answered("linear", "newest", answers(random, truth, top - gap), round(f * WHOLE), f)
        for f, gap in ((0.125, 0.5), (0.25, 0.3), (0.5, 0.1))
    ]
    late = Answered("linear", "delay", answers(random, truth, top - 0.4), 1_500, 0.75, 0, 30.0)
    curve = summarise_curve(
        [*parts, late, Answered("linear", "all", linear, WHOLE)],
        Board(truth, None, found.metric),
        margin=0.02,
        levels=[(Answered("recorded-gpt-4", "level", other), False)],
        delay_from="the first test row",
    )
    return found.model_copy(update={"curve": curve})


def cited(verdict):
    return [r for r in (*verdict.reasons, *verdict.would_change) if r.figure.startswith("curve.")]


def test_the_verdict_names_the_crossing_the_band_and_what_lateness_costs():
    measures, given = measured(0.9), task("constraints: {data_may_leave: true}\n")
    verdict = decide(given, measures)
    assert verdict.lever == "linear"
    crossing, band, late = cited(verdict)
    at = resolve(crossing.figure, given, measures)
    assert f"overtakes recorded-gpt-4 at about {at:,} labels" in crossing.text
    assert "Twice the labels (4,000)" in band.text
    assert f"{resolve(band.figure, given, measures):+.3f}" in band.text
    assert "If labels came 30 days late" in late.text
    assert f"{resolve(late.figure, given, measures).value:.3f}" in late.text


def test_a_run_without_curves_says_nothing_of_them():
    measures = measured(0.9).model_copy(update={"curve": None})
    assert cited(decide(task("constraints: {data_may_leave: true}\n"), measures)) == []
