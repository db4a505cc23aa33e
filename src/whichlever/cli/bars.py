"""Progress bars with time left; plain lines where nobody watches a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from whichlever.cli.output import one_line
from whichlever.progress import Step

WORTH_SAYING = 5.0
"""Seconds from which an estimate is printed before a step starts."""

WORTH_SAYING_DONE = 0.5
"""Seconds from which a step that is done leaves a line behind."""


class Bars:
    """Draws `whichlever.progress.Progress` on the terminal (standard error)."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._live = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._open = 0

    @contextmanager
    def step(
        self, name: str, total: float | None = None, seconds: float | None = None
    ) -> Iterator[Step]:
        """Begin a step; says its estimate first where that is worth saying."""
        safe = one_line(name)
        if seconds is not None and seconds >= WORTH_SAYING:
            self._say(f"{safe}: about {duration(seconds)}")
        if self._open == 0:
            self._live.start()
        self._open += 1
        bar = self._live.add_task(_escaped(safe), total=total)
        began = time.monotonic()
        try:
            yield _Bar(self._live, bar, self, safe)
        finally:
            self._live.remove_task(bar)
            self._open -= 1
            if self._open == 0:
                self._live.stop()
        took = time.monotonic() - began
        if took >= WORTH_SAYING_DONE:
            self._say(f"{'  ' * self._open}{safe}: {duration(took)}")

    def _say(self, line: str) -> None:
        self._console.print(_escaped(line), soft_wrap=True)


class _Bar:
    def __init__(self, live: RichProgress, bar: TaskID, owner: Bars, name: str) -> None:
        self._live, self._bar, self._owner, self._name = live, bar, owner, name

    def advance(self, amount: float = 1) -> None:
        self._live.advance(self._bar, amount)

    def note(self, text: str) -> None:
        self._owner._say(f"    {self._name}: {one_line(text)}")


def duration(seconds: float) -> str:
    """Say a duration as a person would: ``0.4 s``, ``42 s``, ``3 min 20 s``, ``1 h 05 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
