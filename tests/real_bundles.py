"""Small bundles of models that were really fitted or exported, for tests of the runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from tiny_bundle import LABELS, TEXTS, tiny_files
from whichlever.bundle.archive import write_archive
from whichlever.bundle.format import MANIFEST, Manifest, Part, Reader, Trained
from whichlever.infer.static import StaticModel

__all__ = ["LABELS", "TEXTS", "encoder_bundle", "joined_bundle", "manifest", "static_bundle"]

BUCKETS = 1024


def manifest(parts: Sequence[Part], **more: object) -> Manifest:
    """A manifest of these parts."""
    said = {
        "task": "tiny", "lever": "finetune", "what": "a test", "labels": LABELS,
        "reader": Reader(input="text", id="id"), "parts": tuple(parts),
        "trained": Trained(rows_sha256="0" * 64), **more,
    }  # fmt: skip
    return Manifest(**said)  # type: ignore[arg-type]


def static_model(tokenizer: str, classes: int = 2, head: bool = False) -> StaticModel:
    """Random vectors in which a few words of the tests' texts say what they should."""
    from tokenizers import Tokenizer

    rng = np.random.default_rng(0)
    size = Tokenizer.from_str(tokenizer).get_vocab_size()
    width = 16 if head else classes
    tokens = rng.normal(scale=0.1, size=(size, width)).astype(np.float32)
    reader = Tokenizer.from_str(tokenizer)
    if not head:
        for word, at in (("credentials", 0), ("dumped", 0), ("backup", 1), ("finished", 1)):
            tokens[reader.token_to_id(word), at] += 4
    return StaticModel(
        tokens=tokens,
        pairs=rng.normal(scale=0.1, size=(BUCKETS, width)).astype(np.float32),
        head=rng.normal(size=(width, classes)).astype(np.float32) if head else None,
        bias=np.linspace(0, 0.2, classes, dtype=np.float32),
        power=0.5,
        tokenizer=tokenizer,
    )


def static_files(minilm: Path, head: bool = False) -> dict[str, bytes]:
    tokenizer = (minilm / "tokenizer.json").read_text()
    return {"model/static/static.safetensors": static_model(tokenizer, head=head).to_bytes()}


def static_bundle(path: Path, minilm: Path, head: bool = False, **more: object) -> Path:
    """Write an unsigned bundle of a static model."""
    said = manifest([Part(name="static", kind="static")], **more)
    write_archive(path, {MANIFEST: said.to_bytes(), **static_files(minilm, head)})
    return path


@lru_cache(maxsize=1)
def exported(minilm: Path) -> tuple[dict[str, bytes], np.ndarray]:
    """A random encoder of one layer, exported as training exports it, and what torch says of
    `TEXTS`: probabilities, shape (n, classes).
    """
    import torch
    import transformers

    from whichlever.infer.encoder_text import EncoderText, padded
    from whichlever.models import encoder_onnx
    from whichlever.models.encoder_net import Classifier

    config = transformers.BertConfig(
        hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=128,
        max_position_embeddings=64, vocab_size=30522,
    )  # fmt: skip
    tokenizer = (minilm / "tokenizer.json").read_text()
    ids = EncoderText(tokenizer, 24).encode(TEXTS).ids
    with tempfile.TemporaryDirectory() as folder:
        base, file = Path(folder) / "base", Path(folder) / "encoder.onnx"
        torch.manual_seed(0)
        transformers.BertModel(config).save_pretrained(base)
        net = Classifier(base, len(LABELS))
        torch.nn.init.normal_(net.head.weight, std=1.0)
        encoder_onnx.export(net, ids, file)
        with torch.inference_mode():
            given, mask = map(torch.from_numpy, padded(ids))
            said = torch.softmax(net(given, mask), dim=1).numpy()
        files = {
            "model/encoder/encoder.onnx": file.read_bytes(),
            "model/encoder/tokenizer.json": tokenizer.encode(),
        }
    return files, said


ENCODER = Part(name="encoder", kind="encoder", max_tokens=24)


def encoder_bundle(path: Path, minilm: Path, **more: object) -> Path:
    """Write an unsigned bundle of a random encoder."""
    files = exported(minilm)[0]
    write_archive(path, {MANIFEST: manifest([ENCODER], **more).to_bytes(), **files})
    return path


def joined_bundle(path: Path, minilm: Path, **more: object) -> Path:
    """Write an unsigned bundle of a linear, a static and an encoder part."""
    linear = {n: c for n, c in tiny_files().items() if n.startswith("model/")}
    parts = [
        Part(name="linear", kind="linear", weight=0.3),
        Part(name="static", kind="static", weight=0.4),
        ENCODER.model_copy(update={"weight": 0.3}),
    ]
    said = manifest(parts, temperature=1.3, **more)
    files = linear | static_files(minilm) | exported(minilm)[0]
    write_archive(path, {MANIFEST: said.to_bytes(), **files})
    return path
