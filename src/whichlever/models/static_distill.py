"""Token vectors from an encoder, by model2vec's method; made once per encoder and kept.

Every token of the vocabulary goes through the encoder by itself, between the special tokens; the
mean of its last hidden states is reduced by PCA and weighted by smooth inverse frequency, the
frequency read off the token's rank by Zipf's law (Tulkens and van Dongen, model2vec, 2024; SIF:
Arora et al. 2017). Done here rather than by ``model2vec.distill`` so that token ids stay the
encoder's own and no further packages are needed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from whichlever.errors import MissingExtraError, WeightsError
from whichlever.progress import Progress, Silent

DIMENSIONS = 256
SIF = 1e-4
BATCH = 512
METHOD = 1
"""Part of the cache's file name; raised when the method changes."""

MAKING = "making static token vectors (once: they are kept, and read without it from then on)"
"""What needs the extra ``train``."""

Vectors = npt.NDArray[np.float32]


def distilled(
    weights_path: Path, cache: Path | None = None, progress: Progress | None = None
) -> Vectors:
    """Token vectors of an encoder, from the cache or made now (20 to 40 s for MiniLM).

    Parameters
    ----------
    weights_path
        Folder with ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
    cache
        Folder for the result; default ``$WHICHLEVER_HOME``, else ``~/.cache/whichlever``.

    Returns
    -------
    float32 array, shape (vocabulary, 256)

    Raises
    ------
    WeightsError
        The folder lacks a file.
    MissingExtraError
        They must be made and torch is not installed, or safetensors is not.
    """
    file = _file(weights_path, cache)
    try:
        from safetensors.numpy import load_file, save
    except ImportError:
        raise MissingExtraError("reading static token vectors", "train") from None
    if file.exists():
        vectors: Vectors = load_file(file)["vectors"]
        return vectors
    vectors = _distil(weights_path, progress or Silent())
    write_aside(file, save({"vectors": vectors}))
    return vectors


def is_distilled(weights_path: Path, cache: Path | None = None) -> bool:
    """Whether an encoder's token vectors have been made and kept.

    Raises
    ------
    WeightsError
        The folder lacks a file.
    """
    return _file(weights_path, cache).exists()


def can_distil() -> bool:
    """Whether what makes them is installed; imports nothing."""
    return all(find_spec(package) is not None for package in ("torch", "transformers"))


def default_cache() -> Path:
    """``$WHICHLEVER_HOME``, else ``~/.cache/whichlever``."""
    home = os.environ.get("WHICHLEVER_HOME")
    return Path(home) if home else Path.home() / ".cache" / "whichlever"


def write_aside(path: Path, content: bytes) -> None:
    """Write beside the target and rename, so that a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _file(weights_path: Path, cache: Path | None) -> Path:
    return (cache or default_cache()) / f"static-{_fingerprint(weights_path)}.safetensors"


def _fingerprint(folder: Path) -> str:
    sha = hashlib.sha256(f"{METHOD} {DIMENSIONS} {SIF}".encode())
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{folder}: no {name}; an encoder's folder needs it")
        with path.open("rb") as stream:
            sha.update(hashlib.file_digest(stream, "sha256").digest())
    return sha.hexdigest()[:16]


def _distil(folder: Path, progress: Progress) -> Vectors:
    try:
        import torch
        from tokenizers import Tokenizer
        from transformers import AutoModel
        from transformers.utils import logging
    except ImportError:
        raise MissingExtraError(MAKING, "train") from None
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    around = tokenizer.encode("a").ids
    first, last = around[0], around[-1]
    logging.disable_progress_bar()
    model = AutoModel.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
    ids = torch.arange(size)
    batch = torch.stack([torch.full((size,), first), ids, torch.full((size,), last)], dim=1)
    states = []
    with (
        torch.inference_mode(),
        progress.step("static: token vectors from the encoder", total=size, seconds=30) as bar,
    ):
        for part in batch.split(BATCH):
            hidden = model(input_ids=part, attention_mask=torch.ones_like(part)).last_hidden_state
            states.append(hidden.mean(dim=1))
            bar.advance(len(part))
    return _weighted(_reduced(torch.cat(states).double().numpy()))


def _reduced(states: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Project on the first principal components, with signs fixed by the largest score."""
    centred = states - states.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    scores = centred @ axes[:, ::-1][:, :DIMENSIONS]
    signs = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])])
    reduced: npt.NDArray[np.float64] = scores * signs
    return reduced


def _weighted(vectors: npt.NDArray[np.float64]) -> Vectors:
    """Weight each token by SIF, its frequency taken from its rank in the vocabulary (Zipf)."""
    inverse_rank = 1 / np.arange(2, len(vectors) + 2)
    frequency = inverse_rank / inverse_rank.sum()
    weighted: Vectors = (vectors * (SIF / (SIF + frequency))[:, None]).astype(np.float32)
    return weighted
