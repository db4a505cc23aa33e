"""`whichlever run`: every row answered in its place, and a killed run ends with the same bytes."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_bundle import tiny_bundle
from whichlever.bundle import Opened, open_bundle
from whichlever.cli import main
from whichlever.errors import DataError, InputError
from whichlever.runtime.inputs import MAX_LINE, parse
from whichlever.runtime.model import BATCH
from whichlever.runtime.stream import Options, run_file


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return open_bundle(tiny_bundle(tmp_path_factory.mktemp("b") / "m.wl"), allow_unsigned=True)


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"r{i}", "text": f"{'mimikatz dumped' if i % 3 else 'backup job'} on host {i}"}
        for i in range(count)
    ]


def jsonl(path: Path, given: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in given))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_order_is_kept_and_bad_rows_are_said_in_place(opened: Opened, tmp_path: Path) -> None:
    good = [json.dumps(r).encode() for r in rows(6)]
    content = b"\n".join(
        [b"\xef\xbb\xbf" + good[0], b"{bad", good[1] + b"\r", b"", b"[1]", b'{"id": "x"}',
         b'{"id": "u", "text": "\xff"}', b'{"id": 7, "text": ""}', b"[" * 100_000,
         b'{"id": "n", "text": ' + b"9" * 5_000 + b"}", b"{" + b" " * MAX_LINE + b"}", good[2],
         b'{"id": "s", "text": "half \\ud800"}', b'{"id":"z","text":"nul \\u0000 \\u001b[31m"}',
         good[3]]
    )  # fmt: skip
    (tmp_path / "in.jsonl").write_bytes(content)
    done = run_file(opened, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    said = lines(tmp_path / "out.jsonl")
    assert len(said) == done.rows == 15
    assert [i for i, line in enumerate(said) if "error" in line] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert [said[i]["id"] for i in (0, 2, 5, 7, 11, 13, 14)] == [
        "r0",
        "r1",
        "x",
        7,
        "r2",
        "z",
        "r3",
    ]
    assert set(said[0]) == {"id", "label", "scores", "abstain"}
    assert (tmp_path / "out.jsonl").read_bytes().isascii()


def test_every_format_gives_the_same_answers(opened: Opened, tmp_path: Path) -> None:
    given = rows(700)
    jsonl(tmp_path / "a.jsonl", given)
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write((tmp_path / "a.jsonl").read_text())
    with (tmp_path / "c.csv").open("w", newline="") as out:
        table = csv.DictWriter(out, ["id", "text"])
        table.writeheader()
        table.writerows(given)
    pq.write_table(pa.Table.from_pylist(given), tmp_path / "d.parquet")
    wanted = None
    for name in ("a.jsonl", "b.jsonl.gz", "c.csv", "d.parquet"):
        run_file(opened, tmp_path / name, tmp_path / f"{name}.out.jsonl")
        found = (tmp_path / f"{name}.out.jsonl").read_bytes()
        wanted = wanted or found
        assert found == wanted, name


def test_csv_out_has_no_formulas(opened: Opened, tmp_path: Path) -> None:
    jsonl(tmp_path / "in.jsonl", [{"id": "=cmd()", "text": "backup"}, {"id": "b"}])
    run_file(opened, tmp_path / "in.jsonl", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert table[0]["id"] == "'=cmd()"
    assert float(table[0]["score.noise"]) > 0.5
    assert table[1]["error"]


def test_a_csv_row_of_another_length_is_an_error_row(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b'id,text\n1,backup\n2\n3,"two\nlines"\n4,\xff\n5,backup\n')
    run_file(opened, tmp_path / "in.csv", tmp_path / "out.jsonl")
    said = lines(tmp_path / "out.jsonl")
    assert ["error" in line for line in said] == [False, True, False, True, False]


def program(bundle: Path, source: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "whichlever", "run", str(bundle), "--allow-unsigned",
            "-i", str(source), "-o", str(out), *more]  # fmt: skip


def test_kill_minus_nine_and_again_ends_byte_equal(opened: Opened, tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "m.wl")
    source = jsonl(tmp_path / "in.jsonl", rows(30_000))
    run_file(opened, source, tmp_path / "whole.jsonl")
    out, part, dice = tmp_path / "out.jsonl", tmp_path / "out.jsonl.part", random.Random(3)
    kills = 0
    for _ in range(4):
        child = subprocess.Popen(program(bundle, source, out), stderr=subprocess.DEVNULL)
        begun = part.stat().st_size if part.exists() else 0
        while child.poll() is None and (not part.exists() or part.stat().st_size <= begun):
            time.sleep(0.005)  # until it writes, however busy the machine is
        time.sleep(dice.uniform(0, 0.4))
        if kills < 3:
            child.kill()
        kills += child.wait(120) == -signal.SIGKILL
    assert kills >= 1
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not part.exists()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_from_any_torn_state_the_same_bytes_come_out(
    data: st.DataObject, opened: Opened, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A part cut or overgrown anywhere, with the journal of an earlier mark, or none."""
    folder = tmp_path_factory.mktemp("torn")
    source = jsonl(folder / "in.jsonl", rows(3 * BATCH + 17))
    run_file(opened, source, folder / "whole.jsonl")
    whole = (folder / "whole.jsonl").read_bytes()
    mark = data.draw(st.integers(0, 3)) * BATCH
    certain = sum(map(len, whole.splitlines(keepends=True)[:mark]))
    at = sum(map(len, source.read_bytes().splitlines(keepends=True)[:mark]))
    journal = json.loads((folder / ".whole.jsonl.job.json").read_text())
    labels = [json.loads(line)["label"] for line in whole.splitlines()[:mark]]
    counts = [[x, labels.count(x)] for x in sorted(set(labels))]
    journal["mark"] |= {"rows": mark, "at": at, "out": certain, "labels": counts, "done": False}
    (folder / ".out.jsonl.job.json").write_text(json.dumps(journal))
    tail = data.draw(st.binary(max_size=300)) or whole[certain : certain + 100]
    (folder / "out.jsonl.part").write_bytes(whole[:certain] + tail)
    done = run_file(opened, source, folder / "out.jsonl")
    assert (folder / "out.jsonl").read_bytes() == whole
    assert done.rows == 3 * BATCH + 17
    assert sum(done.labels.values()) == done.rows


def test_a_finished_job_is_not_done_again_and_another_is_not_mixed_in(
    opened: Opened, tmp_path: Path
) -> None:
    source = jsonl(tmp_path / "in.jsonl", rows(10))
    run_file(opened, source, tmp_path / "out.jsonl")
    assert run_file(opened, source, tmp_path / "out.jsonl").fresh_rows == 0
    jsonl(source, rows(11))
    with pytest.raises(InputError, match="--restart"):
        run_file(opened, source, tmp_path / "out.jsonl")
    assert run_file(opened, source, tmp_path / "out.jsonl", restart=True).rows == 11
    whole = (tmp_path / "out.jsonl").read_bytes()
    (tmp_path / "out.jsonl").unlink()  # somebody moved the answers away
    assert run_file(opened, source, tmp_path / "out.jsonl").fresh_rows == 11
    assert (tmp_path / "out.jsonl").read_bytes() == whole
    (tmp_path / "two.jsonl.part").write_bytes(b"of another run")
    with pytest.raises(InputError, match="another run"):
        run_file(opened, source, tmp_path / "two.jsonl")
    with pytest.raises(InputError, match="of their own"):
        run_file(opened, source, source)


def test_a_truncated_gz_stops_with_one_line_and_keeps_what_was_answered(
    opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gzip.compress("".join(json.dumps(r) + "\n" for r in rows(5_000)).encode())
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="breaks off"):
        run_file(opened, source, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl.part").stat().st_size > 0
    bundle = tiny_bundle(tmp_path / "m.wl")
    code = main(program(bundle, source, tmp_path / "o2.jsonl")[3:])
    assert code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(
    opened: Opened, tmp_path: Path
) -> None:
    bundle = tiny_bundle(tmp_path / "m.wl")
    source = jsonl(tmp_path / "in.jsonl", rows(20_000))
    run_file(opened, source, tmp_path / "whole.jsonl")

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    out = tmp_path / "out.jsonl"
    done = subprocess.run(
        program(bundle, source, out), preexec_fn=small, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert f"{out}: File too large; make room" in done.stderr
    assert done.stderr.count("\n") == 1
    subprocess.run(program(bundle, source, out), check=True, capture_output=True)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_pipe_answers_each_line_at_once(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "m.wl")
    command = program(bundle, Path("-"), Path("-"), "--explain", "2")
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdin is not None
    assert child.stdout is not None
    for row in rows(3):
        child.stdin.write(json.dumps(row).encode() + b"\n")
        child.stdin.flush()
        said = json.loads(child.stdout.readline())  # before the next line is written
        assert said["id"] == row["id"]
        assert said["why"][0]["text"]
    child.stdin.close()
    assert child.wait(20) == 0
    child.stdout.close()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "m.wl")

    def peak(count: int) -> int:
        source = jsonl(tmp_path / f"{count}.jsonl", rows(count))
        command = program(bundle, source, tmp_path / f"{count}.out.jsonl")
        child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert status == 0
        return used.ru_maxrss

    assert peak(100_000) < 1.15 * peak(5_000)


@given(st.binary(max_size=400))
def test_any_line_is_a_record_or_says_why(line: bytes) -> None:
    record, error = parse(line)
    assert (record is None) != (error is None)


def test_options_are_part_of_the_job(opened: Opened, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", rows(10))
    run_file(opened, source, tmp_path / "out.jsonl", Options(scores=False))
    assert "scores" not in lines(tmp_path / "out.jsonl")[0]
    with pytest.raises(InputError):
        run_file(opened, source, tmp_path / "out.jsonl")


def test_an_input_that_changed_in_its_middle_is_another_job(opened: Opened, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", rows(1_000))
    run_file(opened, source, tmp_path / "out.jsonl")
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 1
    source.write_bytes(content)
    with pytest.raises(InputError, match="there already"):
        run_file(opened, source, tmp_path / "out.jsonl")


def test_one_writes_and_the_other_is_told(opened: Opened, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    source = jsonl(tmp_path / "in.jsonl", rows(10))
    with (tmp_path / "out.jsonl.part").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another process"):
            run_file(opened, source, tmp_path / "out.jsonl")
    assert run_file(opened, source, tmp_path / "out.jsonl").rows == 10


def test_a_pipe_into_a_csv_is_csv(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "m.wl")
    said = b"".join(json.dumps(r).encode() + b"\n" for r in rows(3))
    subprocess.run(program(bundle, Path("-"), tmp_path / "o.csv"), input=said, check=True,
                   capture_output=True)  # fmt: skip
    with (tmp_path / "o.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["r0", "r1", "r2"]


def test_every_line_out_is_json_whatever_the_id(opened: Opened, tmp_path: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    source = tmp_path / "in.jsonl"
    source.write_text('{"id": NaN, "text": "x"}\n{"id": 1e999, "text": "y"}\n')
    run_file(opened, source, tmp_path / "out.jsonl")
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        assert json.loads(line, parse_constant=refuse)["id"] is None
