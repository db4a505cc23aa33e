"""``whichlever run --format logs``: raw lines in, from anywhere; JSON lines out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from json import dumps
from pathlib import Path
from types import FrameType

import typer

from whichlever.cli.output import one_line
from whichlever.errors import DataError, InputError
from whichlever.runtime.logs.plan import Plan, Reading, prepare
from whichlever.runtime.logs.stream import Done, Stop


def run_logs(
    plan: Plan, bundle: Path, key: Path | None, allow_unsigned: bool, learn: bool, json: bool
) -> int:
    """Open a bundle that reads lines, and run a stream with it."""
    from whichlever.bundle import open_bundle
    from whichlever.runtime.logs.bundled import reading_of

    opened = open_bundle(bundle, key, allow_unsigned=allow_unsigned)
    return run_stream(plan, reading_of(opened, learn=learn), json)


def run_stream(plan: Plan, reading: Reading, json: bool) -> int:
    """Run a stream to its end or to a signal; the exit code.

    Raises
    ------
    InputError
        The output cannot be written any more, or its reader has gone.
    DataError
        An input breaks off.
    """
    from whichlever.packs.logs.ocsf import ocsf_event

    stop = Stop()
    out = open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)  # noqa: SIM115
    ready = prepare(plan, reading, (sys.stdin.fileno(), out), stop, ocsf_event, _warn)
    for address in ready.listening:
        typer.echo(f"listening on {address}", err=True)
    with _signals(stop) as seen:
        try:
            done = ready.stream.run()
        except DataError:
            _say(ready.stream.done(), plan, json)
            raise
        except OSError as error:
            raise InputError(
                _unwritten(error, ready.sink.name, ready.stream.done(), plan)
            ) from error
        finally:
            ready.sink.close()
    _say(done, plan, json)
    return 130 if seen == [signal.SIGINT] and not (plan.follow or plan.listen) else 0


def _warn(said: str) -> None:
    typer.echo(f"warning: {one_line(said)}", err=True)


def _unwritten(error: OSError, name: str, done: Done, plan: Plan) -> str:
    """One line on an output that cannot be written."""
    if isinstance(error, BrokenPipeError):
        what = f"{name}: its reader went away after {done.events:,} events"
    else:
        what = f"{name}: {error.strerror or error} after {done.events:,} events"
    if plan.state_file() is None:
        return f"{what}; give --state FILE, and the same command goes on where it was"
    return f"{what}; the same command goes on where it was"


@contextmanager
def _signals(stop: Stop) -> Iterator[list[int]]:
    """A first SIGTERM or SIGINT ends the stream in good order, a second one at once."""
    seen: list[int] = []

    def asked(number: int, _: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        seen.append(number)
        stop.request()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(done: Done, plan: Plan, json: bool) -> None:
    if json:
        typer.echo(dumps(asdict(done), indent=2), err=plan.out is None)  # ASCII: names are foreign
        return
    rate = f", {done.events_per_second:,.0f} a second" if done.seconds > 0.05 else ""
    resumed = " (went on from where it was)" if done.resumed else ""
    joined = f" of {done.lines:,} lines" if done.lines != done.events else ""
    typer.echo(
        f"{done.events:,} events{joined}{rate}{resumed}{' (stopped)' if done.stopped else ''}: "
        f"{done.by_shape:,} by shape, {done.unknown:,} read by the tagger, "
        f"{done.abstained:,} left to a person, {done.errors:,} error rows",
        err=True,
    )
    for kind, count in done.lost.items():
        typer.echo(f"  lost: {count:,} {_LOST[kind]}", err=True)


_LOST = {
    "udp_queue_full": "datagrams, because parsing fell behind",
    "udp_kernel": "datagrams, dropped by the kernel",
    "tcp_refused": "connections refused, there were too many",
    "files": "files rotated away before they were read to their end",
}
