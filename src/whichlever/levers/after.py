"""What may be asked of a fitted lever beside its test rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from whichlever.levers.base import Fit, Lever


class AfterFits(Protocol):
    """Given each fitted lever once its test rows are answered and kept."""

    def within(self, fit: Fit) -> Fit:
        """The fit with fewer rows left for the test, where it is to answer others afterwards."""
        ...

    def __call__(self, lever: Lever, folder: Path, fit: Callable[[], Fit]) -> None:
        """Ask; ``fit`` gives the fitted lever, fitting it again where that is not in memory."""
        ...
