"""The simulated devices: seeded, marked as simulated, and their fields really in their lines."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest

from whichlever.fields.align import align
from whichlever.fields.spans import LabelledLine
from whichlever.fields.timestamps import instant
from whichlever.packs.logs import pack
from whichlever.packs.logs.clock import Moment
from whichlever.packs.logs.pattern import Pattern
from whichlever.packs.logs.simulate import simulate, simulate_lines
from whichlever.packs.logs.sources import SOURCES
from whichlever.task import Task

ROWS = simulate(1200, 3)


def test_the_same_seed_gives_the_same_bytes() -> None:
    said = json.dumps([line.row for line in simulate(300, 0)], sort_keys=True)
    assert said == json.dumps([line.row for line in simulate(300, 0)], sort_keys=True)
    assert said != json.dumps([line.row for line in simulate(300, 1)], sort_keys=True)
    assert [*simulate_lines(50, 2)] == [*itertools.islice(simulate_lines(10**9, 2), 50)]


def test_every_row_says_that_it_is_simulated_and_what_it_is() -> None:
    for line in ROWS:
        assert line.row["simulated"] is True
        assert set(line.row) == {"id", "simulated", "source", "path", "time", "raw", "fields"}
        assert line.truth()["simulated"] is True
    assert len({line.row["id"] for line in ROWS}) == len(ROWS)
    assert {line.row["source"] for line in ROWS} == {source.name for source in SOURCES}


def test_sources_have_five_to_thirty_shapes_and_rare_ones_are_in_few_files() -> None:
    assert all(5 <= len(source.shapes) <= 30 for source in SOURCES)
    files: dict[str, set[str]] = {}
    for line in simulate(6_000, 0):
        files.setdefault(line.shape, set()).add(line.row["path"])
    spread = Counter(len(found) for found in files.values())
    assert spread[8] > 20
    assert sum(count for number, count in spread.items() if number <= 4) > 20


def test_nearly_every_value_is_found_in_its_line() -> None:
    lines = [LabelledLine(r.row["raw"], r.row["fields"], r.row["source"]) for r in ROWS]
    assert align(lines).share > 0.99


def test_a_stamp_means_its_instant_in_whatever_manner_it_is_written() -> None:
    for line in ROWS:
        if (said := line.row["fields"].get("@timestamp")) is not None:
            assert instant(said) // 1000 == line.row["time"]


def test_a_line_is_the_same_with_and_without_its_fields() -> None:
    pattern = Pattern("{ip_in:source.ip}[? opt {port}?] {=source.ip} {{x}} {!7:event.code}")

    def dice() -> Moment:
        numbers = itertools.cycle([0.1, 0.7, 0.3])
        return Moment(lambda: next(numbers), 0)

    assert pattern.line(dice()) == pattern.draw(dice()).text
    with pytest.raises(ValueError, match="slot"):
        Pattern("{nonsense}")
    with pytest.raises(ValueError, match="closed"):
        Pattern("[? a")


def test_the_template_is_a_task_of_this_kind(tmp_path: Path) -> None:
    pack.write_template(tmp_path / "a")
    pack.write_template(tmp_path / "b")
    task = Task.load(tmp_path / "a" / "task.yaml")
    assert (task.kind, task.pack, task.data.split.by) == ("extract", "logs@1", "shape")
    names = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(names) == 5 + len(SOURCES)
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert "@" not in (tmp_path / "a" / "README.md").read_text().replace("@timestamp", "")
    pack.write_template(tmp_path / "o", format="ocsf")
    with (tmp_path / "o" / "task.yaml").open() as file:
        assert "OCSF" in file.read()
