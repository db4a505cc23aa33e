"""What long work tells whoever watches it; the command line draws bars from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One long step that is under way."""

    def advance(self, amount: float = 1) -> None:
        """Say that ``amount`` more of the step's total is done."""
        ...

    def note(self, text: str) -> None:
        """Say something about the step in one line."""
        ...


class Progress(Protocol):
    """Where long work reports."""

    def step(
        self, name: str, total: float | None = None, seconds: float | None = None
    ) -> AbstractContextManager[Step]:
        """Begin a step of ``total`` units, estimated at ``seconds`` before it starts."""
        ...


class _SilentStep:
    def advance(self, amount: float = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass


class Silent:
    """Reports nothing; the default for library use."""

    @contextmanager
    def step(
        self, name: str, total: float | None = None, seconds: float | None = None
    ) -> Iterator[Step]:
        """Begin a step that nobody watches."""
        yield _SilentStep()
