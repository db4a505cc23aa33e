"""What the rest of the house sees of this pack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from whichlever.packs.triage.reader import Record, read_lines, reads, with_columns
from whichlever.packs.triage.render import render


class TriagePack:
    """The ``triage`` pack; see `whichlever.render.registry.Pack` for what each method promises."""

    name = "triage"
    versions: tuple[int, ...] = (1, 2)
    formats: tuple[str, ...] = ("native", "ecs", "ocsf")

    def render(self, record: Record, version: int = 1) -> str:
        """The text of one alert; ValueError for a version this pack does not speak."""
        if version not in self.versions:
            spoken = " and ".join(f"triage@{v}" for v in self.versions)
            raise ValueError(f"triage@{version} is not spoken here; {spoken} are")
        return render(record, version)

    def opened(self, record: Record) -> Record:
        """A record with the columns that `records` gives it, its id among them."""
        return with_columns(record)

    def records(
        self, name: str, stream: BinaryIO
    ) -> Iterator[tuple[int, Record | Exception]] | None:
        """Alerts of a JSON-lines file, array or ``_search`` answer; None for csv, parquet, ..."""
        return read_lines(name, stream) if reads(name) else None

    def entities(self, record: Record) -> tuple[str, ...]:
        """Who and what the alert is about (host, accounts, addresses), for linking alerts."""
        from whichlever.packs.triage.entities import entities

        return entities(record)

    def moment(self, record: Record) -> float | None:
        """When the alert was written, in seconds since 1970 UTC; None where it does not say."""
        from whichlever.packs.triage.entities import moment

        return moment(record)

    def write_template(self, folder: Path, seed: int = 0, format: str = "native") -> None:
        """Write a runnable task folder with six months of simulated alerts.

        ``format`` is native (Wazuh and Suricata), ecs (Elastic alerts) or ocsf (findings).
        """
        from whichlever.packs.triage.template import write_template

        write_template(folder, seed, format=format)
