"""Documents that are read again when they change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from whichlever.levers.retrieval.documents import Folder, read_folder, stamp_of
from whichlever.levers.retrieval.fusion import Fusion
from whichlever.levers.retrieval.index import Embedder, Index, Passage
from whichlever.predict import Row


class Library:
    """A searchable folder of documents.

    It has an index of its own, apart from that of the labelled rows, so that a changed document
    costs only the reading of the folder.

    Parameters
    ----------
    root
        The folder.
    embedder
        Makes the vectors.

    Raises
    ------
    TaskError
        There is no such folder.
    """

    def __init__(self, root: Path, embedder: Embedder) -> None:
        self.root = root
        self._embedder = embedder
        self._read()

    @property
    def folder(self) -> Folder:
        """What the folder held when it was last read."""
        return self._folder

    def refresh(self) -> bool:
        """Read the folder again if a file in it has changed; whether it had.

        Raises
        ------
        TaskError
            The folder is gone.
        """
        if stamp_of(self.root) == self._folder.stamp:
            return False
        self._read()
        return True

    def find(self, rows: Sequence[Row], fusion: Fusion, k: int) -> list[list[Passage]]:
        """The best ``k`` passages for each row, best first; fewer where fewer match."""
        if self._index is None:
            return [[] for _ in rows]
        positions, _ = self._index.search(rows).fused(fusion, k)
        passages = self._index.passages
        return [[passages[at] for at in found if at >= 0] for found in positions.tolist()]

    def _read(self) -> None:
        folder = read_folder(self.root)
        self._index = Index.build(folder.passages, self._embedder) if folder.passages else None
        self._folder = folder
