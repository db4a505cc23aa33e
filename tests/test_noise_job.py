"""Wrong labels in a whole comparison: judged once, their cost measured, shown, never acted on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from tiny import TASK, write_task
from whichlever.cli import main
from whichlever.comparison import Comparison, compare
from whichlever.measure.noise import score_change
from whichlever.report import write_report
from whichlever.report.terminal import print_verdict
from whichlever.task import Task
from whichlever.verdict.figures import resolve

NOISY = TASK + "noise: {effect: test, test: true, folds: 3, planted: 0.1}\n"


def noisy_task(folder: Path, rows: int = 420) -> tuple[Path, set[str]]:
    """Write the tiny task with one label in ten turned round."""
    path = write_task(folder, rows, task=NOISY)
    rng, turned, lines = random.Random(4), set(), []
    for line in (folder / "rows.jsonl").read_text().splitlines():
        row = json.loads(line)
        if rng.random() < 0.1:
            row["label"] = "close" if row["label"] == "open" else "open"
            turned.add(row["id"])
        if row["id"] == "t7":
            row["text"] += " <script>alert(1)</script> \x1b[31m"
        lines.append(json.dumps(row))
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return path, turned


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, set[str]]:
    folder = tmp_path_factory.mktemp("noise")
    path, turned = noisy_task(folder)
    return compare(Task.load(path), folder / "run"), turned


def test_evidence_says_how_many_and_what_they_cost(done: tuple[Comparison, set[str]]) -> None:
    finished, turned = done
    evidence = finished.measures.noise
    assert evidence is not None
    ranked = pl.read_parquet(finished.run / "noise.parquet")
    assert set(ranked["role"]) == {"train", "valid", "test"}
    suspects = ranked.filter(pl.col("suspect"))
    assert len(set(suspects["id"]) & turned) / len(suspects) > 0.3  # the tiny task is noisy itself
    ways = {(change.on, change.way): change for change in evidence.changes}
    assert set(ways) == {(on, w) for on in ("valid", "test") for w in ("dropped", "relabelled")}
    for change in ways.values():
        assert change.after - change.before == pytest.approx(change.difference.value)
        assert change.groups == 30 or change.groups is None or change.groups < 31
    assert evidence.found.check is not None
    assert resolve("noise.found.train.errors", finished.task, finished.measures) > 0


def test_only_what_was_suspected_in_training_is_dropped(done: tuple[Comparison, set[str]]) -> None:
    finished, _ = done
    ranked = pl.read_parquet(finished.run / "noise.parquet").filter(pl.col("suspect"))
    evidence = finished.measures.noise
    assert evidence is not None
    counts = dict(ranked.group_by("role").len().iter_rows())
    changed = {change.on: change.changed for change in evidence.changes}
    assert changed["valid"] == counts["train"]
    assert changed["test"] == counts["train"] + counts.get("valid", 0)


def test_audit_and_pages_show_it(done: tuple[Comparison, set[str]]) -> None:
    finished, _ = done
    again = Comparison.load(finished.run)
    assert again.audit.noise == finished.audit.noise
    assert any(found.kind == "label_noise" for found in again.audit.findings)
    page = write_report(finished.run).read_text("utf-8")
    assert "Labels that are probably wrong" in page
    assert "<script>" not in page
    assert "\x1b" not in page
    first = pl.read_parquet(finished.run / "noise.parquet").filter(pl.col("role") == "train")
    ticket = first["text"][0].split()[-1]
    assert ticket in page
    redacted = write_report(finished.run, redact=True).read_text("utf-8")
    assert "Labels that are probably wrong" in redacted
    assert ticket not in redacted
    console = Console(record=True, width=100)
    print_verdict(console, finished.measures, finished.verdict, finished.run)
    assert "labels seem to be wrong" in console.export_text()


def test_a_second_run_reads_it_back_and_keeps_no_text_when_redacted(
    done: tuple[Comparison, set[str]],
) -> None:
    finished, _ = done
    before = json.loads((finished.run / "measures.json").read_text())
    again = compare(finished.task, finished.run, keep_texts=False)
    assert again.measures.noise == finished.measures.noise
    after = json.loads((finished.run / "measures.json").read_text())
    assert before["noise"] == after["noise"]
    assert "text" not in pl.read_parquet(finished.run / "noise.parquet").columns


def test_a_run_without_the_key_says_nothing(tmp_path: Path) -> None:
    finished = compare(Task.load(write_task(tmp_path, 160)), tmp_path / "run")
    assert finished.measures.noise is None
    assert finished.audit.noise is None
    assert not (tmp_path / "run" / "noise.parquet").exists()
    assert "probably wrong" not in write_report(finished.run).read_text("utf-8")


def test_the_audit_verb_writes_a_list_for_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = noisy_task(tmp_path, 240)
    out = tmp_path / "noise.csv"
    assert main(["audit", str(path), "--noise", "-o", str(out)]) in (0, 3)
    said = capsys.readouterr().out
    assert "labels seem to be wrong" in said
    assert "\x1b[31m" not in said
    lines = out.read_text().splitlines()
    assert lines[0].startswith("id,role,rank,given,suggested,confidence,margin,suspect,text")
    assert len(lines) > 3
    assert main(["audit", str(path), "--noise-test", "--json", "--redact"]) in (0, 3)
    shown = json.loads(capsys.readouterr().out.split('\n{\n  "error"')[0])
    assert shown["noise"]["test"]["rows"] > 0
    assert main(["audit", str(path), "-o", str(out)]) == 2
    assert main(["audit", str(path), "--noise", "-o", str(tmp_path / "x.txt")]) == 2


def test_score_change_by_hand() -> None:
    targets = np.array([0, 0, 1, 1])
    before, after, difference, p = score_change(
        targets, np.array([0, 1, 1, 0]), targets, None, "accuracy", 0
    )
    assert (before, after) == (0.5, 1.0)
    assert difference.value == 0.5
    assert p == 0.5  # two rows differ: 2 of 4 swaps are as extreme


def test_an_equal_fit_changes_nothing() -> None:
    targets = np.arange(60) % 3
    said = np.where(np.arange(60) % 7 == 0, 0, targets)
    _, _, difference, p = score_change(targets, said, said, None, "macro_f1", 0)
    assert difference.value == 0
    assert p == 1
