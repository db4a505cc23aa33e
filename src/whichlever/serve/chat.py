"""A request of OpenAI's chat interface, read strictly, and the shapes of what goes back.

The last message of a user is the row's text. The model learned its task from rows, so it needs no
system prompt; one that comes with a request is not read, and neither are earlier turns.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from whichlever.render.record import BLANK
from whichlever.serve.calls import Problem, Reply
from whichlever.serve.wire import dumped

Json = dict[str, Any]

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MOST_MESSAGES, MOST_PARTS = 1_000, 64

ABSTAINED = "No answer: the model is not sure enough, and leaves this to a person."
"""What a message says where the bundle abstains; ``whichlever.abstain`` says it to programs."""

EVENTS = b"text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants: an answer to ``text``, and how it is to come.

    ``most`` is the caller's bound on tokens; None where it gave none. A choice among answers heeds
    no bound: half a label is none.
    """

    text: str
    stream: bool
    with_usage: bool
    most: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its text, why it ended, tokens read and said (0: not counted), what is ours."""

    content: str
    finish: str
    tokens_in: int
    tokens_out: int
    ours: Json


def asked_of(given: Json) -> Asked:
    """Read a request's body.

    Raises
    ------
    Problem
        422: it has another shape, or wants what a model that answers rows cannot do.
    """
    if not isinstance(given.get("model"), str | None):
        raise Problem(422, "model is to be a text")
    for name in ("tools", "functions"):
        if given.get(name) not in (None, []):
            raise Problem(422, f"This model calls no {name}", "it answers rows")
    if given.get("n") not in (None, 1) or isinstance(given.get("n"), bool):
        raise Problem(422, "n is to be 1: there is one answer")
    kind = given.get("response_format")
    if kind is not None and (not isinstance(kind, dict) or kind.get("type") != "text"):
        raise Problem(422, "response_format is text alone", "the model's answers are its own")
    stream, options = given.get("stream"), given.get("stream_options")
    if not isinstance(stream, bool | None):
        raise Problem(422, "stream is true or false")
    if not isinstance(options, dict | None):
        raise Problem(422, "stream_options is an object")
    wanted = (options or {}).get("include_usage")
    if not isinstance(wanted, bool | None):
        raise Problem(422, "stream_options.include_usage is true or false")
    most = _bound(given, "max_completion_tokens") or _bound(given, "max_tokens")
    return Asked(_text_of(given.get("messages")), bool(stream), bool(wanted), most)


def _bound(given: Json, name: str) -> int | None:
    value = given.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Problem(422, f"{name} is a whole number from 1")
    return value


def _text_of(messages: object) -> str:
    if not isinstance(messages, list) or not messages:
        raise Problem(422, "messages is to be a list with something in it")
    if len(messages) > MOST_MESSAGES:
        raise Problem(422, "Too many messages", f"at most {MOST_MESSAGES}; the last is read")
    last: str | None = None
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise Problem(422, "A message is an object with a role", ", ".join(ROLES))
        content = message.get("content")
        if message["role"] == "user":
            last = _content(content)
            if not last.strip(BLANK):
                raise Problem(422, "A user's message is empty")
        elif not isinstance(content, str | list | None):
            raise Problem(422, "A message's content is text, or a list of parts")
    if last is None:
        raise Problem(422, "There is no user's message", "the last one is the text to answer")
    return last


def _content(content: object) -> str:
    """A user's text: as it is, or its parts joined by line breaks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        raise Problem(422, "A user's content is text, or a list of parts that are text")
    if len(content) > MOST_PARTS:
        raise Problem(422, "Too many parts", f"at most {MOST_PARTS} in one message")
    parts = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            raise Problem(422, "This model reads text alone")
        parts.append(text)
    return "\n".join(parts)


def said_of_line(line: Json, tokens_in: int = 0, tokens_out: int = 0) -> Said:
    """An answer's line as a message; an abstention says so."""
    abstain = bool(line["abstain"])
    ours = {"label": line["label"], "abstain": abstain}
    if line.get("scores"):
        ours["score"] = max(line["scores"].values())
    if "note" in line:
        ours["note"] = line["note"]
    content = ABSTAINED if abstain or line["label"] is None else str(line["label"])
    return Said(content, "stop", tokens_in, tokens_out, ours)


def whole(name: str, model: str, said: Said) -> Json:
    """The answer as a ``chat.completion``."""
    return {
        "id": name,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": said.content, "refusal": None},
                "logprobs": None,
                "finish_reason": said.finish,
            }
        ],
        "usage": usage_of(said.tokens_in, said.tokens_out),
        "whichlever": said.ours,
    }


def usage_of(tokens_in: int, tokens_out: int) -> Json:
    """Tokens; 0 where the model has none to count."""
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out}  # fmt: skip


class Chunks:
    """One answer's ``chat.completion.chunk`` events, in OpenAI's order."""

    def __init__(self, name: str, model: str) -> None:
        self._base: Json = {"id": name, "object": "chat.completion.chunk",
                            "created": int(time.time()), "model": model}  # fmt: skip

    def first(self) -> bytes:
        """Who speaks."""
        return self._event({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        """Some of the text."""
        return self._event({"content": text})

    def last(self, finish: str, ours: Json) -> bytes:
        """Why it ended, and what is ours."""
        return self._event({}, finish, whichlever=ours)

    def usage(self, tokens_in: int, tokens_out: int) -> bytes:
        """Tokens, where they were asked for."""
        return event({**self._base, "choices": [], "usage": usage_of(tokens_in, tokens_out)})

    def _event(self, delta: Json, finish: str | None = None, **more: Any) -> bytes:  # noqa: ANN401
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**self._base, "choices": [choice], **more})

    def of(self, said: Said, *, with_usage: bool) -> Iterator[bytes]:
        """An answer that is known whole: a choice has no half."""
        yield self.first()
        yield self.piece(said.content)
        yield self.last(said.finish, said.ours)
        if with_usage:
            yield self.usage(said.tokens_in, said.tokens_out)
        yield DONE


def event(value: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + dumped(value) + b"\n\n"


async def in_turn(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Parts that are known already, as those that come one by one."""
    for part in parts:
        yield part


KINDS = {
    401: ("authentication_error", "invalid_api_key"),
    404: ("invalid_request_error", None),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}


def as_openai(problem: Problem) -> Reply:
    """A problem in OpenAI's shape; what is 422 elsewhere is 400 there."""
    status = 400 if problem.status == 422 else problem.status
    other = ("server_error" if status >= 500 else "invalid_request_error", None)
    kind, code = KINDS.get(status, other)
    said = problem.title + (f": {problem.detail}" if problem.detail else "")
    error = {"message": said, "type": kind, "param": None, "code": code}
    return Reply(dumped({"error": error}), status, headers=problem.headers)
