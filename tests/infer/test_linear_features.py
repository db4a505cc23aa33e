"""Text as sparse vectors."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.documents.words import words
from whichlever.infer import linear_features
from whichlever.infer.linear_features import Features, char_buckets, text_blocks, tokens

TEXTS = [
    "CVE-2021-44228 in log4j2 allows use-after-free",
    "cve-2021-44228: use after free in /bin/sh",
    "user_name and out_trade_no in member/notify.php",
    "user_name out_trade_no member/notify.php twice twice twice",
]


def test_security_tokens_stay_whole_and_in_parts() -> None:
    pieces, wholes = tokens("CVE-2021-44228 via out_trade_no in member/notify.php")
    assert "out_trade_no" in pieces
    assert {"cve", "2021", "44228", "member", "notify", "php"} <= set(pieces)
    assert wholes == ["cve-2021-44228", "member/notify.php"]


LONG_RUNS = ["a", "a ", "a-", "a--", "aB", "a:", "f::", "1.", "_", "é", "a/\\\\", "# "]


@pytest.mark.parametrize("run", LONG_RUNS)
@pytest.mark.parametrize("cut", [tokens, words], ids=["linear", "retrieval"])
def test_words_of_a_hostile_text_take_linear_time(cut: Callable[[str], object], run: str) -> None:
    def seconds(size: int) -> float:
        text = (run * size)[:size]
        times = []
        for _ in range(3):
            began = time.process_time()
            cut(text)
            times.append(time.process_time() - began)
        return min(times)

    few, many = 1_000, 20_000  # quadratic would take 400 times as long, linear takes 20 times
    assert seconds(many) < 100 * max(seconds(few), 1e-4)


@given(st.text(alphabet="aB1_.-:/\\\\ é", max_size=60))
def test_compounds_are_those_of_the_plain_pattern(text: str) -> None:
    plain = re.findall(r"\w+(?:[-./:\\]\w+)+", text.lower())
    assert tokens(text)[1] == plain


def test_what_one_text_alone_says_is_not_in_the_vocabulary() -> None:
    features = Features.fit(TEXTS, chars=False, max_features=10_000)
    assert "cve-2021-44228" in features.words
    assert "twice" not in features.words  # thrice, but in one text
    assert "log4j2" not in features.words
    pairs = {
        (features.words[key // len(features.words)], features.words[key % len(features.words)])
        for key in features.pairs.tolist()
    }
    assert ("use", "after") in pairs
    assert ("trade", "no") not in pairs


@pytest.mark.parametrize("chars", [False, True])
def test_agrees_with_scikit_learn(chars: bool) -> None:
    """Words and pairs, weighting and length, on texts without compounds."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["the cat sat on the mat", "the cat sat on a dog", "a dog on the mat sat the the"]
    theirs = TfidfVectorizer(
        token_pattern=r"\w+", ngram_range=(1, 2), min_df=2, sublinear_tf=True
    ).fit(texts)
    ours = Features.fit(texts, chars=chars, max_features=10_000)
    words = len(ours.words) + len(ours.pairs)
    assert words == len(theirs.vocabulary_)
    a = np.sort(ours.transform(texts).toarray()[:, :words], axis=1)
    b = np.sort(theirs.transform(texts).toarray(), axis=1)
    np.testing.assert_allclose(a * (np.sqrt(2) if chars else 1), b, rtol=1e-5)


def test_character_n_grams_are_those_of_char_wb() -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    texts = ["Ünicode wörds and, here", "abc", "", "x" * 40]
    row, bucket = char_buckets(texts)
    theirs = CountVectorizer(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()
    for i, text in enumerate(texts):
        grams = [gram for gram in theirs(text) if len(gram) >= 3]
        assert (row == i).sum() == len(grams)
    assert len(np.unique(bucket)) == len({g for text in texts for g in theirs(text) if len(g) >= 3})


def test_the_most_frequent_features_are_kept() -> None:
    texts = [f"common {i % 3} rare{i // 2}" for i in range(40)]
    features = Features.fit(texts, chars=False, max_features=4)
    assert features.columns == 4
    assert "common" in features.words


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Features.fit(TEXTS * 3, chars=True, max_features=500)
    expected = whole.transform(TEXTS * 3)
    monkeypatch.setattr(linear_features, "BLOCK_CHARS", 60)
    parts = Features.fit(TEXTS * 3, chars=True, max_features=500)
    assert parts.words == whole.words
    np.testing.assert_array_equal(parts.idf, whole.idf)
    assert (parts.transform(TEXTS * 3) != expected).nnz == 0
    assert sum(len(block) for block in text_blocks(TEXTS)) == len(TEXTS)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.booleans())
def test_any_text_has_a_vector_of_length_one_or_none(texts: list[str], chars: bool) -> None:
    features = Features.fit(texts + texts, chars=chars, max_features=1000)
    vectors = features.transform(texts)
    assert vectors.shape == (len(texts), features.columns)
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    assert np.isfinite(lengths).all()
    assert (lengths <= 1 + 1e-4).all()
    one_by_one = [features.transform([text]) for text in texts]
    assert all((vectors[i] != one).nnz == 0 for i, one in enumerate(one_by_one))


def test_half_a_character_is_a_character() -> None:
    features = Features.fit(["broken \ud800 text"] * 2, chars=True, max_features=100)
    assert features.transform(["broken \ud800 text"]).nnz > 0
