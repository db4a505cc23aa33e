"""From a run to a policy in use, through the command line; and the real refusal."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import whichlever as wl
from whichlever.cli import main
from whichlever.trials import read as read_trials

TASK = """\
version: 1
task: tiny
data: {rows: rows.jsonl, id: id, input: text, target: label,
       split: {by: random, valid: 0.1, calibrate: 0.45, test: 0.25}}
labels: [critical, investigate, noise]
autoclose: {label: noise, protect: [critical], at_most: 0.05, review: 0.2}
levers:
  linear: {windows: [all], c: [1.0], chars: false, families: [svm]}
"""
AIT = """\
version: 1
task: ait
data: {rows: %s, id: id, input: text, target: label, group: group,
       split: {by: group, valid: 0.2, calibrate: 0.15, test: 0.3}}
labels: [critical, investigate, noise]
autoclose: {label: noise, protect: [critical]}
levers:
  linear: {windows: [all], c: [1.0], chars: false, families: [svm], decay: false}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closing")
    rng = random.Random(0)
    hints = {"critical": "beacon", "investigate": "odd", "noise": "quiet"}
    with (folder / "rows.jsonl").open("w") as out:
        for i in range(900):
            label = rng.choices(list(hints), [0.25, 0.1, 0.65])[0]
            words = " ".join(rng.choice(["disk", "mail", "vpn", "login"]) for _ in "1234")
            hint = hints[label] if rng.random() < 0.97 else "mixed"
            row = {"id": f"a{i}", "text": f"{words} {hint} n{i}", "label": label}
            out.write(json.dumps(row) + "\n")
    (folder / "task.yaml").write_text(TASK)
    return wl.compare(wl.Task.load(folder / "task.yaml"), folder / "run", only=["linear"])


def scored_lines(run, path):
    frame, labels = read_trials(run / "trials.parquet")
    rows = frame.filter((frame["lever"] == "linear") & (frame["role"] == "test"))
    with path.open("w") as out:
        for ident, said, scores in rows.select("id", "predicted", "scores").iter_rows():
            told = {"id": ident, "label": said, "scores": dict(zip(labels, scores, strict=True))}
            out.write(json.dumps(told) + "\n")


def read_lines(path):
    return [json.loads(text) for text in Path(path).read_text().splitlines()]


def test_the_policy_closes_exactly_what_the_run_says_it_closes(finished, tmp_path, capsys):
    policy, given, out = (str(tmp_path / n) for n in ("p.json", "in.jsonl", "out.jsonl"))
    promised = finished.measures.autoclose.lever("linear").high_confidence
    assert promised.held
    assert main(["autoclose", str(finished.run), "--lever", "linear", "--policy", policy]) == 0
    assert promised.text in capsys.readouterr().out
    scored_lines(finished.run, tmp_path / "in.jsonl")
    assert main(["autoclose", "apply", "--policy", policy, "-i", given, "-o", out, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)
    told = read_lines(out)
    # The run counts on scores before calibration, the policy is given calibrated ones.
    assert sum(answer["closed"] for answer in told) == promised.test.closed == counts["closed"]
    assert counts["closed"] > 0
    assert [a["id"] for a in told] == [a["id"] for a in read_lines(given)]
    assert main(["autoclose", str(finished.run), "--policy", policy]) == 2  # not written over

    assert main(["autoclose", "off", "--policy", policy, "--why", "drill"]) == 0
    assert main(["autoclose", "apply", "--policy", policy, "-i", given, "-o", out]) == 0
    assert not any(answer["closed"] for answer in read_lines(out))
    capsys.readouterr()
    assert main(["autoclose", "status", "--policy", policy, "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["closing"], state["why"]) == (False, "drill")
    assert main(["autoclose", "on", "--policy", policy]) == 0

    drawn = [a["id"] for a in told if a["review"]]
    reviewed = tmp_path / "reviewed.jsonl"
    reviewed.write_text("".join(json.dumps({"id": i, "truth": "noise"}) + "\n" for i in drawn))
    assert main(["autoclose", "review", "--policy", policy, "-i", str(reviewed)]) == 0
    reviewed.write_text(reviewed.read_text().replace("noise", "critical"))
    assert main(["autoclose", "review", "--policy", policy, "-i", str(reviewed)]) == 3
    assert "promise is broken" in capsys.readouterr().err
    assert main(["autoclose", "on", "--policy", policy]) == 2
    assert main(["autoclose", "apply", "--policy", policy, "-i", given, "-o", out]) == 0
    assert not any(answer["closed"] for answer in read_lines(out))


def test_the_page_and_the_terminal_tell_both_promises(finished, capsys):
    assert main(["report", str(finished.run)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Auto-close noise with linear:" in text
    assert "high confidence: With 95 % confidence" in text
    assert "expected loss: On average" in text
    page = (finished.run / "report.html").read_text()
    assert 'id="autoclose"' in page
    assert "High-confidence promise: kept" in page
    assert "Expected-loss promise: kept" in page


def test_a_refused_promise_makes_no_policy_and_exits_3(finished, tmp_path, capsys):
    run = tmp_path / "run"
    text = TASK.replace("at_most: 0.05", "at_most: 0.001")
    (finished.run.parent / "strict.yaml").write_text(text)
    wl.compare(wl.Task.load(finished.run.parent / "strict.yaml"), run, only=["linear"])
    policy = tmp_path / "p.json"
    assert main(["autoclose", str(run), "--lever", "linear", "--policy", str(policy)]) == 3
    assert "2995 with none closed" in capsys.readouterr().err
    assert not policy.exists()
    assert main(["autoclose", str(run), "--lever", "nil"]) == 2


@pytest.mark.real
def test_ait_without_dns_is_refused_with_the_number_of_labels(shared_data, tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(AIT % (shared_data / "alerts" / "ait_nodns.jsonl.gz"))
    done = wl.compare(wl.Task.load(path), tmp_path / "run", only=["linear"])
    found = done.measures.autoclose.lever("linear")
    sure = found.high_confidence
    assert not sure.held
    assert sure.scope == "new_groups"
    assert (sure.needed, sure.units) == (299, 1)  # one scenario of five calibrates
    assert "label 298 more groups" in sure.refusal
    rows = next(p for p in found.others if p.scope == "deployment")
    assert not rows.held
    assert 3 <= rows.units <= 5
    assert rows.more == 299 - rows.units
    assert f"label {rows.more} more" in rows.refusal
    assert not found.expected_loss.held
    assert any("refused" in r.text.lower() for r in done.verdict.reasons)
