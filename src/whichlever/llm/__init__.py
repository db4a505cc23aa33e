"""Language models: one client for any OpenAI-compatible server, the embedded llama.cpp, and the
weights that are on this machine. `Chooser` asks for one of a task's labels.
"""

from whichlever.llm.adding import add_weights
from whichlever.llm.check import check_llm
from whichlever.llm.choose import Chooser
from whichlever.llm.client import Client, Server
from whichlever.llm.embedded import open_llm
from whichlever.llm.journal import Journal
from whichlever.llm.limit import Limit
from whichlever.llm.question import Extra
from whichlever.llm.reply import Reply
from whichlever.llm.weights import Weights, find_weights, list_weights

__all__ = [
    "Chooser",
    "Client",
    "Extra",
    "Journal",
    "Limit",
    "Reply",
    "Server",
    "Weights",
    "add_weights",
    "check_llm",
    "find_weights",
    "list_weights",
    "open_llm",
]
