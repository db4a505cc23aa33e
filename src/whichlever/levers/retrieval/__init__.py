"""Retrieval that the rag levers share: labelled rows and documents, found by words and meaning.

`Index` ranks passages twice (BM25 and static vectors), `fuse` joins the rankings, `choose_rule`
and `Electorate` turn labelled neighbours into probabilities, and `Library` reads a folder of
documents again when it changes.
"""

from whichlever.levers.retrieval.documents import Folder, read_folder
from whichlever.levers.retrieval.embedding import (
    EMBEDDER,
    METHOD,
    default_embedder,
    index_rows,
    index_seconds,
)
from whichlever.levers.retrieval.fusion import Fusion, fuse
from whichlever.levers.retrieval.index import Embedder, Found, Index, Passage
from whichlever.levers.retrieval.library import Library
from whichlever.levers.retrieval.vote import Electorate, VoteRule, choose_rule, neighbours

__all__ = [
    "EMBEDDER",
    "METHOD",
    "Electorate",
    "Embedder",
    "Folder",
    "Found",
    "Fusion",
    "Index",
    "Library",
    "Passage",
    "VoteRule",
    "choose_rule",
    "default_embedder",
    "fuse",
    "index_rows",
    "index_seconds",
    "neighbours",
    "read_folder",
]
