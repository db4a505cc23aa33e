"""The encoder that a fine-tune starts from: weights by name, or a folder beside the task."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from whichlever.errors import MissingExtraError, WeightsError
from whichlever.llm.adding import REQUIRED
from whichlever.llm.weights import Weights, file_sha256, find_weights
from whichlever.task import Task

TRAINING = ("torch", "transformers", "tokenizers", "safetensors")
"""Packages without which nothing is trained."""


def base_weights(base: str, task: Task) -> Weights:
    """The encoder that ``levers.finetune.base`` means.

    Parameters
    ----------
    base
        A name in the weights registry, or a folder, absolute or from the task's own.
    task
        Says where its folder is.

    Raises
    ------
    WeightsError
        There are no such weights, or they are not an encoder.
    """
    folder = task.path(str(Path(base).expanduser()))
    if folder.is_dir() and not _registered(base):
        return _folder_weights(base, folder)
    if folder.is_file():
        raise WeightsError(f"levers.finetune.base: {base!r} is a file; {_NEEDED}")
    try:
        found = find_weights(base)
    except WeightsError as error:
        raise WeightsError(
            f"levers.finetune.base: {error}; {base!r} is no folder beside the task either"
        ) from None
    if found.kind != "encoder":
        raise WeightsError(f"levers.finetune.base: {base!r} is a language model (GGUF); {_NEEDED}")
    return found


_NEEDED = f"fine-tuning starts from an encoder: give a folder with {', '.join(REQUIRED)}, or a name"


def base_fingerprint(base: str) -> str | None:
    """SHA-256 of weights given by name; None for a folder, whose files are `base_files`."""
    return find_weights(base).sha256 if _registered(base) else None


def base_files(base: str) -> tuple[str, ...]:
    """A folder's files, as the task names them; none where weights are given by name."""
    if _registered(base):
        return ()
    folder = Path(base).expanduser()
    return tuple(str(folder / name) for name in REQUIRED)


def check_base(base: str, task: Task, *more: str) -> None:
    """Raise early what training would raise late; imports nothing heavy.

    Parameters
    ----------
    base, task
        As for `base_weights`.
    more
        Packages needed beside those of `TRAINING`.

    Raises
    ------
    MissingExtraError
        A package is missing.
    WeightsError
        The base is.
    """
    if any(importlib.util.find_spec(package) is None for package in (*TRAINING, *more)):
        raise MissingExtraError("fine-tuning", "train")
    base_weights(base, task)


def _registered(base: str) -> bool:
    """Whether it is a name that the registry knows; a path is never one."""
    if Path(base).name != base or base.startswith((".", "~")):
        return False
    try:
        find_weights(base)
    except WeightsError:
        return False
    return True


def _folder_weights(base: str, folder: Path) -> Weights:
    for name in REQUIRED:
        if not (folder / name).is_file():
            raise WeightsError(f"levers.finetune.base: {base!r} holds no {name}; {_NEEDED}")
    return Weights(
        name=base,
        path=folder.resolve(),
        kind="encoder",
        licence=None,
        sha256=file_sha256(folder / "model.safetensors"),
        source="local folder",
    )
