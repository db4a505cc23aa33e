"""`kind: extract` from a task file to a verdict, its page and its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tiny_lines
from whichlever import trials
from whichlever.comparison import Comparison, compare, prepare
from whichlever.errors import TaskError
from whichlever.report import write_report
from whichlever.task import Task

RECORDED = tiny_lines.TASK + "  recorded: {other: answers.jsonl}\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("lines")
    task = Task.load(tiny_lines.write_task(folder, RECORDED))
    return compare(task, folder / "run", only=["majority", "rag", "recorded"])


def test_every_lever_is_scored_and_one_is_pulled(run: Comparison) -> None:
    scores = {s.lever: s.metrics["micro_f1"].value for s in run.measures.levers}
    assert scores["majority"] < scores["rag-vote"] <= 1
    assert run.measures.metric == "micro_f1"
    assert run.verdict.outcome in ("pull", "cannot tell")


def test_the_figures_are_those_of_the_trials(run: Comparison) -> None:
    frame, names = trials.read(run.run / "trials.parquet")
    for own in run.measures.levers:
        mine = frame.filter(pl.col("lever") == own.lever, pl.col("role") == "test")
        hit, said, true = (np.array(mine[c].to_list()).sum(axis=0) for c in ("hit", "said", "true"))
        f1 = 2 * hit.sum() / (said.sum() + true.sum())
        assert own.metrics["micro_f1"].value == pytest.approx(f1)
        assert own.metrics["line_exact"].value == pytest.approx(mine["exact"].mean())
        place = names.index("source.ip")
        recall = own.metrics["recall.source.ip"].value
        assert recall == pytest.approx(hit[place] / true[place])


def test_values_made_up_are_counted_and_nothing_else_is(run: Comparison) -> None:
    by = {s.lever: s for s in run.measures.levers}
    rows = {r["id"]: r for r in tiny_lines.rows()}
    tested = run.trials().filter(pl.col("role") == "test")["id"].unique().to_list()
    made_up = sum(int(i[1:]) % 4 == 0 for i in tested)
    assert all("nobody-at-all" not in rows[i]["raw"] for i in tested)
    assert by["recorded-other"].lines is not None
    assert by["recorded-other"].lines.made_up == made_up > 0
    rate = by["recorded-other"].metrics["invented"]
    assert rate.low is not None
    assert rate.low <= rate.value <= rate.high
    assert by["rag-vote"].metrics["invented"].value == 0


def test_scores_come_by_shape_source_and_file(run: Comparison) -> None:
    lines = next(s.lines for s in run.measures.levers if s.lever == "rag-vote")
    assert lines is not None
    assert {s.name for s in lines.of("source")} <= {"door", "wall", "note"}
    assert {s.name for s in lines.of("shape")} == {"unseen"}
    tested = run.trials().filter(pl.col("role") == "test", pl.col("lever") == "rag-vote")
    assert sum(s.rows for s in lines.of("source")) == len(tested)
    assert lines.answered[-1].share == 1
    assert lines.answered[-1].line_exact.value == pytest.approx(tested["exact"].mean())
    split = pl.read_parquet(run.run / "splits.parquet")
    assert {"shape", "source", "file"} <= set(split.columns)


def test_the_page_shows_fields_and_quotes_nothing_when_redacted(run: Comparison) -> None:
    page = write_report(run.run).read_text(encoding="utf-8")
    assert "Fields of lines" in page
    assert "source.ip" in page
    assert "nobody-at-all" in page
    redacted = write_report(run.run, redact=True).read_text(encoding="utf-8")
    assert "source.ip" in redacted
    assert "nobody-at-all" not in redacted
    assert "door-0.log" not in redacted


def test_a_second_call_answers_from_what_is_kept(run: Comparison) -> None:
    again = compare(run.task, run.run, only=["majority", "rag", "recorded"])
    assert [s.metrics for s in again.measures.levers] == [s.metrics for s in run.measures.levers]


def test_without_texts_no_field_is_kept(tmp_path: Path) -> None:
    task = Task.load(tiny_lines.write_task(tmp_path, RECORDED, count=90))
    done = compare(task, tmp_path / "run", only=["majority", "recorded"], keep_texts=False)
    assert done.trials()["predicted"].null_count() == len(done.trials())
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file() and path.suffix != ".html":
            assert b"nobody-at-all" not in path.read_bytes(), path


def test_shapes_never_stand_on_both_sides(tmp_path: Path) -> None:
    prepared = prepare(Task.load(tiny_lines.write_task(tmp_path)))
    shapes, splits = prepared.dataset.shapes, prepared.splits
    test = {shapes[row.id] for row in splits.test}
    rest = (*splits.train, *splits.valid, *splits.calibrate)
    assert not test & {shapes[row.id] for row in rest}
    assert not prepared.audit.has_leak


def test_a_random_split_of_copies_is_a_leak(tmp_path: Path) -> None:
    path = tiny_lines.write_task(tmp_path, tiny_lines.TASK.replace("by: shape", "by: random"))
    made = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    copies = [{**row, "id": f"{row['id']}-again"} for row in made]
    text = "".join(json.dumps(row) + "\n" for row in (*made, *copies))
    (tmp_path / "lines.jsonl").write_text(text)
    audit = prepare(Task.load(path)).audit
    assert audit.has_leak
    exact = next(f for f in audit.findings if f.kind == "exact_across")
    assert exact.leaky is not None
    assert exact.clean is not None
    assert (exact.clean.micro_f1 or 0) <= (exact.leaky.micro_f1 or 0)
    assert "micro-F1" in str(exact.clean)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("labels: [a, b]", "labels goes with kind: classify"),
        ("autoclose: {label: a, protect: [b]}", "autoclose goes with kind: classify"),
        ("goal: {metric: macro_f1}", "macro_f1 goes with another kind"),
        ("goal: {at_least: {accuracy: 0.5}}", "accuracy goes with another kind"),
    ],
)
def test_what_belongs_to_labels_is_refused_in_one_line(more: str, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        Task.parse(tiny_lines.TASK + more)


def test_what_belongs_to_fields_is_refused_for_labels() -> None:
    with pytest.raises(TaskError, match=r"data\.file goes with kind: extract"):
        Task.parse("task: t\ndata: {rows: r.jsonl, input: x, file: s}\n")
    with pytest.raises(TaskError, match="by: shape goes with kind: extract"):
        Task.parse("task: t\ndata: {rows: r.jsonl, input: x, split: {by: shape}}\n")
