"""Mails judged beside the event loop, within bounds; what cannot be judged says why."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable

from whichlever.mail.scan import MailVerdict

Judge = Callable[[bytes], MailVerdict]
"""A mail's bytes to its verdict; it may raise anything."""


class Unjudged(Exception):
    """There is no verdict; the message says why and holds nothing of the mail."""


class Judging:
    """One thread that judges, and a bound for the bytes that wait for it.

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
        self._jobs: queue.SimpleQueue[tuple[bytes, asyncio.Future[MailVerdict]] | None]
        self._jobs = queue.SimpleQueue()
        # A daemon: a model that hangs must not keep the process from ending.
        threading.Thread(target=self._work, name="whichlever-mail", daemon=True).start()

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
        told: asyncio.Future[MailVerdict] = asyncio.get_running_loop().create_future()
        self._jobs.put((raw, told))
        try:
            async with asyncio.timeout(self._seconds):
                return await told
        except TimeoutError:
            raise Unjudged(f"not judged within {self._seconds:g} seconds") from None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            raw, told = job
            if told.done():  # nobody waits any more
                continue
            try:
                found: MailVerdict | Unjudged = self.judge(raw)
            except Exception as error:  # a mail is hostile, and must pass or wait all the same
                found = Unjudged(f"it could not be judged ({type(error).__name__})")
            with contextlib.suppress(RuntimeError):  # the loop has ended
                told.get_loop().call_soon_threadsafe(_tell, told, found)

    def close(self) -> None:
        """Have the thread end after the mail it is at."""
        self._jobs.put(None)


def _tell(told: asyncio.Future[MailVerdict], found: MailVerdict | Unjudged) -> None:
    if told.done():
        return
    if isinstance(found, Unjudged):
        told.set_exception(found)
    else:
        told.set_result(found)
