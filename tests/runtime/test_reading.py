"""What is served is, to the byte, what was trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.bundle.format import Reader
from whichlever.data import read_dataset
from whichlever.data.files import find_source
from whichlever.data.read import Reader as TaskReader
from whichlever.data.records import read_records
from whichlever.errors import DataError
from whichlever.packs.triage.pack import TriagePack
from whichlever.packs.triage.template import write_template
from whichlever.render import find_pack
from whichlever.render.record import NoText, reading
from whichlever.runtime.reading import RecordReader
from whichlever.task import Task

PLAIN = "version: 1\ntask: t\nlabels: [a, b]\ndata: {rows: rows.jsonl, target: label, %s}\n"
PACK = "version: 1\ntask: t\npack: triage@2\nlabels: [a, b]\ndata: {rows: rows.jsonl, %s}\n"
TASKS = (
    PLAIN % "input: text",
    PLAIN % "input: /event/text, max_chars: 100",
    PLAIN % "input: [text, /event, /tags/0]",
    PLAIN % "input: [event, text], match: rule",
    PACK % "target: label",
    PACK % "target: /event/label, id: id, document: page",
)

keys = st.sampled_from(["text", "event", "tags", "rule", "label", "page", "message", "@timestamp"])
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.just("long" * 40)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
records = st.dictionaries(keys, values, max_size=6)


def readers(text: str, folder: Path = Path()) -> tuple[TaskReader, RecordReader]:
    """The one that training reads with, and the one that a bundle of that task reads with."""
    task = Task.parse(text, folder=folder)
    pack = find_pack(task.pack) if task.pack else None
    said = Reader(**reading(task)).model_dump_json()
    return TaskReader(task, pack), RecordReader(Reader.model_validate_json(said))


@pytest.mark.parametrize("text", TASKS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(record=records)
def test_a_served_record_reads_as_a_trained_one(text: str, record: dict[str, object]) -> None:
    trained, served = readers(text)
    try:
        expected = trained._text(record, "rows.jsonl:1")
    except DataError:
        with pytest.raises(NoText):
            served.text(record)
    else:
        assert served.text(record) == expected


@pytest.mark.parametrize("format", TriagePack.formats)
def test_the_rows_of_every_alert_format_read_alike(tmp_path: Path, format: str) -> None:
    write_template(tmp_path, seed=3, format=format)
    task = Task.load(tmp_path / "task.yaml")
    served = RecordReader(Reader(**reading(task)))
    rows = read_dataset(task).rows
    source = find_source(str(task.data.rows), task.path(str(task.data.rows)))
    pack = TriagePack() if task.pack else None
    raw = [record for _, record in read_records(source, pack)]
    assert [served.text(record) for record in raw] == [row.text for row in rows]


@pytest.mark.parametrize(("text", "record", "says"), [
    (TASKS[0], {}, "no column 'text'"),
    (TASKS[0], {"text": "\u200b \x00"}, "empty"),
    (TASKS[0], {"text": "SECRET \ud800"}, "half a surrogate pair at character 7"),
    (TASKS[1], {"event": {"text": "SECRET" * 20}}, "120 characters; at most 100"),
    (TASKS[2], {"SECRET": 1}, "none of the input columns"),
    (TASKS[3], {"text": "SECRET"}, "no column 'rule'"),
])  # fmt: skip
def test_an_error_says_what_is_wrong_and_quotes_nothing(
    text: str, record: dict[str, object], says: str
) -> None:
    with pytest.raises(NoText, match=says) as caught:
        readers(text)[1].text(record)
    assert "SECRET" not in str(caught.value)


def test_a_pack_that_fails_on_a_record_is_an_error_of_that_record() -> None:
    class Broken:
        name = "broken"
        versions = (1,)

        def render(self, record: dict[str, object], version: int) -> str:
            raise IndexError(f"SECRET {record}")

    _, served = readers(TASKS[4])
    way = served.way
    object.__setattr__(way, "pack", (Broken(), 1))
    with pytest.raises(NoText, match=r"pack 'broken' cannot render the record \(IndexError\)") as e:
        served.text({"text": "SECRET"})
    assert "SECRET" not in str(e.value)


def test_a_renderer_that_this_machine_lacks_is_told() -> None:
    from whichlever.errors import TaskError

    with pytest.raises(TaskError, match="nowhere"):
        RecordReader(Reader(pack="nowhere@1"))
