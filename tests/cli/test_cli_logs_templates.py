"""``whichlever logs templates`` from lines to labels to templates."""

import gzip
import json

from whichlever.cli import main

LINES = [f"user {name} logged in from 10.0.0.{n}" for n, name in enumerate(["ann", "bob", "eve"])]


def test_ask_label_and_mine(tmp_path, capsys):
    log = tmp_path / "auth.log.gz"
    log.write_bytes(gzip.compress("\n".join([*LINES, "\x1b[31mred\x00"]).encode()))
    assert main(["logs", "templates", str(log), "--ask", "1"]) == 0
    asked = json.loads(capsys.readouterr().out)
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps(asked | {"template": "user <*> logged in from <*>"}))
    out = tmp_path / "out.jsonl"
    arguments = ["logs", "templates", str(log), "--labelled", str(labels), "-o", str(out)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "user <*> logged in from <*>" in shown
    assert "\x1b" not in shown
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows[2]["variables"] == ["eve", "10.0.0.2"]
    assert len(rows) == 4


def test_a_label_that_does_not_match_its_line_is_named(tmp_path, capsys):
    log = tmp_path / "a.log"
    log.write_text(LINES[0])
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"text": "a b", "template": "a c"}')
    assert main(["logs", "templates", str(log), "--labelled", str(labels)]) == 2
    assert "labels.jsonl:1" in capsys.readouterr().err
