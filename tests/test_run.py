"""RUN folders: one writer, whole files, no foreign folders."""

from __future__ import annotations

import subprocess
import sys

import pytest

from whichlever.errors import RunError
from whichlever.run import digest, locked, read_json, write_json, written_aside


def test_two_writers_are_refused(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom whichlever.run import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    run = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline().strip() == "held"
        with pytest.raises(RunError, match="in use"), locked(run):
            pass
        other.kill()
    with locked(run):  # a killed writer leaves no lock behind
        assert (run / "lock").exists()


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(RunError, match=r"thesis\.docx"), locked(tmp_path):
        pass
    assert (tmp_path / "thesis.docx").read_text() == "mine"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "verdict.json"
    write_json(path, {"old": 1})

    def fail_halfway() -> None:
        with written_aside(path) as aside:
            aside.write_text("half")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        fail_halfway()
    assert read_json(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["verdict.json"]


def test_damaged_json_says_what_to_do(tmp_path):
    (tmp_path / "verdict.json").write_text("{")
    with pytest.raises(RunError, match="run compare again"):
        read_json(tmp_path / "verdict.json")


def test_digest_ignores_key_order_and_sees_values():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_refused_writer_touches_nothing_of_the_first(tmp_path):
    run = tmp_path / "run"
    code = (
        "import sys\nfrom pathlib import Path\nfrom whichlever.run import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline().strip() == "held"
        (run / ".wl-half.json").write_text("half")
        with pytest.raises(RunError), locked(run):
            pass
        assert (run / ".wl-half.json").exists()
        other.kill()
