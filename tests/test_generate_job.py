"""Kind generate, whole: rows in, a verdict and files for other programs out."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import whichlever as wl
from tiny_decoder import ANSWERS, TASK, write_gguf, write_task
from whichlever.errors import DataError, TaskError
from whichlever.exporting import export
from whichlever.report import write_report


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> wl.Comparison:
    folder = tmp_path_factory.mktemp("closed")
    task = TASK.replace("base: base", "base: base.gguf").replace(
        "  rag:", "  recorded: {elsewhere: answers.jsonl}\n  rag:"
    )
    path = write_task(folder, task=task)
    write_gguf(folder, folder / "base")
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    with (folder / "answers.jsonl").open("w") as out:
        for i, row in enumerate(rows):
            said = row["output"].upper() + "." if i % 2 else "I cannot say"
            out.write(json.dumps({"id": row["id"], "prediction": said}) + "\n")
    return wl.compare(wl.Task.load(path), folder / "run")


def test_every_lever_is_judged_on_the_same_texts(closed: wl.Comparison) -> None:
    measures = closed.measures
    assert measures.metric == "exact_match"
    assert set(measures.labels) == set(ANSWERS)
    levers = {s.lever: s for s in measures.levers}
    assert set(levers) == {
        "majority", "linear", "rag-vote", "recorded-elsewhere", "finetune-decoder",
    }  # fmt: skip
    assert levers["linear"].metrics["exact_match"].value > 0.9
    for own in levers.values():
        exact, f1, rouge = (own.metrics[m].value for m in ("exact_match", "token_f1", "rouge_l"))
        assert exact <= rouge <= f1 + 1e-9
    # A wrong answer shares words with the right one: it is worth something, and is not exact.
    assert (
        levers["majority"].metrics["token_f1"].value
        > levers["majority"].metrics["exact_match"].value + 0.05
    )
    said = levers["recorded-elsewhere"].metrics
    assert 0.3 < said["outside"].value < 0.7
    assert said["outside"].value + said["exact_match"].value == pytest.approx(1)
    assert levers["finetune-decoder"].metrics["outside"].value == 0
    assert levers["finetune-decoder"].calibration is not None


def test_a_report_is_written_of_texts(closed: wl.Comparison) -> None:
    page = write_report(closed.run).read_text()
    assert "exact match" in page
    assert "the patient needs a crown" in page


def test_the_floor_is_pulled_and_packed_as_one_that_chooses(
    closed: wl.Comparison, tmp_path: Path
) -> None:
    closed.pack("linear", tmp_path / "model.wl")
    bundle = wl.Bundle.open(tmp_path / "model.wl", allow_unsigned=True)
    (answer,) = bundle.predict(["pfm crown today 7"])
    assert answer.label == "the patient needs a crown"


@pytest.mark.llm
def test_the_decoder_is_packed_and_answers_without_torch_as_in_the_comparison(
    closed: wl.Comparison, tmp_path: Path
) -> None:
    closed.pack("finetune-decoder", tmp_path / "model.wl")  # asks test rows again, and may refuse
    bundle = wl.Bundle.open(tmp_path / "model.wl", allow_unsigned=True)
    assert bundle.manifest.parts[0].precision in ("q8_0", "f16")
    lines = (closed.run.parent / "rows.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    trials = closed.trials().filter(
        (pl.col("lever") == "finetune-decoder") & (pl.col("role") == "test")
    )
    texts = {row["id"]: row["input"] for row in rows}
    said = bundle.predict([texts[name] for name in trials["id"]])
    same = [p.label == label for p, label in zip(said, trials["predicted"], strict=True)]
    assert sum(same) >= 0.9 * len(same)
    gap = [
        abs(float(mine) - theirs)
        for p, scores in zip(said, trials["scores"], strict=True)
        for mine, theirs in zip(p.scores, scores, strict=True)
    ]
    assert max(gap) < 0.1
    with pytest.raises(DataError, match="names no words"):
        bundle.explain("pfm crown")


@pytest.mark.llm
def test_the_exported_file_says_in_llama_cpp_what_the_trained_model_says(
    closed: wl.Comparison, tmp_path: Path
) -> None:
    made = export(closed.run, tmp_path)  # asks both, and fails where they differ
    formats = {f"model-{bits}.gguf" for bits in ("f16", "q8_0", "q4_k_m")}
    assert {"model.safetensors", "adapter.gguf", *formats} <= set(made.files)
    assert [note.split(", ")[1].split(" said")[0] for note in made.notes] == [
        "model-f16.gguf", "model-q8_0.gguf", "model-q4_k_m.gguf", "the base with adapter.gguf",
    ]  # fmt: skip
    assert "6 of 6" in made.notes[0] or "5 of 6" in made.notes[0]
    assert "6 of 6" in made.notes[3] or "5 of 6" in made.notes[3]  # adapters change what is said
    assert 'stop "<|im_end|>"' in (tmp_path / "Modelfile").read_text()


def test_open_answers_are_written_and_scored(tmp_path: Path) -> None:
    task = TASK.replace("kind: generate", "kind: generate\nanswers: open").replace(
        "epochs: 3", "epochs: 1"
    )
    path = write_task(tmp_path, rows=60, task=task)
    done = wl.compare(wl.Task.load(path), tmp_path / "run", keep_texts=False)
    levers = {s.lever: s for s in done.measures.levers}
    assert set(levers) == {"majority", "rag-vote", "finetune-decoder"}
    assert "writing freely" in levers["finetune-decoder"].what
    assert levers["rag-vote"].metrics["exact_match"].value > 0.5
    assert "outside" not in levers["rag-vote"].metrics
    assert write_report(done.run).exists()
    frame = done.trials()
    assert frame["predicted"].null_count() == frame.height  # it might quote the input
    assert not pl.Series(frame["token_f1"]).is_null().any()


def test_keys_of_other_kinds_are_refused() -> None:
    for more, said in (
        ("labels: [a, b]", "labels goes with kind: classify"),
        ("goal: {metric: macro_f1}", "macro_f1 goes with another kind"),
        ("levers: {finetune: {rungs: [tagger]}}", "tagger goes with another kind"),
        ("levers: {hybrid: }", "levers.hybrid goes with kind: classify"),
    ):
        with pytest.raises(TaskError, match=said):
            wl.Task.parse(
                f"task: t\nkind: generate\ndata: {{rows: a.jsonl, input: input}}\n{more}\n"
            )


def test_export_without_a_decoder_says_what_to_do(tmp_path: Path) -> None:
    from whichlever.cli import main

    path = write_task(tmp_path, task=TASK.split("  finetune:")[0])
    wl.compare(wl.Task.load(path), tmp_path / "run")
    assert main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "out")]) == 2
