"""What a model says to an input, with a system prompt or without one; nothing is asked twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.errors import EgressError, LLMError, LLMUnreachable, LLMWindowError
from whichlever.llm.client import Client
from whichlever.llm.journal import Journal, journal_key
from whichlever.llm.limit import Limit, Request
from whichlever.llm.options import Guard, find_guard, guard_fields
from whichlever.llm.reading import LabelReader
from whichlever.llm.reply import Reply
from whichlever.llm.wording import neutral
from whichlever.predict import Usage

LABEL_TOKENS = 48
"""Longest answer where it is one of a closed set."""


@dataclass(frozen=True)
class Said:
    """One answer; ``error`` says why there is none. ``usage`` is as the server counted it."""

    answer: str | None
    error: str | None
    usage: Usage


class Behaviour:
    """One model as it behaves under one system prompt.

    Parameters
    ----------
    client
        The model.
    system
        The prompt; None is none at all.
    labels
        The closed set of answers, which the model is held to where its server can; empty is any
        text.
    journal, limit
        Keep the answers; say how much may be spent.
    most_tokens
        Longest open answer.
    """

    def __init__(
        self,
        client: Client,
        system: str | None,
        labels: Sequence[str],
        *,
        journal: Journal,
        limit: Limit | None = None,
        most_tokens: int = 256,
    ) -> None:
        self._client, self._system = client, system
        self._journal, self._limit = journal, limit
        self._guard: Guard = find_guard(client) if labels else "none"
        self._labels = tuple(labels)
        self._reader = LabelReader(labels) if labels else None
        self._most = LABEL_TOKENS if labels else most_tokens

    def answer(self, text: str) -> Said:
        """Ask about one text, or read what was said before.

        Raises
        ------
        LLMError
            The server is gone, or refuses to be asked at all.
        """
        messages = [] if self._system is None else [{"role": "system", "content": self._system}]
        messages.append({"role": "user", "content": neutral(text)})
        extra: dict[str, Any] = guard_fields(self._guard, self._labels) if self._labels else {}
        key = journal_key("behaviour", self._client.identity, messages, extra, self._most)
        kept = self._journal.get(key)
        if kept is None:
            refused = None if self._limit is None else self._limit.refusal()
            if refused is not None:
                return Said(None, refused[1], Usage())
            kept = self._asked(key, messages, extra)
        elif self._limit is not None:
            self._limit.count([_request(key, kept)], settled=False)
        if "error" in kept:
            return Said(None, str(kept["error"]), Usage())
        reply = Reply.from_json(kept["reply"])
        said = reply.text.strip() if self._reader is None else self._read(reply.text)
        if not said:
            return Said(None, f"answered {reply.text[:60]!r}, which is no answer", reply.usage)
        return Said(said, None, reply.usage)

    def _asked(self, key: str, messages: list[dict[str, str]], extra: dict[str, Any]) -> Any:  # noqa: ANN401 - a journal's entry
        used: list[Request] = []
        try:
            reply = self._client.complete(messages, max_tokens=self._most, extra=extra)
            kept = self._journal.keep(key, {"reply": reply.to_json()})
            used.append(_request(key, kept))
        except (EgressError, LLMUnreachable):
            raise
        except LLMWindowError as error:
            kept = self._journal.keep(key, {"error": str(error)})
        except LLMError as error:  # this text may be asked about again another day
            self._client.check()
            kept = {"error": str(error)}
            used.append(Request(key, None))
        finally:
            if self._limit is not None:
                self._limit.count(used, settled=True)
        return kept

    def _read(self, text: str) -> str | None:
        assert self._reader is not None
        return self._reader.read(text)


def _request(key: str, kept: Any) -> Request:  # noqa: ANN401 - a journal's entry
    usage = Usage(**kept["reply"]["usage"]) if "reply" in kept else None
    return Request(key, usage)
