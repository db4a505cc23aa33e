"""What a run can promise: from calibration answers to evidence, refusals and the verdict."""

from __future__ import annotations

import numpy as np
import pytest

from make_outcome import LABELS, answers, outcome, task
from make_policy import scored
from whichlever.errors import TaskError
from whichlever.measure import summarise
from whichlever.measure.autoclose import measure_autoclose
from whichlever.settings import AutocloseSettings
from whichlever.verdict import decide
from whichlever.verdict.closing import closing_changes, closing_reasons
from whichlever.verdict.figures import Cite, resolve

SETTINGS = AutocloseSettings(label="noise", protect=["critical"])


def one(calibrate, test, settings=SETTINGS):
    return measure_autoclose(settings, LABELS, [(calibrate, test)]).levers[0]


def test_a_kept_promise_says_what_it_did_to_rows_it_was_not_chosen_on():
    found = one(scored(2000, 400), scored(1500, 300, seed=1))
    sure = found.high_confidence
    assert sure.held
    assert (sure.units, sure.needed, sure.more) == (400, 299, 0)
    assert sure.bound <= 0.01
    assert sure.calibration.protected_closed <= 0
    assert sure.test.protected_rows == 300
    assert 0.3 < sure.test.noise.value < 1
    assert sure.test.noise.low < sure.test.noise.value < sure.test.noise.high
    looser = found.expected_loss
    assert looser.threshold <= sure.threshold
    assert looser.test.noise.value >= sure.test.noise.value
    assert "With 95 % confidence" in sure.text
    assert "On average over calibration samples" in looser.text


def test_test_rows_never_move_the_threshold():
    calibrate = scored(1500, 310)
    first, other = (one(calibrate, scored(900, 90, seed=s)).high_confidence for s in (1, 2))
    assert first.threshold == other.threshold
    assert first.test != other.test


def test_too_few_are_refused_with_the_number_that_is_missing():
    found = one(scored(400, 23), scored(200, 10, seed=1))
    sure = found.high_confidence
    assert not sure.held
    assert sure.threshold is None
    assert (sure.units, sure.more) == (23, 276)
    assert sure.more_rows == 4800  # 400 · 276 / 23
    assert "23 calibration rows of critical" in sure.refusal
    assert "label 276 more" in sure.refusal
    assert found.expected_loss.more == 76
    assert found.path[0].bound <= 1
    none = one(scored(400, 0), scored(200, 10, seed=1)).high_confidence
    assert (none.units, none.more, none.more_rows) == (0, 299, None)


def test_the_scores_from_before_calibration_set_the_threshold():
    raw = scored(1500, 310)
    hot = raw.scores.astype(float) ** 0.2
    hot = (hot / hot.sum(1, keepdims=True)).astype(np.float32)
    calibrated = scored(1500, 310)
    object.__setattr__(calibrated, "scores", hot)
    object.__setattr__(calibrated, "raw_scores", raw.scores)
    test = scored(600, 60, seed=1)
    assert one(raw, test).high_confidence.threshold == (
        one(calibrated, test).high_confidence.threshold
    )


def test_groups_are_the_units_of_a_promise_about_new_groups():
    rows, groups = 3000, tuple(f"g{i % 30}" for i in range(3000))
    found = one(scored(rows, 600, groups=groups), scored(600, 60, seed=1, groups=groups[:600]))
    sure = found.high_confidence
    assert (sure.scope, sure.unit, sure.units) == ("new_groups", "group", 30)
    assert not sure.held
    assert sure.more == 269
    assert "30 groups" in sure.refusal
    scopes = {p.scope: p for p in found.others}
    assert scopes["deployment"].held
    assert "from these same 30 groups" in scopes["deployment"].text
    assert not scopes["each_group"].held
    assert scopes["each_group"].units == 20
    test = scopes["deployment"].test
    assert test.groups_in_all == 30
    assert test.groups[0].share.value == max(g.share.value for g in test.groups)
    assert sum(g.rows for g in test.groups) == test.protected_rows


def test_many_groups_can_promise_for_new_ones():
    rows, groups = 2000, tuple(f"g{i % 400}" for i in range(2000))
    sure = one(scored(rows, 800, groups=groups), scored(400, 40, seed=1)).high_confidence
    assert sure.held
    assert (sure.units, sure.scope) == (400, "new_groups")


def test_a_lever_without_scores_or_calibration_rows_promises_nothing():
    plain = outcome("recorded-x", [0, 2], [0, 2])
    assert "gives no scores" in one(plain, plain).refusal
    assert "answered no calibration rows" in one(None, plain).refusal


def test_a_promise_kept_by_closing_nothing_is_called_so():
    flat = np.tile(np.array([0.1, 0.2, 0.7], dtype=np.float32), (1000, 1))
    targets = np.where(np.arange(1000) < 300, 0, 2)
    same = outcome("linear", targets, np.full(1000, 2), scores=flat)
    sure = one(same, same).high_confidence
    assert sure.held
    assert sure.test.closed == 0


def judged(calibrate, test, lever="linear"):
    random = np.random.default_rng(5)
    floor = outcome("majority", test.targets, np.full(len(test), 2))
    other = outcome("prompt", test.targets, answers(random, test.targets, 0.4))
    extra = "autoclose: {label: noise, protect: [critical]}\n"
    own = task(extra)
    measures = summarise([floor, test, other], own, LABELS)
    found = measure_autoclose(own.autoclose, LABELS, [(None, floor), (calibrate, test)])
    return own, measures.model_copy(update={"autoclose": found})


def test_the_verdict_says_it_and_every_figure_is_there():
    own, measures = judged(scored(2000, 400), scored(800, 160, seed=1))
    verdict = decide(own, measures)
    (said,) = [r for r in verdict.reasons if "uto-close" in r.text]
    assert "With 95 % confidence, at most 1 % of the critical rows" in said.text
    assert "of 160 protected rows" in said.text
    assert resolve(said.figure, own, measures).value > 0.3


def test_a_refusal_is_in_the_verdict_with_what_would_change_it():
    own, measures = judged(scored(900, 40), scored(800, 160, seed=1))
    verdict = decide(own, measures)
    (said,) = [r for r in verdict.reasons if "uto-close" in r.text]
    assert "refused: 40 calibration rows of critical" in said.text
    (change,) = [r for r in verdict.would_change if "uto-close" in r.text]
    assert "299 protected calibration rows" in change.text
    assert resolve(change.figure, own, measures) == 299


def test_a_lever_put_together_on_the_calibration_rows_promises_nothing():
    own, measures = judged(scored(2000, 400), scored(800, 160, seed=1))
    cite = Cite(own, measures)
    (said,) = closing_reasons(cite, "hybrid")
    assert "put together on the calibration rows" in said.text
    assert resolve(said.figure, own, measures) == "noise"
    assert closing_changes(cite, "hybrid") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{label: noise, protect: [noise]}", "closed and protected at once"),
        ("{label: nose, protect: [critical]}", "nose"),
        ("{label: noise, protect: [critical], at_most: 0}", "at_most"),
        ("{label: noise, protect: [critical], scope: new_groups}", "needs data.group"),
        ("{label: noise, protect: []}", "protect"),
    ],
)
def test_the_task_key_is_strict(text, said):
    with pytest.raises(TaskError, match=said):
        task(f"autoclose: {text}\n")
