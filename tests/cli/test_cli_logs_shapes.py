"""``whichlever logs shapes`` and ``export``."""

import json

import pytest

from infer.shapes.make_book import SCHEMA, labelled, login
from whichlever.cli import main
from whichlever.infer.shapes import ShapeBook


@pytest.fixture
def book(tmp_path):
    made = ShapeBook(SCHEMA)
    for n in range(5):
        made.learn(*login(f"u{n}", f"10.0.0.{n}", str(n)), labelled=True)
        line = f"\x1b[31mred {n}: user eve{n} gone"
        made.learn(line, labelled(line, user=f"eve{n}"), "dev\x07ice", labelled=True)
    path = tmp_path / "shapes.json"
    path.write_bytes(made.to_bytes())
    return path


def test_shapes_are_shown_and_nothing_of_them_acts_on_the_terminal(book, capsys):
    assert main(["logs", "shapes", str(book)]) == 0
    shown = capsys.readouterr().out
    assert "2 shapes, 0 withdrawn" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_shapes_as_json(book, capsys):
    assert main(["logs", "shapes", str(book), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["shapes"]
    patterns = [one["pattern"] for one in found]
    assert "login: user <user.name> from <client.ip|source.ip> port <source.port>" in patterns
    assert found[0]["lines"] == 5


@pytest.mark.parametrize(("to", "file"), [("vrl", "all.vrl"), ("grok", "patterns/all")])
def test_export_writes_a_folder_once(book, tmp_path, capsys, to, file):
    out = tmp_path / to
    assert main(["logs", "export", str(book), "--to", to, "-o", str(out)]) == 0
    assert "login" in (out / file).read_text()
    assert main(["logs", "export", str(book), "--to", to, "-o", str(out)]) == 2
    assert "empty folder" in capsys.readouterr().err


def test_another_format_or_another_file_is_one_clear_line(book, tmp_path, capsys):
    assert main(["logs", "export", str(book), "--to", "awk", "-o", str(tmp_path / "o")]) == 2
    assert "grok and vrl" in capsys.readouterr().err
    (tmp_path / "no.json").write_text("{}")
    assert main(["logs", "shapes", str(tmp_path / "no.json")]) == 2
