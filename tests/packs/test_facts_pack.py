"""The drifting facts: the same for every seed, hiding nothing and giving nothing away."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from whichlever import Task
from whichlever.data import read_dataset
from whichlever.data.after import read_later
from whichlever.errors import DataError
from whichlever.packs.facts import pack
from whichlever.packs.facts.words import TEAMS
from whichlever.packs.facts.world import make_world


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("facts") / "task"
    pack.write_template(made, seed=0)
    return made


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_same_seed_writes_the_same_bytes(folder, tmp_path):
    pack.write_template(tmp_path / "again", seed=0)
    pack.write_template(tmp_path / "other", seed=1)

    def digest(root):
        files = sorted(p for p in root.rglob("*") if p.is_file())
        return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()

    assert digest(folder) == digest(tmp_path / "again") != digest(tmp_path / "other")


def test_everything_says_that_it_is_simulated(folder):
    assert all(row["simulated"] is True for row in lines(folder / "data" / "alerts.jsonl"))
    assert all(row["simulated"] is True for row in lines(folder / "data" / "after.jsonl"))
    pages = [*(folder / "documents").iterdir(), *(folder / "documents-after").iterdir()]
    assert all("SIMULATED" in page.read_text() for page in pages)
    assert "SIMULATED" in (folder / "task.yaml").read_text()
    assert "simulated" in (folder / "README.md").read_text().lower()


def test_no_alert_names_a_team_and_each_names_its_thing(folder):
    teams = re.compile("|".join(TEAMS), re.IGNORECASE)
    for name in ("alerts.jsonl", "after.jsonl"):
        for row in lines(folder / "data" / name):
            assert not teams.search(row["text"])
            assert row["thing"] in row["text"]


def test_the_named_document_states_the_truth_of_its_time(folder):
    for name, documents in (("alerts.jsonl", "documents"), ("after.jsonl", "documents-after")):
        for row in lines(folder / "data" / name)[:400]:
            page = (folder / documents / row["document"]).read_text()
            said = page.split(f"## {row['thing']}\n")[1].split("## ")[0]
            assert row["team"].capitalize() in said
            assert all(len(line) < 300 for line in said.splitlines())


def test_half_of_the_facts_change_and_pages_come_and_go(folder):
    world = make_world(0)
    changed = sum(a.team != b.team for a, b in zip(world.before, world.after, strict=True))
    assert changed == len(world.before) / 2
    assert set(world.documents) - set(world.documents_after)
    after = lines(folder / "data" / "after.jsonl")
    head = after[:60]
    assert sum(row["team"] != row["was"] for row in head) == 30
    assert len({row["thing"] for row in head}) == 60


def test_the_template_is_a_task_that_reads(folder):
    task = Task.load(folder / "task.yaml")
    dataset = read_dataset(task)
    later = read_later(task, dataset)
    assert len(later.rows) == 1140
    assert sum(map(later.changed, later.rows)) == 570
    assert dataset.rows[0].document
    text = later.rows[0].text
    assert later.rows[0].document not in text
    assert "was" not in json.loads(json.dumps({"t": text}))


def test_rows_of_afterwards_are_checked_as_they_are_read(folder, tmp_path):
    task = Task.load(folder / "task.yaml")
    dataset = read_dataset(task)

    def read(text):
        (tmp_path / "later.jsonl").write_text(text)
        change = task.change.model_copy(update={"rows": str(tmp_path / "later.jsonl")})
        return read_later(task.model_copy(update={"change": change}), dataset)

    row = {"id": "x", "text": "t", "team": "lynx", "was": "lynx", "thing": "a", "document": "b"}
    with pytest.raises(DataError, match="is the same as"):
        read(json.dumps(row))
    with pytest.raises(DataError, match="give it another"):
        read(json.dumps({**row, "id": dataset.rows[0].id, "was": "otter"}))
    with pytest.raises(DataError, match="was"):
        read(json.dumps({k: v for k, v in row.items() if k != "was"}))
