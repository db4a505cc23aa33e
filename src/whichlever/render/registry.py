"""Packs by name and version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from whichlever.errors import TaskError

Record = Mapping[str, Any]


class Pack(Protocol):
    """A ready task family.

    ``versions`` are the renderer versions it still speaks; an old bundle names an old one.
    """

    name: str
    versions: tuple[int, ...]

    def render(self, record: Record, version: int) -> str:
        """The text a model reads for ``record``; pure, and the same for ever for a version."""
        ...

    def records(
        self, name: str, stream: BinaryIO
    ) -> Iterator[tuple[int, Record | Exception]] | None:
        """Read a file of the pack's own format as (line number, record or what was wrong with
        it); None where the usual readers (jsonl, csv, parquet) will do.
        """
        ...

    def write_template(self, folder: Path, seed: int = 0) -> None:
        """Write a runnable task folder: task.yaml, simulated data and a README."""
        ...


def find_pack(reference: str) -> tuple[Pack, int]:
    """The pack and version that ``name@version`` means.

    Raises
    ------
    TaskError
        No such pack is installed, or it does not speak that version.
    """
    name, _, version = reference.partition("@")
    found = {point.name: point for point in entry_points(group="whichlever.packs")}
    if name not in found:
        raise TaskError(f"pack {name!r} is not installed (installed: {', '.join(sorted(found))})")
    pack: Pack = found[name].load()
    number = int(version) if version.isdecimal() else pack.versions[-1]
    if number not in pack.versions or (version and not version.isdecimal()):
        spoken = ", ".join(f"{name}@{v}" for v in pack.versions)
        raise TaskError(f"pack {reference!r}: this version speaks {spoken}")
    return pack, number
