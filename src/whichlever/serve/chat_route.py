"""``POST /v1/chat/completions`` and ``GET /v1/models``: a bundle as OpenAI's clients ask it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from whichlever.serve.calls import Call, Problem, Reply, Stream, reply
from whichlever.serve.chat import (
    EVENTS,
    Asked,
    Chunks,
    Said,
    as_openai,
    asked_of,
    in_turn,
    said_of_line,
    whole,
)
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
    async with server.state.using() as taken:
        if taken.bundle.manifest.kind != "classify":
            raise Problem(422, "This bundle copies fields", "ask /v1/predict")
        said = await _chosen(server, taken, asked)
        name, model = f"chatcmpl-{server.name()}", taken.bundle.manifest.task
    if asked.stream:
        chunks = Chunks(name, model).of(said, with_usage=asked.with_usage)
        return Stream(in_turn(chunks), EVENTS)
    return reply(whole(name, model, said))


async def _chosen(server: Server, taken: Generation, asked: Asked) -> Said:
    """One of the bundle's answers, counted and kept like any other row's."""
    rows = read_rows(taken.bundle, [asked.text])
    if rows.errors:
        most = taken.bundle.manifest.reader.max_chars
        raise Problem(422, "The text is too long", f"{most} characters at most")
    answers, scores = await server.answered(taken, rows.rows)
    (line,) = rows.lines(answers, scores, taken.bundle)
    if "error" in line:
        raise Problem(422, "The text cannot be answered")
    if line["abstain"]:
        server.state.metrics.abstained.inc()
    if server.inputs is not None:
        server.inputs.write([row.text for row in rows.rows], [line])
    return said_of_line(line)


async def list_models(server: Server, call: Call) -> Reply:
    """The one model there is."""
    bundle = server.state.current.bundle
    owner = "unsigned" if bundle.signer is None else bundle.signer.name
    one = {"id": bundle.manifest.task, "object": "model", "created": STARTED, "owned_by": owner}
    return reply({"object": "list", "data": [one]})
