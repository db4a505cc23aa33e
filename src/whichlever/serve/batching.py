"""Rows of many requests answered together, by one worker, from a bounded queue.

A model is never asked by two threads at once. A batch that takes a few milliseconds is answered on
the event loop itself: with one interpreter lock, handing it to a thread and back costs more than it
saves. A longer one goes to a thread, and so does everything of an encoder, whose runtime lets the
lock go.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from whichlever.predict import Prediction, Row

Predict = Callable[[Sequence[Row]], list[Prediction]]
T = TypeVar("T")

FASTER, SLOWER = 0.5, 0.05
"""Weight of the newest batch in the running estimate of seconds per character, where it was faster
than that and where it was slower: a slow one may have waited for others' turns on the core."""


class Full(Exception):
    """So many rows wait already that more would only grow memory."""


class _Waiting:
    """Rows of one request, or other work that wants the model for itself."""

    __slots__ = ("answer", "chars", "rows", "work")

    def __init__(
        self,
        rows: Sequence[Row],
        answer: asyncio.Future[Any],
        work: Callable[[], Any] | None = None,
    ) -> None:
        self.rows, self.answer, self.work = rows, answer, work
        self.chars = sum([len(row.text) for row in rows]) + 1


class Batcher:
    """Gathers rows while the worker is busy; an idle worker starts at the loop's next turn.

    Requests are never split or mixed up: a batch is whole requests, about ``most`` rows.

    Parameters
    ----------
    predict
        What answers.
    most
        Rows in a batch.
    waiting
        Rows that may wait.
    wait
        Seconds that a small batch waits for company: it only pays where a batch is cheaper than
        its rows one by one (encoders).
    here
        Seconds that a batch may keep the event loop; 0 sends every batch to the thread.
    together
        Seconds that requests are gathered for in one batch of the thread, by the running estimate:
        where rows cost as much in a batch as one by one, a long one only keeps its first waiting.
        0 gathers up to ``most`` rows.
    seen
        Told the size of every batch.
    """

    def __init__(
        self,
        predict: Predict,
        most: int,
        waiting: int,
        *,
        wait: float = 0.0,
        here: float = 0.0,
        together: float = 0.0,
        seen: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._predict, self._most, self._limit = predict, most, waiting
        self._wait, self._here, self._seen = wait, here, seen
        self._longest = here or together
        self._queue: deque[_Waiting] = deque()
        self.waiting = 0
        self._thread = ThreadPoolExecutor(1, "whichlever-model")
        self._awake = False  # a turn is scheduled, or the thread works
        self._idle = asyncio.Event()
        self._idle.set()
        self._per_char: float | None = None

    async def answer(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answers to one request's rows.

        Raises
        ------
        Full
            There is no room for them.
        """
        future: asyncio.Future[list[Prediction]] = asyncio.get_running_loop().create_future()
        self._enqueue(_Waiting(rows, future))
        return await future

    async def aside(self, work: Callable[[], T]) -> T:
        """Do other work with the model, in its turn and in its thread.

        Raises
        ------
        Full
            Too much waits already.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._enqueue(_Waiting((Row("", ""),), future, work))
        return await future

    async def close(self) -> None:
        """Answer what waits, then stop the worker."""
        await self._idle.wait()
        self._thread.shutdown()

    def _enqueue(self, one: _Waiting) -> None:
        if self.waiting and self.waiting + len(one.rows) > self._limit:
            raise Full
        self._queue.append(one)
        self.waiting += len(one.rows)
        if not self._awake:
            self._wake()

    def _wake(self) -> None:
        self._awake = True
        self._idle.clear()
        loop = asyncio.get_running_loop()
        if self._wait and self.waiting < self._most:
            loop.call_later(self._wait, self._turn)
        else:
            loop.call_soon(self._turn)

    def _turn(self) -> None:
        batch, size, chars = self._gathered()
        if not batch:
            self._rest()
            return
        first = batch[0]
        if first.work is not None:
            self._beside(batch, first.work)
            return
        self._seen(size)
        rows = first.rows if len(batch) == 1 else [row for one in batch for row in one.rows]
        if self._per_char is None or chars * self._per_char > self._here:
            self._beside(batch, lambda: self._timed(rows, chars))
            return
        try:
            said = self._timed(rows, chars)
        except Exception as error:
            _failed(batch, error)
        else:
            _told(batch, said)
        self._rest()

    def _gathered(self) -> tuple[list[_Waiting], int, int]:
        """The next batch: its requests, rows and characters. Who gave up waiting is left out."""
        batch: list[_Waiting] = []
        size = chars = 0
        longest = float("inf")
        if self._longest and self._per_char:
            longest = self._longest / self._per_char
        while self._queue:
            one = self._queue[0]
            if batch and (
                one.work is not None
                or size + len(one.rows) > self._most
                or chars + one.chars > longest
            ):
                break
            self._queue.popleft()
            self.waiting -= len(one.rows)
            if one.answer.done():
                continue
            batch.append(one)
            size += len(one.rows)
            chars += one.chars
            if one.work is not None:
                break
        return batch, size, chars

    def _timed(self, rows: Sequence[Row], chars: int) -> list[Prediction]:
        began = time.perf_counter()
        said = self._predict(rows)
        found = (time.perf_counter() - began) / chars
        have = found if self._per_char is None else self._per_char
        self._per_char = have + (FASTER if found < have else SLOWER) * (found - have)
        return said

    def _beside(self, batch: list[_Waiting], work: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._thread, work)

        def finished(said: asyncio.Future[Any]) -> None:
            error = said.exception()
            if error is not None:
                _failed(batch, error)
            elif batch[0].work is not None:
                if not batch[0].answer.done():
                    batch[0].answer.set_result(said.result())
            else:
                _told(batch, said.result())
            self._rest()

        done.add_done_callback(finished)

    def _rest(self) -> None:
        """Go on with what came meanwhile, else fall idle."""
        if self._queue:
            asyncio.get_running_loop().call_soon(self._turn)
            return
        self._awake = False
        self._idle.set()


def _told(batch: Sequence[_Waiting], said: list[Prediction]) -> None:
    at = 0
    for one in batch:
        if not one.answer.done():
            one.answer.set_result(said[at : at + len(one.rows)])
        at += len(one.rows)


def _failed(batch: Sequence[_Waiting], error: BaseException) -> None:
    for one in batch:
        if not one.answer.done():
            one.answer.set_exception(error)
