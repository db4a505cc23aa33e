"""The co-pilot's simulated notes: the same for every seed, and a task that can be learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import whichlever as wl
from whichlever.cli import main
from whichlever.data import read_dataset, split_rows
from whichlever.packs.copilot import pack
from whichlever.packs.copilot.words import TRADES
from whichlever.task import Task


def test_the_same_seed_writes_the_same_bytes_and_says_that_it_is_simulated(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        pack.write_template(tmp_path / name, seed=seed)
    read = {n: (tmp_path / n / "data" / "notes.jsonl").read_bytes() for n in "abc"}
    assert read["a"] == read["b"] != read["c"]
    rows = [json.loads(line) for line in read["a"].splitlines()]
    assert all(row["simulated"] for row in rows)
    answers = {sentence for codes in TRADES.values() for sentence in codes}
    assert {row["output"] for row in rows} == answers
    assert "SIMULATED" in (tmp_path / "a" / "task.yaml").read_text()


def test_the_template_is_a_task_that_the_floor_learns_in_part(tmp_path: Path) -> None:
    pack.write_template(tmp_path / "task", seed=0)
    task = wl.Task.load(tmp_path / "task" / "task.yaml")
    assert task.kind == "generate"
    done = wl.compare(task, tmp_path / "run", only=["majority", "linear"])
    floor = done.measures.lever("linear").metrics["exact_match"].value
    assert 0.5 < floor < 0.97  # 4 % of the answers are wrong on purpose


def own_material(folder: Path, rows: int = 120) -> tuple[Path, Path]:
    documents = folder / "handbook"
    (documents / "prices").mkdir(parents=True)
    (documents / "prices" / "fees.md").write_text("# Prices\n\ncrown: 480 EUR\n")
    (documents / "scan.pdf").write_bytes(b"%PDF")
    (documents / "odd.txt").write_bytes(b"\xff\xfe")
    answers = ("Book a crown, {crown price}.", "Nothing to do.", "Pull the tooth.")
    codes = ("crn prep", "nad", "xla")
    pairs = folder / "pairs.csv"
    lines = [f"{codes[i % 3]} note {i},{json.dumps(answers[i % 3])}" for i in range(rows)]
    pairs.write_text("\n".join(["input,output", *lines]) + "\n")
    return documents, pairs


def test_own_pairs_and_documents_become_a_task_that_compares(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents, pairs = own_material(tmp_path)
    made = tmp_path / "task"
    asked = ["init", "--pack", "copilot", "--from", str(documents), "--pairs", str(pairs)]
    assert main([*asked, str(made)]) == 0
    said = capsys.readouterr().out
    assert "120 pairs with 3 different answers (a closed set), drawn at random; 1 documents" in said
    assert "left out: odd.txt (not UTF-8)" in said
    assert (made / "documents" / "prices" / "fees.md").exists()
    task = wl.Task.load(made / "task.yaml")
    assert (task.kind, task.answers, task.documents) == ("generate", "closed", "documents")
    done = wl.compare(task, tmp_path / "run", only=["majority", "linear"])
    assert done.measures.lever("linear").metrics["exact_match"].value > 0.9


def test_own_pairs_of_free_texts_are_a_task_of_open_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"input": f"tooth {i} seen", "output": f"Tooth {i} was seen."} for i in range(60)]
    pairs.write_text("\n".join(map(json.dumps, rows)) + "\n")
    assert main(["init", "--pack", "copilot", "--pairs", str(pairs), str(tmp_path / "own")]) == 0
    assert "60 pairs with 60 different answers (open)" in capsys.readouterr().out
    task = Task.load(tmp_path / "own" / "task.yaml")
    assert (task.answers, task.goal.metric) == ("open", "token_f1")
    assert task.levers.prompt is not None
    assert len(split_rows(read_dataset(task), task).test) == 15


def test_pairs_that_are_none_are_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents, pairs = own_material(tmp_path, rows=20)
    other = tmp_path / "other.jsonl"
    other.write_text('{"question": "a", "answer": "b"}\n')
    for given, wanted in ((pairs, "at least 40"), (other, "no column 'input'")):
        asked = ["init", "--pack", "copilot", "--pairs", str(given), str(tmp_path / "no")]
        assert main(asked) == 2
        assert wanted in capsys.readouterr().err
        assert not (tmp_path / "no").exists()
    assert main(["init", "--pack", "copilot", "--from", str(documents), str(tmp_path / "no")]) == 2
    assert main(["init", "--pack", "facts", "--pairs", str(pairs), str(tmp_path / "no")]) == 2
