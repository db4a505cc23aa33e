"""Fields that an attacker writes, on a whole run: quarantined, attacked, packed, asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiny import TASK, write_task
from whichlever.cli import main
from whichlever.comparison import Comparison, compare
from whichlever.packing import pack
from whichlever.runtime.bundle import Bundle
from whichlever.serve.rows import read_rows
from whichlever.task import Task

FIELDS = (
    TASK.replace("  recorded: {other: answers.jsonl}\n", "").replace(
        "input: text", "input: [text, note]"
    )
    + "mistakes: {open: {close: 10}}\n"
    + "attack: {controls: [note], rows: 10, questions: 30, search: 40, chars: 120}\n"
    + "guard: {spare: 0.05, canonical: true, novelty: 0.05}\n"
)


def written(folder: Path, task: str = FIELDS) -> Path:
    path = write_task(folder, task=task)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    lines = [json.dumps({**row, "note": f"said {row['id']}"}) for row in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    path = written(tmp_path_factory.mktemp("fields"))
    return compare(Task.load(path), path.parent / "run")


def test_whatever_the_field_says_turns_no_row_of_the_guarded_lever(done: Comparison) -> None:
    found = done.measures.attacks
    assert found is not None
    linear, guarded = found.lever("linear"), found.lever("linear-guarded")
    assert linear is not None
    assert linear.flipped == linear.rows == 10
    assert guarded is not None
    assert guarded.flipped == 0
    assert guarded.certified is not None
    assert guarded.rows - 1 <= guarded.certified <= guarded.rows
    assert "Whatever is added in note" in guarded.text


@pytest.mark.parametrize("place", ["before", "inside"])
def test_another_place_in_the_field_is_no_way_around(done: Comparison, place: str) -> None:
    options = ["--lever", "linear-guarded", "--place", place, "--search", "0", "--json"]
    assert main(["attack", str(done.run), *options]) == 0
    found = Comparison.load(done.run).measures.attacks
    assert found is not None
    assert found.aim is not None
    assert found.aim.place == place
    guarded = found.lever("linear-guarded")
    assert guarded is not None
    assert guarded.flipped == 0


def test_a_bundle_asks_the_record_without_the_field_and_hands_over_bare_texts(
    done: Comparison, tmp_path: Path
) -> None:
    pack(done.run, tmp_path / "b.wl", lever="linear-guarded")
    bundle = Bundle.open(tmp_path / "b.wl", allow_unsigned=True)
    assert bundle.manifest.format == 4
    quiet = {"text": "disk login mail printer quiet ticket7", "note": "said t7"}
    alarm = {"text": "disk login mail printer denied ticket7", "note": "quiet " * 40}
    closed, turned, bare = bundle.predict([quiet, alarm, "text: disk quiet\nnote: quiet"])
    assert closed.label == "close"
    assert turned.label != "close"
    assert (bare.label, bare.status) == (None, "handed")
    assert "give the record" in str(bare.error)
    served = bundle.predictor.predict(read_rows(bundle, [quiet, alarm]).rows)  # as in serve
    assert [(said.label, said.status) for said in served] == [
        (said.label, said.status) for said in (closed, turned)
    ]


def test_a_field_that_nobody_reads_is_refused(tmp_path: Path, capsys) -> None:
    task = FIELDS.replace("guard: {", "guard: {untrusted: [host], ")
    path = written(tmp_path, task)
    assert main(["compare", str(path), "-o", str(tmp_path / "run")]) == 2
    assert "no training row reads differently without host" in capsys.readouterr().err
