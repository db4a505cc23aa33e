"""The command line as a user meets it: exit codes, one clear line, JSON for machines."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tiny import TASK, write_task
from whichlever.cli import main
from whichlever.cli.bars import duration
from whichlever.cli.output import one_line


@pytest.fixture
def task(tmp_path):
    return write_task(tmp_path)


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_help_names_every_verb(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for verb in (
        "init",
        "advise",
        "audit",
        "compare",
        "report",
        "train",
        "models",
        "schema",
        "fetch",
    ):
        assert verb in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("about:", "abuot:"),
        ("input: text", "input: txet"),
        ("target: label", "target: lable"),
        ("kind", "kind"),
    ],
)
def test_a_slip_in_the_task_is_one_line_and_exit_2(tmp_path, capsys, change, said):
    file = write_task(tmp_path, task=TASK.replace(change, said).replace("kind", "kid"))
    if change == "kind":
        file.write_text(TASK + "kidn: classify\n")
    code, _, err = run(capsys, "compare", file, "-o", tmp_path / "run")
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("whichlever: ")
    assert not (tmp_path / "run" / "verdict.json").exists()


def test_an_unknown_option_is_exit_2(capsys, task):
    code, _, err = run(capsys, "compare", task, "--otu", "x")
    assert code == 2
    assert "--otu" in err


def test_a_missing_task_file_says_how_to_make_one(capsys, tmp_path):
    code, _, err = run(capsys, "advise", tmp_path / "nothing.yaml")
    assert code == 2
    assert "whichlever init" in err


def test_errors_are_json_where_json_was_asked_for(capsys, tmp_path):
    code, out, _ = run(capsys, "advise", tmp_path / "nothing.yaml", "--json")
    assert code == 2
    assert json.loads(out)["exit_code"] == 2


def test_compare_then_report_agree_and_speak_json(capsys, task, tmp_path):
    code, out, _ = run(capsys, "compare", task, "-o", tmp_path / "run", "--json")
    assert code == 0
    first = json.loads(out)
    page = (tmp_path / "run" / "report.html").read_bytes()
    code, out, _ = run(capsys, "report", tmp_path / "run", "--json")
    assert code == 0
    assert json.loads(out)["verdict"] == first["verdict"]
    assert (tmp_path / "run" / "report.html").read_bytes() == page
    code, out, _ = run(capsys, "report", tmp_path / "run", "--redact")
    assert code == 0
    assert first["verdict"]["headline"].split(":")[0] in " ".join(out.split())


def test_audit_exits_3_on_a_leak(capsys, tmp_path):
    file = write_task(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    copies = [{**row, "id": f"copy-{row['id']}"} for row in rows[:120]]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows + copies))
    code, out, err = run(capsys, "audit", file)
    assert code == 3
    assert "leak" in out
    assert err.startswith("whichlever: ") or "\nwhichlever: " in err


def test_init_makes_a_task_that_advise_understands(capsys, tmp_path):
    code, out, _ = run(capsys, "init", "--pack", "triage", tmp_path / "new")
    assert code == 0
    assert "compare" in out
    code, out, _ = run(capsys, "advise", tmp_path / "new" / "task.yaml", "--json")
    assert code == 0
    assert len(json.loads(out)) == 6
    code, _, err = run(capsys, "init", "--pack", "triage", tmp_path / "new")
    assert code == 2
    assert "not empty" in err


def test_train_keeps_a_fit(capsys, task, tmp_path):
    code, out, _ = run(capsys, "train", task, "--lever", "linear", "-o", tmp_path / "run", "--json")
    assert code == 0
    (fit,) = json.loads(out)
    assert fit["lever"] == "linear"


def test_schema_is_a_json_schema(capsys):
    code, out, _ = run(capsys, "schema")
    assert code == 0
    assert "constraints" in json.loads(out)["properties"]


def test_a_reader_that_goes_away_is_no_crash(task):
    command = f"{sys.executable} -m whichlever schema | head -c 10"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr


def test_importing_whichlever_loads_nothing_heavy():
    heavy = "('torch', 'transformers', 'onnxruntime', 'sklearn', 'polars', 'xllamacpp', 'openai')"
    code = f"import sys, whichlever; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_messages_cannot_move_the_terminal():
    assert one_line("a\x1b[2Jb\r\nc") == "a�[2Jb c"


def test_durations_read_as_a_person_says_them():
    said = [duration(s) for s in (0.41, 42, 200, 3900)]
    assert said == ["0.4 s", "42 s", "3 min 20 s", "1 h 05 min"]


def test_a_place_that_cannot_be_written_is_one_line(capsys, task, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, _, err = run(capsys, "compare", task, "-o", tmp_path / "file" / "run")
    assert code == 2
    *steps, last = err.strip().splitlines()  # a step that took long says so in a line of its own
    assert last.startswith("whichlever: ")
    assert all(re.fullmatch(r"[a-z ]+: [\d.]+ s", step) for step in steps)


def test_init_says_the_best_possible_score(capsys, tmp_path):
    code, out, _ = run(capsys, "init", tmp_path / "new", "--json")
    assert code == 0
    assert 0.8 < json.loads(out)["best_possible"]["macro_f1"] < 1
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


def test_fetch_asks_no_host_that_was_not_named(capsys, tmp_path):
    code, _, err = run(
        capsys, "fetch", "https://data.invalid/x.csv", "--sha256", "0" * 64, "-o", tmp_path / "x"
    )
    assert code == 2
    assert "--allow-egress data.invalid" in err
    assert not (tmp_path / "x").exists()
