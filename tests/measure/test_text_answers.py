"""Answers that are text: every score is a mean over rows, in tests and draws too."""

from __future__ import annotations

import numpy as np
import pytest

from whichlever.measure.paired import randomisation_p
from whichlever.measure.text_answers import TextAnswers, TextScores


def answers(seed: int, ratio: str = "token_f1", right: float = 0.5) -> TextAnswers:
    rng = np.random.default_rng(seed)
    exact = rng.random(60) < right
    f1 = np.where(exact, 1.0, rng.random(60))
    rouge = f1 * np.where(exact, 1.0, 0.9)
    targets = rng.integers(0, 3, 60)
    predicted = np.where(exact, targets, (targets + 1) % 3)
    outside = np.zeros(60, bool)
    return TextAnswers(TextScores(exact, f1, rouge, outside), targets, predicted, ratio)


@pytest.mark.parametrize("ratio", ["token_f1", "rouge_l"])
def test_the_ratio_metric_is_the_weighted_mean(ratio: str) -> None:
    own = answers(0, ratio)
    weights = np.random.default_rng(1).integers(0, 3, (60, 5)).astype(float)
    scores = getattr(own.texts, ratio)
    wanted = scores @ weights / weights.sum(axis=0)
    assert np.allclose(own.metric(ratio, weights), wanted)
    assert np.allclose(own.mean(ratio, weights), wanted)
    assert np.allclose(own.take(np.arange(10)).metric(ratio, np.ones((10, 1))), scores[:10].mean())


def test_the_share_is_of_exact_answers() -> None:
    own = answers(0)
    assert own.metric("exact_match", np.ones((60, 1)))[0] == own.texts.exact.mean()


def test_a_better_lever_is_told_apart_and_an_equal_one_is_not() -> None:
    good, bad = answers(0, right=0.95), answers(1, right=0.2)
    for metric in ("exact_match", "token_f1"):
        assert randomisation_p(good, bad, metric) < 0.01
        assert randomisation_p(good, good, metric) == 1.0
