"""Packing a finished run: the same answers, the same bytes, and nothing that should stay home."""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import whichlever as wl
from tiny import TASK, write_task
from whichlever.bundle import open_bundle
from whichlever.bundle.choice import choose_lever
from whichlever.bundle.finished import Finished
from whichlever.bundle.make import read_model, reader_of
from whichlever.cli.app import main
from whichlever.data import read_dataset
from whichlever.errors import BundleError, RunError
from whichlever.infer.joined import pool
from whichlever.infer.linear import LinearModel
from whichlever.packing import pack
from whichlever.packing_data import find_data
from whichlever.packing_int8 import with_int8
from whichlever.progress import Silent
from whichlever.run import read_json, write_json
from whichlever.runtime.bundle import Bundle
from whichlever.task import Task

HYBRID = TASK + (
    "  rag: {vote_only: true}\n"
    "  hybrid: {then: person}\n"
    "mistakes: {open: {close: 20}}\n"
    "prices: {mistake_unit: 2.0}\n"
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack") / "task"
    return wl.compare(wl.Task.load(write_task(folder, 400, task=HYBRID)), folder / "run")


@pytest.fixture(scope="module")
def said(finished) -> Finished:
    return Finished.read(finished.run)


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the run that a test may damage, its data beside it."""
    shutil.copytree(finished.run.parent, tmp_path / "task")
    return tmp_path / "task" / "run"


def changed(path, **fields):
    write_json(path, {**read_json(path), **fields})


def test_a_packed_lever_answers_as_the_compared_one(finished, tmp_path):
    packed = pack(finished.run, tmp_path / "model.wl", lever="linear")
    bundle = Bundle.open(packed.path, allow_unsigned=True)
    wanted = finished.trials().filter((pl.col("lever") == "linear") & (pl.col("role") == "test"))
    rows = {row.id: row for row in read_dataset(finished.task).rows}
    got = bundle.predictor.predict([rows[i] for i in wanted["id"]])
    assert [p.label for p in got] == wanted["predicted"].to_list()
    scores = np.stack([p.scores for p in got])
    np.testing.assert_allclose(scores, np.array(wanted["scores"].to_list()), atol=1e-5)


def test_what_answers_otherwise_than_in_the_comparison_is_not_packed(finished, copied, tmp_path):
    packed = finished.pack("linear", tmp_path / "fine.wl")
    assert any("got the label of the comparison" in note for note in packed.notes)
    model = next((copied / "fits" / "linear").iterdir()) / "model" / "model.json"
    model.write_text(model.read_text().replace('"scale": ', '"scale": 9'))
    with pytest.raises(BundleError, match="answers otherwise than in the comparison"):
        pack(copied, tmp_path / "model.wl", lever="linear")
    assert not (tmp_path / "model.wl").exists()


def test_a_packed_hybrid_hands_over_the_rows_that_it_handed_in_the_run(finished, tmp_path):
    packed = pack(finished.run, tmp_path / "hybrid.wl", lever="hybrid")
    assert packed.manifest.handing is not None
    assert any("for a person" in note for note in packed.notes)
    bundle = Bundle.open(packed.path, allow_unsigned=True)
    rows = {row.id: row for row in read_dataset(finished.task).rows}
    trials = finished.trials().filter((pl.col("lever") == "hybrid") & (pl.col("role") == "test"))
    got = bundle.predictor.predict([rows[i] for i in trials["id"]])
    handed = [p.status == "handed" for p in got]
    assert sum(handed) / len(handed) == finished.measures.hybrid.chosen.handed.value
    kept = [(p.label, label) for p, label, h in zip(got, trials["predicted"], handed, strict=True)
            if not h]  # fmt: skip
    assert all(a == b for a, b in kept)


def test_packing_twice_gives_the_same_bytes(finished, tmp_path):
    packed = [pack(finished.run, tmp_path / f"{i}.wl", lever="linear") for i in range(2)]
    one, two = (p.path.read_bytes() for p in packed)
    assert one == two
    with tarfile.open(packed[0].path) as tar:
        assert {entry.mtime for entry in tar} == {0}


def test_the_bundle_holds_no_input_no_id_and_no_place(finished, tmp_path):
    packed = pack(finished.run, tmp_path / "model.wl", lever="linear")
    files = open_bundle(packed.path, allow_unsigned=True).files
    trials = pl.read_parquet(files["evidence/trials.parquet"])
    assert "id" not in trials.columns
    assert set(trials["lever"]) == {"linear"}
    assert trials["row"].to_list()[-1] == len(trials.filter(pl.col("role") == "test")) - 1
    assert not set(trials["group"].drop_nulls()) & {f"h{i}" for i in range(30)}
    folder = str(finished.run.parent)
    for name, content in files.items():
        assert folder.encode() not in content, name
        if not name.startswith("model/"):
            assert b"ticket1" not in content, f"{name} quotes a row"
    again = pack(finished.run, tmp_path / "ids.wl", lever="linear", ids=True)
    kept = pl.read_parquet(open_bundle(again.path, allow_unsigned=True).files[
        "evidence/trials.parquet"])  # fmt: skip
    assert set(kept["id"]) <= {f"t{i}" for i in range(400)}


def test_the_program_obeys_its_options(finished, tmp_path, capsys):
    out = tmp_path / "named.wl"
    task = finished.run.parent / "task.yaml"
    options = ["--lever", "linear", "--ids", "--int8", "never", "--task", str(task), "--json"]
    assert main(["pack", str(finished.run), "-o", str(out), *options]) == 0
    assert json.loads(capsys.readouterr().out)["lever"] == "linear"
    trials = open_bundle(out, allow_unsigned=True).files["evidence/trials.parquet"]
    assert "id" in pl.read_parquet(trials).columns
    options[options.index(str(task))] = str(tmp_path / "no" / "task.yaml")
    assert main(["pack", str(finished.run), "-o", str(out), *options]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert any("not found from RUN" in note for note in notes)


def test_the_evidence_is_enough_to_recompute_the_score(finished, tmp_path):
    packed = pack(finished.run, tmp_path / "model.wl", lever="linear")
    files = open_bundle(packed.path, allow_unsigned=True).files
    test = pl.read_parquet(files["evidence/trials.parquet"]).filter(pl.col("role") == "test")
    measures = json.loads(files["evidence/measures.json"])
    lever = next(s for s in measures["levers"] if s["lever"] == "linear")
    right = (test["target"] == test["predicted"]).mean()
    assert right == pytest.approx(lever["metrics"]["accuracy"]["value"])
    assert files["card.md"].decode().count(f"{right:.3f}") >= 1


def test_the_data_is_found_from_the_run_or_said_to_be_gone(finished, copied, tmp_path):
    found = find_data(Finished.read(copied))
    assert set(found.facts.files) == {"rows.jsonl"}
    assert found.facts.spans["train"][0].startswith("2026-0")
    assert sum(found.facts.labels.values()) == len(found.splits.train)
    rows = copied.parent / "rows.jsonl"
    rows.write_text(rows.read_text().replace("printer", "scanner"))
    assert "changed since the run" in find_data(Finished.read(copied)).facts.why
    there = finished.run.parent / "task.yaml"
    assert find_data(Finished.read(copied), there).facts.why == ""
    rows.unlink()
    packed = pack(copied, tmp_path / "model.wl", lever="linear")
    assert packed.manifest.trained.files == {}
    assert any("--task" in note for note in packed.notes)


def verdict(said: Finished, **fields) -> Finished:
    return replace(said, verdict={**said.verdict, **fields})


def test_the_lever_is_the_pulled_one_unless_another_is_named(said):
    pulled = verdict(said, outcome="pull", lever="linear")
    assert choose_lever(pulled).lever == "linear"
    assert choose_lever(pulled).caution == ""
    named = choose_lever(pulled, "hybrid")
    assert named.lever == "hybrid"
    assert named.caution == "the verdict pulls linear, not hybrid"


def test_what_the_verdict_cannot_tell_is_packed_with_a_word_of_caution(said):
    open_ = verdict(said, outcome="cannot tell", lever=None)
    assert "cannot tell" in choose_lever(open_).caution
    assert "best on validation rows" in choose_lever(open_).why
    none = choose_lever(verdict(said, outcome="none eligible", lever=None), "linear")
    assert "no lever eligible" in none.caution


def test_a_lever_that_is_no_model_is_refused(said):
    with pytest.raises(BundleError, match="name another with --lever: linear, hybrid"):
        choose_lever(verdict(said, lever="rag-vote"))
    with pytest.raises(BundleError, match="give one of finetune"):
        choose_lever(said, "rag-vote")
    with pytest.raises(BundleError, match="no finetune-static lever"):
        choose_lever(said, "finetune-static")
    with pytest.raises(BundleError, match="no finetune lever"):
        choose_lever(said, "finetune")
    with pytest.raises(BundleError, match="none of its levers can be packed"):
        choose_lever(replace(said, measures={"levers": [{"lever": "rag"}]}))


def test_finetune_means_the_pulled_rung_else_the_best_on_validation_rows(said):
    rungs = {"finetune-static": 0.7, "finetune-encoder": 0.9, "finetune-joined": 0.8}
    levers = [{"lever": n, "chosen": {"validation": {"score": s}}} for n, s in rungs.items()]
    run = replace(said, measures={"metric": "accuracy", "levers": levers})
    assert choose_lever(verdict(run, lever="linear"), "finetune").lever == "finetune-encoder"
    assert choose_lever(verdict(run, lever="finetune-static"), "finetune").lever == (
        "finetune-static"
    )


def test_joined_parts_are_packed_with_their_weights_and_pooled_alone_too(finished, copied):
    linear = next((copied / "fits" / "linear").iterdir())
    joined = copied / "fits" / "finetune-joined" / "0000"
    joined.mkdir(parents=True)
    write_json(joined / "step.json", {"temperature": 1.5})
    write_json(joined / "joined.json", {"weights": {"linear": 1.0, "finetune-static": 0.0}})
    model = read_model(Finished.read(copied), "finetune-joined")
    assert [(p.name, p.weight) for p in model.parts] == [("linear", 1.0)]
    assert model.pooled
    assert model.temperature == 1.5
    # A pooled part's smallest probabilities are raised, so it is not the part alone.
    table = np.array([[1 - 1e-9, 1e-9]], np.float32)
    assert pool([table], [1.0])[0, 1] > 1e-7
    assert model.files["model/linear/model.json"] == (linear / "model" / "model.json").read_bytes()


def test_a_missing_or_ambiguous_fit_is_told(copied):
    home = copied / "fits" / "linear"
    folder = next(home.iterdir())
    shutil.copytree(folder, home / "ffff")
    with pytest.raises(BundleError, match="2 fits of linear"):
        read_model(Finished.read(copied), "linear")
    (home / "ffff" / "step.json").unlink()
    assert read_model(Finished.read(copied), "linear").parts[0].kind == "linear"
    shutil.rmtree(home)
    with pytest.raises(BundleError, match="no fit of linear"):
        read_model(Finished.read(copied), "linear")


@pytest.mark.parametrize("name", ["verdict.json", "measures.json", "environment.json"])
def test_an_unfinished_or_damaged_run_is_refused(copied, name):
    (copied / name).write_text("[")
    with pytest.raises(RunError, match=name):
        Finished.read(copied)
    (copied / name).unlink()
    with pytest.raises(RunError, match=name):
        Finished.read(copied)


def test_a_run_that_does_not_know_its_rows_is_refused(copied, tmp_path):
    changed(copied / "environment.json", rows_sha256=None)
    with pytest.raises(RunError, match="which rows"):
        pack(copied, tmp_path / "model.wl", lever="linear")


def test_the_reader_hides_what_training_hid():
    task = Task.parse(
        "version: 1\ntask: t\npack: triage@1\nlevers: {linear: {}}\ndata: {rows: r.jsonl, id: id,"
        " target: verdict, document: doc, split: {by: given, column: role}}\n"
    )
    reader = reader_of(task)
    assert reader.pack == "triage@1"
    assert reader.input is None
    assert set(reader.hidden) == {"verdict", "role", "doc"}


def test_eight_bits_are_not_tried_without_rows_or_against_ones_will(said):
    model = read_model(said, "linear")
    assert with_int8(said, model, None, wanted=True, progress=Silent()) == (model, ())
    part = model.parts[0].model_copy(update={"kind": "encoder", "max_tokens": 16})
    encoder = replace(model, parts=(part,))
    same, said_ = with_int8(said, encoder, None, wanted=True, progress=Silent())
    assert same is encoder
    assert "without the run's validation rows" in said_[0]
    assert "as asked" in with_int8(said, encoder, (), wanted=False, progress=Silent())[1][0]


def test_the_command_packs_and_shows(finished, tmp_path, capsys):
    out = str(tmp_path / "model.wl")
    assert main(["pack", str(finished.run), "--lever", "linear", "-o", out, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lever"] == "linear"
    assert told["bom_validated"] is True
    assert main(["show", out, "--allow-unsigned", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["manifest"]["labels"] == ["open", "close"]
    assert set(shown["files"]) >= {"bundle.json", "card.md", "bom.cdx.json"}
    assert main(["show", out, "--allow-unsigned"]) == 0
    assert "## Not measured" in capsys.readouterr().out
    assert main(["show", out]) == 3
    assert main(["pack", str(finished.run), "--lever", "prompt", "-o", out]) == 2
    assert LinearModel.load(next((finished.run / "fits/linear").iterdir()) / "model").labels == (
        "open", "close",
    )  # fmt: skip
