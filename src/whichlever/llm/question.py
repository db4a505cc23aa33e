"""What one row is asked, in each rotation of the options, and how an answer can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.errors import LLMError
from whichlever.llm.reply import one_line
from whichlever.predict import Status, Usage


@dataclass(frozen=True)
class Extra:
    """What one row is given beside its text: passages, and solved cases as (text, label)."""

    blocks: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Turn:
    """One rotation: what each option stands for, and the conversation up to the row."""

    options: tuple[str, ...]
    labels: tuple[str, ...]
    prefix: list[dict[str, str]]
    key: str

    def option(self, label: str) -> str:
        """What stands for a label in this rotation."""
        return self.options[self.labels.index(label)]


@dataclass(frozen=True)
class Question:
    """What one rotation asks for a row: its journal key, its messages, and how it is asked."""

    key: str
    messages: list[dict[str, str]]
    request: dict[str, Any]


class Failed(Exception):
    """A row without an answer; ``lost`` is what a later try may mend, and is not journaled."""

    def __init__(self, status: Status, error: str, wall: float = 0.0, lost: bool = False) -> None:
        self.status, self.error = status, one_line(error)
        self.wall, self.lost = wall, lost


def gone(error: LLMError) -> LLMError:
    """The error of a server that is gone, as a run that can go on says it."""
    return type(error)(f"{error}; the rows answered are kept, and the same command goes on")


def sum_usage(usages: Sequence[Usage]) -> Usage:
    """Usage of a row over its rotations; what one of them did not measure stays unmeasured."""

    def total(name: str) -> Any:  # noqa: ANN401 - int or float, as the field is
        values = [getattr(usage, name) for usage in usages]
        return None if not values or any(v is None for v in values) else sum(values)

    return Usage(
        tokens_in=total("tokens_in"),
        tokens_cached=total("tokens_cached"),
        tokens_out=total("tokens_out"),
        seconds=total("seconds"),
        bytes_out=total("bytes_out"),
    )
