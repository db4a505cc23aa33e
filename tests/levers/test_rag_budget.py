"""The budget of asking with passages, at a server on loopback that counts its tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_vectors import random_embedder

from llm.loopback_server import LoopbackServer, completion
from whichlever.errors import InputError
from whichlever.levers.base import Context
from whichlever.levers.rag import Rag
from whichlever.predict import Row
from whichlever.task import RagSettings, Task

LABELS = ("critical", "noise")
TASK = """
task: t
data: {rows: r.jsonl, input: text}
labels: {critical: wake someone, noise: close it}
llms:
  house: {base_url: "%s", model: m, place: here%s}
"""
DOLLAR_A_REQUEST = ", dollars_in: 100000, dollars_out: 0"
"""The loopback server counts ten tokens in."""


@pytest.fixture
def server():
    pytest.importorskip("openai", reason="the llm extra is not installed")
    pytest.importorskip("bm25s", reason="the llm extra is not installed")
    made = LoopbackServer(lambda _: completion("A"))
    yield made
    made.close()


def asked(server: LoopbackServer) -> int:
    return sum("row " in body["messages"][-1]["content"] for body in server.seen)


def test_money_is_a_hard_bound_in_choosing_and_in_answering(server, tmp_path: Path) -> None:
    embedder = random_embedder()
    if embedder is None:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    rows = [Row(f"t{i}", f"known row {i}", LABELS[i % 2]) for i in range(60)]
    task = Task.parse(TASK % (server.url, DOLLAR_A_REQUEST))
    lever = Rag(RagSettings(model="house", parallel=1, dollars=80.0), embedder)
    lever.check(task)
    fitted = lever.fit(rows[:20], rows[20:], Context(task, LABELS, 0, tmp_path))
    assert asked(server) <= 40  # a quarter is meant, a half is the end
    assert fitted.max_rows is not None
    answers = fitted.predictor.predict([Row(str(i), f"test row {i}") for i in range(90)])
    assert 78 <= asked(server) <= 80
    assert sum(a.status == "ok" for a in answers) >= fitted.max_rows
    assert str(answers[-1].error).startswith("budget: $")
    fitted.predictor.close()


def test_a_budget_without_a_price_is_refused_before_a_row_is_asked(server) -> None:
    task = Task.parse(TASK % (server.url, ""))
    with pytest.raises(InputError, match="price is not known"):
        Rag(RagSettings(model="house", dollars=5.0), random_embedder()).check(task)
    assert asked(server) == 0
