"""Asking a language model for one of a task's labels.

Labels are shown as letters, each a single token, so that one token answers and its rivals'
probabilities are the labels' scores; orders are rotated and averaged, since models favour some
letters (Zheng et al. 2024, "Large language models are not robust multiple choice selectors").
Sets too large for letters are answered by the label itself, without scores.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from whichlever.errors import (
    EgressError,
    LLMError,
    LLMGarbage,
    LLMRateLimited,
    LLMTimeout,
    LLMUnreachable,
    LLMWindowError,
)
from whichlever.llm.client import Client
from whichlever.llm.journal import Journal, journal_key
from whichlever.llm.options import LETTERS, Guard, answered, find_guard, guard_fields, option_scores
from whichlever.llm.reply import Reply
from whichlever.llm.wording import conversation, instructions, question
from whichlever.predict import Prediction, Row, Scores, Status, Usage

WARM_UP_SECONDS = 900.0
"""Patience with a shared prefix, which is read once and can be long."""

TOP_LLAMA = 100
TOP_ELSEWHERE = 20
"""Rivals asked for: what OpenAI and vLLM allow, and more where the server is llama.cpp."""


@dataclass(frozen=True)
class Extra:
    """What one row is given beside its text: passages, and solved cases as (text, label)."""

    blocks: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Turn:
    """One rotation: what each option stands for, and the conversation up to the row."""

    options: tuple[str, ...]
    labels: tuple[str, ...]
    prefix: list[dict[str, str]]
    key: str

    def option(self, label: str) -> str:
        return self.options[self.labels.index(label)]


class _Failed(Exception):
    def __init__(self, status: Status, error: str) -> None:
        self.status, self.error = status, error


class Chooser:
    """Classifies texts with one model, one set of instructions and one set of shots.

    Parameters
    ----------
    client
        The model; rotation r uses its slot r where it has slots.
    labels
        The labels, in the order of the run.
    about, meanings
        What the task is and what each label means, in the user's words.
    shots
        Solved cases as (text, label), the same for every row.
    rotations
        Option orders averaged per answer.
    journal
        Keeps answers between runs.

    Raises
    ------
    LLMError
        From the constructor: the server cannot be used at all.
    LLMWindowError
        From `warm_up`: instructions and shots alone do not fit the window.
    """

    def __init__(
        self,
        client: Client,
        labels: Sequence[str],
        *,
        about: str = "",
        meanings: Mapping[str, str] | None = None,
        shots: Sequence[tuple[str, str]] = (),
        rotations: int = 2,
        journal: Journal | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.client = client
        self.labels = tuple(labels)
        self.guard: Guard = find_guard(client) if guard is None else guard
        letters = LETTERS[: len(labels)]
        self.lettered = len(labels) <= len(LETTERS) and all(map(client.single_token, letters))
        self._journal = journal
        self._lock = threading.Lock()
        self.spent_seconds = 0.0
        """Wall time of the requests answered so far, waits and retries too; of answers found in
        the journal, the time they took when they were given."""
        turns = min(rotations, len(labels)) if self.lettered else 1
        self._turns = [
            self._turn(round(r * len(labels) / turns), about, meanings or {}, shots)
            for r in range(turns)
        ]

    @property
    def enforced(self) -> bool:
        """Whether the server was seen to hold answers to the labels."""
        return self.guard != "none"

    @property
    def wall_seconds(self) -> float:
        """Wall time of the answers so far: several requests may have been under way at once."""
        if self.client.slots:
            return self.spent_seconds
        return self.spent_seconds / self.client.server.parallel

    def warm_up(self) -> None:
        """Read the shared prefix into each slot (or ask for it once), before any row is timed."""
        if self.client.slots:
            for slot, turn in enumerate(self._turns):
                self._ready(turn, slot)

    def kept(self, rows: Sequence[Row]) -> bool:
        """Whether the journal already holds every answer to these rows."""
        return self._journal is not None and all(
            self._journal.get(self._request(turn, row.text, Extra())[0]) is not None
            for row in rows
            for turn in self._turns
        )

    def choose(self, row_id: str, text: str, extra: Extra | None = None) -> Prediction:
        """Answer one text; what goes wrong becomes its status, never an exception.

        Raises
        ------
        EgressError
            The connection was refused because the host is not allowed.
        """
        extra = extra or Extra()
        replies: list[Reply] = []
        said: list[str] = []
        for slot, turn in enumerate(self._turns):
            try:
                reply = self._ask(turn, slot, text, extra)
                replies.append(reply)
                said.append(turn.labels[turn.options.index(self._option(turn, reply))])
            except _Failed as failed:
                usage = _sum([reply.usage for reply in replies])
                return Prediction(row_id, None, None, failed.status, failed.error, usage)
        scores = self._scores(replies)
        label = said[0] if scores is None else self.labels[int(np.argmax(scores))]
        return Prediction(row_id, label, scores, usage=_sum([r.usage for r in replies]))

    def choose_rows(
        self, rows: Sequence[Row], extras: Iterable[Extra] | None = None
    ) -> list[Prediction]:
        """Answer rows in order; several at once where the server is asked in parallel."""
        pairs = list(zip(rows, extras or [Extra()] * len(rows), strict=True))
        if self.client.slots or self.client.server.parallel == 1 or len(pairs) < 2:
            return [self.choose(row.id, row.text, extra) for row, extra in pairs]
        with ThreadPoolExecutor(self.client.server.parallel) as pool:
            return list(
                pool.map(lambda pair: self.choose(pair[0].id, pair[0].text, pair[1]), pairs)
            )

    def _turn(
        self, shift: int, about: str, meanings: Mapping[str, str], shots: Sequence[tuple[str, str]]
    ) -> _Turn:
        labels = self.labels[shift:] + self.labels[:shift]
        options = tuple(LETTERS[: len(labels)]) if self.lettered else labels
        named = dict(zip(labels, options, strict=True))
        system = instructions(about, list(zip(options, labels, strict=True)), meanings)
        solved = [(text, named[label]) for text, label in shots]
        prefix = conversation(system, solved, None)
        return _Turn(options, labels, prefix, journal_key(prefix))

    def _option(self, turn: _Turn, reply: Reply) -> str:
        option = answered(reply.text, turn.options, self.guard)
        if option is None:
            raise _Failed("refused", f"answered {reply.text[:60]!r}, which is none of the options")
        return option

    def _scores(self, replies: Sequence[Reply]) -> Scores | None:
        """Label probabilities, averaged over rotations; None if any rotation has none."""
        if not self.lettered:
            return None
        total = np.zeros(len(self.labels))
        for turn, reply in zip(self._turns, replies, strict=True):
            found = option_scores(reply, turn.options, self.guard)
            if found is None:
                return None
            total += found[[turn.labels.index(label) for label in self.labels]]
        return np.asarray(total / total.sum(), dtype=np.float32)

    def _ask(self, turn: _Turn, slot: int, text: str, extra: Extra) -> Reply:
        """The reply to one rotation, from the journal where it was given before."""
        key, messages, request = self._request(turn, text, extra)
        kept = None if self._journal is None else self._journal.get(key)
        if kept is None:
            began = time.monotonic()
            kept = self._answer(turn, slot, messages, request)
            kept = {**kept, "wall": time.monotonic() - began}
            if self._journal is not None and kept.get("lasting", True):
                kept = self._journal.keep(key, kept)
        with self._lock:
            self.spent_seconds += float(kept.get("wall", 0.0))
        if "status" in kept:
            raise _Failed(kept["status"], kept["error"])
        return Reply.from_json(kept["reply"])

    def _request(
        self, turn: _Turn, text: str, extra: Extra
    ) -> tuple[str, list[dict[str, str]], dict[str, Any]]:
        """The journal's key of a question, its messages, and how it is asked."""
        examples = [(solved, turn.option(label)) for solved, label in extra.examples]
        user = question(text, extra.blocks, examples)
        messages = [*turn.prefix, {"role": "user", "content": user}]
        request: dict[str, Any] = {
            "max_tokens": self._max_tokens(),
            "top_logprobs": self._top(),
            "extra": guard_fields(self.guard, turn.options),
        }
        return journal_key(self.client.identity, messages, request), messages, request

    def _answer(
        self, turn: _Turn, slot: int, messages: list[dict[str, str]], request: dict[str, Any]
    ) -> Mapping[str, Any]:
        """Ask the server; failures that a later try would repeat are lasting."""
        try:
            self._ready(turn, slot)
            self.client.warm[slot] = f"{turn.key}:used"
            reply = self.client.complete(messages, slot=slot, **request)
        except EgressError:
            raise
        except LLMWindowError as error:
            return {"status": "truncated", "error": str(error)}
        except LLMTimeout as error:
            return {"status": "timeout", "error": str(error)}
        except LLMGarbage as error:
            return {"status": "error", "error": str(error)}
        except (LLMUnreachable, LLMRateLimited, LLMError) as error:
            return {"status": "error", "error": str(error), "lasting": False}
        if self._overflowed(reply):
            size = f"{reply.usage.tokens_in} tokens of {self.client.server.context}"
            return {"status": "truncated", "error": f"the prompt fills the window ({size})"}
        return {"reply": reply.to_json()}

    def _overflowed(self, reply: Reply) -> bool:
        """Whether a server that cuts long prompts without saying so must have cut this one."""
        counted = reply.usage.tokens_in
        if self.client.llama or counted is None:
            return False
        return counted + self._max_tokens() > self.client.server.context

    def _ready(self, turn: _Turn, slot: int) -> None:
        """Bring a slot back to exactly the shared prefix.

        The arithmetic of a prompt depends on how it is cut into batches, so an answer must not
        depend on what the slot held before: a new prefix is read cold, and after each row the
        slot is taken back to it (two or three tokens).
        """
        if not self.client.slots:
            return
        slot %= self.client.slots
        state = self.client.warm.get(slot)
        if state == turn.key:
            return
        cold = state != f"{turn.key}:used"
        patience = WARM_UP_SECONDS if cold else None
        self.client.complete(turn.prefix, max_tokens=1, slot=slot, cold=cold, timeout=patience)
        self.client.warm[slot] = turn.key

    def _max_tokens(self) -> int:
        longest = 1 if self.lettered else max(len(label.encode()) for label in self.labels) + 2
        if self.guard == "json_schema":
            return longest + 16
        return longest if self.enforced or not self.lettered else 4

    def _top(self) -> int:
        if not self.lettered:
            return 0
        return TOP_LLAMA if self.client.llama else TOP_ELSEWHERE


def _sum(usages: Sequence[Usage]) -> Usage:
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
