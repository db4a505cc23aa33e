"""The guard on a whole run: measured beside the bare lever, attacked, packed, in a file of rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiny import TASK, write_task
from whichlever.cli import main
from whichlever.comparison import Comparison, compare
from whichlever.errors import TaskError
from whichlever.levers.base import Context, Fit
from whichlever.levers.build import build
from whichlever.levers.guarded import Guarded, closing_label
from whichlever.levers.linear import Linear
from whichlever.packing import pack
from whichlever.predict import Row
from whichlever.runtime.bundle import Bundle
from whichlever.settings_guard import GuardSettings
from whichlever.task import LinearSettings, Task

BUNDLE = Path(__file__).parent / "fixtures" / "bundles" / "format1-linear.wl"

LINEAR = TASK.replace("  recorded: {other: answers.jsonl}\n", "")
GUARDED = LINEAR + (
    "mistakes: {open: {close: 10}}\n"
    "attack: {rows: 10, questions: 30, search: 40, chars: 120, at_most: 0.02}\n"
    "guard:\n"
)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    path = write_task(tmp_path_factory.mktemp("guard"), task=GUARDED)
    return compare(Task.load(path), path.parent / "run")


def test_the_bare_lever_is_turned_and_the_guarded_one_is_not(done: Comparison) -> None:
    found = done.measures.attacks
    assert found is not None
    linear, guarded = found.lever("linear"), found.lever("linear-guarded")
    assert linear is not None
    assert guarded is not None
    assert linear.flipped == linear.rows == 10
    assert linear.certified is None
    assert (guarded.state, guarded.flipped) == ("attacked", 0)
    assert guarded.questions >= linear.questions
    # every row that is as long as the shortest head, and these are
    assert guarded.certified == guarded.rows
    assert "their guard shows it" in guarded.text


def test_what_a_guard_costs_is_beside_the_bare_lever(done: Comparison) -> None:
    trials = done.trials()
    by = {name: trials.filter(lever=name, role="test") for name in ("linear", "linear-guarded")}
    said = {name: dict(zip(t["id"], t["predicted"], strict=True)) for name, t in by.items()}
    handed = by["linear-guarded"].filter(status="handed")
    assert 0 < len(handed) < len(by["linear"])
    assert all(said["linear"][i] == "close" for i in handed["id"])
    kept = by["linear-guarded"].filter(status="ok")
    assert all(said["linear"][i] == p for i, p in zip(kept["id"], kept["predicted"], strict=True))


def test_a_packed_guard_answers_as_it_was_measured(done: Comparison, tmp_path: Path) -> None:
    bundle = tmp_path / "guarded.wl"
    packed = pack(done.run, bundle, lever="linear-guarded")
    assert packed.manifest.format == 3
    assert "only where every beginning of the text" in _card(bundle)
    texts = {"t": "disk mail quiet done ok ticket7 vpn ok done quiet ok " * 2}
    texts["a"] = (
        "disk login denied crash failed ticket9 denied crash denied " + "ok quiet done " * 40
    )
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in texts.items()))
    out = tmp_path / "out.jsonl"
    arguments = ["run", str(bundle), "--in", str(rows), "-o", str(out), "--allow-unsigned"]
    assert main(arguments) == 0
    close, added = (json.loads(line) for line in out.read_text().splitlines())
    assert (close["label"], close["abstain"]) == ("close", False)
    assert (added["label"], added["abstain"]) == (None, True)
    assert "characters say otherwise" in added["note"]


def _card(bundle: Path) -> str:
    import tarfile

    with tarfile.open(bundle) as tar:
        found = tar.extractfile("card.md")
        assert found is not None
        return found.read().decode()


def test_a_share_to_hand_over_is_kept_on_calibration_rows(tmp_path: Path) -> None:
    bundle = Bundle.open(BUNDLE, allow_unsigned=True)
    quiet, loud = ("backup job finished", "heartbeat ok"), ("ransom note", "failed login", "")
    texts = [f"{a} host {b} {c} {a}" for a in quiet for b in loud for c in (*quiet, *loud)]
    rows = [Row(str(i), text, "noise") for i, text in enumerate(texts)]
    part = Fit(bundle.predictor, "a linear model")
    said = part.predictor.predict(rows)
    mine = [row for row, answer in zip(rows, said, strict=True) if answer.label == "noise"]
    handed = {}
    for share in (None, 0.1):
        guarded = Guarded(
            Linear(LinearSettings()), GuardSettings(hand_over=share, least=8), "noise"
        )
        folder = tmp_path / str(share)
        folder.mkdir()
        context = Context(
            Task.parse(GUARDED), bundle.manifest.labels, 0, folder, parts={"linear": part},
            calibrate=rows,
        )  # fmt: skip
        answers = guarded.fit(rows, [], context).predictor.predict(mine)
        handed[share] = sum(answer.status == "handed" for answer in answers)
    assert handed[0.1] <= 0.1 * len(mine) < handed[None] < len(mine)


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ("guard: {closes: open}", "open"),
        ("guard:\nattack: {into: open}", "open"),
        ("guard:\nmistakes: {open: {close: 10}, close: {open: 1}}", "close"),
    ],
)
def test_which_label_closes_a_row(more: str, label: str) -> None:
    task = Task.parse(f"{LINEAR}{more}\n")
    assert closing_label(task, task.guard or GuardSettings()) == label


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("guard:", "which label closes a row"),
        ("guard: {closes: close, levers: [prompt]}", "'prompt' is no lever"),
        ("guard: {closes: close, levers: [finetune-static]}", "it has: linear"),
    ],
)
def test_a_guard_that_cannot_be_says_so_before_anything_runs(more: str, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        build(Task.parse(f"{LINEAR}{more}\n"))


def test_the_bare_lever_can_be_asked_for_alone() -> None:
    task = Task.parse(GUARDED)
    assert [lever.id for lever in build(task, ["linear-guarded"])] == ["linear-guarded"]
    assert [lever.id for lever in build(task, ["linear"])] == ["linear", "linear-guarded"]
