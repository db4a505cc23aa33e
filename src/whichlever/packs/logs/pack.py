"""What the rest of the house sees of this pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from whichlever.packs.logs.reader import Numbered, read_rows, reads


class LogsPack:
    """The ``logs`` pack; see `whichlever.render.registry.Pack` for what each method promises."""

    name = "logs"
    versions: tuple[int, ...] = (1,)
    formats: tuple[str, ...] = ("native", "ocsf")

    def render(self, record: Mapping[str, Any], version: int = 1) -> str:
        """The raw line itself: spans are offsets into it, so nothing may be changed.

        Raises
        ------
        ValueError
            This pack does not speak ``version``, or the record holds no raw line.
        """
        if version not in self.versions:
            raise ValueError(f"logs@{version} is not spoken here; logs@1 is")
        raw = record.get("raw")
        if isinstance(raw, str):
            return raw
        from whichlever.packs.logs.export import row_of

        return str(row_of(record, 0)["raw"])

    def records(self, name: str, stream: BinaryIO) -> Iterator[Numbered] | None:
        """Rows of an export, a pipeline test or a csv; None for parquet and other names."""
        return read_rows(name, stream) if reads(name) else None

    def write_template(self, folder: Path, seed: int = 0, format: str = "native") -> None:
        """Write a runnable task folder with simulated lines; ``format`` names fields by ECS
        (native) or OCSF.
        """
        from whichlever.packs.logs.template import write_template

        write_template(folder, seed, format=format)
