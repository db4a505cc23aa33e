"""The card and the bill of materials: nothing hostile gets through, every figure is the run's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiny_bundle import tiny_files
from whichlever.bundle.bom import Base, validate_bom, write_bom
from whichlever.bundle.card import CardFacts, DataFacts, write_card
from whichlever.bundle.card_limits import attack_sentences
from whichlever.bundle.choice import Choice
from whichlever.bundle.evidence import Answered, measures_without_names, task_without_places
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import MANIFEST, Manifest
from whichlever.bundle.markdown import dollars, escaped, figure, milliseconds, percent, size
from whichlever.errors import BundleError
from whichlever.task import Task

HOSTILE = [
    "a | b", "`rm -rf`", "line\nbreak", "<script>alert(1)</script>", "[x](http://evil.example)",
    "![i](http://evil.example/p.png)", "**bold**", "_under_", "~~gone~~", "# head", "\x1b[31mred",
    "\u202eright to left", "http://evil.example", "www.evil.example", "&lt;b&gt;", "\\| a", "", " ",
    "-->", "{{ jinja }}", "\x00", "a" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_text_becomes_one_line_without_markup(text):
    said = escaped(text)
    assert said
    assert "\n" not in said
    assert said.isprintable()
    assert len(said) < 2_000
    assert "<" not in said
    assert "://" not in said
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*\[\]]", said), "an unescaped mark"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_a_table(text):
    said = escaped(text)
    assert said.isprintable()
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*\[\]~#!]", said)
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;|#\d+;)", said)


def facts(label: str = "noise", sentence: str = "fine", **measures: object) -> CardFacts:
    """A card's facts around two labels, one of which may be hostile."""
    labels = ("critical", label)
    interval = {"value": 0.9, "low": 0.85, "high": 0.94, "level": 0.95}
    lever = {
        "lever": "linear", "what": sentence, "rows": 100, "rows_seen": 300, "seeds": 1,
        "metrics": {"macro_f1": interval, "accuracy": interval, f"recall.{label}": interval},
        "calibration": {"ece": interval, "brier": interval, "ece_before": 0.2},
        "latency": {"p50_ms": 0.5, "p95_ms": 1.0, "p99_ms": None, "rows_per_second": 9000.0,
                    "cores": 2},
        "cost": {"marginal": 1e-9, "basis": sentence},
        "bill": {"dollars_per_month": 286.2, "calls_per_month": 1e6}, "fit_seconds": 12.0,
        "chosen": {"valid_score": 0.9},
    }  # fmt: skip
    said = {"metric": "macro_f1", "levers": [lever], "labels": labels, **measures}
    task = Task.parse(
        "version: 1\ntask: t\ndata: {rows: r.jsonl, input: text, group: host}\nlevers: {linear: {}}"
    )
    verdict = {
        "outcome": "pull", "lever": "linear", "headline": sentence, "scope": [sentence],
        "standings": [{"lever": "linear", "state": "eligible", "reasons": [{"text": sentence}]}],
    }  # fmt: skip
    finished = Finished(Path("run"), task, labels, said, verdict, {}, {"findings": [
        {"severity": "warning", "text": sentence}, {"severity": "info", "text": "not shown"},
    ]})  # fmt: skip
    manifest = Manifest.from_bytes(tiny_files(labels=labels, about=sentence)[MANIFEST])
    manifest = manifest.model_copy(update={"what": sentence, "meanings": {label: sentence}})
    answered = Answered(rows=100, cut=0, targets={"critical": 40, label: 60}, groups=5)
    data = DataFacts(labels={label: 7}, files={label: "0" * 64})
    return CardFacts(finished, Choice("linear"), manifest, answered, data, size=1_000)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_label_stays_inside_its_cell(text):
    # an empty description has no line at all
    plain = write_card(facts())
    card = write_card(facts(label=text, sentence=text if text.strip() else "fine"))
    assert len(card.splitlines()) == len(plain.splitlines())
    for ours, theirs in zip(plain.splitlines(), card.splitlines(), strict=True):
        bars = [len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) for line in (ours, theirs)]
        assert bars[0] == bars[1], theirs
        assert theirs.startswith(("#", "|", "-")) == ours.startswith(("#", "|", "-"))
    assert "<" not in card


def test_the_cards_figures_are_the_files():
    card = write_card(facts())
    for said in ("0.900 (0.850 to 0.940)", "286.20", "9,000 rows a second", "p99 not measured",
                 "attack: not measured", "300 of them"):  # fmt: skip
        assert said in card
    assert "not shown" not in card


def test_attack_evidence_is_quoted_for_its_lever():
    attacks = {"levers": [
        {"lever": "linear", "text": "3 of 100 turned"}, {"lever": "prompt", "text": "90 of 100"},
    ]}  # fmt: skip
    assert attack_sentences(attacks, "linear") == ["3 of 100 turned"]
    card = write_card(facts(attacks=attacks))
    assert "3 of 100 turned" in card
    assert "90 of 100" not in card
    assert "attack: not measured" not in card


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (figure(None), "not measured"), (figure({"value": 0.5}), "0.500"), (figure(1234), "1,234"),
        (percent(0.1234), "12.3 %"), (dollars(0.00061), "$0.00061"), (dollars(1783.0), "$1,783.00"),
        (dollars(None), "not measured"), (milliseconds(26.94), "26.9 ms"),
        (milliseconds(1234.5), "1,234 ms"), (size(1_500), "1.5 kB"),
        (size(470_600_000), "470.6 MB"),
    ],
)  # fmt: skip
def test_figures_are_said_plainly(said, wanted):
    assert said == wanted


def bom_of(label: str = "noise", licence: str | None = "Apache-2.0") -> bytes:
    given = facts(label=label)
    base = Base("some-encoder", licence, "1" * 64, "local folder")
    return write_bom(given.manifest, {"model/linear/model.json": b"{}"}, given.summary, base)


@pytest.mark.parametrize("label", HOSTILE)
def test_the_bill_is_valid_cyclonedx_whatever_a_label_is(label):
    assert validate_bom(bom_of(label)) is True


@pytest.mark.parametrize("licence", [None, "Apache-2.0", "some words of a publisher", "A OR B"])
def test_any_licence_of_the_base_is_valid(licence):
    assert validate_bom(bom_of(licence=licence)) is True


def test_the_bill_names_weights_data_base_and_packages():
    bom = json.loads(bom_of())
    assert bom["specVersion"] == "1.6"
    model = bom["metadata"]["component"]
    assert model["type"] == "machine-learning-model"
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {m["type"] for m in metrics} >= {"macro_f1", "recall.noise"}
    found = {c["bom-ref"]: c for c in bom["components"]}
    assert found["data-rows"]["hashes"][0]["content"] == "0" * 64
    assert found["base-weights"]["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert found["file-model/linear/model.json"]["hashes"][0]["alg"] == "SHA-256"
    assert any(ref.startswith("pkg:pypi/numpy@") for ref in found)
    assert "timestamp" not in bom["metadata"]
    assert bom_of() == bom_of()


def test_a_bill_that_is_no_bill_is_refused():
    with pytest.raises(BundleError, match=r"bom\.cdx\.json"):
        validate_bom(b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": 1}')


def test_the_packed_task_names_no_place_and_still_reads():
    text = (
        "version: 1\ntask: t\ndocuments: /srv/team/runbooks\n"
        "data: {rows: /home/me/rows.jsonl, input: text}\n"
        "llms: {house: {base_url: 'http://gpu.internal:8000/v1', model: m, key_env: HOUSE_KEY}}\n"
        "levers: {recorded: {gpt: {path: /home/me/answers.jsonl}}, finetune: {base: ~/bases/b}}\n"
    )
    said = Task.parse(text).model_dump(mode="json", exclude_unset=True)
    kept = task_without_places(said).decode()
    for word in ("/home", "/srv", "bases/", "gpu.internal", "HOUSE_KEY"):
        assert word not in kept
    again = Task.parse(kept)
    assert again.data.rows == "rows.jsonl"
    assert again.llms["house"].model == "m"


def test_packed_measures_number_groups_and_drop_row_ids():
    promise = {"scope": "each_group", "strata": [{"name": "acme"}], "binding": "acme",
               "test": {"groups": [{"group": "acme"}, {"group": "globex"}]}}  # fmt: skip
    measures = {
        "labels": ["acme"],
        "levers": [{"lever": "prompt", "chosen": {"shots": ["id-1", "id-2"]}}],
        "autoclose": {"levers": [{"lever": "linear", "high_confidence": promise}]},
    }
    kept = measures_without_names(measures, ids=False)
    assert kept["levers"][0]["chosen"]["shots"] == 2
    assert kept["labels"] == ["acme"], "a label of the same name stays"
    inside = json.dumps(kept["autoclose"])
    assert "acme" not in inside
    assert "globex" not in inside
    assert measures_without_names(measures, ids=True) == measures
