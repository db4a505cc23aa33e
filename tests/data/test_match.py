import json
from pathlib import Path

import pytest

from whichlever.data import read_dataset
from whichlever.errors import TaskError
from whichlever.task import Task

TASK = """\
version: 1
task: t
data: {rows: rows.jsonl, input: event, match: rule, target: label}
labels: [a, b]
"""


def test_the_description_reaches_the_text_only_as_marks(tmp_path: Path) -> None:
    row = {"rule": "Bucket deleted", "event": '{"name": "DeleteBucket"}', "label": "a"}
    other = {**row, "rule": {"title": "Role changed"}, "label": "b"}
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, [row, other] * 3)))
    rows = read_dataset(Task.parse(TASK, folder=tmp_path)).rows
    assert rows[0].text.startswith('{"name": "DeleteBucket"}\nhas_bucket lacks_deleted found_5')
    assert "lacks_role" in rows[1].text
    assert "Bucket deleted" not in rows[0].text


def test_a_pack_renders_by_itself() -> None:
    with pytest.raises(TaskError, match="plain columns"):
        Task.parse(TASK.replace("task: t", "task: t\npack: triage@1"))
