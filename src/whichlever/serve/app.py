"""The HTTP interface: prediction, vLLM's classification, OpenAI's chat, health, metrics, and more.

A plain ASGI application: ten fixed paths need no framework, and the model is so fast that a
router, its middleware and its objects would be a good part of a request's time.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, NamedTuple

from whichlever.predict import Prediction, Row
from whichlever.render.record import BLANK
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.lines import Scores, scores_of
from whichlever.serve.batching import Full
from whichlever.serve.calls import (
    CLOSE,
    REQUEST_ID,
    Call,
    Headers,
    Problem,
    Receive,
    Reply,
    Scope,
    Send,
    Stream,
    explain_of,
    later,
    reply,
    rows_of,
    sent,
    top_of,
)
from whichlever.serve.chat_route import CHAT, MODELS, answer_chat, list_models, problem_of
from whichlever.serve.logs import InputLog, say
from whichlever.serve.mail import answer_mail
from whichlever.serve.openapi import describe
from whichlever.serve.rows import read_rows
from whichlever.serve.state import Generation, State
from whichlever.serve.wire import LONG_NUMBER, NotJson, loaded_exactly

RENDER_HERE = 64
"""Records that are rendered on the event loop; more are rendered beside it."""

ALWAYS: Headers = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


class Route(NamedTuple):
    """One path: its method, whether a key is needed, and who answers."""

    method: str
    guarded: bool
    answer: Callable[[Server, Call], Awaitable[Reply | Stream]]


class Server:
    """The application over a `State`; it is what an ASGI server runs."""

    def __init__(self, state: State) -> None:
        self.state = state
        s = state.settings
        self._start, self._number = secrets.token_hex(6), count(1)
        self.inputs = None if s.log_inputs is None else InputLog(s.log_inputs, s.retain_days)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, count it, and say so in the log."""
        began = time.perf_counter()
        call = Call(scope, receive)
        given = call.header(b"x-request-id")
        ident = given if given and REQUEST_ID.fullmatch(given) else self.name()
        route = ROUTES.get(call.path)
        try:
            said = await self._routed(route, call)
        except Problem as problem:
            said = problem_of(call.path, problem)
        except Exception as error:
            say("failed", request=ident, error=type(error).__name__)
            said = problem_of(call.path, Problem(500, "The server failed", f"request {ident}"))
        finally:
            self.state.room.give(call.held)
        headers = [
            (b"content-type", said.kind),
            (b"x-request-id", ident.encode()),
            *ALWAYS,
            *said.headers,
        ]
        if isinstance(said, Stream):
            await send({"type": "http.response.start", "status": said.status, "headers": headers})
            try:
                await sent(said, receive, send)
            finally:
                self._record(call, route, said.status, ident, time.perf_counter() - began)
            return
        self._record(call, route, said.status, ident, time.perf_counter() - began)
        headers.append((b"content-length", str(len(said.body)).encode()))
        await send({"type": "http.response.start", "status": said.status, "headers": headers})
        closing = CLOSE[0] in said.headers
        await send({"type": "http.response.body", "body": said.body, "more_body": closing})
        if closing:
            await call.rest()
            await send({"type": "http.response.body", "body": b""})

    def name(self) -> str:
        """A request's own name; asking the system for randomness each time would cost more."""
        return f"{self._start}-{next(self._number):x}"

    async def _routed(self, route: Route | None, call: Call) -> Reply | Stream:
        if route is None:
            raise Problem(404, "No such path", "see /openapi.json")
        method = "GET" if call.method == "HEAD" else call.method
        if method != route.method:
            allowed = b"POST" if route.method == "POST" else b"GET, HEAD"
            raise Problem(405, "Not a method of this path", headers=((b"allow", allowed),))
        if route.guarded:
            self._authorise(call)
        return await route.answer(self, call)

    def _record(
        self, call: Call, route: Route | None, status: int, ident: str, seconds: float
    ) -> None:
        # An unknown path is its caller's text: neither a metric's name nor the log repeats it.
        path = "other" if route is None else call.path
        guarded = route is None or route.guarded
        self.state.metrics.replied(path, status, seconds if guarded else None)
        if guarded:
            say("request", request=ident, key=call.key, route=path, status=status,
                rows=call.rows, ms=round(seconds * 1000, 3))  # fmt: skip

    def _authorise(self, call: Call) -> None:
        if self.state.keys is None:
            return
        scheme, _, given = call.header(b"authorization").partition(" ")
        if scheme.lower() != "bearer":
            given = call.header(b"x-api-key")
        key = self.state.keys.whose(given.strip()) if given else None
        if key is None:
            self.state.metrics.rejected.labels("key").inc()
            raise Problem(401, "A valid API key is needed",
                          headers=((b"www-authenticate", b"Bearer"),))  # fmt: skip
        call.key = key.name

    def admit(self, call: Call, rows: int) -> None:
        """Hold a caller to the limits of its key."""
        call.rows = rows
        if call.key is None or self.state.keys is None:
            return
        key = next((k for k in self.state.keys.keys
                    if k.name == call.key and k.status == "active"), None)  # fmt: skip
        wait = 0.0 if key is None else self.state.limits.wait_for(key, rows)
        if wait:
            self.state.metrics.rejected.labels("limit").inc()
            raise Problem(429, "This key's limit is reached", headers=later(wait))

    async def json(self, call: Call) -> tuple[dict[str, Any], bytes]:
        """The body of a request as a JSON object, and its bytes."""
        s = self.state.settings
        with self._counting_bytes():
            return await call.json(s.max_body, s.timeout, self.state.room)

    async def body(self, call: Call, kinds: Sequence[str]) -> bytes:
        """The body of a request that is of one of these types."""
        s = self.state.settings
        if call.kind not in kinds:
            raise Problem(415, "The body is of another type", f"Content-Type: {' or '.join(kinds)}")
        with self._counting_bytes():
            return await call.body(s.max_body, s.timeout, self.state.room)

    @contextmanager
    def _counting_bytes(self) -> Iterator[None]:
        try:
            yield
        except Problem as problem:
            if problem.status == 429:
                self.state.metrics.rejected.labels("bytes").inc()
            raise

    async def waited(self, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - what the work gives
        """Wait for the model, within bounds."""
        rejected = self.state.metrics.rejected
        try:
            async with asyncio.timeout(self.state.settings.timeout):
                return await work
        except Full:
            rejected.labels("full").inc()
            raise Problem(429, "Too many rows wait already", headers=later(1)) from None
        except TimeoutError:
            rejected.labels("timeout").inc()
            raise Problem(503, "Not answered in time", headers=later(1)) from None

    async def answered(
        self, taken: Generation, rows: list[Row]
    ) -> tuple[list[Prediction], Scores | None]:
        """The model's answers to rows, counted, and their scores."""
        if not rows:
            return [], None
        answers: list[Prediction] = await self.waited(taken.batcher.answer(rows))
        scores = scores_of(answers)
        self.state.metrics.answered(answers, scores)
        if taken.shadow is not None:
            taken.shadow.compare(rows, answers)
        return answers, scores

    async def predict(self, call: Call) -> Reply:
        """Answer one row or many; a row that is none gets an error in its place."""
        given, body = await self.json(call)
        rows, alone = rows_of(given, self.state.settings.max_rows)
        explain, top = explain_of(given, len(rows)), top_of(given)
        self.admit(call, len(rows))
        records = any(isinstance(row, dict) for row in rows)
        if records and LONG_NUMBER.search(body):
            rows, _ = rows_of(_exactly(body), len(rows))
        metrics = self.state.metrics
        async with self.state.using() as taken:
            bundle = taken.bundle
            if explain and not bundle.explains:
                raise Problem(422, "This bundle names no words", "a label's words are explained")
            if records and len(rows) > RENDER_HERE:
                asked = await asyncio.to_thread(read_rows, bundle, rows)
            else:
                asked = read_rows(bundle, rows)
            del given, body, rows  # what waits is text alone, not the parsed document
            answers, scores = await self.answered(taken, asked.rows)
            lines = asked.lines(answers, scores, bundle, top)
            answered = [
                (line, row)
                for line, row in zip(asked.without_errors(lines), asked.rows, strict=True)
                if "error" not in line
            ]
            if explain:
                for line, row in answered:
                    line["why"] = await self.waited(
                        taken.batcher.aside(partial(_why, bundle, row.text, explain))
                    )
        if bad := len(lines) - len(answered):
            metrics.errors.inc(bad)
        if handed := sum([line.get("abstain", False) for line in lines]):
            metrics.abstained.inc(handed)
        if self.inputs is not None and answered:
            self.inputs.write([r.text for _, r in answered], [line for line, _ in answered])
        if not alone:
            return reply({"answers": lines})
        if bad:
            raise Problem(422, "The row cannot be read", lines[0]["error"])
        return reply(lines[0])

    async def classify(self, call: Call) -> Reply:
        """Answer texts in the shape of vLLM's ``/classify``."""
        given, _ = await self.json(call)
        asked = given.get("input")
        texts = [asked] if isinstance(asked, str) else asked
        if (
            not isinstance(texts, list)
            or not texts
            or not all(isinstance(t, str) and t.strip(BLANK) for t in texts)
        ):
            raise Problem(422, "input is to be a text, or a list of texts")
        if self.state.current.bundle.manifest.kind != "classify":
            raise Problem(422, "This bundle has no labels", "ask /v1/predict")
        if not isinstance(given.get("model"), str | None):
            raise Problem(422, "model is to be a text")
        most = self.state.settings.max_rows
        if len(texts) > most:
            raise Problem(422, "Too many rows", f"at most {most} in one request")
        self.admit(call, len(texts))
        async with self.state.using() as taken:
            bundle = taken.bundle
            asked_rows = read_rows(bundle, texts)
            if asked_rows.errors:
                said = f"{bundle.manifest.reader.max_chars} characters"
                raise Problem(422, "A text is too long", said)
            answers, scores = await self.answered(taken, asked_rows.rows)
            lines = asked_rows.lines(answers, scores, bundle)
            if any("error" in line for line in lines):
                raise Problem(422, "A text cannot be answered")
        if self.inputs is not None:
            self.inputs.write([row.text for row in asked_rows.rows], lines)
        classes = len(bundle.manifest.labels)
        data = [
            {
                "index": i,
                "label": answer.label,
                "probs": [] if answer.scores is None else answer.scores.tolist(),
                "num_classes": classes,
            }
            for i, answer in enumerate(answers)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0,
                 "prompt_tokens_details": None}  # fmt: skip
        return reply(
            {"id": f"classify-{self.name()}", "object": "list",
             "created": int(time.time()), "model": bundle.manifest.task, "data": data,
             "usage": usage}
        )  # fmt: skip

    async def mail(self, call: Call) -> Reply:
        """Judge one mail."""
        return await answer_mail(self, call)

    async def model(self, call: Call) -> Reply:
        """What answers: the manifest's words, and who signed it."""
        bundle = self.state.current.bundle
        m = bundle.manifest
        return reply(
            {"task": m.task, "about": m.about, "lever": m.lever, "what": m.what,
             "labels": list(m.labels), "meanings": dict(m.meanings),
             "abstain_below": m.abstain_below,
             "signer": None if bundle.signer is None else bundle.signer.name}
        )  # fmt: skip

    async def metrics(self, call: Call) -> Reply:
        """Everything that Prometheus asks for."""
        self.state.metrics.waiting.set(self.state.current.batcher.waiting)
        return Reply(self.state.metrics.text(), kind=b"text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, call: Call) -> Reply:
        """The description of this very server, its labels included."""
        taken, settings = self.state.current, self.state.settings
        if taken.described is None:
            taken.described = await self.waited(
                taken.batcher.aside(
                    lambda: reply(describe(taken.bundle, settings, taken.judge)).body
                )
            )
        return Reply(taken.described)

    async def healthz(self, call: Call) -> Reply:
        """The process lives."""
        return reply({"status": "ok"})

    async def readyz(self, call: Call) -> Reply:
        """Whether it wants requests: not while it drains."""
        if self.state.draining:
            return reply({"status": "draining"}, 503)
        return reply({"status": "ready"})


ROUTES = {
    "/v1/predict": Route("POST", True, Server.predict),
    "/classify": Route("POST", True, Server.classify),
    "/v1/mail": Route("POST", True, Server.mail),
    CHAT: Route("POST", True, answer_chat),
    MODELS: Route("GET", True, list_models),
    "/v1/model": Route("GET", True, Server.model),
    "/metrics": Route("GET", True, Server.metrics),
    "/openapi.json": Route("GET", True, Server.openapi),
    "/healthz": Route("GET", False, Server.healthz),
    "/readyz": Route("GET", False, Server.readyz),
}


def _exactly(body: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = loaded_exactly(body)
    except NotJson:
        raise Problem(400, "The body is not JSON") from None
    return found


def _why(bundle: Bundle, text: str, top: int) -> list[dict[str, Any]]:
    found = bundle.explain(text, top)
    return [
        {"text": w.text, "weight": round(float(w.weight), 4), "spans": w.at} for w in found.said
    ]
