"""The words that an explanation names are those that the model decided by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from real_bundles import LABELS, TEXTS, encoder_bundle, joined_bundle, static_bundle
from tiny_bundle import tiny_bundle
from whichlever.infer.left_out import MOST_ASKED, left_out_shares, log_odds
from whichlever.infer.linear import LinearModel, Weights
from whichlever.infer.linear_features import Features
from whichlever.infer.linear_shares import linear_shares
from whichlever.infer.static_shares import static_shares
from whichlever.infer.units import Units
from whichlever.predict import Prediction, Row
from whichlever.runtime.bundle import Bundle


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Bundle:
    path = static_bundle(tmp_path_factory.mktemp("static") / "s.wl", minilm)
    return Bundle.open(path, allow_unsigned=True)


@pytest.fixture(scope="module")
def linear() -> LinearModel:
    features = Features.fit(TEXTS, chars=True, max_features=2_000)
    rng = np.random.default_rng(0)
    coef = rng.normal(size=(features.columns, 2)).astype(np.float32)
    weights = Weights(coef, np.array([0.3, -0.2], np.float32))
    return LinearModel(features, weights, LABELS, np.arange(2), 2.0, {})


known = st.sampled_from([*" ".join(TEXTS).split(), "İstanbul", "ΣΟΦΟΣ", "cve-2021-44228", "\x0b"])
texts = st.lists(st.text(max_size=8) | known, max_size=12).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_units_are_in_order_and_lose_nothing_but_white_space(text: str) -> None:
    units = Units.cut(text)
    flat = "".join(units[i] for i in range(len(units)))
    assert flat == "".join(text.split()) or any(c.isspace() for c in flat) is False
    assert sorted(flat) == sorted(c for c in text if not c.isspace())
    assert (units.starts[1:] >= units.ends[:-1]).all()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=texts)
def test_a_linear_model_s_shares_sum_to_its_log_odds(linear: LinearModel, text: str) -> None:
    shares, rest = linear_shares(linear, Units.cut(text), 0, 1)
    scores = linear.scores([text])
    if len(shares):
        assert shares.sum() + rest == pytest.approx(log_odds(scores, 0, 1)[0], abs=2e-4)


@settings(max_examples=100, deadline=None)
@given(text=texts)
def test_a_static_model_s_shares_sum_to_its_log_odds(static: Bundle, text: str) -> None:
    (part,) = static.model.parts
    shares, rest = static_shares(part.model, Units.cut(text), 0, 1)  # type: ignore[attr-defined]
    (answer,) = part.predict([Row("", text)])
    if len(shares):
        assert answer.scores is not None
        expected = log_odds(answer.scores[np.newaxis], 0, 1)[0]
        assert shares.sum() + rest == pytest.approx(expected, abs=2e-4)


def moved(bundle: Bundle, text: str) -> tuple[float, float]:
    """How far the log-odds fall without the named words for the label, and without others."""
    why = bundle.explain(text, top=3)
    spans = [span for said in why.said if said.weight > 0 for span in said.at]
    assert spans
    assert all(text[a:b].casefold() == s.text.casefold() for s in why.said for a, b in s.at)
    label, other = bundle.model.labels.index(why.label), bundle.model.labels.index(why.against)

    def asked(without: list[tuple[int, int]]) -> float:
        cut = "".join(
            c for i, c in enumerate(text) if not any(first <= i < last for first, last in without)
        )
        (answer,) = bundle.predict([cut])
        assert answer.scores is not None
        return float(log_odds(answer.scores[np.newaxis], label, other)[0])

    units = Units.cut(text)
    every = list(zip(units.starts.tolist(), units.ends.tolist(), strict=True))
    rest = [span for span in every if span not in spans][: len(spans)]
    return why.log_odds - asked(spans), why.log_odds - asked(rest)


@pytest.mark.parametrize("kind", ["linear", "static", "encoder", "joined"])
def test_taking_the_named_words_out_moves_the_answer(
    tmp_path: Path, minilm: Path, kind: str
) -> None:
    path = tmp_path / "m.wl"
    if kind == "linear":
        tiny_bundle(path)
    else:
        make = {"static": static_bundle, "encoder": encoder_bundle, "joined": joined_bundle}[kind]
        make(path, minilm)
    bundle = Bundle.open(path, allow_unsigned=True)
    for text in (TEXTS[0], TEXTS[-1]):
        named, others = moved(bundle, text)
        assert named > 0
        assert named > others


def test_an_explanation_of_exact_parts_adds_up_calibrated(tmp_path: Path) -> None:
    bundle = Bundle.open(tiny_bundle(tmp_path / "m.wl"), allow_unsigned=True)
    why = bundle.explain({"text": TEXTS[3]}, top=1_000)
    assert why.exact
    assert sum(s.weight for s in why.said) + why.rest == pytest.approx(why.log_odds, abs=1e-3)
    assert why.label == bundle.predict([TEXTS[3]])[0].label
    assert [abs(s.weight) for s in why.said] == sorted(abs(s.weight) for s in why.said)[::-1]
    line = bundle.explain(TEXTS[3], top=2).as_json()
    assert len(line["tokens"]) == 2
    assert line["against"] != why.label


@pytest.mark.parametrize("text", ["", " ", "\u200b", "zzzz", "!" * 5_000])
def test_a_text_of_nothing_known_is_explained_by_nothing(tmp_path: Path, text: str) -> None:
    bundle = Bundle.open(tiny_bundle(tmp_path / "m.wl"), allow_unsigned=True)
    assert bundle.explain(text).said == ()


class Counting:
    """Says ``critical`` by how often "bad" stands in a text, and counts what it is asked."""

    asked = 0

    def predict(self, rows: list[Row]) -> list[Prediction]:
        self.asked += len(rows)
        p = [min(0.9, 0.1 + 0.2 * row.text.split().count("bad")) for row in rows]
        return [
            Prediction(r.id, "critical", np.array([x, 1 - x], np.float32))
            for r, x in zip(rows, p, strict=True)
        ]


@pytest.mark.parametrize("count", [1, 50, MOST_ASKED, MOST_ASKED + 1, 3_000])
def test_a_long_text_is_asked_again_a_bounded_number_of_times(count: int) -> None:
    words = [f"w{i}" for i in range(count)]
    words[count // 2] = "bad"
    model = Counting()
    shares, _ = left_out_shares(model, Units.cut(" ".join(words)), 0, 1)
    assert model.asked <= MOST_ASKED + 1
    assert len(shares) == count
    assert int(np.argmax(shares)) == count // 2
