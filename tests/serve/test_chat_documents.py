"""Answers cited from a folder of documents, their slots filled, and a change that is followed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import Live, serving

from tiny_bundle import TEXTS, tiny_bundle

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")

LABELS = ("A crown costs {fee for a crown}; book {minutes for a crown}.", "Nothing to book.")
FEES = """# Prices

| what | fee | deposit |
|---|---|---|
| crown | 480 EUR | 100 EUR |
| filling | 90 EUR | none |
"""
TIMES = "Appointments.\n\nMinutes for a crown: 60 minutes\n\nA crown is never booked on a Friday.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("documents")
    (path / "fees.md").write_text(FEES)
    (path / "times.txt").write_text(TIMES)
    return path


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Live]:
    path = tmp_path_factory.mktemp("bundle") / "m.wl"
    made = tiny_bundle(path, labels=("critical", "noise"))
    relabelled(made)
    with serving(made, "--documents", str(folder)) as found:
        yield found


def relabelled(path: Path) -> None:
    """The same weights under answers that have slots."""
    import json

    from whichlever.bundle.archive import read_archive, write_archive
    from whichlever.bundle.format import MANIFEST

    files = dict(read_archive(path))
    for name in (MANIFEST, "model/linear/model.json"):
        said = json.loads(files[name])
        said["labels"] = list(LABELS)
        if name == MANIFEST:
            said["meanings"] = {}
        files[name] = json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"
    write_archive(path, files)


def ask(live: Live, text: str = TEXTS[0]) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": text}]}
    said = httpx.post(f"{live.url}/v1/chat/completions", json=body, trust_env=False)
    found: dict[str, Any] = said.json()
    return found


def test_slots_are_filled_and_every_value_is_cited(live: Live, folder: Path) -> None:
    said = ask(live)
    assert said["choices"][0]["message"]["content"] == ("A crown costs 480 EUR; book 60 minutes.")
    assert said["whichlever"]["label"] == LABELS[0]
    fee, minutes = said["whichlever"]["slots"]
    assert (fee["value"], fee["document"]) == ("480 EUR", "fees.md")
    assert FEES[fee["start"] : fee["end"]] == fee["text"] == "| crown | 480 EUR | 100 EUR |"
    assert minutes["text"] == "Minutes for a crown: 60 minutes"
    cited = said["whichlever"]["citations"]
    assert [c["document"] for c in cited[:2]] == ["fees.md", "times.txt"]
    for citation in cited:
        text = (folder / citation["document"]).read_text()[citation["start"] : citation["end"]]
        assert text.split()[0] in citation["text"]


def test_a_changed_document_changes_the_answer_within_a_second(live: Live, folder: Path) -> None:
    ask(live)
    (folder / "fees.md").write_text(FEES.replace("480", "520"))
    began = time.monotonic()
    while "520" not in ask(live)["choices"][0]["message"]["content"]:
        assert time.monotonic() - began < 1
        time.sleep(0.02)
    (folder / "more.md").write_text("Fee for a crown: 999 EUR\n")
    time.sleep(0.6)
    said = ask(live)
    assert "{fee for a crown}" in said["choices"][0]["message"]["content"]
    assert said["whichlever"]["slots"][0] == {
        "slot": "fee for a crown", "value": None, "why": "documents disagree",
    }  # fmt: skip
    (folder / "more.md").unlink()
    (folder / "fees.md").write_text(FEES)
    time.sleep(0.6)
    assert "480" in ask(live)["choices"][0]["message"]["content"]
    counted = httpx.get(f"{live.url}/metrics", trust_env=False).text
    assert 'whichlever_slots_total{outcome="documents disagree"} 1.0' in counted


def test_without_documents_nothing_is_cited(tmp_path: Path) -> None:
    with serving(tiny_bundle(tmp_path / "m.wl")) as live:
        assert "citations" not in ask(live)["whichlever"]
