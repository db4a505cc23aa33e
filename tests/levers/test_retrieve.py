"""Retrieval: words of security text, both rankings, their fusion, and documents of a folder."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_vectors import random_embedder

from whichlever.documents import folder as documents_module
from whichlever.documents.folder import PASSAGE_CHARS, pieces
from whichlever.documents.words import Vocabulary, words
from whichlever.errors import TaskError
from whichlever.levers.retrieval import Fusion, Index, Library, Passage, fuse, read_folder
from whichlever.predict import Row


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see CVE-2024-1234.", {"cve-2024-1234", "cve", "2024", "1234"}),
        ("from 10.0.0.1:443 to", {"10.0.0.1", "443"}),
        ("rule win_proc_create", {"win_proc_create", "win", "proc", "create"}),
        ("ProcessCreate(pwsh.exe)", {"processcreate", "process", "create", "pwsh.exe", "pwsh"}),
        ("HTTPServer", {"http", "server"}),
        ("fe80::1:2:3 and 00:1A:2b:3c:4d:5e", {"fe80::1:2:3", "00:1a:2b:3c:4d:5e"}),
        ("root@mail-01.example.org", {"root@mail-01.example.org", "root", "example"}),
        (r"C:\Windows\System32\cmd.exe", {"windows", "system32", "cmd.exe"}),
        ("Größe über пароль", {"größe", "über", "пароль"}),
    ],
)
def test_what_an_analyst_would_search_for_is_a_word(text, found):
    assert found <= set(words(text))


def test_octets_of_an_address_are_not_words_by_themselves():
    assert words("10.0.0.1") == ["10.0.0.1"]


@given(st.text(max_size=300))
def test_any_text_has_bounded_lower_case_words(text):
    found = words(text)
    assert all(0 < len(w) <= 3 * 64 and w == w.lower() for w in found)
    vocabulary = Vocabulary()
    vocabulary.learn([text])
    assert sorted(vocabulary.known(text)) == list(range(len(vocabulary)))


@pytest.mark.parametrize("bad", ["A" * 400_000, "a." * 200_000, "1:" * 200_000, "aA" * 200_000])
def test_words_take_linear_time(bad):
    began = time.perf_counter()
    words(bad)
    assert time.perf_counter() - began < 5


def _ranking(draw_ids, depth):
    return st.lists(draw_ids, unique=True, max_size=depth).map(
        lambda x: x + [-1] * (depth - len(x))
    )


rankings = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(_ranking(st.integers(0, 12), 8), min_size=n, max_size=n),
        st.lists(_ranking(st.integers(0, 12), 5), min_size=n, max_size=n),
    )
)


@given(
    rankings,
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from([1.0, 60.0]),
    st.integers(1, 20),
)
def test_fusion_is_the_weighted_sum_of_reciprocal_ranks(lists, weight, c, depth):
    sparse, dense = (np.array(part, np.int64) for part in lists)
    positions, scores = fuse(sparse, dense, Fusion(weight, c), depth)
    assert positions.shape == scores.shape == (len(sparse), depth)
    for i in range(len(sparse)):
        expected: dict[int, float] = {}
        for ranking, share in ((sparse[i], 1 - weight), (dense[i], weight)):
            for rank, at in enumerate(ranking.tolist(), 1):
                if at >= 0 and share > 0:
                    expected[at] = expected.get(at, 0.0) + share / (c + rank)
        best = sorted(expected, key=lambda at: (-expected[at], at))[:depth]
        got = [at for at in positions[i].tolist() if at >= 0]
        assert len(got) == len(best) == len(set(got))
        assert scores[i, : len(best)] == pytest.approx([expected[at] for at in best], rel=1e-5)
        assert [expected[at] for at in got] == pytest.approx([expected[at] for at in best])
        assert (scores[i, len(best) :] == 0).all()


def test_fusion_of_equals_keeps_their_order():
    both = np.array([[3, 1, 2]])
    positions, _ = fuse(both, both[:, ::-1].copy(), Fusion(0.5, 60.0), 3)
    assert sorted(positions[0].tolist()) == [1, 2, 3]
    assert positions[0, 2] == 1, "the middle of both rankings is below the ends of each"


@pytest.fixture(scope="module")
def embedder():
    made = random_embedder()
    if made is None:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    return made


NOTES = [
    ("r1", "beacon to 203.0.113.7 by svchost.exe", "bad"),
    ("r2", "nightly backup finished on nas01", "good"),
    ("r3", "backup of mail server finished", "good"),
    ("r4", "CVE-2024-1234 exploited through the printer spooler", "bad"),
    ("r5", "CVE-2024-1234 exploited through the printer spooler", "bad"),
]


def index_of(embedder, notes=NOTES):
    return Index.build([Passage(*note) for note in notes], embedder)


def test_each_ranking_finds_what_it_should(embedder):
    index = index_of(embedder)
    found = index.search([Row("q", "any host that talks to 203.0.113.7")])
    assert found.sparse[0, 0] == 0
    found = index.search([Row("q", "nightly backup finished on nas01")])
    assert found.dense[0, 0] == 1
    cosine = index.similarity(found.vectors, found.dense[:, :1])
    assert cosine[0, 0] == pytest.approx(1, abs=1e-5)


def test_a_row_does_not_find_itself_but_finds_its_copy(embedder):
    index = index_of(embedder)
    for i, (name, text, _) in enumerate(NOTES):
        found = index.search([Row(name, text)])
        assert i not in found.sparse[0]
        assert i not in found.dense[0]
    found = index.search([Row("r5", NOTES[4][1])])
    assert found.sparse[0, 0] == found.dense[0, 0] == 3


def test_a_search_within_the_first_passages_sees_no_other(embedder):
    found = index_of(embedder).search([Row("q", "CVE-2024-1234 backup")], within=3)
    assert set(found.sparse[0].tolist()) | set(found.dense[0].tolist()) <= {-1, 0, 1, 2}


def test_texts_without_words_find_nothing_and_break_nothing(embedder):
    index = index_of(embedder, [("a", "", "x"), ("b", "…", "y")])
    found = index.search([Row("q", ""), Row("p", "!?"), Row("o", "backup"), Row("s", "\ud800")])
    assert (found.sparse == -1).all()
    positions, _ = found.fused(Fusion(), 3)
    assert positions.shape == (4, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_rankings_are_complete_sorted_and_ties_go_by_position(seed):
    from whichlever.levers.retrieval.index import _rank

    rng = np.random.default_rng(seed)
    scores = rng.integers(-1, 4, rng.integers(1, 60)).astype(np.float32)
    out = np.full(8, -1, np.int64)
    _rank(scores.copy(), -1, out)
    expected = [i for i in np.argsort(-scores, kind="stable").tolist() if scores[i] > 0][:8]
    assert out.tolist() == expected + [-1] * (8 - len(expected))


def write(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_documents_are_cut_at_headings_and_keep_where_they_are_from(tmp_path):
    write(tmp_path, "dns/biz.md", "# DNS\n\nintro\n\n## .biz\n\nAsk the owner.\n\n# Other\n\nx\n")
    write(tmp_path, "plain.txt", "first\n\nsecond\n")
    folder = read_folder(tmp_path)
    assert [(p.id, p.source, p.label, p.text) for p in folder.passages] == [
        ("plain.txt#1", "plain.txt", None, "first\n\nsecond"),
        ("dns/biz.md#1", "dns/biz.md", None, "DNS\n\nintro"),
        ("dns/biz.md#2", "dns/biz.md", None, "DNS > .biz\n\nAsk the owner."),
        ("dns/biz.md#3", "dns/biz.md", None, "Other\n\nx"),
    ]
    assert folder.left_out == ()


def test_a_heading_inside_a_code_fence_is_code():
    assert list(pieces("a\n```\n# not a heading\n\nx\n```\nb")) == [
        "a\n```\n# not a heading\n\nx\n```\nb"
    ]


@given(st.text(alphabet=st.sampled_from("ab #\n`~é"), max_size=3000), st.integers(10, 200))
def test_no_word_of_a_document_is_lost_and_no_piece_is_much_too_long(text, size):
    found = list(pieces(text, size))
    kept = "".join("".join(found).split())
    for letter in "abé":
        assert kept.count(letter) >= sum(
            line.count(letter) for line in text.splitlines() if not line.startswith("#")
        )
    assert all(piece.strip() for piece in found)


def test_a_long_paragraph_is_cut_at_white_space():
    found = list(pieces("word " * 1000))
    assert all(len(piece) <= PASSAGE_CHARS for piece in found)
    assert {w for piece in found for w in piece.split()} == {"word"}


def test_hostile_documents_are_left_out_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(documents_module, "MAX_FILE_BYTES", 1000)
    secret = write(tmp_path, "outside/secret.md", "the password")
    root = tmp_path / "docs"
    write(root, "good.md", "a runbook")
    write(root, "binary.txt", b"\x00\x01")
    write(root, "latin.txt", "gr\xfc\xdfe".encode("latin-1"))
    write(root, "huge.md", "x" * 1001)
    write(root, ".hidden.md", "hidden")
    write(root, ".git/notes.md", "hidden")
    write(root, "program.py", "print(1)")
    (root / "link.md").symlink_to(secret)
    (root / "folder").symlink_to(secret.parent)
    os.mkfifo(root / "pipe.md")
    folder = read_folder(root)
    assert [p.text for p in folder.passages] == ["a runbook"]
    assert dict(folder.left_out) == {
        "binary.txt": "not text",
        "latin.txt": "not UTF-8",
        "huge.md": "larger than the limit of 1000 bytes",
        "link.md": "a link",
        "folder": "a link",
        "pipe.md": "not a file",
    }


def test_a_missing_folder_says_so(tmp_path):
    with pytest.raises(TaskError, match="documents: there is no folder"):
        read_folder(tmp_path / "none")


def test_a_changed_document_is_found_at_once(tmp_path, embedder):
    write(tmp_path, "a.md", "Ask the owner of the host.")
    library = Library(tmp_path, embedder)
    assert not library.refresh()
    query = [Row("q", "what about zebrafinch?")]
    assert library.find(query, Fusion(0.0), 1) == [[]]
    write(tmp_path, "b.md", "A zebrafinch alert is closed without asking.")
    assert library.refresh()
    assert library.find(query, Fusion(0.0), 1)[0][0].source == "b.md"
    (tmp_path / "a.md").unlink()
    (tmp_path / "b.md").unlink()
    assert library.refresh()
    assert library.find(query, Fusion(), 1) == [[]]
    assert json.dumps(Fusion().as_json())
