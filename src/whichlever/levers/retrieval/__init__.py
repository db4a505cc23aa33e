"""Retrieval that the rag levers share: labelled rows and documents, found by words and meaning.

`Index` ranks passages twice (BM25 and static vectors), `fuse` joins the rankings, `choose_rule`
and `Electorate` turn labelled neighbours into probabilities, `Library` reads a folder of documents
again when it changes, `Retriever` finds what a prompt gets, and `ask_within` asks with as much of
it as fits.
"""

from whichlever.documents.folder import Folder, check_documents, read_folder
from whichlever.documents.passage import Passage
from whichlever.levers.retrieval.embedding import (
    EMBEDDER,
    METHOD,
    check_embedder,
    default_embedder,
    embedder_fingerprint,
    index_rows,
    index_seconds,
)
from whichlever.levers.retrieval.fusion import Fusion, fuse
from whichlever.levers.retrieval.index import Embedder, Found, Index
from whichlever.levers.retrieval.library import Library
from whichlever.levers.retrieval.match import Judge, Reader
from whichlever.levers.retrieval.retriever import (
    Plan,
    Retriever,
    nearest_document,
    plans,
    sources,
)
from whichlever.levers.retrieval.vote import FUSIONS, Electorate, VoteRule, choose_rule, neighbours
from whichlever.levers.retrieval.window import Answered, ask_within

__all__ = [
    "Answered",
    "Judge",
    "Plan",
    "Reader",
    "Retriever",
    "nearest_document",
    "sources",
    "ask_within",
    "plans",
    "EMBEDDER",
    "FUSIONS",
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
    "check_documents",
    "check_embedder",
    "choose_rule",
    "default_embedder",
    "embedder_fingerprint",
    "fuse",
    "index_rows",
    "index_seconds",
    "neighbours",
    "read_folder",
]
