"""Levers that copy fields out of lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "llm"))

from loopback_server import LoopbackServer, completion

import tiny_lines
from whichlever.data.learn_fields import learn_fields
from whichlever.data.rows import Splits
from whichlever.errors import DataError
from whichlever.fields.occurrences import places
from whichlever.levers.base import Context, Fit
from whichlever.levers.columns import Columns, blank_columns
from whichlever.levers.field_goal import Sureness, goal_of
from whichlever.levers.prompt_fields import PromptFields
from whichlever.levers.rag_fields import RagFields
from whichlever.levers.span_vote import SpanVote
from whichlever.llm.copying import read_fields
from whichlever.predict import Prediction, Row
from whichlever.task import PromptSettings, RagSettings, Task

TASK = (
    tiny_lines.TASK
    + """\
llms:
  near: {base_url: "%s", model: m, place: here}
"""
)


def rows(count: int, seed: int) -> list[Row]:
    return [
        Row(f"{seed}-{r['id']}", r["raw"], fields=r["fields"], source=r["source"])
        for r in tiny_lines.rows(count, seed)
    ]


TRAIN, VALID, TEST = rows(90, 1), rows(30, 2), rows(30, 3)


def context(folder: Path, url: str = "http://127.0.0.1:9/v1") -> Context:
    task = Task.parse(TASK % url)
    learned = learn_fields(Splits(tuple(TRAIN), tuple(VALID), (), tuple(TEST)), task)
    names = learned.schema.names
    return Context(task, names, 0, folder, schema=learned.schema)


@pytest.fixture(scope="module")
def voted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Fit, Context]:
    own = context(tmp_path_factory.mktemp("vote"))
    return SpanVote(RagSettings(vote_k=[1, 3])).fit(TRAIN, VALID, own), own


def test_the_nearest_lines_show_where_fields_stand(voted: tuple[Fit, Context]) -> None:
    fit, own = voted
    assert own.schema is not None
    answers = fit.predictor.predict(TEST)
    assert goal_of("micro_f1", TEST, answers, own.schema) > 0.9
    assert all(a.confidence is not None and 0 <= a.confidence <= 1 for a in answers)
    for row, answer in zip(TEST, answers, strict=True):
        for span in answer.spans:
            assert 0 <= span.start < span.end <= len(row.text)


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_the_line_nothing_is_said_that_is_not_in_it(
    voted: tuple[Fit, Context], text: str
) -> None:
    fit, own = voted
    (answer,) = fit.predictor.predict([Row("x", text)])
    for name, value in (answer.fields or {}).items():
        assert name in own.labels
        for one in value if isinstance(value, list) else [value]:
            assert places(text, one)


def test_fixed_columns_are_a_floor_by_source(tmp_path: Path) -> None:
    own = context(tmp_path)
    assert own.schema is not None
    fit = Columns().fit(TRAIN, VALID, own)
    answers = fit.predictor.predict(TEST)
    assert 0 < goal_of("micro_f1", TEST, answers, own.schema) < 0.9
    (elsewhere,) = fit.predictor.predict([Row("x", "a b c", source="never seen")])
    assert elsewhere.status == "ok"


def test_columns_stand_where_blanks_part_a_line() -> None:
    assert blank_columns("a  b\ta") == [(0, 1), (3, 4), (5, 6)]
    assert blank_columns("   ") == []


def test_lines_without_a_field_teach_nothing(tmp_path: Path) -> None:
    bare = [Row("a", "nothing", fields={}), Row("b", "more", fields={})]
    for lever in (Columns(), SpanVote(RagSettings())):
        with pytest.raises(DataError, match="no training line has a field"):
            lever.fit(bare, [], context(tmp_path))


def answering(body: dict) -> tuple[int, dict[str, str], bytes]:
    """A model that reads addresses right, and makes a user up."""
    text = body["messages"][-1]["content"].rpartition("<text>\n")[2].partition("\n</text>")[0]
    if "banana" in body["messages"][-1]["content"]:
        return completion('{"answer": "kiwi"}')
    found = {"user.name": "no-such-user"}
    if "src=" in text:
        found["source.ip"] = text.partition("src=")[2].partition(":")[0]
        found["source.port"] = text.partition("src=")[2].partition(":")[2].partition(" ")[0]
    return completion(json.dumps(found))


@pytest.mark.parametrize("lever", ["prompt", "rag"])
def test_a_model_is_asked_by_schema_and_what_it_makes_up_stays(tmp_path: Path, lever: str) -> None:
    pytest.importorskip("openai")
    server = LoopbackServer(answering)
    try:
        own = context(tmp_path, server.url)
        made = (
            PromptFields(PromptSettings(model="near", shots=2, parallel=1))
            if lever == "prompt"
            else RagFields(RagSettings(model="near", k=2, parallel=1))
        )
        fit = made.fit(TRAIN, VALID, own)
        answers = fit.predictor.predict(TEST[:6])
    finally:
        server.close()
    asked = server.seen[-1]
    schema = asked["response_format"]["json_schema"]["schema"]
    assert set(schema["properties"]) <= set(own.labels)
    assert schema["additionalProperties"] is False
    assert fit.chosen["schema_enforced"] is True
    for row, answer in zip(TEST[:6], answers, strict=True):
        assert answer.status == "ok"
        assert answer.fields is not None
        assert answer.fields["user.name"] == "no-such-user"
        if row.source == "wall":
            assert answer.fields["source.port"] == row.fields["source.port"]  # made an int
    if lever == "rag":
        assert "<example>" in asked["messages"][-1]["content"]


def test_an_answer_given_once_is_not_asked_for_again(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    server = LoopbackServer(answering)
    try:
        own = context(tmp_path, server.url)
        lever = PromptFields(PromptSettings(model="near", shots=0, parallel=1))
        lever.fit(TRAIN, VALID, own).predictor.predict(TEST[:4])
        before = len(server.seen)
        lever.fit(TRAIN, VALID, own).predictor.predict(TEST[:4])
        assert len(server.seen) - before <= 1  # whether it holds to a schema
    finally:
        server.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "1", "b": {"c": "2"}}', {"a": "1", "b.c": "2"}),
        ('```json\n{"a": ["1", "2"]}\n```', {"a": ["1", "2"]}),
        ('{"a": "1", "b": "2", "c": "thr', {"a": "1", "b": "2"}),
        ('{"a": "", "b": null}', {}),
        ("{}", {}),
        ("no idea", None),
        ("[1, 2]", None),
        ('{"a": ' * 50_000, None),
    ],
)
def test_an_object_is_read_from_whatever_a_model_wrote(text: str, found: object) -> None:
    assert read_fields(text) == found


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_reading_never_breaks(text: str) -> None:
    found = read_fields(text)
    assert found is None or isinstance(found, dict)


def test_how_sure_rises_with_the_levers_own_score() -> None:
    made = [Row(str(i), "x", fields={"user.name": "x"}) for i in range(40)]
    said = [
        Prediction(str(i), None, fields={"user.name": "x" if i >= 20 else "y"}, confidence=i / 40)
        for i in range(40)
    ]
    schema = context(Path()).schema
    assert schema is not None
    sure = Sureness.fit(made, said, schema)
    values = [sure.of(i / 40) for i in range(40)]
    assert values == sorted(values)
    assert 0 < values[0] < 0.1 < 0.9 < values[-1] < 1
