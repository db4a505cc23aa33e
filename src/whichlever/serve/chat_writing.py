"""An open answer, written token by token in the model's own thread and sent as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from whichlever.infer.decoder import DecoderPredictor
from whichlever.predict import Prediction, Row
from whichlever.serve.batching import Full
from whichlever.serve.calls import Problem, later
from whichlever.serve.chat import DONE, Asked, Chunks, Said, event
from whichlever.serve.chat_sources import sourced
from whichlever.serve.state import Generation

if TYPE_CHECKING:
    from whichlever.serve.app import Server

Json = dict[str, Any]


class Writing:
    """One answer on its way. It holds its generation until `close`.

    A caller that leaves, or waits too long for the first word, stops it at the next token.
    """

    def __init__(
        self, server: Server, taken: Generation, row: Row, asked: Asked, held: AsyncExitStack
    ) -> None:
        part = taken.bundle.model.parts[0] if hasattr(taken.bundle.model, "parts") else None
        assert isinstance(part, DecoderPredictor)
        self._server, self._taken, self._row, self._part = server, taken, row, part
        self._asked, self._held = asked, held
        self._pieces: asyncio.Queue[str] = asyncio.Queue()
        self.seconds = server.state.settings.timeout
        self._stopped = False
        self._said: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.ensure_future(taken.batcher.aside(self._write))

    def _write(self) -> tuple[int, int, bool, str | None]:
        """In the model's thread: tokens read and written, whether it came to its end, a note."""
        if self._stopped:
            return 0, 0, False, None
        question, tokens, whole = self._part.write(self._row.text, self._asked.most, self._seen)
        return len(question.ids), tokens, whole, self._part.note(question)

    def _seen(self, piece: str) -> bool:
        self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
        return not self._stopped

    async def pieces(self) -> AsyncIterator[str]:
        """The text as it comes.

        Raises
        ------
        Problem
            429 too much waits already, 503 the first word did not come in time.
        """
        wait: float | None = self.seconds
        while True:
            coming = asyncio.ensure_future(self._pieces.get())
            done, _ = await asyncio.wait(
                {coming, self._work}, timeout=wait, return_when=asyncio.FIRST_COMPLETED
            )
            if coming in done:
                piece = coming.result()
                wait = None
                said = piece if self._said else piece.lstrip()
                if said:
                    self._said.append(said)
                    yield said
                continue
            coming.cancel()
            if not done:
                self._server.state.metrics.rejected.labels("timeout").inc()
                raise Problem(503, "Not answered in time", headers=later(1))
            try:
                self._work.result()
            except Full:
                self._server.state.metrics.rejected.labels("full").inc()
                raise Problem(429, "Too many rows wait already", headers=later(1)) from None
            if self._pieces.empty():
                return

    async def end(self) -> Said:
        """What was said, once the last piece has come; it is cited, counted and kept."""
        tokens_in, tokens_out, whole, note = self._work.result()
        text = "".join(self._said).rstrip()
        self._server.state.metrics.answered([Prediction(self._row.id, text)], None)
        ours: Json = {"label": None, "abstain": False}
        if note:
            ours["note"] = note
        said = Said(text, "stop" if whole else "length", tokens_in, tokens_out, ours)
        said = await sourced(self._server, self._asked.text, said, fill=not self._asked.stream)
        if self._server.inputs is not None:
            self._server.inputs.write([self._row.text], [{"text": said.content, **said.ours}])
        return said

    async def close(self) -> None:
        """Stop writing, and let the generation go once the thread is done with it."""
        self._stopped = True
        await asyncio.wait({self._work})
        if not self._work.cancelled():
            self._work.exception()
        await self._held.aclose()


async def written(writing: Writing) -> Said:
    """The whole answer at once."""
    try:
        async with asyncio.timeout(writing.seconds):
            async for _ in writing.pieces():
                pass
    except TimeoutError:
        raise Problem(503, "Not answered in time", headers=later(1)) from None
    finally:
        await writing.close()
    return await writing.end()


async def begun(writing: Writing) -> AsyncIterator[str]:
    """The pieces once the first has come, so that what goes wrong before it has a status."""
    pieces = writing.pieces()
    try:
        first = await anext(pieces, None)
    except BaseException:
        await writing.close()
        raise

    async def rest() -> AsyncIterator[str]:
        if first is not None:
            yield first
            async for piece in pieces:
                yield piece

    return rest()


async def events(
    writing: Writing, pieces: AsyncIterator[str], chunks: Chunks, *, with_usage: bool
) -> AsyncIterator[bytes]:
    """The answer as server-sent events; what goes wrong on the way is the last of them."""
    try:
        yield chunks.first()
        async for piece in pieces:
            yield chunks.piece(piece)
        said = await writing.end()
    except Exception:
        yield event({"error": {"message": "The server failed", "type": "server_error",
                               "param": None, "code": None}})  # fmt: skip
        return
    finally:
        await writing.close()
    yield chunks.last(said.finish, said.ours)
    if with_usage:
        yield chunks.usage(said.tokens_in, said.tokens_out)
    yield DONE
