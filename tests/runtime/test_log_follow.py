"""Files that grow and rotate: every line once, in order, in this process and after a restart."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from whichlever.errors import DataError, InputError
from whichlever.runtime.logs.files import Files, paths_of
from whichlever.runtime.logs.follow import GRACE, Follow
from whichlever.runtime.logs.lines import Line
from whichlever.runtime.logs.position import Position, position, rotations, unread


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    for reader in Reader.all:
        reader.feed.close()
    Reader.all.clear()


class Reader:
    """A follower whose clock is moved by hand, and what it has given."""

    all: ClassVar[list[Reader]] = []

    def __init__(self, path: Path, after: dict[str, Position] | None = None) -> None:
        self.now, self.path = 0.0, path
        self.feed = Follow({path: None}, after or {}, clock=lambda: self.now)
        self.lines: list[Line] = []
        self.all.append(self)

    def read(self, until: int = 12) -> list[str]:
        for _ in range(until):
            self.lines += [line for line in self.feed.take() if line.data is not None]
            self.now += GRACE / 4
        return self.said()

    def said(self) -> list[str]:
        return [(line.data or b"").decode() for line in self.lines]

    def after(self) -> dict[str, Position]:
        last = self.lines[-1]
        return {str(self.path): position(last.origin, last.end)}


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_what_is_added_is_read_and_an_unfinished_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    reader = Reader(path)
    assert reader.read() == []  # it is not there yet
    add(path, "a", "b")
    with path.open("a") as file:
        file.write("half")
    assert reader.read() == ["a", "b"]
    add(path, " whole", "c")
    assert reader.read() == ["a", "b", "half whole", "c"]
    with path.open("a") as file:
        file.write("torn")
    reader.feed.stop()
    reader.read()
    assert reader.feed.ended
    assert (reader.said()[-1], reader.feed.unfinished) == ("c", 4)
    again = Reader(path, reader.after())
    add(path, " no more")
    assert again.read() == ["torn no more"]


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    add(path, "a")
    reader = Reader(path)
    reader.read()
    path.rename(tmp_path / "app.log.1")
    add(path, "c")
    add(tmp_path / "app.log.1", "b")  # its writer has not opened the new one yet
    assert reader.read() == ["a", "b", "c"]
    path.rename(tmp_path / "app.log.2")  # twice while nobody looked
    add(path, "d")
    path.rename(tmp_path / "app.log.3")
    add(path, "e")
    assert reader.read(20) == ["a", "b", "c", "d", "e"]


def test_copied_and_truncated(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    add(path, "a", "b")
    reader = Reader(path)
    reader.read()
    add(path, "c")  # not read yet
    shutil.copy2(path, tmp_path / "app.log.1")
    os.truncate(path, 0)
    add(path, "d")
    assert reader.read() == ["a", "b", "c", "d"]
    os.truncate(path, 0)
    add(path, "e is a longer line than all of before, so the size alone says nothing")
    assert reader.read()[4:] == [
        "e is a longer line than all of before, so the size alone says nothing"
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_after_a_restart_the_rotated_files_are_found_by_what_they_begin_with(
    tmp_path: Path, packed: bool
) -> None:
    path = tmp_path / "app.log"
    add(path, "a", "b")
    reader = Reader(path)
    reader.read()
    add(path, "c")
    # while nothing runs: rotated three times, the oldest packed
    path.rename(tmp_path / "app.log.3")
    os.utime(tmp_path / "app.log.3", (1_000, 1_000))
    if packed:
        whole = (tmp_path / "app.log.3").read_bytes()
        (tmp_path / "app.log.3.gz").write_bytes(gzip.compress(whole))
        os.utime(tmp_path / "app.log.3.gz", (1_001, 1_001))
        (tmp_path / "app.log.3").unlink()
    for place, name in enumerate(("app.log.2", "app.log.1")):
        add(tmp_path / name, f"d{place}")
        os.utime(tmp_path / name, (2_000 + place, 2_000 + place))
    add(tmp_path / "apple.log", "of another program")
    add(path, "e")
    again = Reader(path, reader.after())
    assert again.read(30) == ["c", "d0", "d1", "e"]
    assert again.feed.warnings == []


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    add(path, "a")
    reader = Reader(path)
    reader.read()
    path.unlink()
    add(path, "another begins")
    again = Reader(path, reader.after())
    assert again.read() == ["another begins"]
    assert "gone" in again.feed.warnings[0]
    assert again.feed.lost() == {"files": 1}


def test_names_that_rotation_makes(tmp_path: Path) -> None:
    names = ["app.log.1", "app.log.2.gz", "app.log-20240601", "app-20240601.log", "app.1.log",
             "app-2024-06-01T10.log.gz"]  # fmt: skip
    for name in [*names, "apple.log", "app.log2", "other.log", "app.log"]:
        (tmp_path / name).write_text("")
    assert sorted(p.name for p in rotations(tmp_path / "app.log")) == sorted(names)


def test_any_history_of_writes_rotations_and_restarts_gives_every_line_once(
    tmp_path: Path,
) -> None:
    for seed in range(25):
        dice, folder = random.Random(seed), tmp_path / str(seed)
        folder.mkdir()
        path, made, number = folder / "app.log", 0, 1
        add(path, "line 0")
        reader, said = Reader(path), []
        reader.read(1)
        for step in range(40):
            what = dice.choice(["add", "add", "read", "read", "rename", "copy", "restart"])
            if what == "add":
                add(path, *(f"line {number + i}" for i in range(3)))
                number += 3
            elif what == "read":
                reader.read(dice.choice([1, 12]))
            elif what in ("rename", "copy") and path.exists() and path.stat().st_size > 8:
                made += 1
                if what == "rename":
                    path.rename(folder / f"app.log.{made}")
                    add(path)
                else:
                    reader.read(12)  # what it has never looked at, no copy can be told by
                    add(path, f"line {number}")
                    number += 1
                    shutil.copy(path, folder / f"app.log.{made}")
                    os.truncate(path, 0)
                os.utime(folder / f"app.log.{made}", (step * 10, step * 10))
                if dice.random() < 0.5:
                    reader.read(12)
            elif what == "restart" and reader.lines:
                after = reader.after()
                said += reader.said()
                reader.feed.close()
                reader = Reader(path, after)
        reader.read(60)
        said += reader.said()
        assert said == [f"line {i}" for i in range(number)], seed


def test_files_to_their_end_plain_and_packed(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(b"three\n"))
    names = [tmp_path / "a.log", tmp_path / "b.log.gz"]
    feed, lines = Files(dict.fromkeys(names), {}), []
    while not feed.ended:
        lines += [line for line in feed.take() if line.data is not None]
    assert [line.data for line in lines] == [b"one\r", b"two", b"three"]
    assert [line.end for line in lines] == [8, 11, 6]
    with pytest.raises(InputError, match="no such file"):
        Files({tmp_path / "c.log": None}, {})
    assert paths_of([str(tmp_path / "*.log*")]) == names
    with pytest.raises(InputError, match="matches no file"):
        paths_of([str(tmp_path / "*.txt")])
    with pytest.raises(InputError, match="twice"):
        paths_of([str(tmp_path / "a.log"), str(tmp_path / "a*")])


def test_a_packed_file_that_breaks_off_is_said_after_its_lines(tmp_path: Path) -> None:
    lines = "".join(f"line {i}\n" for i in range(60_000)).encode()
    whole = gzip.compress(lines)
    (tmp_path / "a.gz").write_bytes(whole[: len(whole) - 20])
    feed, given = Files({tmp_path / "a.gz": None}, {}), list[Line]()

    def read() -> None:
        while not feed.ended:
            given.extend(feed.take())

    with pytest.raises(DataError, match=r"a\.gz: the gzip data is damaged or cut off"):
        read()
    assert len(given) > 1_000
    feed.close()
    assert unread(tmp_path / "none", None) == ([], None)
