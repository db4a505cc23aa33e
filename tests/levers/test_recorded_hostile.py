"""Files that somebody else wrote: whatever they hold, it is answers or one clear line."""

from __future__ import annotations

import json
import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.errors import DataError
from whichlever.levers.base import Context
from whichlever.levers.recorded import Recorded
from whichlever.levers.recorded_raw import MAX_ID, input_keys, row_keys, text_key
from whichlever.levers.recorded_settle import read_settled
from whichlever.llm.reading import LabelReader
from whichlever.llm.requests import safe_id
from whichlever.llm.wording import question
from whichlever.predict import Row
from whichlever.task import RecordedAnswers, Task

LABELS = ("noise", "critical")

# Keys that the readers look at, so that arbitrary values meet them.
_KEYS = """
    id custom_id prediction error response result body status_code choices message content text
    output type usage prompt_tokens input_tokens cache_read_input_tokens output_tokens model request
    messages role user metadata user_id vars provider latencyMs tokenUsage promptIdx testCase
    results seconds tokens_in label startTime endTime input tool_use
"""
KEYS = st.sampled_from(_KEYS.split())
WORDS = st.sampled_from(
    ["r1", "noise", "critical", "succeeded", "errored", "user", "message", "text", "", "\ud800",
     '{"label": "noise"}', "[PASS] noise", "```", "{" * 3000]
)  # fmt: skip
NUMBERS = st.sampled_from([0, 1, -1, 200, 10**400, 2**63, 1e308, -0.0, True, None])
JSON = st.recursive(
    WORDS | NUMBERS | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=24,
)
RECORDS = st.dictionaries(KEYS, JSON, max_size=7)


def read(text: str | bytes, name: str = "x.jsonl") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
        try:
            settled = read_settled(name, path, known=["r1", "r 2"])
        except DataError as error:
            line = str(error)
            assert line.startswith("x.")
            assert "\n" not in line
            assert len(line) < 2_000
            return
        reader = LabelReader(LABELS)
        for answer in [*settled.by_id.values(), *settled.by_input.values()]:
            assert answer.prediction is None or reader.read(answer.prediction) in (*LABELS, None)
            used = answer.usage
            for value in (used.tokens_in, used.tokens_cached, used.tokens_out, used.seconds):
                assert value is None or 0 <= value < 2**54


HOSTILE = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@HOSTILE
@given(st.lists(RECORDS, min_size=1, max_size=4))
def test_arbitrary_records_are_answers_or_one_line(records: list[dict[str, Any]]) -> None:
    read("\n".join(json.dumps(record) for record in records))


@HOSTILE
@given(
    st.sampled_from(["openai", "anthropic", "chat", "promptfoo", "row"]),
    st.lists(JSON, min_size=1, max_size=3),
)
def test_arbitrary_insides_of_every_format(kind: str, values: list[Any]) -> None:
    frames = {
        "openai": lambda v: {"custom_id": "r1", "response": {"status_code": 200, "body": v}},
        "anthropic": lambda v: {"custom_id": "r1", "result": {"type": "succeeded", "message": v}},
        "chat": lambda v: {"request": v, "response": v, "metadata": v},
        "promptfoo": lambda v: {"vars": v, "response": v, "provider": v, "latencyMs": v},
        "row": lambda v: {"id": "r1", "prediction": v},
    }
    read("\n".join(json.dumps(frames[kind](value)) for value in values))


@HOSTILE
@given(
    JSON, st.sampled_from(["{}", '{{"results": {}}}', '{{"results": {{"results": {}}}}}', "[{}]"])
)
def test_arbitrary_documents(value: Any, frame: str) -> None:
    read(frame.format(json.dumps(value, indent=1)), "x.json")


@HOSTILE
@given(st.binary(max_size=300), st.sampled_from(["x.jsonl", "x.json", "x.csv", "x.tsv"]))
def test_arbitrary_bytes(data: bytes, name: str) -> None:
    read(data, name)


@HOSTILE
@given(st.text(alphabet=string.printable, max_size=200))
def test_arbitrary_tables(rest: str) -> None:
    read("id,question,[openai:chat:a] p,Status,Score\n" + rest, "x.csv")


@pytest.mark.parametrize("depth", [60, 5_000, 200_000])
def test_deep_nesting_is_one_line(depth: int) -> None:
    for frame in ('{{"custom_id": "r1", "response": {}}}', '{{"request": {0}, "response": {0}}}'):
        read(frame.format("[" * depth + "]" * depth))
    read('{"results": {"results": [' + "[" * depth, "x.json")
    read("[" * depth + "]" * depth, "x.json")


def test_an_endless_id_or_number_is_no_row_and_no_count() -> None:
    read(json.dumps({"custom_id": "a" * (MAX_ID + 1), "response": {}}))
    read('{"id": "r1", "prediction": "noise", "tokens_in": 1' + "0" * 400 + "}")
    read('{"id": "r1", "prediction": "noise", "seconds": 1' + "0" * 5_000 + "}")


def test_a_lever_with_a_broken_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"custom_id": "r1", "result": {"type": 5}}\n')
    task = Task.parse("task: t\ndata: {rows: r.jsonl, input: text}\n", folder=tmp_path)
    lever = Recorded("x", RecordedAnswers(path="a.jsonl"))
    with pytest.raises(DataError, match=r"a\.jsonl:1: result\.type"):
        lever.fit([], [], Context(task, LABELS, 0, tmp_path))


@given(st.text(min_size=1, max_size=80))
def test_a_safe_id_is_safe_and_tells_ids_apart(id_: str) -> None:
    made = safe_id(id_)
    assert 0 < len(made) <= 64
    assert set(made) <= set(string.ascii_letters + string.digits + "_-")
    assert safe_id(made) == made
    assert safe_id(id_ + "!") != made


@given(st.text(max_size=200))
def test_a_row_is_found_by_the_question_that_was_asked_about_it(text: str) -> None:
    assert set(row_keys(text)) & set(input_keys([question(text)]))
    assert text_key(text) in row_keys(text)
    assert set(row_keys(Row("a", text).text)) & set(input_keys([f"  {text}\n"]))
