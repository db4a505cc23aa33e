"""The language model that the rung ``decoder`` starts from: weights by name, a file or a folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from whichlever.errors import MissingExtraError, WeightsError
from whichlever.llm.weights import file_sha256, find_weights, home
from whichlever.task import Task

NEEDED = ("torch", "transformers", "tokenizers", "safetensors", "peft")
FILES = ("config.json", "model.safetensors", "tokenizer.json")


def check_decoder(base: str, task: Task) -> None:
    """Raise early what training would raise late; imports nothing heavy.

    Raises
    ------
    MissingExtraError
        A package is missing.
    WeightsError
        The base is.
    """
    given, _ = _found(base, task)
    needed = (*NEEDED, "gguf") if given.suffix == ".gguf" else NEEDED
    if any(importlib.util.find_spec(package) is None for package in needed):
        raise MissingExtraError("fine-tuning a decoder", "train")


def decoder_fingerprint(base: str) -> str | None:
    """SHA-256 of weights given by name; None for a path, whose files are `decoder_files`."""
    return None if _is_path(base) else find_weights(base).sha256


def decoder_files(base: str) -> tuple[str, ...]:
    """The base's files, as the task names them; none where weights are given by name."""
    if not _is_path(base):
        return ()
    return (base,) if base.endswith(".gguf") else tuple(f"{base}/{name}" for name in FILES)


def decoder_folder(
    base: str, task: Task, unpack: Callable[[Path, str, Path], Path]
) -> tuple[Path, Path | None]:
    """The base as a Hugging Face folder, and the GGUF file that it was made from, where it was.

    Parameters
    ----------
    unpack
        Makes a folder of a GGUF file (`whichlever.models.decoder_base.unpacked`).

    Raises
    ------
    WeightsError
        There is no such base.
    """
    path, sha256 = _found(base, task)
    if path.suffix == ".gguf":
        return unpack(path, sha256 or file_sha256(path), home()), path
    return path, None


def _found(base: str, task: Task) -> tuple[Path, str | None]:
    if _is_path(base):
        path = task.path(str(Path(base).expanduser()))
        if path.suffix == ".gguf" and path.is_file():
            return path, None
        missing = [name for name in FILES if not (path / name).is_file()]
        if missing:
            raise WeightsError(
                f"levers.finetune.decoder.base: {base!r} is no weights on this machine, and no "
                f"folder with {missing[0]}; give weights by name (whichlever models), a .gguf "
                f"file, or a folder with {', '.join(FILES)}"
            )
        return path, None
    found = find_weights(base)
    if found.kind != "gguf":
        raise WeightsError(
            f"levers.finetune.decoder.base: {base!r} is an encoder; it takes a language model"
        )
    return found.path, found.sha256


def _is_path(base: str) -> bool:
    """Whether it is no name that the registry knows; a path is never one."""
    if Path(base).name != base or base.startswith((".", "~")) or base.endswith(".gguf"):
        return True
    try:
        find_weights(base)
    except WeightsError:
        return True
    return False
