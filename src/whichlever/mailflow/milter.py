"""The milter: listens, holds to its limits, and stops without leaving a mail half answered."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from whichlever.errors import WhichleverError
from whichlever.mailflow.judging import Judge, Judging
from whichlever.mailflow.listening import Listen
from whichlever.mailflow.milter_session import Rules, Session
from whichlever.mailflow.milter_wire import Broken
from whichlever.serve.logs import say


@dataclass(frozen=True)
class Settings:
    """Places and limits of a milter.

    Attributes
    ----------
    listen
        Where mail servers find it.
    rules
        What it does with mails.
    timeout
        Seconds that one mail may take.
    max_connections
        At once; one more is closed, and the mail server does what it does without a milter.
    max_held
        Bytes of all mails in hand.
    drain
        Seconds that mails in hand have to end when it stops.
    """

    listen: Listen
    rules: Rules = field(default_factory=Rules)
    timeout: float = 20.0
    max_connections: int = 200
    max_held: int = 256 * 2**20
    drain: float = 30.0


class Milter:
    """A running milter; `run` until `stop`."""

    def __init__(self, settings: Settings, judge: Judge) -> None:
        self.settings = settings
        self.judging = Judging(judge, settings.timeout, settings.max_held)
        self._sessions: dict[asyncio.Task[None], Session] = {}
        self._stopped = asyncio.Event()
        self.counts: dict[str, int] = {}

    async def run(self, listening: Callable[[str], None] = lambda where: None) -> None:
        """Answer until `stop` is called; ``listening`` is told where.

        Raises
        ------
        InputError
            It cannot listen there.
        """
        sock = self.settings.listen.open()
        try:
            if sock.family == socket.AF_UNIX:
                server = await asyncio.start_unix_server(self._serve, sock=sock)
            else:
                server = await asyncio.start_server(self._serve, sock=sock)
            where = self.settings.listen.said(sock)
            say("listening", at=where, fail=self.settings.rules.fail)
            listening(where)
            await self._stopped.wait()
            server.close()
            await self._drained()
        finally:
            sock.close()
            self.settings.listen.closed()
            self.judging.close()
        say("stopped", **dict(sorted(self.counts.items())))

    def stop(self) -> None:
        """End after the mails in hand."""
        say("draining", mails=sum(session.busy for session in self._sessions.values()))
        self._stopped.set()

    async def _drained(self) -> None:
        tasks = list(self._sessions)
        for task, session in list(self._sessions.items()):
            session.last = True
            if not session.busy:
                task.cancel()
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self.settings.drain)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._stopped.is_set() or len(self._sessions) >= self.settings.max_connections:
            say("refused", connections=len(self._sessions))
            writer.close()
            return
        session = Session(reader, writer, self.judging, self.settings.rules, self._count)
        self._sessions[task] = session
        try:
            await session.run()
        except (Broken, ConnectionError, TimeoutError) as error:
            say("closed", why=str(error) or type(error).__name__)
        except asyncio.CancelledError:
            say("closed", why="stopping")
        except Exception as error:  # no text of an error: it may quote the mail
            say("failed", error=type(error).__name__)
        finally:
            del self._sessions[task]
            writer.close()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(writer.wait_closed(), 1.0)

    def _count(self, verdict: str) -> None:
        self.counts[verdict] = self.counts.get(verdict, 0) + 1


def serve_milter(settings: Settings, load: Callable[[], Judge]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP loads the judge again.

    Raises
    ------
    InputError
        It cannot listen there.
    WhichleverError
        The judge cannot be loaded.
    """
    asyncio.run(_served(settings, load))


async def _served(settings: Settings, load: Callable[[], Judge]) -> None:
    milter = Milter(settings, load())
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        try:
            milter.judging.judge = await asyncio.to_thread(load)
        except (WhichleverError, OSError) as error:
            say("reload failed", error=str(error))
        else:
            say("reloaded")

    def again() -> None:
        task = loop.create_task(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, milter.stop)
    loop.add_signal_handler(signal.SIGHUP, again)
    await milter.run()
