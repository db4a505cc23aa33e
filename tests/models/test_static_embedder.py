import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from whichlever.errors import MissingExtraError, WeightsError
from whichlever.infer.static_words import WordPieces
from whichlever.models import static_distill
from whichlever.models.static import StaticEmbedder


def test_vectors_equal_model2vecs_for_the_same_token_vectors(minilm: Path) -> None:
    model2vec = pytest.importorskip("model2vec")
    vectors = np.random.default_rng(0).normal(size=(30522, 16)).astype(np.float32)
    ours = StaticEmbedder(WordPieces.load(minilm), vectors)
    tokenizer = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    tokenizer.no_padding()
    theirs = model2vec.StaticModel(vectors, tokenizer, normalize=True)
    texts = ["Failed password for root", "sudo: 3 incorrect attempts", "", "naïve 中文 text"]
    assert np.allclose(ours.encode(texts), theirs.encode(texts), atol=1e-6)
    assert not ours.encode([""]).any()


def test_made_once_then_read_from_the_cache(
    minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = np.eye(30522, 4, dtype=np.float32)
    monkeypatch.setattr(static_distill, "_distil", lambda *_: made)
    first = static_distill.distilled(minilm, tmp_path)
    monkeypatch.setattr(static_distill, "_distil", lambda *_: pytest.fail("made twice"))
    assert np.array_equal(static_distill.distilled(minilm, tmp_path), first)
    assert [p.suffix for p in tmp_path.iterdir()] == [".safetensors"]


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json"):
        StaticEmbedder.load(tmp_path)


def test_without_the_training_extra_one_line_says_what_is_made_once(
    minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "torch", None)
        with pytest.raises(MissingExtraError, match=r"once.*whichlever\[train\]"):
            static_distill.distilled(minilm, tmp_path)
        without.setitem(sys.modules, "safetensors.numpy", None)
        with pytest.raises(MissingExtraError, match="train"):
            static_distill.distilled(minilm, tmp_path)
    assert not static_distill.is_distilled(minilm, tmp_path)
    monkeypatch.setattr(static_distill, "_distil", lambda *_: np.eye(30522, 4, dtype=np.float32))
    static_distill.distilled(minilm, tmp_path)
    assert static_distill.is_distilled(minilm, tmp_path)


def test_empty_texts_stand_in_their_places_in_every_batch(minilm: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(30522, 16)).astype(np.float32)
    ours = StaticEmbedder(WordPieces.load(minilm), vectors)
    texts = ["", *["failed login", "", "backup"] * 700, ""]
    together = ours.encode(texts)
    alone = {text: ours.encode([text])[0] for text in set(texts)}
    assert np.array_equal(together, np.stack([alone[text] for text in texts]))
    assert ours.encode([]).shape == (0, 16)


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        static_distill.write_aside(tmp_path / "x.safetensors", b"1")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_tiny_encoder_is_distilled_the_documented_way(minilm: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    spec = json.loads((minilm / "tokenizer.json").read_text())
    spec["model"]["vocab"] = {t: i for t, i in spec["model"]["vocab"].items() if i < 600}
    (tmp_path / "tokenizer.json").write_text(json.dumps(spec))
    config = transformers.BertConfig(
        hidden_size=260, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=8, vocab_size=600,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.BertModel(config).eval()
    config.save_pretrained(tmp_path)
    save_file({k: v.numpy() for k, v in model.state_dict().items()}, tmp_path / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip
    vectors = static_distill.distilled(tmp_path, tmp_path / "cache")
    assert vectors.shape == (600, 256)
    with torch.inference_mode():
        ids = torch.tensor([[101, 300, 102], [101, 500, 102], [101, 102, 102]])
        states = model(input_ids=ids).last_hidden_state.mean(dim=1).numpy()
    weight = static_distill._weighted(np.ones((600, 1)))[[300, 500, 102]]
    ours = vectors[[300, 500, 102]] / weight
    # PCA keeps distances, up to the 4 of 260 directions that it drops.
    for a, b in ((0, 1), (1, 2)):
        kept = np.linalg.norm(ours[a] - ours[b]) / np.linalg.norm(states[a] - states[b])
        assert 0.9 < kept <= 1.0001
