"""A pack's renderer never sees the answer."""

from __future__ import annotations

import json

import pytest

from whichlever.data import read_dataset
from whichlever.render.record import without
from whichlever.task import Task


@pytest.mark.parametrize(("target", "alert"), [
    ("outcome", {"outcome": "critical-answer", "message": "login failed"}),
    ("/review/outcome", {"review": {"outcome": "critical-answer"}, "message": "login failed"}),
])  # fmt: skip
def test_the_target_is_not_in_the_rendered_text(tmp_path, target, alert):
    benign = json.loads(json.dumps(alert).replace("critical-answer", "noise-answer"))
    rows = [{**(alert, benign)[i % 2], "id": f"r{i}"} for i in range(8)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    task = Task.parse(
        f"task: blind\npack: triage@1\ndata: {{rows: rows.jsonl, id: id, target: {target}}}\n",
        folder=tmp_path,
    )
    texts = [row.text for row in read_dataset(task).rows]
    assert len(set(texts)) == 1
    assert "answer" not in texts[0]
    assert "login failed" in texts[0]


def test_without_changes_nothing_in_place():
    record = {"a": {"b": [1, {"c": 2}]}, "d": 3}
    assert without(record, ["/a/b/1/c", "d", None, "missing"]) == {"a": {"b": [1, {}]}}
    assert record == {"a": {"b": [1, {"c": 2}]}, "d": 3}
