"""The HTTP interface: prediction, vLLM's classification, health, metrics, and its description."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from whichlever.errors import DataError
from whichlever.predict import Prediction, Row
from whichlever.render.record import BLANK
from whichlever.runtime.lines import answer_line, error_line
from whichlever.serve.batching import Full
from whichlever.serve.logs import InputLog, say
from whichlever.serve.openapi import describe
from whichlever.serve.requests import Problem, explain_of, read_json, rows_of
from whichlever.serve.state import Generation, State

RENDER_HERE = 64
"""Rows that are rendered on the event loop; more are rendered beside it."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

Answer = Callable[["Server", Request], Awaitable[Response]]


class Server:
    """The application over a `State`; `asgi` is what an ASGI server runs."""

    def __init__(self, state: State) -> None:
        self.state = state
        s = state.settings
        self._inputs = None if s.log_inputs is None else InputLog(s.log_inputs, s.retain_days)
        self.asgi = Starlette(
            routes=[
                Route("/v1/predict", self._route(Server.predict), methods=["POST"]),
                Route("/classify", self._route(Server.classify), methods=["POST"]),
                Route("/v1/model", self._route(Server.model), methods=["GET"]),
                Route("/metrics", self._route(Server.metrics), methods=["GET"]),
                Route("/openapi.json", self._route(Server.openapi), methods=["GET"]),
                Route("/healthz", self._route(Server.healthz, open_to_all=True), methods=["GET"]),
                Route("/readyz", self._route(Server.readyz, open_to_all=True), methods=["GET"]),
            ],
            exception_handlers={404: _missing, 405: _method},
        )

    def _route(
        self, answer: Answer, open_to_all: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            began = time.perf_counter()
            given = request.headers.get("x-request-id", "")
            ident = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
            request.state.key, request.state.rows = None, None
            try:
                if not open_to_all:
                    self._authorise(request)
                response = await answer(self, request)
            except Problem as problem:
                response = problem.response()
            except Exception as error:
                say("failed", request=ident, error=type(error).__name__)
                response = Problem(500, "The server failed", f"request {ident}").response()
            seconds = time.perf_counter() - began
            route = request.url.path
            self.state.metrics.requests.labels(route, str(response.status_code)).inc()
            if not open_to_all:
                self.state.metrics.latency.labels(route).observe(seconds)
                say("request", request=ident, key=request.state.key, route=route,
                    status=response.status_code, rows=request.state.rows,
                    ms=round(seconds * 1000, 3))  # fmt: skip
            response.headers.update(HEADERS)
            response.headers["X-Request-ID"] = ident
            return response

        return handle

    def _authorise(self, request: Request) -> None:
        if self.state.keys is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            given = request.headers.get("x-api-key", "")
        key = self.state.keys.whose(given.strip()) if given else None
        if key is None:
            self.state.metrics.rejected.labels("key").inc()
            raise Problem(401, "A valid API key is needed", headers={"WWW-Authenticate": "Bearer"})
        request.state.key = key.name

    def _admit(self, request: Request, rows: int) -> None:
        """Hold a caller to the limits of its key."""
        request.state.rows = rows
        if request.state.key is None or self.state.keys is None:
            return
        key = next((k for k in self.state.keys.keys
                    if k.name == request.state.key and k.status == "active"), None)  # fmt: skip
        wait = 0.0 if key is None else self.state.limits.wait_for(key, rows)
        if wait:
            self.state.metrics.rejected.labels("limit").inc()
            raise Problem(429, "This key's limit is reached", headers=_later(wait))

    async def _answer(self, taken: Generation, rows: list[Row]) -> list[Prediction]:
        if not rows:
            return []
        metrics = self.state.metrics
        try:
            async with asyncio.timeout(self.state.settings.timeout):
                answers = await taken.batcher.answer(rows)
        except Full:
            metrics.rejected.labels("full").inc()
            raise Problem(429, "Too many rows wait already", headers=_later(1)) from None
        except TimeoutError:
            metrics.rejected.labels("timeout").inc()
            raise Problem(503, "Not answered in time", headers=_later(1)) from None
        metrics.answered(answers)
        if taken.shadow is not None:
            taken.shadow.compare(rows, answers)
        return answers

    async def predict(self, request: Request) -> Response:
        """Answer one row or many; a row that is none gets an error in its place."""
        s = self.state.settings
        given = await read_json(request, s.max_body, s.timeout)
        rows, alone = rows_of(given, s.max_rows)
        explain = explain_of(given)
        self._admit(request, len(rows))
        async with self.state.using() as taken:
            if len(rows) > RENDER_HERE:
                texts = await asyncio.to_thread(_texts, taken, rows)
            else:
                texts = _texts(taken, rows)
            good = [i for i, (_, error) in enumerate(texts) if error is None]
            asked = [Row(str(i), texts[i][0]) for i in good]
            answers = dict(zip(good, await self._answer(taken, asked), strict=True))
            lines = []
            for i, row in enumerate(rows):
                ident = _ident(taken, row, i)
                text, error = texts[i]
                if error is not None:
                    lines.append(error_line(error, ident))
                    continue
                line = answer_line(answers[i], taken.bundle.manifest, id=ident)
                self.state.metrics.abstained.inc(bool(line.get("abstain")))
                if explain:
                    line["why"] = await asyncio.to_thread(_why, taken, text, explain)
                lines.append(line)
        self.state.metrics.errors.inc(len(rows) - len(good))
        if self._inputs is not None and good:
            self._inputs.write([texts[i][0] for i in good], [lines[i] for i in good])
        if alone:
            if "error" in lines[0]:
                raise Problem(422, "The row cannot be read", lines[0]["error"])
            return JSONResponse(lines[0])
        return JSONResponse({"answers": lines})

    async def classify(self, request: Request) -> Response:
        """Answer texts in the shape of vLLM's ``/classify``."""
        s = self.state.settings
        given = await read_json(request, s.max_body, s.timeout)
        asked = given.get("input")
        texts = [asked] if isinstance(asked, str) else asked
        if (
            not isinstance(texts, list)
            or not texts
            or not all(isinstance(t, str) and t.strip(BLANK) for t in texts)
        ):
            raise Problem(422, "input is to be a text, or a list of texts")
        if not isinstance(given.get("model"), str | None):
            raise Problem(422, "model is to be a text")
        if len(texts) > s.max_rows:
            raise Problem(422, "Too many rows", f"at most {s.max_rows} in one request")
        self._admit(request, len(texts))
        async with self.state.using() as taken:
            manifest = taken.bundle.manifest
            if max(map(len, texts)) > manifest.reader.max_chars:
                raise Problem(422, "A text is too long", f"{manifest.reader.max_chars} characters")
            texts = [t.encode("utf-8", "replace").decode() for t in texts]
            answers = await self._answer(taken, [Row(str(i), t) for i, t in enumerate(texts)])
        data = [
            {
                "index": i,
                "label": answer.label,
                "probs": [] if answer.scores is None else [float(x) for x in answer.scores],
                "num_classes": len(manifest.labels),
            }
            for i, answer in enumerate(answers)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0, "completion_tokens": 0,
                 "prompt_tokens_details": None}  # fmt: skip
        return JSONResponse(
            {"id": f"classify-{secrets.token_hex(8)}", "object": "list",
             "created": int(time.time()), "model": manifest.task, "data": data, "usage": usage}
        )  # fmt: skip

    async def model(self, request: Request) -> Response:
        """What answers: the manifest's words, and who signed it."""
        bundle = self.state.current.bundle
        m = bundle.manifest
        return JSONResponse(
            {"task": m.task, "about": m.about, "lever": m.lever, "what": m.what,
             "labels": list(m.labels), "meanings": m.meanings, "abstain_below": m.abstain_below,
             "signer": None if bundle.signer is None else bundle.signer.name}
        )  # fmt: skip

    async def metrics(self, request: Request) -> Response:
        """Everything that Prometheus asks for."""
        self.state.metrics.waiting.set(self.state.current.batcher.waiting)
        return Response(self.state.metrics.text(), media_type="text/plain; version=0.0.4")

    async def openapi(self, request: Request) -> Response:
        """The description of this very server, its labels included."""
        return JSONResponse(describe(self.state.current.bundle, self.state.settings))

    async def healthz(self, request: Request) -> Response:
        """The process lives."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Whether it wants requests: not while it drains."""
        if self.state.draining:
            return JSONResponse({"status": "draining"}, 503)
        return JSONResponse({"status": "ready"})


def _texts(taken: Generation, rows: list[Any]) -> list[tuple[str, str | None]]:
    """Each row's text, or what is wrong with it."""
    read = taken.bundle.read
    out: list[tuple[str, str | None]] = []
    for row in rows:
        try:
            if isinstance(row, str):
                most = read.reader.max_chars
                if not row.strip(BLANK):
                    raise DataError("the text is empty")
                if len(row) > most:
                    raise DataError(f"{len(row)} characters; at most {most} are read")
                out.append((row.encode("utf-8", "replace").decode(), None))
            elif isinstance(row, dict):
                out.append((read.text(row), None))
            else:
                raise DataError("a row is an object or a text")
        except DataError as error:
            out.append(("", str(error)))
    return out


def _ident(taken: Generation, row: Any, number: int) -> Any:  # noqa: ANN401 - as it was given
    column = taken.bundle.manifest.reader.id
    found = row.get(column) if column is not None and isinstance(row, dict) else None
    if isinstance(found, str):
        return found[:1_000]
    return found if isinstance(found, int | float) else number


def _why(taken: Generation, text: str, top: int) -> list[dict[str, Any]]:
    found = taken.bundle.explain(text, top)
    return [
        {"text": w.text, "weight": round(float(w.weight), 4), "spans": w.at} for w in found.said
    ]


def _later(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(seconds + 0.5)))}


async def _missing(request: Request, error: Exception) -> Response:
    return Problem(404, "No such path", "see /openapi.json").response()


async def _method(request: Request, error: Exception) -> Response:
    allowed = getattr(error, "headers", None)
    return Problem(405, "Not a method of this path", headers=allowed).response()
