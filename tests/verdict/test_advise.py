"""The situation table, from constraints alone."""

import pytest

from make_outcome import task
from whichlever.verdict import advise

SITUATIONS = {
    "unique proprietary data or patterns": "finetune",
    "cheap at high volume": "finetune",
    "data cannot leave your infrastructure": "finetune",
    "fresh or live knowledge": "rag",
    "prototyping, or the task changes often": "prompt",
    "general reasoning over documents": "rag",
}

EACH = [
    ("unique proprietary data or patterns", "proprietary: true", "proprietary: false"),
    ("cheap at high volume", "calls_per_month: 10_000_000", "calls_per_month: 999"),
    ("data cannot leave your infrastructure", "data_may_leave: false", "data_may_leave: true"),
    ("fresh or live knowledge", "knowledge_changes: live", "knowledge_changes: never"),
    ("prototyping, or the task changes often", "task_changes: weekly", "task_changes: rarely"),
]


def row(extra, situation):
    return {a.situation: a for a in advise(task(extra))}[situation]


def test_six_situations():
    assert {a.situation: a.lever for a in advise(task())} == SITUATIONS


@pytest.mark.parametrize(("situation", "yes", "no"), EACH)
def test_each_is_answered_with_the_constraint_and_its_value(situation, yes, no):
    for setting, holds in ((yes, True), (no, False)):
        found = row(f"constraints: {{{setting}}}\n", situation)
        key, value = setting.split(": ")
        assert found.holds is holds
        assert f"constraints.{key}" in found.reason
        shown = f"{int(value):,}" if value[0].isdigit() else value
        assert shown in found.reason


def test_documents():
    assert row("documents: runbooks/\n", "general reasoning over documents").holds
    assert not row("", "general reasoning over documents").holds
