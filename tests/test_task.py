"""Task files: what is accepted, and what one line says of everything else."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.errors import TaskError
from whichlever.task import Task

DESIGN = """
version: 1
task: alert-triage
pack: triage@1                     # reader and renderer; leave out for plain columns
kind: classify
about: What should the analyst on shift do with this alert?
data:
  rows: alerts.jsonl.gz            # or train: / test: given apart
  id: id
  input: text                      # a column, or a list of JSON pointers rendered in order
  target: label
  group: rule_id                   # never on both sides of a split
  time: time
  split: {by: group, valid: 0.15, calibrate: 0.15, test: 0.25, seed: 0}
labels:
  critical: An attack is under way; wake someone.
  investigate: Odd enough that a person should look today.
  noise: Expected activity; close it.
documents: runbooks/               # what rag may retrieve besides labelled rows
constraints:
  calls_per_month: 10_000_000
  data_may_leave: false
  knowledge_changes: monthly       # never | monthly | weekly | daily | live
  task_changes: rarely             # rarely | monthly | weekly
  latency_p95_ms: 50
mistakes: {critical: {noise: 200, investigate: 5}, noise: {critical: 1}}
goal: {metric: macro_f1, margin: 0.02, at_least: {recall.critical: 0.95}}
prices: {label: 0.40, core_hour: 0.05, engineer_hour: 90}
llms:
  house-gpu: {base_url: "http://gpu.internal:8000/v1", model: qwen2.5-7b-instruct, key_env: HOUSE_KEY, place: remote}
levers:
  prompt: {model: smollm2-135m-instruct, shots: 4}
  rag: {model: smollm2-135m-instruct, k: 5}
  finetune: {rungs: [static, encoder]}
  recorded: {gpt-4: answers.jsonl, price_as: gpt-4-turbo}
"""  # noqa: E501 - as the design writes it

SMALL = "task: t\ndata: {rows: a.jsonl, input: text}\n"


def refusal(text: str) -> str:
    with pytest.raises(TaskError) as caught:
        Task.parse(text)
    message = str(caught.value)
    assert message.startswith("task.yaml: ")
    assert "\n" not in message
    return message


def test_the_design_example_reads_as_written() -> None:
    task = Task.parse(DESIGN)
    assert task.data.split.by == "group"
    assert list(task.labels) == ["critical", "investigate", "noise"]
    assert task.constraints.calls_per_month == 10_000_000
    assert task.mistakes["critical"]["noise"] == 200
    assert task.goal.at_least == {"recall.critical": 0.95}
    assert task.llms["house-gpu"].model == "qwen2.5-7b-instruct"
    assert task.levers.finetune is not None
    assert task.levers.finetune.rungs == ["static", "encoder"]
    recorded = task.levers.recorded["gpt-4"]
    assert (recorded.path, recorded.price_as) == ("answers.jsonl", "gpt-4-turbo")
    assert list(task.levers.recorded) == ["gpt-4"]


@pytest.mark.parametrize("text", [DESIGN, SMALL, SMALL + "labels: [a, b]\nlevers: {rag: {k: 3}}"])
def test_what_the_reader_takes_the_schema_takes(text: str) -> None:
    schema = json.loads(Task.json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    Task.parse(text)
    jsonschema.validate(yaml.safe_load(text), schema)


def test_the_schema_refuses_an_unknown_key() -> None:
    schema = json.loads(Task.json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**yaml.safe_load(SMALL), "goall": {}}, schema)


@pytest.mark.parametrize(
    ("extra", "key", "right"),
    [
        ("goall: {}", "'goall'", "'goal'"),
        ("goal: {metrik: accuracy}", "'goal.metrik'", "'metric'"),
        ("levers: {fintune: {}}", "'levers.fintune'", "'finetune'"),
        ("levers: {finetune: {rung: [static]}}", "'levers.finetune.rung'", "'rungs'"),
        ("levers: {recorded: {gpt: {pth: x}}}", "'levers.recorded.gpt.pth'", "'path'"),
        # A system that is called like a key of its own.
        ("levers: {recorded: {path: {pat: x}}}", "'levers.recorded.path.pat'", "'path'"),
        ("levers: {recorded: {gpt: a.jsonl, price_az: x}}", "'price_az'", "'price_as'"),
        ("llms: {a: {base_ulr: x, model: m}}", "'llms.a.base_ulr'", "'base_url'"),
        ("constraints: {data_can_leave: true}", "'constraints.data_can_leave'", "'data_may_leave'"),
        ("PRICES: {}", "'PRICES'", "'prices'"),
    ],
)
def test_an_unknown_key_names_its_line_and_the_nearest_right_one(
    extra: str, key: str, right: str
) -> None:
    message = refusal(SMALL + extra)
    assert "line 3: " in message
    assert f"unknown key {key}; did you mean {right}?" in message


def test_an_unknown_key_deep_in_data() -> None:
    message = refusal("task: t\ndata:\n  rows: a\n  input: b\n  split:\n    bye: group\n")
    assert "line 6: unknown key 'data.split.bye'; did you mean 'by'?" in message


def test_a_key_like_no_other_lists_the_known_ones() -> None:
    message = refusal(SMALL + "goal: {zzzzz: 1}")
    assert "known: at_least, margin, metric" in message


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("data: {rows: b}", "the key 'data' stands twice"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("about: !!python/object:os.system x", "are not allowed"),
        ("about: [1", "line 3"),
        ("about: \x01", "U+0001"),
        ("about: " + "[" * 5000, "nested too deeply"),
        ("goal: {margin: .inf}", "goal.margin: should be a finite number"),
        ("goal: {margin: 0}", "greater than 0"),
        ("goal: {metric: macrof1}", "not a metric; did you mean 'macro_f1'?"),
        ("goal: {at_least: {recal.a: 0.5}}", "did you mean 'recall.LABEL'?"),
        ("goal: {at_least: {macro_f1: 95}}", "less than or equal to 1"),
        ("mistakes: {a: {b: -1}}", "mistakes.a.b: should be greater than or equal to 0"),
        ("levers: 3", "levers: should be a mapping"),
        ("labels: [a]", "at least two labels"),
        ("labels: [a, b, a]", "'a' stands twice"),
        ("labels: {a: x, '': y}", "a label is empty"),
        ("labels: [a, b]\nmistakes: {aa: {b: 1}}", "'aa' is not one of the labels; did you mean"),
        ("levers: {linear: {windows: [1.5]}}", "levers.linear.windows.0"),
        ("levers: {recorded: {../x: a.jsonl}}", "levers.recorded"),
        ("llms: {a: {base_url: gpu, model: m}}", "not a server's address"),
        ("kind: rank", "kind: should be 'classify', 'extract', 'generate' or 'verify'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(extra: str, said: str) -> None:
    assert said in refusal(SMALL + extra)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{rows: a}", "data.input is missing"),
        ("{rows: a, train: b, input: t}", "either rows:"),
        ("{train: a, input: t}", "needs test:"),
        ("{rows: a, input: []}", "at least 1"),
        ("{rows: a, input: t, split: {by: group}}", "needs group:"),
        ("{rows: a, input: t, split: {by: time}}", "needs time:"),
        ("{rows: a, input: t, split: {by: given}}", "needs column:"),
        ("{rows: a, input: t, split: {test: 1.5}}", "between 0 and 1"),
        ("{rows: a, input: t, split: {valid: 0.5, test: 0.5}}", "no row to train on"),
    ],
)
def test_data_that_cannot_be_split(data: str, said: str) -> None:
    assert said in refusal(f"task: t\ndata: {data}\n")


@pytest.mark.parametrize("text", ["", "- a", "just words", "task: t", "[" * 100 + "]" * 100])
def test_what_is_no_task_at_all(text: str) -> None:
    refusal(text)


def test_labels_stay_the_words_that_were_written() -> None:
    task = Task.parse(
        SMALL + "labels:\n  no: refuse\n  off: x\n  007: y\n  1: 2\n  1.0:\n  true: z"
    )
    assert list(task.labels) == ["no", "off", "007", "1", "1.0", "true"]
    assert task.labels["1.0"] == ""
    listed = Task.parse(SMALL + "labels: [yes, off, 1, 007, 2024-01-01, 12:30, true, null]")
    assert list(listed.labels) == [
        "yes", "off", "1", "007", "2024-01-01", "12:30", "true", "null",
    ]  # fmt: skip


def test_a_lever_without_settings_takes_the_defaults_and_absent_ones_do_not_run() -> None:
    task = Task.parse(SMALL + "levers:\n  rag:\n")
    assert task.levers.rag is not None
    assert task.levers.rag.k == 5
    assert task.levers.prompt is None


def test_load_reads_beside_the_file_and_says_which_file_is_wrong(tmp_path) -> None:
    path = tmp_path / "task.yaml"
    path.write_text("\ufeff" + SMALL, encoding="utf-8")
    assert Task.load(path).path("a.jsonl") == tmp_path / "a.jsonl"
    with pytest.raises(TaskError, match=r"cannot be read .*whichlever init"):
        Task.load(tmp_path / "none.yaml")
    with pytest.raises(TaskError, match="cannot be read"):
        Task.load(tmp_path)
    path.write_bytes(b"task: \xff")
    with pytest.raises(TaskError, match="not UTF-8 at byte 6"):
        Task.load(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(TaskError, match="larger than"):
        Task.load(path)


def read_or_refused(text: str) -> None:
    said = ""
    try:
        Task.parse(text)
    except TaskError as error:
        said = str(error)
    assert "\n" not in said


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_task_or_one_line(text: str) -> None:
    read_or_refused(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "rows", "by", "split", "goal", "recorded", "path", "x"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(Task.model_fields)), VALUES)
def test_any_value_under_any_key_is_taken_or_refused_in_one_line(key: str, value: object) -> None:
    text = yaml.safe_dump({"task": "t", "data": {"rows": "a", "input": "b"}, key: value})
    read_or_refused(text)
