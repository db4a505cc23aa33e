"""The attack station on a whole run: every lever, the verdict, the page, the card, a server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from serve.live import serving
from tiny import TASK, write_task
from whichlever.attack.aim import aimed_at
from whichlever.cli import main
from whichlever.comparison import Comparison, compare
from whichlever.errors import TaskError
from whichlever.measure.attack import Attacks
from whichlever.packing import pack
from whichlever.report import write_report
from whichlever.report.terminal import print_verdict
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task
from whichlever.verdict.figures import resolve

ATTACKED = TASK.replace(
    "  recorded:", "  hybrid: {first: linear, then: person, budget_share: 0.2}\n  recorded:"
) + (
    "mistakes: {open: {close: 10}}\n"
    "attack: {rows: 12, questions: 30, search: 40, chars: 120, at_most: 0.02}\n"
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    path = write_task(tmp_path_factory.mktemp("attack"), task=ATTACKED)
    return compare(Task.load(path), path.parent / "run")


def test_a_linear_model_is_turned_by_its_own_vocabulary(done: Comparison) -> None:
    found = done.measures.attacks
    assert found is not None
    linear = found.lever("linear")
    assert linear is not None
    assert linear.state == "attacked"
    assert linear.flipped == linear.rows == 12
    assert linear.flip is not None
    assert linear.flip.low is not None
    assert linear.flip.low > 0.5
    searches = {r.attack: r for r in linear.rates if r.kind == "search"}
    assert searches["words of training rows"].flipped == 12
    assert linear.control is not None
    assert linear.control.value == 0.0
    assert linear.total <= linear.rows * (30 + 30 // 4 + 2 * 40)


def test_a_hybrid_is_attacked_with_its_threshold(done: Comparison) -> None:
    found = done.measures.attacks
    assert found is not None
    hybrid, linear = found.lever("hybrid"), found.lever("linear")
    assert hybrid is not None
    assert linear is not None
    assert hybrid.state == "attacked"
    # Rows handed to a person can be turned too: by text that makes the model sure.
    assert linear.rows <= hybrid.rows <= linear.asked
    assert {r.attack for r in hybrid.rates if r.kind == "transfer"} == {"linear"}


def test_levers_that_cannot_be_attacked_say_why(done: Comparison) -> None:
    found = done.measures.attacks
    assert found is not None
    recorded, majority = found.lever("recorded-other"), found.lever("majority")
    assert recorded is not None
    assert recorded.state == "not attacked"
    assert "recorded" in recorded.why
    assert majority is not None
    assert majority.state == "nothing to turn"
    assert majority.missed == majority.asked


def test_the_verdict_says_it_with_its_figures(done: Comparison) -> None:
    verdict = done.verdict
    assert verdict.attack.startswith("attack: flip rate open → close for linear 1.000")
    reason = next(r for r in verdict.reasons if r.text.startswith("Attack"))
    assert "not shown to be within the limit of 0.02" in reason.text
    assert resolve(reason.figure, done.task, done.measures).value == 1.0
    assert any("No attacked lever" in r.text for r in verdict.would_change)


def test_page_and_terminal_show_it(done: Comparison) -> None:
    page = write_report(done.run).read_text()
    assert 'id="attack"' in page
    assert "a search with words of training rows" in page
    console = Console(record=True, width=110)
    print_verdict(console, done.measures, done.verdict, done.run)
    said = console.export_text()
    assert "Under attack:" in said
    assert "attack: not measured" not in said


def test_the_card_quotes_it(done: Comparison, tmp_path: Path) -> None:
    pack(done.run, tmp_path / "m.wl", lever="linear")
    from whichlever.bundle import open_bundle

    card = open_bundle(tmp_path / "m.wl", allow_unsigned=True).files["card.md"].decode()
    assert "flip rate open → close for linear 1.000" in card
    assert "not measured" not in card.split("## Under attack")[1].split("##")[0]


def test_what_was_found_is_read_back_and_not_asked_again(
    done: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = done.run / "fits" / "attack"
    before = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert main(["attack", str(done.run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {path.name: path.stat().st_mtime_ns for path in kept.iterdir()} == before
    again = Attacks.model_validate(said["attacks"])
    first = done.measures.attacks
    assert first is not None
    assert again.lever("linear") == first.lever("linear")


def test_the_same_seed_gives_the_same_attack(done: Comparison, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(done.run, run)
    shutil.rmtree(run / "fits" / "attack")
    task = str(done.run.parent / "task.yaml")
    assert main(["attack", str(run), "--task", task, "--json", "--lever", "linear"]) == 0
    first = done.measures.attacks
    again = Comparison.load(run).measures.attacks
    assert first is not None
    assert again is not None
    one, other = first.lever("linear"), again.lever("linear")
    assert one is not None
    assert other is not None
    assert one.model_copy(update={"seconds": 0}) == other.model_copy(update={"seconds": 0})


def test_a_limit_that_is_not_kept_fails(
    done: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attack", str(done.run), "--at-most", "0.02"]) == 3
    assert "linear" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--control", "nothing"], "attack.controls"),
        (["--into", "open", "--protect", "open"], "cannot be protected"),
        (["--into", "maybe"], "maybe"),
        (["--strings", "none.jsonl"], "attack.strings"),
        (["--key-env", "NO_SUCH_KEY_HERE"], "NO_SUCH_KEY_HERE"),
        (["--against", "ftp://x"], "http://HOST:PORT"),
        (["--against", "http://127.0.0.1:9"], "cannot be reached"),
        (["--against", "http://192.0.2.1:80"], "--allow-egress"),
    ],
)
def test_bad_usage_is_one_line(
    done: Comparison, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attack", str(done.run), *options]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert said in error[-1]


def test_a_controlled_field_is_attacked_in_place(
    done: Comparison, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(done.run, run)
    strings = tmp_path / "strings.txt"
    strings.write_text("quiet quiet done ok\n")
    task = str(done.run.parent / "task.yaml")
    arguments = ["--control", "text", "--strings", str(strings), "--search", "0", "--json"]
    assert main(["attack", str(run), "--task", task, "--lever", "linear", *arguments]) == 0
    found = Attacks.model_validate(json.loads(capsys.readouterr().out)["attacks"])
    assert found.aim.where == "in text"
    assert found.aim.given == 1
    assert "prepended" in found.aim.ways
    linear = found.lever("linear")
    assert linear is not None
    assert not [r for r in linear.rates if r.kind == "search"]


def test_a_live_server_is_attacked_with_its_key(
    done: Comparison,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pack(done.run, tmp_path / "m.wl", lever="linear")
    keys = tmp_path / "keys.json"
    made = subprocess.run(
        [sys.executable, "-m", "whichlever", "serve-keys", "add", str(keys), "soc"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    secret = made.stdout.split()[-1].strip()
    with serving(tmp_path / "m.wl", "--api-keys", str(keys)) as live:
        assert main(["attack", str(done.run), "--against", live.url]) == 2
        assert "wants an API key" in capsys.readouterr().err
        monkeypatch.setenv("SOC_KEY", secret)
        asked = ["attack", str(done.run), "--against", live.url, "--key-env", "SOC_KEY", "--json"]
        assert main(asked) == 0
    found = Attacks.model_validate(json.loads(capsys.readouterr().out)["attacks"])
    served, own = found.served[0], found.lever("linear")
    assert own is not None
    assert (served.rows, served.flipped) == (own.rows, own.flipped)
    assert served.lost == 0
    transferred = [r for r in served.rates if r.kind == "transfer" and r.attack == "linear"]
    assert transferred[0].flipped == 12  # the same model: what turned it there turns it here
    assert live.url.split("//")[1] not in served.text


def test_canaries_are_looked_for_and_the_floor_is_seen(
    done: Comparison, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(done.run, run)
    task = str(done.run.parent / "task.yaml")
    assert main(["attack", str(run), "--task", task, "--canaries", "--json"]) == 0
    found = Attacks.model_validate(json.loads(capsys.readouterr().out)["attacks"])
    hunt = next(h for h in found.canaries if h.lever == "linear")
    by_times = {p.times: p for p in hunt.plantings}
    assert by_times[0].in_bundle == by_times[1].in_bundle == 0  # two documents at least
    assert by_times[20].in_bundle == by_times[20].canaries
    assert by_times[20].bundle == ("model/linear/model.json",)
    assert by_times[20].named == by_times[20].canaries
    assert all(p.shown == 0 for p in hunt.plantings)
    assert found.lever("linear") is not None  # what was measured before is kept
    assert not (run / "fits" / "attack" / "canaries").exists()  # no copy of the rows is left
    assert "canaries" in write_report(run).read_text()


@pytest.mark.parametrize(
    ("more", "aimed"),
    [
        ("mistakes: {open: {close: 10}}", (("open",), "close")),
        ("autoclose: {label: close, protect: [open]}", (("open",), "close")),
        ("workload: {urgent: [open], quiet: [close]}", (("open",), "close")),
    ],
)
def test_the_aim_follows_from_the_task(tmp_path: Path, more: str, aimed: object) -> None:
    path = write_task(tmp_path, 20, task=f"{TASK}{more}\n")
    assert aimed_at(Task.load(path), AttackSettings()) == aimed


def test_a_task_that_tells_no_aim_is_asked_for_one(tmp_path: Path) -> None:
    path = write_task(tmp_path, 20, task=f"{TASK}attack:\n")
    with pytest.raises(TaskError, match=r"attack\.protect"):
        compare(Task.load(path), tmp_path / "run")


def test_compare_again_keeps_no_attack_of_before(done: Comparison, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(done.run, run)
    folder = done.run.parent
    other = folder / "other.yaml"
    other.write_text(TASK + "mistakes: {open: {close: 10}}\n")
    again = compare(Task.load(other), run)
    assert again.measures.attacks is None
    assert again.verdict.attack == "attack: not measured"
    assert not (run / "attack.json").exists()


def test_rates_are_shares(done: Comparison) -> None:
    found = done.measures.attacks
    assert found is not None
    for lever in found.levers:
        for rate in lever.rates:
            assert rate.rate.value == pytest.approx(rate.flipped / rate.rows)
            assert rate.rate.low is not None
            assert rate.rate.high is not None
            assert np.all(np.diff([rate.rate.low, rate.rate.value, rate.rate.high]) >= 0)


def test_a_model_that_is_gone_leaves_the_other_levers_their_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("openai", reason="the llm extra is not installed")
    from llm.loopback_server import LoopbackServer, completion

    server = LoopbackServer(lambda body: completion("A", top=[("A", -0.1), ("B", -2.0)]))
    asked = TASK.replace(
        "  recorded: {other: answers.jsonl}",
        "  prompt: {model: house, shots: 0, rotations: 1, max_rows: 8, minutes: 1, retries: 0}",
    )
    task = (
        f"{asked}llms: {{house: {{base_url: '{server.url}', model: m, place: here}}}}\n"
        "mistakes: {open: {close: 10}}\n"
    )
    path = write_task(tmp_path, task=task)
    compare(Task.load(path), tmp_path / "run")
    server.close()
    arguments = ["--questions", "5", "--search", "0", "--rows", "5", "--json"]
    assert main(["attack", str(tmp_path / "run"), "--task", str(path), *arguments]) == 0
    found = Attacks.model_validate(json.loads(capsys.readouterr().out)["attacks"])
    linear, prompt = found.lever("linear"), found.lever("prompt")
    assert linear is not None
    assert linear.state == "attacked"
    assert prompt is not None
    assert prompt.state == "not attacked"
    assert "cannot be reached" in prompt.why
    assert found.leaks == ()
