"""Every beginning and ending in one walk gives what asking each by itself gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.infer.guard import heads, tails
from whichlever.infer.linear import LinearModel, Weights
from whichlever.infer.linear_cuts import cut_margins
from whichlever.infer.linear_features import Features

TEXTS = [
    "login.failed for root@host-1 /bin/sh a.b.c failed failed",
    "backup job finished ok: /var/log/x.log 10.0.0.1 a.b",
    'event: {"a": "b", "user.name": "root", "path": "/bin/sh -c ls"}',
    "root root a b ab abc host-1 failed job.",
    "straße Ünsigned DRIVER, -- ransom note!\n\tfiles a.b.c.d",
]  # fmt: skip


def model(*, chars: bool) -> LinearModel:
    features = Features.fit([*TEXTS, *TEXTS], chars=chars, max_features=5_000)
    random = np.random.default_rng(3)
    coef = random.normal(0, 1, (features.columns, 3)).astype(np.float32)
    bias = random.normal(0, 1, 3).astype(np.float32)
    return LinearModel(features, Weights(coef, bias), ("a", "b", "c"), np.array([0, 1, 2]), 1.5, {})


MODELS = {chars: model(chars=chars) for chars in (False, True)}


@pytest.mark.parametrize("chars", [False, True])
@given(
    st.one_of(
        st.lists(st.sampled_from(" ".join(TEXTS).split()), min_size=1, max_size=12).map(" ".join),
        st.text('ab.:/- \n\u00e9\u0130A{"', min_size=1, max_size=40),
    )
)
@settings(max_examples=150, deadline=None)
def test_one_walk_is_every_cut(chars, text):
    linear = MODELS[chars]
    for endings, cuts in ((False, heads(text, 1)), (True, tails(text, 1))):
        cuts = sorted(cuts)
        found = cut_margins(linear.features, linear.weights.coef, text, cuts, endings=endings)
        if found is None:
            assert not cuts or len(text.lower()) != len(text)
            continue
        parts = [text[at:] if endings else text[:at] for at in cuts]
        wanted = linear._margins(parts) - linear.weights.intercept
        np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_text_that_grows_in_lower_case_is_left_to_be_asked_cut_by_cut():
    linear = MODELS[True]
    assert cut_margins(linear.features, linear.weights.coef, "\u0130x y", [2]) is None
