"""Answers that some other system already gave."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whichlever.errors import DataError
from whichlever.levers.base import Context, Fit
from whichlever.levers.recorded import Recorded, read_answers, slug
from whichlever.predict import Prediction, Row
from whichlever.task import RecordedAnswers, Task

LABELS = ("noise", "Critical", "look into it")


def fit(
    folder: Path,
    *records: Any,
    labels: tuple[str, ...] = LABELS,
    test_ids: frozenset[str] = frozenset(),
    **settings: str,
) -> Fit:
    text = "".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in records)
    (folder / "answers.jsonl").write_text(text, encoding="utf-8")
    task = Task.parse("task: t\ndata: {rows: rows.jsonl, input: text}\n", folder=folder)
    lever = Recorded("GPT 4", RecordedAnswers(path="answers.jsonl", **settings))
    return lever.fit([], [], Context(task, labels, 0, folder, test_ids=test_ids))


def ask(fitted: Fit, *ids: str) -> list[Prediction]:
    return fitted.predictor.predict([Row(i, "text", "noise") for i in ids])


def test_every_row_has_its_status(tmp_path: Path) -> None:
    fitted = fit(
        tmp_path,
        {"id": "1", "prediction": "noise"},
        {"id": "2", "prediction": "  LOOK  into\nit "},
        {"id": "3", "prediction": "I think it is noise"},
        {"id": "4", "prediction": None, "error": "429"},
        {"id": "5", "prediction": "noise", "error": "cut off"},
        {"id": 6, "prediction": "critical"},
    )
    answers = ask(fitted, "1", "2", "3", "4", "5", "6", "7")
    assert [p.status for p in answers] == [
        "ok", "ok", "refused", "error", "error", "ok", "missing",
    ]  # fmt: skip
    assert [p.label for p in answers] == [
        "noise", "look into it", None, None, None, "Critical", None,
    ]  # fmt: skip
    assert "I think" in str(answers[2].error)
    assert all(p.scores is None for p in answers)
    assert fitted.place == "recorded"
    assert fitted.what == "recorded answers of GPT 4 (how they were made is not stated)"


def test_what_is_not_known_stays_unknown(tmp_path: Path) -> None:
    fitted = fit(
        tmp_path,
        {"id": "counted", "prediction": "noise", "tokens_in": 10, "tokens_out": 2, "seconds": 0.5},
        {"id": "chars", "prediction": "noise", "chars_in": 9, "chars_out": 8},
        {"id": "half", "prediction": "noise", "chars_in": 8, "chars_out": None},
        {"id": "nothing", "prediction": "noise"},
        price_as="gpt-4-turbo",
        what="zero-shot",
    )
    usage = {p.id: p.usage for p in ask(fitted, "counted", "chars", "half", "nothing")}
    assert (usage["counted"].tokens_in, usage["counted"].tokens_out) == (10, 2)
    assert usage["counted"].seconds == 0.5
    assert not usage["counted"].estimated
    assert (usage["chars"].tokens_in, usage["chars"].tokens_out) == (3, 2)
    assert usage["chars"].estimated
    assert (usage["half"].tokens_in, usage["half"].tokens_out) == (2, None)
    assert (usage["nothing"].tokens_in, usage["nothing"].tokens_out) == (None, None)
    assert usage["nothing"].bytes_out is None
    assert fitted.price_as == "gpt-4-turbo"
    assert "zero-shot" in fitted.what


def test_an_error_of_elsewhere_is_kept_short_and_printable(tmp_path: Path) -> None:
    said = "\ud800\x1b[31m" + "x" * 10_000
    [answer] = ask(fit(tmp_path, {"id": "1", "prediction": None, "error": said}), "1")
    assert answer.error is not None
    assert answer.error.encode("utf-8").startswith("��[31mxxx".encode())
    assert len(answer.error) == 300


def test_labels_that_differ_in_case_alone_need_their_exact_spelling(tmp_path: Path) -> None:
    fitted = fit(
        tmp_path,
        {"id": "1", "prediction": "IT"},
        {"id": "2", "prediction": "It"},
        labels=("it", "IT"),
    )
    assert [p.label for p in ask(fitted, "1", "2")] == ["IT", None]


def test_answers_are_matched_with_the_test_rows(tmp_path: Path) -> None:
    records = [{"id": i, "prediction": "noise"} for i in "abc"]
    fitted = fit(tmp_path, *records, test_ids=frozenset("bcde"))
    assert fitted.chosen["answers_not_in_test"] == 1
    assert fitted.chosen["test_rows_missing"] == 2
    with pytest.raises(DataError, match=r"answers\.jsonl: none of its 3 ids is a test row's"):
        fit(tmp_path, *records, test_ids=frozenset("xyz"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"id": "1", "prediction": "noise"}'] * 2, r":2: id '1' was answered on line 1"),
        (['{"id": "1", "predicton": "noise"}'], r":1: unknown key 'predicton'.*'prediction'"),
        (['{"prediction": "noise"}'], r":1: id is missing"),
        (['{"id": "1"}'], r":1: prediction is missing"),
        (['{"id": "1", "prediction": ["noise"]}'], r":1: prediction is one label"),
        (['{"id": "1", "prediction": "a", "chars_in": -1}'], r":1: chars_in is -1"),
        (['{"id": "1", "prediction": "a", "seconds": "soon"}'], r":1: seconds is 'soon'"),
        (['{"id": "1", "prediction": "a"}', "{broken"], r":2: not JSON"),
        (["[1]"], r":1: a list, not an object"),
        (["", " "], "holds no answers"),
    ],
)
def test_a_malformed_file_is_told_in_one_line(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        fit(tmp_path, *lines)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("answers.jsonl")


def test_a_malformed_line_is_told_before_anything_runs(tmp_path: Path) -> None:
    good = '{"id": "1", "prediction": "noise"}\n'
    (tmp_path / "answers.jsonl").write_text(good)
    task = Task.parse("task: t\ndata: {rows: rows.jsonl, input: text}\n", folder=tmp_path)
    lever = Recorded("GPT 4", RecordedAnswers(path="answers.jsonl"))
    lever.check(task)
    (tmp_path / "answers.jsonl").write_text(good * 2)
    with pytest.raises(DataError, match=r"answers\.jsonl:2: id '1' was answered"):
        lever.check(task)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.jsonl: no such file"):
        read_answers("nowhere.jsonl", tmp_path / "nowhere.jsonl")


def test_reads_gzip(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "1", "prediction": "noise"}\n'))
    assert read_answers(path.name, path)["1"].prediction == "noise"


@given(st.text(min_size=1, max_size=40))
def test_a_lever_id_is_a_safe_folder_name(name: str) -> None:
    made = slug(name)
    assert made
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert made not in (".", "..")


@pytest.mark.real
def test_real_frontier_answers(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cwe" / "recorded_2024"
    with gzip.open(shared_data / "cwe" / "test_2024.jsonl.gz", "rt", encoding="utf-8") as file:
        test = [json.loads(line) for line in file]
    labels = tuple(sorted({row["label"] for row in test}))
    task = Task.parse("task: t\ndata: {rows: rows.jsonl, input: text}\n", folder=folder)
    ids = frozenset(row["id"] for row in test)
    share = {}
    for name in ("chatgpt-4", "gemini-1.5"):
        lever = Recorded(name, RecordedAnswers(path=f"{name}.jsonl.gz"))
        fitted = lever.fit([], [], Context(task, labels, 0, tmp_path, test_ids=ids))
        answers = fitted.predictor.predict([Row(r["id"], r["text"], r["label"]) for r in test])
        share[name] = sum(p.label == r["label"] for p, r in zip(answers, test, strict=True)) / 1000
        if name == "gemini-1.5":
            assert sum(p.status == "error" for p in answers) == 77
            assert all(p.usage.tokens_in is not None for p in answers)
    assert share == {"chatgpt-4": 0.720, "gemini-1.5": 0.615}
