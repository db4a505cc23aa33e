"""An answer of an OpenAI-compatible server, read from its JSON without trusting it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from whichlever.errors import LLMGarbage
from whichlever.predict import Usage

MOST_SAID = 300
"""Characters kept of what a server or a file says went wrong."""

Token = tuple[str, float]
"""A token's text and its natural log-probability."""


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes
    ----------
    text
        What the model wrote.
    tokens
        The tokens it wrote; empty where the server did not say.
    top
        Per position of ``tokens``, the likeliest tokens and their natural log-probabilities over
        the whole vocabulary, before any grammar.
    usage
        Tokens as the server counted them, seconds of wall time, and bytes that left this machine.
    finish
        Why it stopped, as the server says ("stop", "length").
    """

    text: str
    tokens: tuple[str, ...] = ()
    top: tuple[tuple[Token, ...], ...] = ()
    usage: Usage = field(default_factory=Usage)
    finish: str | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values that `from_json` reads back equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reply:
        """A reply written by `to_json`."""
        return cls(
            text=values["text"],
            tokens=tuple(values["tokens"]),
            top=tuple(tuple((t, float(p)) for t, p in place) for place in values["top"]),
            usage=Usage(**values["usage"]),
            finish=values["finish"],
        )


def parse_reply(body: bytes, server: str, seconds: float, bytes_out: int) -> Reply:
    """Read the body of a chat completion.

    Raises
    ------
    LLMGarbage
        It is not one; the line names the server and what was found instead.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        shown = body[:60].decode("utf-8", "replace")
        raise LLMGarbage(
            f"{server}: the answer is not JSON ({shown!r}); is base_url an OpenAI-compatible API?"
        ) from error
    try:
        choice = values["choices"][0]
        text = choice["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise LLMGarbage(
            f"{server}: the answer holds no choices[0].message.content; "
            "is base_url an OpenAI-compatible API?"
        ) from error
    if text is not None and not isinstance(text, str):
        raise LLMGarbage(f"{server}: the answer's content is not text")
    tokens, top = _logprobs(choice.get("logprobs"))
    finish = choice.get("finish_reason")
    return Reply(
        text=text or "",
        tokens=tokens,
        top=top,
        usage=_usage(values, seconds, bytes_out),
        finish=finish if isinstance(finish, str) else None,
    )


def one_line(text: str, most: int = MOST_SAID) -> str:
    """Somebody else's words as one line of at most ``most`` printable characters.

    Lone surrogates, control and formatting characters (which could not be written, or would
    steer a terminal) become "�".
    """
    line = " ".join(text[: 4 * most].split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= most else line[: most - 1] + "…"


def _logprobs(found: object) -> tuple[tuple[str, ...], tuple[tuple[Token, ...], ...]]:
    """Tokens and their rivals; a server that says nothing usable gives empty ones."""
    content = found.get("content") if isinstance(found, dict) else None
    if not isinstance(content, list):
        return (), ()
    tokens, top = [], []
    for place in content:
        if not isinstance(place, dict) or not isinstance(place.get("token"), str):
            return (), ()
        rivals = place.get("top_logprobs")
        tokens.append(place["token"])
        top.append(tuple(_pairs(rivals if isinstance(rivals, list) else [])))
    return tuple(tokens), tuple(top)


def _pairs(rivals: list[object]) -> list[Token]:
    out = []
    for rival in rivals:
        if not isinstance(rival, dict):
            continue
        token, logprob = rival.get("token"), rival.get("logprob")
        if isinstance(token, str) and isinstance(logprob, int | float) and math.isfinite(logprob):
            out.append((token, float(logprob)))
    return out


def _usage(values: Mapping[str, Any], seconds: float, bytes_out: int) -> Usage:
    usage = _mapping(values.get("usage"))
    timings = _mapping(values.get("timings"))  # llama.cpp's own
    details = _mapping(usage.get("prompt_tokens_details"))
    cached = _count(details.get("cached_tokens"))
    return Usage(
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_cached=_count(timings.get("cache_n")) if cached is None else cached,
        tokens_out=_count(usage.get("completion_tokens")),
        seconds=seconds,
        bytes_out=bytes_out,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
