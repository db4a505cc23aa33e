"""The linear floor for lines: it learns, decodes as every path tried, and refuses damage."""

from __future__ import annotations

import json
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_lines
from whichlever.errors import BundleError, DataError
from whichlever.fields.occurrences import places
from whichlever.fields.spans import LabelledLine, Span
from whichlever.infer.crf import Crf
from whichlever.infer.crf.chain import Chain
from whichlever.infer.crf.features import cut
from whichlever.infer.crf.parser import labels_of, spans_of
from whichlever.models.crf import train_crf


def lines(count: int, seed: int) -> list[LabelledLine]:
    made = tiny_lines.rows(count, seed)
    return [LabelledLine(r["raw"], r["fields"], r["source"]) for r in made]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return train_crf(lines(90, 1), seconds=20)


@pytest.fixture(scope="module")
def crf(files: dict[str, bytes]) -> Crf:
    return Crf.from_bytes(files)


@pytest.mark.parametrize("told", [True, False])
def test_it_copies_the_fields_of_lines_it_never_saw(crf: Crf, told: bool) -> None:
    new = lines(60, 2)
    found = crf.parse([x.text for x in new], [x.source if told else None for x in new])
    right = sum(dict(a.fields) == x.fields for a, x in zip(found, new, strict=True))
    assert right >= 54
    assert all(0 <= a.confidence <= 1 for a in found)


def test_the_same_lines_train_the_same_bytes(files: dict[str, bytes]) -> None:
    again = train_crf(lines(90, 1), seconds=20)
    assert again == files


@given(st.text(max_size=120))
@settings(max_examples=60, deadline=None)
def test_whatever_the_line_nothing_is_said_that_is_not_in_it(crf: Crf, text: str) -> None:
    (found,) = crf.parse([text])
    assert set(found.fields) <= set(crf.schema.names)
    for value in found.fields.values():
        for one in value if isinstance(value, list) else [value]:
            assert places(text, one)


def test_the_best_labels_and_their_probability_are_those_of_every_path_tried() -> None:
    rng = np.random.default_rng(0)
    chain = Chain(
        ("O", "B-a", "I-a"),
        np.array([3, 7], np.uint64),
        np.array([0, 3, 5]),
        np.array([0, 1, 2, 1, 2]),
        rng.normal(size=5),
        rng.normal(size=(3, 3)),
    )
    tokens = [[3], [7, 99], [3, 7], []]
    scores = chain._scores(tokens)
    assert scores[3].tolist() == [0, 0, 0]
    weights = {
        path: sum(scores[t, i] for t, i in enumerate(path))
        + sum(chain.transitions[a, b] for a, b in pairwise(path))
        for path in product(range(3), repeat=4)
    }
    best = max(weights, key=lambda path: weights[path])
    found, sure = chain.best(tokens)
    assert found == [chain.labels[i] for i in best]
    whole = sum(np.exp(w) for w in weights.values())
    assert sure == pytest.approx(np.exp(weights[best]) / whole)


def test_labels_and_spans_say_the_same() -> None:
    text = "a 10.0.0.1 bb cc dd"
    spans = (Span(2, 10, ("client.ip", "source.ip")), Span(11, 16, ("x",)), Span(17, 19, ("x",)))
    found = cut(text)
    assert spans_of(labels_of(spans, found), found) == spans


def test_lines_whose_values_stand_nowhere_teach_nothing() -> None:
    with pytest.raises(DataError, match="no labelled value stands in its line"):
        train_crf([LabelledLine("abc", {"x": "zzz"})] * 6)


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: f.pop("crf.npz"),
        lambda f: f.update({"crf.npz": f["crf.npz"][:200]}),
        lambda f: f.update({"crf.json": b"{}"}),
        lambda f: f.update({"crf.json": f["crf.json"].replace(b"null", b'"x"')}),
        lambda f: f.update({"crf.json": json.dumps({"features": 99}).encode()}),
    ],
)
def test_damaged_files_are_refused(files: dict[str, bytes], damage) -> None:
    changed = dict(files)
    damage(changed)
    with pytest.raises(BundleError):
        Crf.from_bytes(changed)
