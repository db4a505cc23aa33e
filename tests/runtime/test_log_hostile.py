"""Hostile input to `run --format logs`: an error row in its place or a clear stop, nothing lost."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_parser import SmallParser, finish
from whichlever.fields.spans import Parsed
from whichlever.runtime.logs.answering import MAX_CHARS, Answering
from whichlever.runtime.logs.events import event
from whichlever.runtime.logs.lines import MAX_LINE, Origin
from whichlever.runtime.logs.record import MANNERS, Records


def documents(data: bytes) -> list[dict[str, Any]]:
    assert data.isascii()
    return [json.loads(line, parse_constant=pytest.fail) for line in data.splitlines()]


def test_each_bad_line_is_answered_or_an_error_in_its_place() -> None:
    long = b"10.0.0.1 192.0.2.1 " + b"m" * 1_000_000
    given = [
        b"good 10.0.0.1 192.0.2.1", b"", b"   ", b"nul \0 10.0.0.2",
        b"bad \xff\xfe 10.0.0.3 10.0.0.4", b"esc \x1b]0;owned\x07\x1b[31m 10.0.0.5",
        b"\x9b31m \xc2\x9b31m \xe2\x80\xae 10.0.0.6", long, b"crash",
        b'%s %d {} \\u0000 "quoted"', b"\xed\xa0\x80 half a pair", b"last 10.0.0.7 10.0.0.8",
    ]  # fmt: skip
    done = finish("-i", "-", given=b"\n".join(given))
    assert done.returncode == 0
    said = documents(done.stdout)
    assert len(said) == len(given)
    assert [d["whichlever"]["id"] for d in said] == [*range(1, len(given) + 1)]
    assert [i for i, d in enumerate(said) if "error" in d] == [1, 2, 7, 8]
    for line, document in zip(given, said, strict=True):
        kept = document["whichlever"].get("original_base64")
        raw = document["event"]["original"].encode() if kept is None else base64.b64decode(kept)
        assert raw == line
    assert said[7]["event"]["original"] == long.decode()
    assert f"{MAX_CHARS:,}" in said[7]["error"]["message"]
    assert said[4]["source"]["ip"] == "10.0.0.3"  # offsets count after decoding
    assert b"\x1b" not in done.stderr
    assert b"4 error rows" in done.stderr


def test_a_line_longer_than_memory_allows_comes_in_pieces() -> None:
    line = bytes(range(1, 10)) + b"a" * (MAX_LINE + 5_000) + "é".encode()
    done = finish("-i", "-", given=line + b"\nnext 10.0.0.1 10.0.0.2\n")
    first, second, last = documents(done.stdout)
    assert first["log"]["flags"] == ["piece:1"]
    assert "piece" in second["error"]["message"]
    assert (first["event"]["original"] + second["event"]["original"]).encode() == line
    assert last["source"]["ip"] == "10.0.0.1"


def test_a_truncated_gz_stops_with_one_line_after_what_was_read(tmp_path: Path) -> None:
    lines = b"".join(b"line %d 10.0.0.1\n" % i for i in range(30_000))
    whole = gzip.compress(lines)
    log, out = tmp_path / "a\x1b[31m.gz", tmp_path / "out.jsonl"
    log.write_bytes(whole[: len(whole) * 2 // 3])
    done = finish("-i", str(log), "-o", str(out))
    assert done.returncode == 2
    assert b"damaged or cut off" in done.stderr.splitlines()[-1]
    assert b"\x1b" not in done.stderr
    kept = len(documents(out.read_bytes()))
    assert kept > 5_000
    log.write_bytes(whole)  # copied again: the same command goes on
    again = finish("-i", str(log), "-o", str(out))
    assert again.returncode == 0
    assert [d["event"]["original"] for d in documents(out.read_bytes())] == (
        lines.decode().splitlines()
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 KB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = os.geteuid() == 0 and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)],
            capture_output=True, check=False,
        ).returncode == 0
    )  # fmt: skip
    if not mounted:
        pytest.skip("no tmpfs can be mounted here: it needs root and the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_line_no_torn_line_and_the_same_command_goes_on(
    small_disk: Path, tmp_path: Path
) -> None:
    log, out = tmp_path / "a.log", small_disk / "out.jsonl"
    lines = [f"line {i} 10.0.0.1 to 192.0.2.1" for i in range(4_000)]
    log.write_text("".join(f"{line}\n" for line in lines))
    state = tmp_path / "state.json"
    command = ("-i", str(log), "-o", str(out), "--state", str(state))
    done = finish(*command)
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
    assert done.stderr.count(b"\n") == 1
    whole = len(documents(out.read_bytes()))  # every line in it is a whole one
    assert 0 < whole < 4_000
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert finish(*command).returncode == 0
    assert [d["event"]["original"] for d in documents(out.read_bytes())] == lines


def test_a_disk_that_is_full_for_the_checkpoint_too(small_disk: Path, tmp_path: Path) -> None:
    log, out = tmp_path / "a.log", small_disk / "out.jsonl"
    log.write_text("".join(f"line {i} 10.0.0.1 to 192.0.2.1\n" for i in range(4_000)))
    done = finish("-i", str(log), "-o", str(out))
    assert done.returncode == 2
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    again = finish("-i", str(log), "-o", str(out))
    if again.returncode:  # no checkpoint was ever written: it says so, and --restart begins anew
        assert b"--restart" in again.stderr
        again = finish("-i", str(log), "-o", str(out), "--restart")
    assert again.returncode == 0
    assert len(documents(out.read_bytes())) == 4_000


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(MANNERS), st.booleans())
def test_any_bytes_give_one_line_of_strict_json(data: bytes, manner: str, unsure: bool) -> None:
    records = Records(manner, 0.95 if unsure else None, lambda f, raw, source, said: {
        "raw": raw, "fields": dict(f), "said": dict(said)})  # fmt: skip
    said = Answering(SmallParser(), records).answer([event(data, Origin("x"), 0)])
    assert said.count(b"\n") == 1
    (document,) = documents(said)
    json.dumps(document, ensure_ascii=False).encode("utf-8")  # no half pairs


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=5) | st.integers() | st.floats()
                       | st.lists(st.text(max_size=3)), max_size=6))  # fmt: skip
def test_any_names_and_values_are_written_as_they_are(fields: dict[str, Any]) -> None:
    parsed = Parsed((), 1.0, None, fields)
    for manner in ("ecs", "dotted"):
        records = Records(manner)
        for _ in range(2):  # the second time by the layout that was remembered
            (document,) = documents(records.line(1, event(b"x", Origin("x"), 0), parsed))
            if manner == "dotted":
                for name, value in fields.items():
                    finite = not isinstance(value, float) or abs(value) < float("inf")
                    if name not in ("event.original",) and not name.startswith("whichlever."):
                        assert document[name] == (value if finite else None)


def test_a_parser_that_breaks_on_one_line_answers_the_others() -> None:
    events = [event(line, Origin("x"), 0) for line in (b"10.0.0.1", b"crash", b"10.0.0.2")]
    answering = Answering(SmallParser(), Records("answers"))
    said = documents(answering.answer(events))
    assert ["error" in line for line in said] == [False, True, False]
    assert "ValueError" in said[1]["error"]
    assert (answering.errors, answering.events) == (1, 3)
