"""``POST /v1/chat/completions`` and ``GET /v1/models``: a bundle as OpenAI's clients ask it."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from whichlever.serve.calls import Call, Problem, Reply, Stream, reply
from whichlever.serve.chat import (
    EVENTS,
    Chunks,
    Json,
    Said,
    as_openai,
    asked_of,
    in_turn,
    said_of_line,
    whole,
)
from whichlever.serve.chat_sources import sourced
from whichlever.serve.rows import Asked as AskedRows
from whichlever.serve.rows import read_rows
from whichlever.serve.state import Generation

if TYPE_CHECKING:
    from whichlever.serve.app import Server

CHAT, MODELS = "/v1/chat/completions", "/v1/models"

STARTED = int(time.time())


def problem_of(path: str, problem: Problem) -> Reply:
    """A problem as the clients of a path read it."""
    return as_openai(problem) if path in (CHAT, MODELS) else problem.reply()


async def answer_chat(server: Server, call: Call) -> Reply | Stream:
    """Answer the last message of a user."""
    given, _ = await server.json(call)
    asked = asked_of(given)
    server.admit(call, 1)
    async with AsyncExitStack() as held:
        taken = await held.enter_async_context(server.state.using())
        manifest = taken.bundle.manifest
        if manifest.kind == "extract":
            raise Problem(422, "This bundle copies fields", "ask /v1/predict")
        rows = read_rows(taken.bundle, [asked.text])
        if rows.errors:
            most = f"{manifest.reader.max_chars} characters at most"
            raise Problem(422, "The text is too long", most)
        name, model = f"chatcmpl-{server.name()}", manifest.task
        chunks = Chunks(name, model)
        if manifest.kind == "generate":
            from whichlever.serve.chat_writing import Writing, begun, events, written

            writing = Writing(server, taken, rows.rows[0], asked, held.pop_all())
            if asked.stream:
                pieces = await begun(writing)
                sent = events(writing, pieces, chunks, with_usage=asked.with_usage)
                return Stream(sent, EVENTS)
            said = await written(writing)
        else:
            said, line = await _chosen(server, taken, rows)
            said = await sourced(server, asked.text, said, fill=True)
            if server.inputs is not None:
                server.inputs.write([rows.rows[0].text], [{**line, **said.ours}])
    if asked.stream:
        return Stream(in_turn(chunks.of(said, with_usage=asked.with_usage)), EVENTS)
    return reply(whole(name, model, said))


async def _chosen(server: Server, taken: Generation, rows: AskedRows) -> tuple[Said, Json]:
    """One of the bundle's answers, counted like any other row's, and its line."""
    answers, scores = await server.answered(taken, rows.rows)
    (line,) = rows.lines(answers, scores, taken.bundle)
    if "error" in line:
        raise Problem(422, "The text cannot be answered")
    if line["abstain"]:
        server.state.metrics.abstained.inc()
    used = answers[0].usage
    return said_of_line(line, used.tokens_in or 0, used.tokens_out or 0), line


async def list_models(server: Server, call: Call) -> Reply:
    """The one model there is."""
    bundle = server.state.current.bundle
    owner = "unsigned" if bundle.signer is None else bundle.signer.name
    one = {"id": bundle.manifest.task, "object": "model", "created": STARTED, "owned_by": owner}
    return reply({"object": "list", "data": [one]})
