"""Exported shapes, run by Vector's own runtime and by a grok, give what the shapes give."""

import json
import subprocess
import sys
import warnings
from collections import defaultdict
from pathlib import Path

import pytest

from infer.shapes.make_book import SCHEMA, simulated, taught
from whichlever.fields import normalise
from whichlever.fields.spans import Parsed, Span
from whichlever.infer.shapes import ShapeBook
from whichlever.infer.shapes.exports import export

ROOT = Path(__file__).parents[3]
AWKWARD = "it's {a} [b] (c) 100% \\d+ %{X} é 'q' \"w\" # $1 ^ x"


def python_with_vrl():
    """A Python that has vector-vrl: this one, or the one that `make test` sets aside for it."""
    for python in (Path(sys.executable), ROOT / ".venv" / "vrl" / "bin" / "python"):
        if python.exists():
            told = subprocess.run([python, "-c", "import vector_vrl"], capture_output=True)
            if told.returncode == 0 and b"not available" not in told.stdout + told.stderr:
                return python
    pytest.skip("no vector-vrl: it needs Python 3.12 or newer (make test takes one that is there)")


def awkward():
    """A shape whose literals hold what regular expressions and quoting make special."""
    book = ShapeBook(SCHEMA)
    line = f"{AWKWARD}\tuser=ann from=10.0.0.1\x01\nend"
    at, ip = line.index("ann"), line.index("10.0.0.1")
    spans = (Span(at, at + 3, ("user.name",)), Span(ip, ip + 8, ("client.ip", "source.ip")))
    assert book.learn(line, Parsed(spans, 1.0), "awkward")
    return book, line


def answered(book, rows):
    """Source → (line, answer) of the lines that an exported shape answers."""
    found = defaultdict(list)
    for text, source in rows:
        answer = book.parse(text, source)
        if answer is not None and not book.contested(answer.shape):
            found[source].append((text, answer))
    return found


def flat(event, before=""):
    found = {}
    for key, value in event.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{key}.")
        else:
            found[before + key] = value
    return found


def canonical(fields, schema, source):
    return {
        name: [
            normalise.canonical(one, schema.rule(name, source).normalise)
            for one in (value if isinstance(value, list) else [value])
        ]
        for name, value in fields.items()
    }


def cases():
    aligned, _ = simulated()
    sources = sorted({one.line.source for one in aligned})[::2]  # compiling takes Vector seconds
    yield (
        taught(),
        [(one.line.text, one.line.source) for one in aligned if one.line.source in sources],
    )
    book, line = awkward()
    yield book, [(line, "awkward"), (line.replace("ann", "bob.x"), "awkward")]


def test_vector_makes_the_same_fields():
    python = python_with_vrl()
    for book, rows in cases():
        programs, found = export(book, "vrl"), answered(book, rows)
        asked = {s: (programs[f"{s}.vrl"], [t for t, _ in told]) for s, told in found.items()}
        run = subprocess.run(
            [python, Path(__file__).with_name("run_vrl.py")],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr[-2000:]
        for source, events in json.loads(run.stdout).items():
            for (text, answer), event in zip(found[source], events, strict=True):
                made = flat(event)
                assert made.pop("message") == text
                assert made.pop("whichlever.shape") == answer.shape
                wanted = canonical(answer.fields, book.schema, source)
                assert canonical(made, book.schema, source) == wanted, text


def test_grok_captures_the_same_text(tmp_path):
    pytest.importorskip("regex")
    pygrok = pytest.importorskip("pygrok")
    for number, (book, rows) in enumerate(cases()):
        files = export(book, "grok")
        for source, told in answered(book, rows).items():
            folder = tmp_path / f"{number}-{source}"
            folder.mkdir()
            patterns = files[f"patterns/{source}"]
            (folder / "patterns").write_text(patterns, encoding="utf-8")
            names = [p.split(" ", 1)[0] for p in patterns.splitlines() if p.startswith("WHICH")]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                groks = [pygrok.Grok(f"%{{{n}}}", custom_patterns_dir=str(folder)) for n in names]
            for text, answer in told:
                made = next(m for g in groks if (m := g.match(text)) is not None)
                assert made == {
                    f"wl_{answer.shape}_{n}": text[span.start : span.end]
                    for n, span in enumerate(answer.spans)
                }


def test_logstash_filter_names_every_field_and_reads_timestamps():
    files = export(taught(), "grok")
    conf = files["norwall.firewall.conf"]
    assert '"[source][ip]"' in conf
    assert 'match => ["wl_' in conf
    assert "yyyy" in conf
    assert all(
        f"%{{{name}}}" in conf for name in conf.split('"%{')[1:] for name in [name.split("}")[0]]
    )


def test_contested_shapes_are_left_out_and_counted():
    line = "login: user ann from 10.0.0.1 port 22"
    book = ShapeBook(SCHEMA)
    book.learn(line, Parsed((Span(12, 15, ("user.name",)),), 1.0))
    book.learn(line.replace("ann", "eve"), Parsed((Span(12, 15, ("event.action",)),), 1.0))
    files = export(book, "vrl")
    assert list(files) == ["README.md"]
    assert "2 shapes were left out" in files["README.md"]
