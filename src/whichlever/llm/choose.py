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
from contextlib import nullcontext
from dataclasses import replace
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
from whichlever.llm.limit import Limit, Request
from whichlever.llm.options import LETTERS, Guard, answered, find_guard, guard_fields, option_scores
from whichlever.llm.question import Extra, Failed, Question, Turn, gone, sum_usage
from whichlever.llm.reply import Reply
from whichlever.llm.wording import conversation, instructions, question
from whichlever.predict import Prediction, Row, Scores

WARM_UP_SECONDS = 900.0
"""Patience with a shared prefix, which is read once and can be long."""

LOST_IN_A_ROW = 3
"""Rows lost one after the other (after their retries) that mean the server is gone."""

TOP_LLAMA = 100
TOP_ELSEWHERE = 20
"""Rivals asked for: what OpenAI and vLLM allow, and more where the server is llama.cpp."""


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
        Keeps answers between runs, and where the limit stopped.
    limit
        Says before every row whether the budget allows it; None is no limit.

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
        limit: Limit | None = None,
    ) -> None:
        self.client = client
        self.labels = tuple(labels)
        self.guard: Guard = find_guard(client) if guard is None else guard
        letters = LETTERS[: len(labels)]
        self.lettered = len(labels) <= len(LETTERS) and all(map(client.single_token, letters))
        self.limit = limit
        self._journal = journal
        self._lost = 0
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
        return self.spent_seconds / self._abreast

    @property
    def _abreast(self) -> int:
        """Requests that may be under way at once."""
        return 1 if self.client.slots else self.client.server.parallel

    def warm_up(self) -> None:
        """Read the shared prefix into each slot (or ask for it once), before any row is timed."""
        if self.client.slots:
            for slot, turn in enumerate(self._turns):
                self._ready(turn, slot)

    def kept(self, rows: Sequence[Row]) -> bool:
        """Whether the journal already holds every answer to these rows."""
        return all(self._known(self._questions(row.text, Extra())) for row in rows)

    def choose(self, row_id: str, text: str, extra: Extra | None = None) -> Prediction:
        """Answer one text; what goes wrong becomes its status.

        Raises
        ------
        EgressError
            The connection was refused because the host is not allowed.
        LLMError
            The server is gone: `LOST_IN_A_ROW` rows were lost one after the other.
        """
        return self._choose(row_id, text, extra or Extra())[0]

    def choose_rows(
        self, rows: Sequence[Row], extras: Iterable[Extra] | None = None
    ) -> list[Prediction]:
        """Answer rows in order; several at once where the server is asked in parallel.

        A row that was lost to the connection or to 429 is asked again after the others. It is
        given up, for good, only when the server answers a plain question in between.

        Raises
        ------
        EgressError
            The connection was refused because the host is not allowed.
        LLMError
            The server is gone. Rows answered so far are in the journal, and the same command
            goes on from them.
        """
        given = list(extras or [Extra()] * len(rows))
        pairs = list(zip(rows, given, strict=True))

        def answer(pair: tuple[Row, Extra]) -> tuple[Prediction, bool]:
            return self._choose(pair[0].id, pair[0].text, pair[1])

        with nullcontext() if self.limit is None else self.limit.asking():
            if self.client.slots or self.client.server.parallel == 1 or len(pairs) < 2:
                answers = [answer(pair) for pair in pairs]
            else:
                with ThreadPoolExecutor(self.client.server.parallel) as pool:
                    answers = list(pool.map(answer, pairs))
            return [
                self._again(*pair) if lost else prediction
                for pair, (prediction, lost) in zip(pairs, answers, strict=True)
            ]

    def _again(self, row: Row, extra: Extra) -> Prediction:
        """Ask once more for a row that was lost, and tell a server that is gone from a bad row."""
        answer, lost = self._choose(row.id, row.text, extra, again=True)
        if not lost:
            return answer
        try:
            self.client.check()
        except LLMError as error:
            raise gone(error) from error
        return self._choose(row.id, row.text, extra, again=True, last=True)[0]

    def _choose(
        self, row_id: str, text: str, extra: Extra, *, again: bool = False, last: bool = False
    ) -> tuple[Prediction, bool]:
        """Answer one text within the limit; also whether it was lost and may be asked again."""
        questions = self._questions(text, extra)
        known = self._known(questions)
        stop = self._stop(questions, known)
        if stop is not None:
            return Prediction(row_id, None, None, stop["status"], stop["error"]), False
        used: list[Request] = []
        try:
            answer = self._ask_all(row_id, questions, used, last)
        except Failed as failed:
            self._note_lost(failed, again)
            usage = sum_usage([request.usage for request in used if request.usage is not None])
            if failed.status in ("timeout", "error"):  # the user waited for nothing, but waited
                waited = (usage.seconds or 0.0) + failed.wall
                usage = replace(usage, seconds=waited)
            return Prediction(row_id, None, None, failed.status, failed.error, usage), failed.lost
        else:
            self._lost = 0
            return answer, False
        finally:
            if self.limit is not None:
                self.limit.count(used, settled=not known)

    def _ask_all(
        self, row_id: str, questions: Sequence[Question], used: list[Request], last: bool
    ) -> Prediction:
        """Ask every rotation, noting in ``used`` what each one took."""
        replies: list[Reply] = []
        said: list[str] = []
        for slot, (turn, asked) in enumerate(zip(self._turns, questions, strict=True)):
            reply = self._ask(turn, slot, asked, used, last)
            replies.append(reply)
            said.append(turn.labels[turn.options.index(self._option(turn, reply))])
        scores = self._scores(replies)
        label = said[0] if scores is None else self.labels[int(np.argmax(scores))]
        return Prediction(row_id, label, scores, usage=sum_usage([r.usage for r in replies]))

    def _note_lost(self, failed: Failed, again: bool) -> None:
        """Count rows lost one after the other; too many are the server's end.

        Raises
        ------
        LLMError
            The server is gone.
        """
        if not failed.lost:
            self._lost = 0
        elif not again:
            with self._lock:
                self._lost += 1
            if self._lost >= LOST_IN_A_ROW:
                raise gone(LLMError(failed.error))

    def _stop(self, questions: Sequence[Question], known: bool) -> Mapping[str, Any] | None:
        """Why the limit lets no row be asked, kept once so that a later run stops there too.

        A row whose answer is known is free. Otherwise the room for it is taken.
        """
        if self.limit is None:
            return None
        key = journal_key("stop", self.limit.identity, [asked.key for asked in questions])
        kept = None if self._journal is None else self._journal.get(key)
        if kept is not None or known:
            return kept
        refusal = self.limit.refusal()
        if refusal is None:
            return None
        stop = {"status": refusal[0], "error": refusal[1]}
        return stop if self._journal is None else self._journal.keep(key, stop)

    def _questions(self, text: str, extra: Extra) -> list[Question]:
        return [self._question(turn, text, extra) for turn in self._turns]

    def _known(self, questions: Sequence[Question]) -> bool:
        """Whether nothing has to be asked: a row ends at its first rotation without an answer."""
        for turn, asked in zip(self._turns, questions, strict=True):
            kept = None if self._journal is None else self._journal.get(asked.key)
            if kept is None:
                return False
            if (
                "status" in kept
                or answered(kept["reply"]["text"], turn.options, self.guard) is None
            ):
                return True
        return True

    def _turn(
        self, shift: int, about: str, meanings: Mapping[str, str], shots: Sequence[tuple[str, str]]
    ) -> Turn:
        labels = self.labels[shift:] + self.labels[:shift]
        options = tuple(LETTERS[: len(labels)]) if self.lettered else labels
        named = dict(zip(labels, options, strict=True))
        system = instructions(about, list(zip(options, labels, strict=True)), meanings)
        solved = [(text, named[label]) for text, label in shots]
        prefix = conversation(system, solved, None)
        return Turn(options, labels, prefix, journal_key(prefix))

    def _option(self, turn: Turn, reply: Reply) -> str:
        option = answered(reply.text, turn.options, self.guard)
        if option is None:
            raise Failed("refused", f"answered {reply.text[:60]!r}, which is none of the options")
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

    def _ask(
        self, turn: Turn, slot: int, asked: Question, used: list[Request], last: bool
    ) -> Reply:
        """The reply to one rotation, from the journal where it was given before."""
        kept = None if self._journal is None else self._journal.get(asked.key)
        before = 0.0 if kept is None else float(kept.get("wall", 0.0)) / self._abreast
        if kept is None:
            began = time.monotonic()
            kept = self._answer(turn, slot, asked.messages, asked.request)
            kept = {**kept, "wall": time.monotonic() - began}
            if last:
                kept.pop("lasting", None)
            if self._journal is not None and kept.get("lasting", True):
                kept = self._journal.keep(asked.key, kept)
        wall = float(kept.get("wall", 0.0))
        with self._lock:
            self.spent_seconds += wall
        if "status" in kept:
            lost = not kept.get("lasting", True)
            if not lost:
                tries = self.client.server.retries + 1 if kept["status"] == "timeout" else 1
                used.append(Request(asked.key, None, tries, before))
            raise Failed(kept["status"], kept["error"], wall, lost)
        reply = Reply.from_json(kept["reply"])
        used.append(Request(asked.key, reply.usage, before=before))
        return reply

    def _question(self, turn: Turn, text: str, extra: Extra) -> Question:
        examples = [(solved, turn.option(label)) for solved, label in extra.examples]
        user = question(text, extra.blocks, examples)
        messages = [*turn.prefix, {"role": "user", "content": user}]
        request: dict[str, Any] = {
            "max_tokens": self._max_tokens(),
            "top_logprobs": self._top(),
            "extra": guard_fields(self.guard, turn.options),
        }
        return Question(journal_key(self.client.identity, messages, request), messages, request)

    def _answer(
        self, turn: Turn, slot: int, messages: list[dict[str, str]], request: dict[str, Any]
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

    def _ready(self, turn: Turn, slot: int) -> None:
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
