"""The end of a budget while it is being spent: dollars and wall time, looked at before every row.

`whichlever.llm.budget` sizes the rows beforehand from what rows took on validation data; this is
what holds where they take more. It never looks at an answer, only at what answers cost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from whichlever.errors import InputError
from whichlever.llm.budget import Billing, unpriced
from whichlever.predict import Status, Usage
from whichlever.task import PromptSettings, RagSettings

END = 2.0
"""Answers end at this many times the minutes, however many rows were sized for."""

_ROUNDING = 1 + 1e-9


@dataclass(frozen=True)
class Request:
    """One request of a row: its journal key, what it used (None: it failed, and may be billed),
    how often it may have been billed, and its wall seconds where it was answered in an earlier
    run.
    """

    key: str
    usage: Usage | None
    times: int = 1
    before: float = 0.0


class Limit:
    """Says when no further row may be asked; safe to share between threads.

    Money is a hard bound: a row is asked only where the dollars spent so far, by the server's
    token counts, leave room for the dearest row yet; the very first one is asked alone, and only
    a row dearer than every one before it can overrun. What a request that failed was billed is
    taken at the mean of the others. Answers found in the journal count as spent, once each, so
    that a run that was killed goes on with what is left.

    Parameters
    ----------
    lever
        What errors call it.
    minutes
        The time budget; answers end at `END` times this.
    dollars
        The money budget; None is no limit.
    billing
        How the model's tokens are paid.

    Raises
    ------
    InputError
        There is a limit in dollars and no price, or it is nothing.
    """

    def __init__(self, lever: str, minutes: float, dollars: float | None, billing: Billing) -> None:
        self._price = billing.price
        if dollars is not None and self._price is None:
            raise InputError(unpriced(lever))
        if dollars == 0:
            raise InputError(f"levers.{lever}.dollars: 0 pays for no row; raise it or leave it out")
        self.spent = 0.0
        """Dollars spent so far."""
        self._lever, self._minutes, self._dollars = lever, minutes, dollars
        self._dearest: float | None = None
        self._answering = False
        self._requests = 0
        self._counted: set[str] = set()
        self._under_way = 0
        self._seconds = 0.0
        self._began: float | None = None
        self._changed = threading.Condition()

    @classmethod
    def of(cls, lever: str, settings: PromptSettings | RagSettings, billing: Billing) -> Limit:
        """The limit that a lever's settings state."""
        return cls(lever, settings.minutes, settings.dollars, billing)

    @property
    def identity(self) -> list[Any]:
        """What a stop depends on, as JSON values."""
        return [self._lever, self._minutes, self._dollars, self._answering]

    @property
    def seconds(self) -> float:
        """Wall seconds of asking so far, those of an earlier run of the same step too."""
        began = self._began
        return self._seconds + (0.0 if began is None else time.monotonic() - began)

    def start_answers(self, dollars_per_row: float | None = None) -> None:
        """Begin the time of answers, now that choosing is over; money goes on counting.

        Parameters
        ----------
        dollars_per_row
            What a row of the chosen prompt took; None is not known.
        """
        with self._changed:
            self._answering = True
            self._seconds = 0.0
            self._dearest = dollars_per_row

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Let the clock run."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            self._seconds, self._began = self.seconds, None

    def refusal(self) -> tuple[Status, str] | None:
        """Take room for one more row, to be given back by `count`; or say why there is none.

        Where only rows under way stand in the way, it waits for them.
        """
        with self._changed:
            while self._under_way and self._short(self._under_way + 1):
                self._changed.wait()
            if self.seconds >= END * self._minutes * 60:
                return "timeout", f"budget: {END:g} times the {self._minutes:g} minutes are over"
            if self._short(1):
                return "error", f"budget: ${self.spent:.4g} of ${self._dollars:g} spent"
            self._under_way += 1
            return None

    def count(self, requests: Sequence[Request], *, settled: bool) -> None:
        """Count what one row's requests took; a request that was counted before is free.

        Parameters
        ----------
        requests
            The row's requests.
        settled
            Whether the row had taken room, which is given back.

        Raises
        ------
        InputError
            There is a limit in dollars and the server does not count its tokens.
        """
        with self._changed:
            try:
                row = sum(self._counted_once(request) for request in requests)
            finally:
                self._under_way -= settled
                self._changed.notify_all()
            if row:
                self._dearest = max(row, self._dearest or 0.0)

    def _counted_once(self, request: Request) -> float:
        if request.key in self._counted:
            return 0.0
        self._counted.add(request.key)
        self._seconds += request.before
        dollars = self._dollars_of(request)
        self.spent += dollars
        return dollars

    def _dollars_of(self, request: Request) -> float:
        if self._price is None:
            return 0.0
        usage = request.usage
        if usage is None:
            return request.times * self.spent / self._requests if self._requests else 0.0
        if usage.tokens_in is None or usage.tokens_out is None:
            if self._dollars is None:
                return 0.0
            raise InputError(
                f"levers.{self._lever}.dollars: the server does not say how many tokens it "
                "counted, so its dollars are not known; leave dollars: out, or use another server"
            )
        self._requests += 1
        return self._price.dollars(usage.tokens_in, usage.tokens_cached or 0, usage.tokens_out)

    def _short(self, rows: int) -> bool:
        """Whether the money left may not be enough for as many rows under way."""
        if self._dollars is None:
            return False
        if self._dearest is None:  # nothing is known yet: one row alone finds out
            return rows > 1 or self.spent >= self._dollars
        wanted = self.spent + rows * self._dearest
        return self.spent >= self._dollars or wanted > self._dollars * _ROUNDING
