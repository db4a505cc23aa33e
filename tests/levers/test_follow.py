"""Documents that change under a fitted lever: the next answer knows, and only changed files are
read."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from random_vectors import random_embedder

from whichlever.data.simulate import Dice
from whichlever.documents import folder as documents_module
from whichlever.errors import DataError
from whichlever.levers.base import Context
from whichlever.levers.rag_match import RagMatch
from whichlever.levers.retrieval import Fusion, Index, Library, Passage, Reader, Retriever
from whichlever.levers.retrieval import library as library_module
from whichlever.levers.retrieval.retriever import Plan, nearest_document
from whichlever.packs.facts.world import make_world, rows, rows_after
from whichlever.predict import Row
from whichlever.task import RagSettings, Task


@pytest.fixture(scope="module")
def embedder():
    made = random_embedder()
    if made is None:
        pytest.skip("the wheel with all-MiniLM-L6-v2 is not installed")
    return made


def fill(root, count, seed=0):
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghij", k=6)) for _ in range(800)]
    root.mkdir(exist_ok=True)
    for i in range(count):
        body = " ".join(rng.choices(words, k=25))
        (root / f"d{i:04d}.md").write_text(f"# page {i}\n\nthing{i} {body}\n")


def test_one_changed_file_of_two_thousand_is_known_within_a_second(tmp_path, embedder, monkeypatch):
    """Processor time, so that a busy machine does not fail it; the wall adds only waiting."""
    fill(tmp_path / "docs", 2000)
    library = Library(tmp_path / "docs", embedder)
    time.sleep(0.25)
    library.refresh()  # files settled
    opened = []
    read = documents_module._text
    monkeypatch.setattr(documents_module, "_text", lambda p: opened.append(p.name) or read(p))
    (tmp_path / "docs" / "d0007.md").write_text("# page 7\n\nzebrafinch moved in\n")
    (tmp_path / "docs" / "new.md").write_text("# new\n\nkraal is open\n")
    (tmp_path / "docs" / "d0009.md").unlink()
    began = time.process_time()
    library.follow()
    while library.find([Row("q", "zebrafinch")], Fusion(0.0), 1) == [[]]:
        time.sleep(0.01)
        library.follow()
    assert time.process_time() - began < 1.0
    assert sorted(set(opened)) == ["d0007.md", "new.md"]
    found = library.find(
        [Row("q", "zebrafinch"), Row("r", "kraal"), Row("s", "thing9")], Fusion(0.0), 1
    )
    assert [[p.source for p in f] for f in found] == [["d0007.md"], ["new.md"], []]
    assert library.find([Row("q", "thing7")], Fusion(0.0), 1) == [[]]


def test_looking_costs_a_bounded_share_and_a_look_is_never_far_away(
    tmp_path, embedder, monkeypatch
):
    fill(tmp_path / "docs", 3)
    library = Library(tmp_path / "docs", embedder)
    now = [100.0]
    looks = []
    monkeypatch.setattr(library_module.time, "monotonic", lambda: now[0])

    def refresh():
        looks.append(now[0])
        now[0] += 0.002
        return False

    monkeypatch.setattr(library, "refresh", refresh)
    for _ in range(1000):
        library.follow()
        now[0] += 0.001
    assert len(looks) * 0.002 <= 0.07 * (now[0] - 100.0)
    gaps = [b - a for a, b in itertools.pairwise(looks)]
    assert max(gaps) < 0.1


def test_a_file_written_twice_within_a_tick_is_read_again(tmp_path, embedder):
    import os

    root = tmp_path / "docs"
    fill(root, 2)
    library = Library(root, embedder)
    stat = (root / "d0000.md").stat()
    text = (root / "d0000.md").read_text()
    (root / "d0000.md").write_text(text.replace("thing0", "quagga"))  # as long as before
    os.utime(root / "d0000.md", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert library.refresh()
    assert library.find([Row("q", "quagga")], Fusion(0.0), 1)[0][0].source == "d0000.md"


def test_a_folder_that_is_gone_for_a_moment_is_answered_from_what_was_read(tmp_path, embedder):
    root = tmp_path / "docs"
    fill(root, 2)
    library = Library(root, embedder)
    root.rename(tmp_path / "away")
    assert not library.follow()
    assert library.find([Row("q", "thing1")], Fusion(0.0), 1)[0][0].source == "d0001.md"


def test_an_updated_index_ranks_as_one_built_anew_would(embedder):
    rng = random.Random(1)
    words = [f"w{i}" for i in range(60)]
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(120)]
    passages = [Passage(f"p{i}", text, source="d") for i, text in enumerate(texts)]
    kept, gone, added = passages[:100], {"p3", "p50"}, passages[100:105]
    updated = Index.build(kept, embedder).updated(gone, added)
    anew = Index.build([*[p for p in kept if p.id not in gone], *added], embedder)
    alike = 0
    for _i in range(40):
        query = [Row("q", " ".join(rng.choices(words, k=5)))]
        first = [
            [
                index.passages[at].id
                for at in index.search(query).fused(Fusion(0.5), 5)[0][0]
                if at >= 0
            ]
            for index in (updated, anew)
        ]
        assert not {"p3", "p50"} & set(first[0])
        alike += len(set(first[0]) & set(first[1])) / 5
    assert alike / 40 > 0.9  # word counts of the last build, so nearly the same
    assert updated.search([Row("q", texts[102])]).fused(Fusion(0.5), 1)[0][0, 0] == 102
    assert 0 < updated.stale_share < 0.1


def test_labels_are_named_as_whole_words_whatever_their_case_and_joints(embedder):
    reader = Reader(["net-ops", "net", "Ops Team"], [Passage("a#1", "x", source="a")])

    def named(text):
        found = reader.candidates("q", [Passage("p", f"h\n\n{text}", source="a")])
        return [reader.labels[c.label] for c in found]

    assert named("Handled by NET OPS today.") == ["net-ops"]
    assert named("Handled by the ops team.") == ["Ops Team"]
    assert named("The network is up.") == []
    assert named("net. net-ops!") == ["net", "net-ops"]


TASK = """\
task: facts
pack: facts@1
data: {rows: rows.jsonl, target: team}
labels: [badger, heron, lynx, marten, otter, raven]
documents: documents
goal: {metric: accuracy}
levers: {rag: {match: true}}
"""


@pytest.fixture(scope="module")
def world():
    return make_world(3)


def lay(folder, texts):
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)


def made(found):
    return [Row(r["id"], r["text"], r["team"], r["thing"], None, r["document"]) for r in found]


def test_the_reader_without_a_model_follows_the_documents(tmp_path, embedder, world):
    lay(tmp_path / "documents", world.documents)
    task = Task.parse(TASK, folder=tmp_path)
    dice = Dice(4)
    train = made(rows(world, "train", 2, dice))[:500]
    context = Context(task, tuple(task.labels), 0, tmp_path / "fit")
    fit = RagMatch(RagSettings(match=True), embedder).fit(
        train, made(rows(world, "valid", 1, dice))[:150], context
    )
    later = rows_after(world, 1, dice)[:120]
    asked = made(later)

    def share(truth):
        said = fit.predictor.predict(asked)
        return sum(p.label == t for p, t in zip(said, truth, strict=True)) / len(asked)

    assert share([r["was"] for r in later]) > 0.85
    lay(tmp_path / "after", world.documents_after)
    for name in set(world.documents) - set(world.documents_after):
        (tmp_path / "documents" / name).unlink()
    for name, text in world.documents_after.items():
        (tmp_path / "documents" / name).write_text(text)
    time.sleep(library_module.LONGEST_BLIND)
    assert share([r["team"] for r in later]) > 0.85
    assert "no language model" in fit.what
    assert fit.rows_seen <= 500
    assert fit.predictor.sources(asked[:3], 5)[0]


def test_documents_that_name_no_label_are_refused_with_a_remedy(tmp_path, embedder):
    lay(tmp_path / "documents", {"a.md": "nothing of use\n"})
    task = Task.parse(TASK, folder=tmp_path)
    context = Context(task, tuple(task.labels), 0, tmp_path / "fit")
    with pytest.raises(DataError, match=r"levers\.rag\.match"):
        RagMatch(RagSettings(), embedder).fit([Row("1", "ledger-api", "lynx")], [], context)


def test_the_oracle_is_handed_its_own_document_and_nothing_else(tmp_path, embedder, world):
    lay(tmp_path / "documents", world.documents)
    library = Library(tmp_path / "documents", embedder)
    asked = made(rows(world, "test", 1, Dice(0)))[:20]
    given = Retriever(None, library, Fusion(), oracle=True).find(asked, Plan(0, 2))
    assert all(
        {p.source for p in found} == {row.document} for row, found in zip(asked, given, strict=True)
    )
    lost = Row("x", "alert", document="no-such.md")
    assert Retriever(None, library, Fusion(), oracle=True).find([lost], Plan(0, 2)) == [[]]
    # Words find names better than vectors of nothing do, and validation rows say so.
    assert nearest_document(library, asked, [Fusion(1.0), Fusion(0.0)]) == Fusion(0.0)


@pytest.mark.llm
@pytest.mark.slow
def test_rag_reads_what_the_documents_say_now(tmp_path, embedder, world):
    """Fitted once; the prompt of the next answer holds the fact as it has become."""
    from whichlever.levers.rag import Rag

    lay(tmp_path / "documents", dict(list(world.documents.items())[:3]))
    task = Task.parse(TASK, folder=tmp_path)
    asked = [r for r in made(rows(world, "train", 1, Dice(2))) if r.document == "services-01.md"]
    settings = RagSettings(
        model="smollm2-135m-instruct", retrieve="documents", k=1, max_rows=3, minutes=20
    )
    (tmp_path / "fit").mkdir()
    context = Context(task, tuple(task.labels), 0, tmp_path / "fit")
    fit = Rag(settings, embedder).fit([], asked[:2], context)
    try:
        assert fit.predictor.reads_documents
        assert fit.predictor.predict(asked[:1])[0].status == "ok"
        page = tmp_path / "documents" / "services-01.md"
        page.write_text(f"# moved\n\n## {asked[0].group}\n\nIt is owned by team Lynx.\n")
        time.sleep(library_module.LONGEST_BLIND)
        assert fit.predictor.predict(asked[:1])[0].status == "ok"
        found = fit.predictor._asker.retriever.find(asked[:1], Plan(0, 1))
        assert "team Lynx" in found[0][0].text
    finally:
        fit.predictor.close()
