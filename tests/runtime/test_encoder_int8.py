"""An 8-bit encoder is used only where it answers as the one it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnx")
pytest.importorskip("torch")

from real_bundles import LABELS, TEXTS, exported
from whichlever.infer.encoder import EncoderClassifier, EncoderPredictor
from whichlever.models.encoder_int8 import int8_is_as_good, quantise, try_int8
from whichlever.predict import Row


@pytest.fixture(scope="module")
def files(minilm: Path) -> tuple[bytes, str]:
    made = exported(minilm)[0]
    onnx, tokenizer = "model/encoder/encoder.onnx", "model/encoder/tokenizer.json"
    return made[onnx], made[tokenizer].decode()


def answers(onnx: bytes, tokenizer: str, texts: list[str]) -> np.ndarray:
    model = EncoderClassifier(onnx, tokenizer, 24)
    return model.probabilities(model.read(texts))


def test_it_is_smaller_and_answers_nearly_the_same(files: tuple[bytes, str]) -> None:
    onnx, tokenizer = files
    small = quantise(onnx)
    assert b"MatMulIntegerToFloat" in small
    assert len(small) < len(onnx)
    texts = [*TEXTS, "", "x " * 60]
    apart = np.abs(answers(small, tokenizer, texts) - answers(onnx, tokenizer, texts)).max()
    assert 0 < apart < 0.05


def test_a_row_s_answer_hardly_depends_on_the_rows_beside_it(files: tuple[bytes, str]) -> None:
    small, tokenizer = quantise(files[0]), files[1]
    loud = [TEXTS[0], "\u2620 zzzz qqqq " * 5]
    alone = answers(small, tokenizer, loud[:1])[0]
    assert np.abs(answers(small, tokenizer, loud)[0] - alone).max() < 1e-4


def test_a_quantised_encoder_says_so_where_nothing_can_be_quantised(
    files: tuple[bytes, str],
) -> None:
    with pytest.raises(ValueError, match="no matrix product"):
        quantise(quantise(files[0]))


def test_what_is_packed_is_the_file_that_was_judged(files: tuple[bytes, str]) -> None:
    onnx, tokenizer = files
    texts = [*TEXTS] * 3
    model = EncoderPredictor(onnx, tokenizer, LABELS, 24)
    targets = [a.label for a in model.predict([Row("", text) for text in texts])]
    found = try_int8(onnx, tokenizer, 24, texts, targets, LABELS, "macro_f1", 0.02)
    assert found.rows == len(texts)
    assert found.score_fp32 == 1.0
    assert found.speedup > 0
    assert found.used is (found.content is not None)
    if found.used:
        assert found.content == quantise(onnx)
        assert found.agreement >= 0.995
        assert found.speedup > 1
    else:
        assert "asked" in found.why or "no faster" in found.why
    nobody = try_int8(onnx, tokenizer, 24, [], [], LABELS, "accuracy", 0.02)
    assert (nobody.used, nobody.content) == (False, None)


@given(st.integers(1, 400), st.integers(0, 8), st.floats(0, 0.1), st.integers(0, 2**32 - 1))
def test_it_is_never_used_where_labels_or_the_score_differ(
    rows: int, flips: int, margin: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    one = rng.dirichlet([1, 1, 1], rows).astype(np.float32)
    two = one.copy()
    at = rng.permutation(rows)[:flips]
    two[at] = one[at][:, [1, 2, 0]]
    targets = rng.integers(0, 3, rows)
    good, agreement, before, after = int8_is_as_good(one, two, targets, margin, "accuracy")
    assert agreement == pytest.approx(1 - len(at) / rows)
    assert good is (agreement >= 0.995 and after >= before - margin)
