from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from whichlever.infer.static_words import WordPieces, splits_at_whitespace

ODD = (
    "a\x0bb c\x0cd \x1c\x85\xa0e İstanbul ΑΣ Σ naïve 中文字 "
    "[CLS] x[SEP]y ab\u0301 \u0301c \ufffd\x00 \u2028z"
)


@pytest.fixture(scope="module")
def real(minilm: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.fixture(scope="module")
def pieces(minilm: Path) -> WordPieces:
    return WordPieces.load(minilm)


def one(pieces: WordPieces, text: str) -> list[int]:
    return pieces.ids([text]).units.tolist()


def test_odd_text_has_the_tokenizers_own_ids(real: Tokenizer, pieces: WordPieces) -> None:
    assert pieces.by_word
    assert one(pieces, ODD) == real.encode(ODD, add_special_tokens=False).ids


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=4))
def test_any_text_has_the_tokenizers_own_ids(
    real: Tokenizer, pieces: WordPieces, texts: list[str]
) -> None:
    bags = pieces.ids(texts)
    for i, text in enumerate(texts):
        ids = bags.units[bags.starts[i] : bags.starts[i + 1]].tolist()
        assert ids == real.encode(text, add_special_tokens=False).ids


def test_a_full_memory_is_emptied_and_ids_stay_right(minilm: Path, real: Tokenizer) -> None:
    small = WordPieces.load(minilm, max_words=3)
    for text in ("alpha beta", "gamma delta", "alpha epsilon zeta eta theta", "", "alpha beta"):
        assert one(small, text) == real.encode(text, add_special_tokens=False).ids


def test_long_words_do_not_fill_the_memory(minilm: Path, real: Tokenizer) -> None:
    small = WordPieces((minilm / "tokenizer.json").read_text(), max_bytes=2_000)
    for i in range(20):
        text = f"host {i} " + f"{i:04}" * 200
        assert one(small, text) == real.encode(text, add_special_tokens=False).ids
        assert sum(map(len, small._known)) <= 2_000


def test_a_tokenizer_that_looks_across_spaces_is_called_on_whole_texts(minilm: Path) -> None:
    spec = (minilm / "tokenizer.json").read_text().replace("BertPreTokenizer", "Whitespace")
    assert not splits_at_whitespace(spec)
    whole = WordPieces(spec)
    reference = Tokenizer.from_str(spec)
    reference.no_truncation()
    reference.no_padding()
    text = "user-name failed: 3 times"
    assert one(whole, text) == reference.encode(text, add_special_tokens=False).ids


def test_lone_surrogates_do_not_stop_it(pieces: WordPieces) -> None:
    assert np.array_equal(one(pieces, "bad \udc80 byte"), one(pieces, "bad ? byte"))
