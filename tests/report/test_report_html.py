"""The page: complete, inert, redactable, and made from RUN's files alone."""

from __future__ import annotations

import json
import re
import shutil
import socket
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from make_run import MAIN, Spec, decide_again, make_run

from whichlever.data.findings import found
from whichlever.errors import RunError
from whichlever.report import write_report

VOID = {"meta", "br", "img", "input", "link", "hr", "base"}
SELF_CLOSED = {"path", "rect", "line", "circle"}


class Page(HTMLParser):
    """Counts elements and keeps attributes and text as a browser's tokeniser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            return
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def page_of(run: Path, **options) -> Page:
    return Page(write_report(run, **options).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("run") / "run")


@pytest.fixture(scope="module")
def page(run) -> Page:
    return page_of(run)


def test_verdict_comes_first_and_every_section_is_there(page):
    words = page.words
    order = [
        "Pull finetune-static", "Why", "What would change it", "What this holds for",
        "attack: not measured", "Every lever on the same test rows", "Quality against cost",
        "Cost against volume", "Can the probabilities be believed?", "What is taken for what",
        "Latency, one row at a time", "Audit of the data", "Worst mistakes", "Paired tests",
        "What the situation table proposes", "How it was measured",
    ]  # fmt: skip
    body = words[words.index("Pull this lever") :]
    places = [body.index(heading) for heading in order]
    assert places == sorted(places)
    assert not page.unbalanced


def test_reasons_stand_beside_the_figures_they_point_at(run, page):
    measures = json.loads((run / "measures.json").read_text())
    score = next(s for s in measures["levers"] if s["lever"] == MAIN)["metrics"]["macro_f1"]
    said = f"{score['value']:.3f}".lstrip("0")
    assert f"levers.{MAIN}.metrics.macro_f1 {said} [" in page.words


def test_a_real_verdict_on_real_measures_is_shown_whole(tmp_path):
    run = decide_again(
        make_run(tmp_path / "run", Spec(rows=150, levers=(*Spec().levers[1:6], "recorded-gpt-4")))
    )
    verdict = json.loads((run / "verdict.json").read_text(encoding="utf-8"))
    words = page_of(run).words
    reasons = [r for kind in ("reasons", "would_change") for r in verdict[kind]]
    reasons += [r for s in verdict["standings"] for r in s["reasons"]]
    assert len(reasons) > 10
    for text in (verdict["headline"], *verdict["scope"], *(r["text"] for r in reasons)):
        assert " ".join(text.split()) in words
    for even in verdict["break_evens"]:
        assert even["text"] in words


def test_only_differences_that_hold_after_holm_are_bold(run, page):
    pairs = json.loads((run / "measures.json").read_text())["pairs"]
    bold = [v for t, n, v in page.attributes if t == "tr" and n == "class" and v == "significant"]
    assert len(bold) == sum(p["p_holm"] < 0.05 for p in pairs) < len(pairs)
    assert f"{MAIN} − majority +" in page.words


def test_nothing_is_fetched_and_nothing_runs(run, page):
    assert page.tags.get("script", 0) == 0
    assert not {"link", "iframe", "object", "embed", "base", "form", "img", "image", "use"} & set(
        page.tags
    )
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("href", "src", "xlink:href", "srcset", "action", "data", "poster"):
            assert value.startswith("#"), (tag, name, value)
        if "url(" in value:
            assert re.fullmatch(r"url\(#[\w-]+\)", value)
    text = (run / "report.html").read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(v for t, n, v in page.attributes if n == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_charts_have_names_ids_are_unique_and_anchors_lead_somewhere(page):
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for _, name, value in page.attributes:
        if name == "href":
            assert value[1:] in ids
        if name == "aria-labelledby":
            assert set(value.split()) <= set(ids)
    charts = [v for t, n, v in page.attributes if t == "svg" and n == "role" and v == "img"]
    assert len(charts) >= 3 * 2 + 7
    assert page.tags["details"] >= 3 + 7


def test_costs_that_were_not_measured_are_said_so_and_never_zero(page):
    assert "Cost not measured, so not placed on the cost axis: recorded-gpt-4." in page.words
    assert "$7.30 per million" in page.words


def test_same_files_same_bytes_whatever_else_lies_about(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN, "recorded-x"), rows=60))
    first = write_report(run).read_bytes()
    copy = tmp_path / "elsewhere"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("report.html"))
    assert write_report(copy).read_bytes() == first


def test_the_page_is_small(run, page):
    assert (run / "report.html").stat().st_size < 1_500_000


def test_no_connection_is_tried(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", Spec(levers=(MAIN,), rows=60))

    def refuse(*args, **kwargs):
        raise AssertionError("the report opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    write_report(run)


HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)><style>@import url(http://evil.example/x)</style>",
    "</title></style><base href=http://evil.example/><!--",
    "{{ 7*7 }}{% include 'x' %}\u202egnp.exe\u2066",
    "\x1b]8;;http://evil.example\x07\x1b[31mred\x1b[0m\x9b1m\u200b",
    "]]></svg><iframe src=javascript:alert(1)>",
    "url(http://evil.example/a.png); background: red",
)


def hostile_spec(tail: str, **more) -> Spec:
    labels = tuple(f"label{i} {text}" for i, text in enumerate(HOSTILE[:4])) + tuple(HOSTILE[4:6])
    return Spec(
        task=f"task {HOSTILE[0]} {HOSTILE[5]}"[:190],
        labels=labels,
        levers=("majority", MAIN, *(f"recorded-{text}{tail}" for text in HOSTILE)),
        ids=[f"{i} {HOSTILE[i % len(HOSTILE)]}" for i in range(120)],
        texts=[f"{text}\n{text}" for text in HOSTILE],
        error=HOSTILE[1],
        rows=120,
        findings=(found("label_word", "leak", HOSTILE[0], list(HOSTILE), HOSTILE[1]),),
        **more,
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("hostile") / "run", hostile_spec(""))


def test_hostile_names_and_texts_stay_text(hostile, tmp_path):
    page = page_of(hostile)
    tame = page_of(
        make_run(
            tmp_path / "tame",
            Spec(
                task="tame", labels=tuple("abcdef"), rows=120, texts=["one\none"] * 8,
                levers=("majority", MAIN, *(f"recorded-{i}" for i in range(len(HOSTILE)))),
                findings=(found("label_word", "leak", "x", list(HOSTILE), "x"),),
            ),
        )
    )  # fmt: skip
    assert not page.unbalanced
    assert not {"script", "img", "iframe", "base"} & set(page.tags)
    assert page.tags["style"] == tame.tags["style"] == 1
    same = ("section", "table", "details", "figure", "blockquote", "bdi", "title", "meta", "a")
    assert {t: page.tags[t] for t in same} == {t: tame.tags[t] for t in same}
    assert not [a for a in page.attributes if a[1].startswith("on")]
    assert set(page.tags) == set(tame.tags)
    text = (hostile / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", text)
    assert "␛[31mred" in page.words
    assert "⟦U+202E⟧gnp.exe" in page.words
    assert "{{ 7*7 }}" in page.words
    assert "</script><script>alert(1)</script>" in page.words


CANARY = "XK7-canary"


def test_redacted_page_quotes_no_input(tmp_path):
    run = make_run(
        tmp_path / "run",
        Spec(
            ids=[f"{CANARY}-id-{i}" for i in range(200)],
            texts=[f"{CANARY} text {i}" for i in range(200)],
            rows=200,
            levers=("majority", "prompt", MAIN),
            error=f"server said {CANARY}",
            findings=(
                found("label_word", "leak", f"{CANARY} in rows", [f"{CANARY}-1"], f"see {CANARY}"),
            ),
            chosen={"shots": [CANARY], "prompt": f"use {CANARY}", "best": {CANARY: 1}, "k": 5},
        ),
    )
    open_page = page_of(run)
    for kind in ("-id-", " text ", " in rows", "said"):
        assert re.search(rf"{CANARY}{kind}|{kind} {CANARY}", open_page.words), kind
    write_report(run, redact=True)
    text = (run / "report.html").read_text(encoding="utf-8")
    assert CANARY not in text
    assert "redacted: no input is quoted" in text
    assert "test row " in text
    assert "the label&#39;s own word in the input" in text


def test_a_long_text_is_cut_with_a_mark(tmp_path):
    run = make_run(tmp_path / "run", Spec(texts=["y" * 9000], rows=60, levers=("majority", MAIN)))
    assert "8400 more characters not shown" in page_of(run).words


@pytest.mark.parametrize(
    "missing",
    ["task.yaml", "audit.json", "environment.json", "splits.parquet", "trials.parquet",
     "examples.parquet"],
)  # fmt: skip
def test_each_optional_file_may_be_missing(missing, tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    (run / missing).unlink()
    page = page_of(run)
    assert "Every lever on the same test rows" in page.words
    if missing == "examples.parquet":
        assert "blockquote" not in page.tags
        assert "a00" in page.words


def test_what_is_missing_or_damaged_is_named(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    (run / "verdict.json").write_text('{"task": 3}')
    with pytest.raises(RunError, match=r"verdict\.json: .*run compare again"):
        write_report(run)
    (run / "verdict.json").unlink()
    with pytest.raises(RunError, match=r"verdict\.json is missing"):
        write_report(run)
    with pytest.raises(RunError, match="not a folder"):
        write_report(tmp_path / "nowhere")
    assert not (run / "report.html").exists()


def test_damaged_trials_are_named(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    (run / "trials.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(RunError, match=r"trials\.parquet is damaged"):
        write_report(run)


def test_many_classes_show_the_most_confused_pairs(tmp_path):
    labels = tuple(f"CWE-{i}" for i in range(60))
    run = make_run(tmp_path / "run", Spec(labels=labels, rows=500, levers=("majority", MAIN)))
    page = page_of(run)
    assert "Most confused" in page.words
    assert "Largest classes" in page.words
    assert "matrix" not in {v for t, n, v in page.attributes if t == "table" and n == "class"}


@pytest.mark.parametrize("outcome", ["cannot tell", "none eligible"])
def test_other_outcomes_lead_with_what_they_mean(outcome, tmp_path):
    run = make_run(
        tmp_path / "run", Spec(outcome=outcome, rows=80, levers=("majority", "linear", MAIN))
    )
    words = page_of(run).words
    if outcome == "cannot tell":
        assert "The data cannot tell yet" in words
        assert "labels that would tell 640" in words
    else:
        assert "No lever is eligible" in words
    assert "best so far: finetune-static" in words


def test_only_unpriced_levers_still_give_a_page(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("recorded-a", "recorded-b"), rows=60))
    words = page_of(run).words
    assert "recorded-a, recorded-b." in words
    assert "Cost against volume" not in words


def test_only_the_lowest_seed_and_the_test_rows_are_counted(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    frame = pl.read_parquet(run / "trials.parquet")
    metadata = pl.read_parquet_metadata(run / "trials.parquet")
    more = [
        frame,
        frame.with_columns(seed=pl.lit(7, pl.Int32)),
        frame.with_columns(role=pl.lit("calibrate")),
        frame.with_columns(fraction=pl.lit(0.5, pl.Float32)),
    ]
    before = page_of(run).words
    pl.concat(more).write_parquet(
        run / "trials.parquet", metadata={"whichlever.labels": metadata["whichlever.labels"]}
    )
    assert page_of(run).words == before


def test_a_leak_stands_under_the_headline_and_is_not_quoted_when_redacted(tmp_path):
    run = make_run(tmp_path / "run", Spec(levers=("majority", MAIN), rows=60))
    verdict = json.loads((run / "verdict.json").read_text())
    verdict["audit"] = "The audit found a leak: where 'secret-word' stands it is the label."
    verdict["scope"].append(verdict["audit"])
    (run / "verdict.json").write_text(json.dumps(verdict))
    text = write_report(run).read_text()
    assert (
        text.index(verdict["headline"]) < text.index("The audit found a leak") < text.index("Why")
    )
    assert text.count("secret-word") == 1
    assert "secret-word" not in write_report(run, redact=True).read_text()
