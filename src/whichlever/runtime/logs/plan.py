"""What a stream of logs is made of, from what the user said."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from whichlever.bundle import Opened
from whichlever.errors import InputError
from whichlever.runtime.logs.answering import MAX_CHARS, Answering, Parser
from whichlever.runtime.logs.checkpoint import Checkpoint, State
from whichlever.runtime.logs.events import Joiner
from whichlever.runtime.logs.feeds import Feed, Pipe
from whichlever.runtime.logs.files import Files, paths_of
from whichlever.runtime.logs.follow import Follow
from whichlever.runtime.logs.listen import Address, address_of
from whichlever.runtime.logs.masks import event_rule
from whichlever.runtime.logs.record import Mapped, Records, Sure
from whichlever.runtime.logs.sink import Sink
from whichlever.runtime.logs.sources import Sources
from whichlever.runtime.logs.stream import Stop, Stream
from whichlever.runtime.logs.tcp import Tcp
from whichlever.runtime.logs.udp import Udp


@dataclass(frozen=True)
class Plan:
    """What was asked for.

    Attributes
    ----------
    inputs
        Files, or ``-`` for a pipe.
    listen
        Addresses, as `address_of` reads them.
    follow
        Whether files grow.
    out
        A file; None is a pipe.
    manner
        ``ecs``, ``dotted``, ``ocsf`` or ``answers``.
    join
        How lines become events, as `event_rule` reads it.
    sources
        Which source is whose, as `Sources` reads it.
    state
        The checkpoint; None is beside ``out``, or nowhere for a pipe.
    restart
        Throw away what ``out`` and the checkpoint hold.
    """

    inputs: Sequence[str] = ()
    listen: Sequence[str] = ()
    follow: bool = False
    out: Path | None = None
    manner: str = "ecs"
    join: str = "none"
    sources: Sequence[str] = ()
    state: Path | None = None
    restart: bool = False

    def state_file(self) -> Path | None:
        """Where the checkpoint is kept."""
        if self.state is not None or self.out is None:
            return self.state
        return self.out.with_name(f".{self.out.name}.state.json")


@dataclass(frozen=True)
class Reading:
    """What parses, and how it abstains.

    ``name`` identifies the parser in a checkpoint; ``sure`` calibrates its confidence; events whose
    calibrated confidence is below ``below`` are abstained from; events of more than ``max_chars``
    characters are not parsed.
    """

    parser: Parser
    name: str
    below: float | None = None
    max_chars: int = MAX_CHARS
    sure: Sure | None = None


@dataclass(frozen=True)
class Ready:
    """A stream that may run, and where it listens."""

    stream: Stream
    sink: Sink
    listening: tuple[Address, ...] = ()


def prepare(
    plan: Plan,
    reading: Reading,
    pipes: tuple[int, IO[bytes]],
    stop: Stop,
    mapped: Mapped | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Ready:
    """Open everything.

    Parameters
    ----------
    pipes
        The descriptor of standard input, and standard output.
    mapped
        How fields become another schema's document, for ``ocsf``.
    say
        Told what the user should know while it runs.

    Raises
    ------
    InputError
        Something asked for cannot be, or does not fit the rest.
    """
    _check(plan)
    sources, begins = Sources(plan.sources), event_rule(plan.join)
    records = Records(plan.manner, reading.below, mapped, reading.sure)
    job = {"bundle": reading.name, "--as": plan.manner, "--join": plan.join,
           "--source": str(sources)}  # fmt: skip
    state = State(plan.state_file(), job)
    if plan.restart:
        state.forget()
        if plan.out is not None and plan.out.is_file():
            plan.out.unlink()
    mark = state.read()
    sink = _sink(plan, mark, pipes[1])
    feeds: list[Feed] = []
    try:
        feeds, listening = _feeds(plan, sources, mark, state, pipes[0])
    except BaseException:
        sink.close()
        raise
    if mark is None:  # before the first byte: an output without a checkpoint is somebody else's
        state.write(0, sink.written, {})
    number = 0 if mark is None else mark.events
    answering = Answering(reading.parser, records, number, reading.max_chars)
    files = {} if mark is None else dict(mark.files)
    stream = Stream(feeds, Joiner(begins), answering, sink, state, files, stop, say)
    return Ready(stream, sink, tuple(listening))


def name_of(opened: Opened) -> str:
    """A digest of every file of a bundle."""
    whole = hashlib.sha256()
    for name in sorted(opened.files):
        whole.update(name.encode() + b"\0" + hashlib.sha256(opened.files[name]).digest())
    return whole.hexdigest()


def _check(plan: Plan) -> None:
    if not plan.inputs and not plan.listen:
        raise InputError("nothing to read: give -i FILE, -i - (a pipe) or --listen udp://HOST:PORT")
    if "-" in plan.inputs and len(plan.inputs) > 1:
        raise InputError("-i -: a pipe is read alone; join the files before it, or leave it out")
    if "-" in plan.inputs and plan.follow:
        raise InputError("--follow goes with files; a pipe is read until its writer closes it")
    if plan.out is not None:
        for name in plan.inputs:
            if name != "-" and plan.out.exists() and Path(name).exists() and (
                plan.out.samefile(name)
            ):  # fmt: skip
                raise InputError(f"{plan.out}: answers need a file of their own")


def _sink(plan: Plan, mark: Checkpoint | None, standard: IO[bytes]) -> Sink:
    if plan.out is None:
        return Sink(standard, 0 if mark is None else mark.out, "standard output", seekable=False)
    return Sink.to_file(plan.out, None if mark is None else mark.out)


def _feeds(
    plan: Plan, sources: Sources, mark: Checkpoint | None, state: State, standard: int
) -> tuple[list[Feed], list[Address]]:
    feeds: list[Feed] = []
    listening: list[Address] = []
    after = {} if mark is None else mark.files
    paths = paths_of([name for name in plan.inputs if name != "-"])
    named = {path: sources.of(str(path), path.name) for path in paths}
    if "-" in plan.inputs:
        feeds.append(Pipe(standard, sources.of("-")))
    if named:
        files = (
            Follow(named, after, keep_unfinished=state.path is not None)
            if plan.follow
            else Files(named, after)
        )
        feeds.append(files)
    try:
        for said in plan.listen:
            address = address_of(said)
            made = (Udp if address.kind == "udp" else Tcp)(address, _by_sender(address, sources))
            listening.append(made.address)
            feeds.append(made)
    except InputError:
        for feed in feeds:
            feed.close()
        raise
    return feeds, listening


def _by_sender(address: Address, sources: Sources) -> Callable[[str], str | None]:
    return lambda peer: sources.of(peer, f"{address.kind}:{address.port}")
