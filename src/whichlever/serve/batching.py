"""Rows of many requests answered together: one worker thread, a bounded queue, nothing lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from whichlever.predict import Prediction, Row

Predict = Callable[[Sequence[Row]], list[Prediction]]


class Full(Exception):
    """So many rows wait already that more would only grow memory."""


@dataclass(slots=True)
class _Waiting:
    rows: Sequence[Row]
    answer: asyncio.Future[list[Prediction]]


class Batcher:
    """Gathers rows while the worker is busy; an idle worker starts at once.

    Requests are never split or mixed up: a batch is whole requests, about ``most`` rows.
    With ``wait`` a lone small request waits that long for company, which costs latency and only
    pays where a batch is cheaper than its rows one by one (encoders).

    Parameters
    ----------
    predict
        What answers; looked up anew for every batch, so that it can be swapped.
    most
        Rows in a batch.
    waiting
        Rows that may wait.
    wait
        Seconds.
    """

    def __init__(
        self,
        predict: Callable[[], Predict],
        most: int,
        waiting: int,
        wait: float,
        seen: Callable[[int], None],
    ) -> None:
        self._predict, self._most, self._limit, self._wait = predict, most, waiting, wait
        self._seen = seen
        self._queue: deque[_Waiting] = deque()
        self.waiting = 0
        self._thread = ThreadPoolExecutor(1, "whichlever-model")
        self._task: asyncio.Task[None] | None = None

    async def answer(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answers to one request's rows.

        Raises
        ------
        Full
            There is no room for them.
        """
        if self.waiting and self.waiting + len(rows) > self._limit:
            raise Full
        one = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._queue.append(one)
        self.waiting += len(rows)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await one.answer

    async def close(self) -> None:
        """Answer what waits, then stop the worker."""
        if self._task is not None and not self._task.done():
            await self._task
        self._thread.shutdown()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            if self._wait and self.waiting < self._most:
                await asyncio.sleep(self._wait)
            batch: list[_Waiting] = []
            size = 0
            while self._queue and (not batch or size + len(self._queue[0].rows) <= self._most):
                one = self._queue.popleft()
                self.waiting -= len(one.rows)
                if not one.answer.cancelled():
                    batch.append(one)
                    size += len(one.rows)
            if not batch:
                continue
            self._seen(size)
            rows = [row for one in batch for row in one.rows]
            try:
                said = await loop.run_in_executor(self._thread, self._predict(), rows)
            except Exception as error:
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            at = 0
            for one in batch:
                if not one.answer.done():
                    one.answer.set_result(said[at : at + len(one.rows)])
                at += len(one.rows)
