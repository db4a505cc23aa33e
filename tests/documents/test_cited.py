"""What lines say of what, where passages stand, and a folder followed piece by piece."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from whichlever.documents.cited import LOOK_SECONDS, CitedFolder
from whichlever.documents.located import facts_of, pieces_of
from whichlever.documents.postings import Postings
from whichlever.errors import InputError

TEXT = """\
# Tariffs 2026

Demurrage: 120 EUR a day
- free time = 7 days

| port | first day | later |
| :--- | ---: | ---: |
| Lisbon | 80 | 95 |
| Riga | 60 |  |

## Closing

The office closes at 12:30, see https://example.org/x: nothing here gives a value.
"""


def test_lines_and_tables_give_values() -> None:
    said = {(" ".join(sorted(f.own)), f.value) for f in facts_of(TEXT)}
    assert {("demurrage", "120 EUR a day"), ("free time", "7 days"), ("lisbon", "95")} <= said
    assert ("port", "later") not in said
    (later,) = [f for f in facts_of(TEXT) if f.value == "95"]
    assert {"tariffs", "2026", "later"} <= later.words
    assert TEXT[later.start : later.end] == "| Lisbon | 80 | 95 |"


def test_passages_stand_where_they_say() -> None:
    made = [f"## Part {i}\n\n{'word ' * 40}{i}\n\nlast line {i}  \n" for i in range(9)]
    text = "\n".join(made)
    found = list(pieces_of(text))
    assert len(found) == 9
    for i, piece in enumerate(found):
        own = text[piece.start : piece.end]
        assert own.startswith("word word")
        assert own.endswith(f"last line {i}")


def test_postings_kept_up_to_date_rank_as_those_made_anew() -> None:
    rng = random.Random(0)
    names = ["crown", "filling", "root", "canal", "fee", "minutes", "friday", "port", "riga"]
    texts = {i: " ".join(rng.choices(names, k=8)) for i in range(40)}
    kept: Postings[int] = Postings()
    for i in range(60):
        kept.add(i, "old words crown")
    for i in range(60):
        kept.remove(i)
    made: Postings[int] = Postings()
    for i, text in texts.items():
        kept.add(i, text)
        made.add(i, text)
    assert kept.best("crown fee on friday", 5) == made.best("crown fee on friday", 5)


def test_a_value_needs_a_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(TEXT)
    folder = CitedFolder(tmp_path)
    answer = "Pay {demurrage} after {free time}; {later day in Lisbon} or {later day in Porto}."
    found = folder.source("what does it cost", answer)
    assert found.text == (
        "Pay 120 EUR a day after 7 days; {later day in Lisbon} or {later day in Porto}."
    )
    assert [s.why for s in found.slots] == ["", "", "not found", "not found"]
    assert folder.source("", "{Lisbon later}").text == "95"
    assert folder.source("", "{Lisbon}").slots[0].why == "documents disagree"


def test_a_thousand_documents_are_followed_within_a_second(tmp_path: Path) -> None:
    for i in range(1000):
        (tmp_path / f"d{i}.md").write_text(f"# Site {i}\n\nFee {i}: {i} EUR\n\nSome words {i}.\n")
    folder = CitedFolder(tmp_path)
    assert folder.source("", "{fee 7}").text == "7 EUR"
    (tmp_path / "d7.md").write_text("# Site 7\n\nFee 7: 8 EUR\n")
    time.sleep(LOOK_SECONDS + 0.01)
    began = time.monotonic()
    assert folder.source("", "{fee 7}").text == "8 EUR"
    assert time.monotonic() - began < 1 - LOOK_SECONDS
    (tmp_path / "d7.md").unlink()
    time.sleep(LOOK_SECONDS + 0.01)
    assert folder.source("", "{fee 7}").slots[0].why == "not found"
    assert len(folder) == 999


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text"):
        CitedFolder(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        CitedFolder(tmp_path / "none")
