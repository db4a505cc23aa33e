"""The bundle that answers now, and how another takes its place without dropping a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from whichlever.bundle import open_bundle
from whichlever.errors import InputError, WhichleverError
from whichlever.runtime.bundle import Bundle
from whichlever.serve.batching import Batcher
from whichlever.serve.calls import Room
from whichlever.serve.keys import ApiKeys, Limits
from whichlever.serve.mail import mail_judge
from whichlever.serve.metrics import Metrics
from whichlever.serve.settings import Settings
from whichlever.serve.shadow import Shadow

if TYPE_CHECKING:
    from whichlever.documents.cited import CitedFolder
    from whichlever.runtime.mail_judge import MailJudge


TOGETHER = 0.05
"""Seconds that an encoder's batch is gathered for: on a processor its rows cost as much together as
one by one."""


class Loaded(NamedTuple):
    """What a generation answers with; ``judge`` where its bundle reads mail."""

    bundle: Bundle
    shadow: Bundle | None
    judge: MailJudge | None


class Generation:
    """One loaded bundle with its own queue; it lives until its last request is answered."""

    def __init__(self, loaded: Loaded, settings: Settings, metrics: Metrics) -> None:
        bundle, shadow, self.judge = loaded
        self.bundle = bundle
        encoder, decoder = (kind in bundle.model.kinds for kind in ("encoder", "decoder"))
        slow = encoder or decoder
        self.batcher = Batcher(
            bundle.predictor.predict,
            settings.batch,
            settings.max_waiting,
            wait=settings.wait_ms / 1000 if encoder else 0.0,
            here=0.0 if slow else settings.here_ms / 1000,
            together=TOGETHER if slow else 0.0,
            seen=metrics.batch.observe,
        )
        self.shadow = None if shadow is None else Shadow(shadow, metrics)
        self.described: bytes | None = None
        self.users = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def close(self) -> None:
        """Wait for its users, then stop its threads."""
        await self.idle.wait()
        await self.batcher.close()
        if self.shadow is not None:
            await self.shadow.close()


class State:
    """What the server's requests share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.limits = Limits()
        self.room = Room(settings.max_bodies)
        self.keys = self._keys()
        self.draining = False
        self.documents: CitedFolder | None = None
        if settings.documents is not None:
            from whichlever.documents.cited import CitedFolder

            self.documents = CitedFolder(settings.documents)
        self.current = Generation(self._open(), settings, self.metrics)
        self._old: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()

    def _keys(self) -> ApiKeys | None:
        path = self.settings.api_keys
        return None if path is None else ApiKeys.load(path)

    def _open(self) -> Loaded:
        s = self.settings

        def load(path: Path) -> Bundle:
            opened = open_bundle(path, s.key, allow_unsigned=s.allow_unsigned)
            bundle = Bundle(opened, s.threads)
            bundle.predict(["warm up"])
            return bundle

        bundle, shadow = load(s.bundle), None if s.shadow is None else load(s.shadow)
        if shadow is not None and shadow.manifest.reader != bundle.manifest.reader:
            raise InputError(f"{s.shadow}: reads rows in another way than {s.bundle}")
        return Loaded(bundle, shadow, mail_judge(bundle, s))

    @asynccontextmanager
    async def using(self) -> AsyncIterator[Generation]:
        """The current generation, which is not closed while it is in use."""
        taken = self.current
        taken.users += 1
        taken.idle.clear()
        try:
            yield taken
        finally:
            taken.users -= 1
            if taken.users == 0:
                taken.idle.set()

    async def reload(self) -> str | None:
        """Read keys and bundles again; what is wrong with them, or None. The old ones stay then."""
        async with self._reloading:
            try:
                keys = self._keys()
                loaded = await asyncio.to_thread(self._open)
            except (WhichleverError, OSError) as error:
                self.metrics.reloads.labels("kept").inc()
                return str(error)
            self.keys = keys
            old, self.current = (
                self.current,
                Generation(loaded, self.settings, self.metrics),
            )
            task = asyncio.create_task(old.close())
            self._old.add(task)
            task.add_done_callback(self._old.discard)
            self.metrics.reloads.labels("swapped").inc()
            return None

    async def close(self) -> None:
        """Answer what waits, in every generation."""
        await asyncio.gather(self.current.close(), *self._old)
