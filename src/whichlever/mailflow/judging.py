"""Mails judged beside the event loop, within bounds; what cannot be judged says why."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable

from whichlever.mail.scan import MailVerdict
from whichlever.serve.logs import say

Told = asyncio.Future[MailVerdict]

Judge = Callable[[bytes], MailVerdict]
"""A mail's bytes to its verdict; it may raise anything."""


class Unjudged(Exception):
    """There is no verdict; the message says why and holds nothing of the mail."""


MOST_STUCK = 3
"""Threads that are given up on while they still work; with more, mail waits and times out."""


class Judging:
    """One thread that judges, and a bound for the bytes that wait for it.

    A mail on which the judge takes too long is given up, and another thread goes on with the next,
    so that one mail does not leave all others unchecked.

    Parameters
    ----------
    judge
        What judges; it may be replaced while mails wait.
    seconds
        How long one mail may take, waiting included.
    most_held
        Bytes of all mails in hand at once.
    """

    def __init__(self, judge: Judge, seconds: float, most_held: int) -> None:
        self.judge = judge
        self._seconds, self._left = seconds, most_held
        self._jobs: queue.SimpleQueue[tuple[bytes, Told] | None] = queue.SimpleQueue()
        self._at: Told | None = None
        self._stuck = 0
        self._start()

    def take(self, size: int) -> bool:
        """Take room for bytes of a mail, or say that there is none."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        """Give it back."""
        self._left += size

    async def verdict(self, raw: bytes) -> MailVerdict:
        """Judge one mail.

        Raises
        ------
        Unjudged
            It took too long, or the judge failed.
        """
        told: Told = asyncio.get_running_loop().create_future()
        self._jobs.put((raw, told))
        try:
            async with asyncio.timeout(self._seconds):
                return await told
        except TimeoutError:
            if self._at is told and self._stuck < MOST_STUCK:
                self._stuck += 1
                say("stuck", threads=self._stuck)
                self._start()
            raise Unjudged(f"not judged within {self._seconds:g} seconds") from None

    def _start(self) -> None:
        self._turn = object()
        # A daemon: a model that hangs must not keep the process from ending.
        threading.Thread(
            target=self._work, args=(self._turn,), name="whichlever-mail", daemon=True
        ).start()

    def _work(self, turn: object) -> None:
        while self._turn is turn and (job := self._jobs.get()) is not None:
            raw, told = job
            if told.done():  # nobody waits any more
                continue
            self._at = told
            try:
                found: MailVerdict | Unjudged = self.judge(raw)
            except Exception as error:  # a mail is hostile, and must pass or wait all the same
                found = Unjudged(f"it could not be judged ({type(error).__name__})")
            with contextlib.suppress(RuntimeError):  # the loop has ended
                told.get_loop().call_soon_threadsafe(self._tell, turn, told, found)

    def _tell(self, turn: object, told: Told, found: MailVerdict | Unjudged) -> None:
        if self._turn is not turn:
            self._stuck -= 1  # it came to an end after all
        if told.done():
            return
        if isinstance(found, Unjudged):
            told.set_exception(found)
        else:
            told.set_result(found)

    def close(self) -> None:
        """Have the thread end after the mail it is at."""
        self._jobs.put(None)
