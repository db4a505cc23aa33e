"""Closing unseen on the page: by group, escaped, and without names where it is redacted."""

from __future__ import annotations

import json

from make_run import MAIN, Spec, make_run

from make_outcome import LABELS
from make_policy import scored
from whichlever.measure.autoclose import measure_autoclose
from whichlever.report import write_report
from whichlever.settings import AutocloseSettings

SETTINGS = AutocloseSettings(label="noise", protect=["critical"], scope="deployment")


def page(folder, redact=False):
    run = make_run(folder, Spec(levers=("majority", MAIN), rows=60))
    groups = tuple(f"<b>site-{i % 5}" for i in range(2000))
    calibrate, test = (scored(2000, 400, seed=s, groups=groups, lever=MAIN) for s in (0, 1))
    found = measure_autoclose(SETTINGS, LABELS, [(calibrate, test)])
    measures = json.loads((run / "measures.json").read_text())
    measures["autoclose"] = found.model_dump(mode="json")
    (run / "measures.json").write_text(json.dumps(measures))
    return write_report(run, redact=redact).read_text()


def test_groups_are_told_escaped_and_not_named_where_redacted(tmp_path):
    told = page(tmp_path / "run")
    assert 'href="#autoclose"' in told
    assert "&lt;b&gt;site-3" in told
    assert "<b>site-" not in told
    assert "from these same 5 groups" in told
    assert "Refused: 5 groups with calibration rows of critical" in told
    hidden = page(tmp_path / "other", redact=True)
    assert "site-" not in hidden
    assert "group 1" in hidden


def test_a_run_without_it_has_no_section(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    assert "autoclose" not in write_report(run).read_text()
