"""Run a server until it is told to stop: signals, draining, swapping."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from whichlever.errors import InputError
from whichlever.serve.app import Server
from whichlever.serve.logs import say
from whichlever.serve.protocol import Patient
from whichlever.serve.settings import Settings
from whichlever.serve.state import State


class _Unattended(uvicorn.Server):
    """uvicorn without its own signal handling: ours drains first and swaps on SIGHUP."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, drain_seconds: float = 0.0) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    InputError
        The settings are unsafe, or the port is taken.
    WhichleverError
        A bundle cannot be opened or is not trusted.
    """
    settings.check()
    asyncio.run(_serve(settings, drain_seconds))


async def _serve(settings: Settings, drain_seconds: float) -> None:
    state = State(settings)
    server = Server(state)
    config = uvicorn.Config(
        server,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        http=Patient,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=30,
        limit_concurrency=settings.max_connections,
        ssl_certfile=None if settings.tls_cert is None else str(settings.tls_cert),
        ssl_keyfile=None if settings.tls_key is None else str(settings.tls_key),
    )
    try:
        config.load()
    except OSError as error:  # an SSLError is one
        said = error.strerror or type(error).__name__
        raise InputError(f"{settings.tls_cert}, {settings.tls_key}: no TLS pair ({said})") from None
    listener = _listen(settings)
    running = _Unattended(config)
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()

    def begin(work: Any) -> None:  # noqa: ANN401 - a coroutine
        task = loop.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def stop() -> None:
        if state.draining:
            running.force_exit = True
            return
        state.draining = True
        say("draining")
        await asyncio.sleep(drain_seconds)
        running.should_exit = True

    async def reload() -> None:
        wrong = await state.reload()
        say("reloaded" if wrong is None else "reload failed", error=wrong)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: begin(stop()))
    loop.add_signal_handler(signal.SIGHUP, lambda: begin(reload()))
    if server.inputs is not None:
        begin(server.inputs.keep_retention())
    host, port = listener.getsockname()[:2]
    bundle = state.current.bundle
    signer = None if bundle.signer is None else bundle.signer.name
    if state.documents is not None:
        left_out = [f"{name}: {why}" for name, why in state.documents.left_out[:20]]
        say("documents", passages=len(state.documents), left_out=left_out)
    say("listening", host=host, port=port, task=bundle.manifest.task, signer=signer)
    await running.serve(sockets=[listener])
    await state.close()
    for task in tasks:
        task.cancel()
    say("stopped")


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"{settings.host}:{settings.port}: cannot listen there ({error.strerror})"
        ) from None
    return listener
