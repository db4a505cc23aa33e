"""What the rest of the house sees of this pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO


class CopilotPack:
    """The ``copilot`` pack; see `whichlever.render.registry.Pack` for what each method promises."""

    name = "copilot"
    versions: tuple[int, ...] = (1,)

    def render(self, record: Mapping[str, Any], version: int = 1) -> str:
        """The text of one note, its ``input``; ValueError for a version not spoken here."""
        if version not in self.versions:
            raise ValueError(f"copilot@{version} is not spoken here; copilot@1 is")
        text = record["input"]
        if not isinstance(text, str):
            raise TypeError("its input is not text")
        return text

    def records(
        self, name: str, stream: BinaryIO
    ) -> Iterator[tuple[int, Mapping[str, Any] | Exception]] | None:
        """None: the usual readers do."""
        return None

    def write_template(self, folder: Path, seed: int = 0) -> None:
        """Write a runnable task folder with simulated notes of two trades."""
        from whichlever.packs.copilot.template import write_template

        write_template(folder, seed)

    def write_own(self, folder: Path, documents: Path | None, pairs: Path) -> list[str]:
        """Write a task folder from somebody's own pairs and documents; what to say of it."""
        from whichlever.packs.copilot.own import write_own

        made = write_own(folder, documents, pairs)
        kind = "a closed set" if made.closed else "open"
        split = "drawn at random" if made.group is None else f"split by {made.group}"
        said = [
            f"{made.pairs:,} pairs with {made.answers:,} different answers ({kind}), {split}; "
            f"{made.documents:,} documents"
        ]
        return said + [f"left out: {name} ({why})" for name, why in made.left_out[:20]]
