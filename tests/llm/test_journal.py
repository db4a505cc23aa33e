from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.llm.journal import Journal, journal_key


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.integers(min_value=0, max_value=200))
def test_whatever_a_kill_tore_off_the_whole_lines_stand(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j.jsonl"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    for i in range(3):
        journal.keep(f"k{i}", {"value": [i, 0.1 + i]})
    raw = path.read_bytes()
    path.write_bytes(raw[: max(0, len(raw) - cut)])
    again = Journal(path)
    assert [again.get(f"k{i}") for i in range(len(again))] == [
        {"key": f"k{i}", "value": [i, 0.1 + i]} for i in range(len(again))
    ]
    again.keep("more", {"value": 1})
    assert len(Journal(path)) == len(again)


def test_the_first_answer_to_a_question_stands(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.keep("k", {"value": 1})
    assert journal.keep("k", {"value": 2})["value"] == 1
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == 1


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'\xff\xfe\n[1]\n{"key": 3}\n{"key": "k", "value": 1}\n')
    assert len(Journal(path)) == 1


def test_a_key_is_of_the_whole_question_and_survives_odd_text() -> None:
    assert journal_key({"a": 1, "b": "é\ud800"}) == journal_key({"b": "é\ud800", "a": 1})
    assert journal_key("a", "b") != journal_key("ab")
