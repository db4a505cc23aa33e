"""What the rest of the house sees of this pack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from whichlever.packs.triage.reader import Record, read_lines, reads
from whichlever.packs.triage.render import render


class TriagePack:
    """The ``triage`` pack; see `whichlever.render.registry.Pack` for what each method promises."""

    name = "triage"
    versions: tuple[int, ...] = (1,)

    def render(self, record: Record, version: int = 1) -> str:
        """The text of one alert; ValueError for a version this pack does not speak."""
        if version not in self.versions:
            raise ValueError(f"triage@{version} is not spoken here; triage@1 is")
        return render(record)

    def records(
        self, name: str, stream: BinaryIO
    ) -> Iterator[tuple[int, Record | Exception]] | None:
        """Lines of a Wazuh, EVE or JSON-lines file; None for csv, parquet and the like."""
        return read_lines(name, stream) if reads(name) else None

    def write_template(self, folder: Path, seed: int = 0) -> None:
        """Write a runnable task folder with six months of simulated alerts."""
        from whichlever.packs.triage.template import write_template

        write_template(folder, seed)
