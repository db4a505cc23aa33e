"""Documents that are read again when they change."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from whichlever.documents.folder import Folder, read_folder, stamp_of
from whichlever.documents.passage import Passage
from whichlever.levers.retrieval.fusion import Fusion
from whichlever.levers.retrieval.index import DEPTH, Embedder, Index
from whichlever.predict import Row

SHARE_LOOKING = 0.05
"""Of an answering lever's time, the most that looking for changed files may take."""

LONGEST_BLIND = 0.5
"""Seconds after which a change is looked for however long the last look took."""

REBUILD = 0.1
"""The share of passages that may come or go before the index is built anew."""


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
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._index: Index | None = None
        self._folder = Folder({}, ())
        self._read()

    @property
    def folder(self) -> Folder:
        """What the folder held when it was last read."""
        return self._folder

    def read_from(self, root: Path) -> bool:
        """Read another folder from now on; whether its passages are others.

        Raises
        ------
        TaskError
            There is no such folder.
        """
        self.root = root
        return self.refresh()

    def follow(self) -> bool:
        """Look for changed files if it is time to; whether passages are others now.

        A look reads only names, sizes and times. It is made so often that it takes at most
        `SHARE_LOOKING` of the time, and at least every `LONGEST_BLIND` seconds of answering. A
        folder that is gone for a moment (while it is exchanged) leaves what was read.
        """
        began = time.monotonic()
        if began < self._next_look:
            return False
        found = self.refresh() if self.root.is_dir() else False
        took = time.monotonic() - began
        self._next_look = began + took + min(LONGEST_BLIND, took / SHARE_LOOKING)
        return found

    def refresh(self) -> bool:
        """Read the files that have changed; whether passages are others now.

        Raises
        ------
        TaskError
            The folder is gone.
        """
        with self._lock:
            if stamp_of(self.root) == self._folder.stamp:
                return False
            return self._read()

    def find(self, rows: Sequence[Row], fusion: Fusion, k: int) -> list[list[Passage]]:
        """The best ``k`` passages for each row, best first; fewer where fewer match."""
        return self.find_all(rows, [fusion], k)[0]

    def find_all(
        self, rows: Sequence[Row], fusions: Sequence[Fusion], k: int
    ) -> list[list[list[Passage]]]:
        """What `find` gives under each fusion; the rankings are made once."""
        index = self._index
        if index is None or not rows:
            return [[[] for _ in rows] for _ in fusions]
        found, passages = index.search(rows), index.passages
        return [
            [[passages[at] for at in best if at >= 0] for best in found.fused(f, k)[0].tolist()]
            for f in fusions
        ]

    def given(self, rows: Sequence[Row], fusion: Fusion, k: int) -> list[list[Passage]]:
        """At most ``k`` pieces of each row's own document, those nearest to the row first.

        A row without a document, or with one that is not in the folder, gets none.
        """
        out: list[list[Passage]] = []
        for row, found in zip(rows, self.find(rows, fusion, DEPTH), strict=True):
            own = self._folder.documents.get(row.document or "")
            pieces = () if own is None else own.passages
            mine = {p.id for p in pieces}
            first = [p for p in found if p.id in mine]
            ids = {p.id for p in first}
            out.append([*first, *(p for p in pieces if p.id not in ids)][:k])
        return out

    def _read(self) -> bool:
        """Open the files that are new or changed and bring the index up to date."""
        before, known = self._folder, self._folder.documents
        folder = read_folder(self.root, known)
        old, new = ({p.id: p for p in f.passages} for f in (before, folder))
        gone = {i for i, p in old.items() if new.get(i) != p}
        added = [p for i, p in new.items() if old.get(i) != p]
        if gone or added or self._index is None:
            self._index = self._updated(folder, gone, added)
        self._folder = folder
        return bool(gone or added)

    def _updated(self, folder: Folder, gone: set[str], added: list[Passage]) -> Index | None:
        if not folder.passages:
            return None
        if self._index is not None:
            index = self._index.updated(gone, added)
            if index.stale_share <= REBUILD:
                return index
            return Index.build(folder.passages, self._embedder, index.vectors_of(folder.passages))
        return Index.build(folder.passages, self._embedder)
