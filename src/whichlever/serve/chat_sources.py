"""What an answer of the chat is cited from, and the slots that documents fill."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from whichlever.documents.cited import Citation, Sourced
from whichlever.serve.chat import Said

if TYPE_CHECKING:
    from whichlever.serve.app import Server

Json = dict[str, Any]


async def sourced(server: Server, question: str, said: Said, *, fill: bool) -> Said:
    """An answer with its slots filled and its citations, where the server has documents.

    Parameters
    ----------
    fill
        Whether slots are filled: not where the text has been sent already.
    """
    documents = server.state.documents
    if documents is None or said.ours.get("abstain"):
        return said
    found = await server.waited(asyncio.to_thread(documents.source, question, said.content))
    for slot in found.slots if fill else ():
        server.state.metrics.slots.labels(slot.why or "filled").inc()
    content = found.text if fill else said.content
    return replace(said, content=content, ours={**said.ours, **_told(found, fill=fill)})


def _told(found: Sourced, *, fill: bool) -> Json:
    told: Json = {"citations": [_citation(c) for c in found.citations]}
    if fill and found.slots:
        told["slots"] = [
            {"slot": s.slot, "value": s.value}
            | ({"why": s.why} if s.line is None else _citation(s.line))
            for s in found.slots
        ]
    return told


def _citation(cited: Citation) -> Json:
    return {"document": cited.document, "start": cited.start, "end": cited.end,
            "text": cited.text}  # fmt: skip
