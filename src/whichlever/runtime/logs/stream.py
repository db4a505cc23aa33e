"""The loop: take lines, join events, answer them, write, and remember what is certain."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from whichlever.errors import DataError
from whichlever.runtime.logs.answering import Answering
from whichlever.runtime.logs.checkpoint import State
from whichlever.runtime.logs.events import Event, Joiner
from whichlever.runtime.logs.feeds import Feed
from whichlever.runtime.logs.lines import Origin
from whichlever.runtime.logs.position import Position, position
from whichlever.runtime.logs.sink import Sink

BATCH = 512
"""Events parsed at once at most."""
BATCH_CHARS = 2**20
"""Characters parsed at once at most."""
MARK_SECONDS = 2.0
"""About how much work a kill costs."""
LOOK_SECONDS = 0.1
"""How often a file that says nothing is looked at."""


class Stop:
    """A request to stop, which a signal handler may make at any time."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask for a stop: what was received is answered, then the stream ends."""
        self.requested = True


@dataclass(frozen=True)
class Done:
    """What a stream did, in this call.

    ``by_shape`` and ``unknown`` are events answered by a compiled shape and by the tagger;
    ``lost`` is what could not be kept, by kind.
    """

    lines: int
    events: int
    errors: int
    by_shape: int
    unknown: int
    abstained: int
    seconds: float
    events_per_second: float
    bytes_out: int
    stopped: bool
    resumed: bool
    lost: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, int] = field(default_factory=dict)


class Stream:
    """Feeds, a joiner, a parser and an output, run until the feeds end or a stop is asked for.

    Parameters
    ----------
    state
        Where what is certain is kept; only files can be gone back to.
    files
        Where the files stood when the run began.
    say
        Told what the user should know while it runs.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        joiner: Joiner,
        answering: Answering,
        sink: Sink,
        state: State,
        files: dict[str, Position] | None = None,
        stop: Stop | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._feeds, self._joiner, self._answering = list(feeds), joiner, answering
        self._sink, self._state, self._stop = sink, state, stop or Stop()
        self._say, self._told = say, set[str]()
        self._files = dict(files or {})
        self._last: dict[str, tuple[Origin, int]] = {}
        self._began = self._marked = time.monotonic()
        self._start, self._resumed = sink.written, answering.number > 0
        self._stopping = False

    def run(self) -> Done:
        """Answer everything; an error of the input comes after what was before it is written.

        Raises
        ------
        DataError
            An input breaks off.
        OSError
            The output cannot be written; the checkpoint holds what is certain.
        """
        problem: DataError | None = None
        try:
            while problem is None and (self._turn() or not self._over()):
                pass
        except DataError as error:
            problem = error
        finally:
            for feed in self._feeds:
                feed.close()
        self._answer(self._joiner.rest())
        self._mark()
        self._tell()
        if problem is not None:
            raise problem
        return self.done()

    def _turn(self) -> bool:
        """One turn; whether anything came."""
        if self._stop.requested and not self._stopping:
            self._stopping = True
            for feed in self._feeds:
                feed.stop()
        came = False
        events: list[Event] = []
        try:
            for feed in self._feeds:
                lines = feed.take() if not feed.ended else []
                came = came or bool(lines)
                events += self._joiner.push(lines)
            # Asked for before anything is parsed: parsing takes time, which is no silence.
            events += self._joiner.due()
        finally:
            self._begin()
            self._answer(events)
        if time.monotonic() - self._marked > MARK_SECONDS:
            self._mark()
        if not came and not self._over():
            self._tell()
            self._wait()
        return came

    def _begin(self) -> None:
        """Note where a file was begun before anything of it is written.

        A kill and a rotation may follow; without a note the file could not be told from others.
        """
        new = False
        for feed in self._feeds:
            for origin, at in feed.begun():
                if origin.key not in self._files and origin.key not in self._last:
                    self._files[origin.key], new = position(origin, at), True
        if new:
            self._mark()

    def _tell(self) -> None:
        """Say each warning once."""
        for feed in self._feeds:
            for warning in feed.warnings:
                if warning not in self._told:
                    self._told.add(warning)
                    self._say(warning)

    def _over(self) -> bool:
        return all(feed.ended for feed in self._feeds)

    def _wait(self) -> None:
        """Until something may have come; never longer than a look at the files may wait."""
        found = [d for feed in self._feeds for d in feed.descriptors()]
        if found:
            select.select(found, [], [], LOOK_SECONDS)
        else:
            time.sleep(LOOK_SECONDS)

    def _answer(self, events: list[Event]) -> None:
        for batch in batches(events):
            self._sink.write(self._answering.answer(batch))
            for event in batch:
                if event.origin.path is not None:
                    self._last[event.origin.key] = (event.origin, event.end)

    def _mark(self) -> None:
        """Say what is certain, where it can be gone back to."""
        self._marked = time.monotonic()
        if self._state.path is None:
            return
        for key, (origin, end) in self._last.items():
            self._files[key] = position(origin, end)
        self._last.clear()
        self._sink.sync()
        self._state.write(self._answering.number, self._sink.written, self._files)

    def done(self) -> Done:
        """What was done so far."""
        said, seconds = self._answering, time.monotonic() - self._began
        lost: dict[str, int] = {}
        for feed in self._feeds:
            for kind, count in feed.lost().items():
                lost[kind] = lost.get(kind, 0) + count
        return Done(
            said.lines, said.events, said.errors, said.by_shape, said.unknown, said.abstained,
            round(seconds, 3), round(said.events / seconds, 1) if seconds > 0 else 0.0,
            self._sink.written - self._start, self._stopping, self._resumed, lost,
            dict(said.sources.most_common()), dict(said.shapes.most_common()),
        )  # fmt: skip


def batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """The events in parts that are bounded in number and characters."""
    start = chars = 0
    for place, event in enumerate(events):
        if place > start and (place - start >= BATCH or chars + len(event.text) > BATCH_CHARS):
            yield events[start:place]
            start, chars = place, 0
        chars += len(event.text)
    if start < len(events):
        yield events[start:]
