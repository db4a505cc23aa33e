"""Holding a model to a closed set of answers, and reading how sure it was.

How a server is told differs (llama.cpp's grammar, vLLM's structured outputs, OpenAI's schemas),
and some accept the field and ignore it; so it is tried on a question that begs for another answer
before it is believed.
"""

from __future__ import annotations

import json
import math
import string
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from whichlever.errors import (
    LLMError,
    LLMGarbage,
    LLMRateLimited,
    LLMTimeout,
    LLMUnreachable,
)
from whichlever.llm.client import Client
from whichlever.llm.reply import Reply

Guard = Literal["grammar", "structured_outputs", "guided_choice", "json_schema", "none"]
GUARDS: tuple[Guard, ...] = ("grammar", "structured_outputs", "guided_choice", "json_schema")
LETTERS = string.ascii_uppercase

_PROBE = "Write the word banana. Write only the word banana."
_PROBE_OPTIONS = ("kiwi", "plum")


def gbnf(options: Sequence[str]) -> str:
    """A GBNF grammar whose only sentences are the options (llama.cpp, grammars/README.md)."""
    return "root ::= " + " | ".join(_quoted(option) for option in options)


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


def guard_fields(guard: Guard, options: Sequence[str]) -> dict[str, Any]:
    """Fields of a request's body that hold the answer to the options."""
    if guard == "grammar":
        return {"grammar": gbnf(options)}
    if guard == "structured_outputs":
        return {"structured_outputs": {"choice": list(options)}}
    if guard == "guided_choice":
        return {"guided_choice": list(options)}
    if guard == "json_schema":
        return {"response_format": enum_schema("answer", options)}
    return {}


def enum_schema(field: str, options: Sequence[str]) -> dict[str, Any]:
    """An OpenAI ``response_format``: an object whose one field is one of the options."""
    schema = {
        "type": "object",
        "properties": {field: {"type": "string", "enum": list(options)}},
        "required": [field],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "choice", "strict": True, "schema": schema},
    }


def find_guard(client: Client) -> Guard:
    """The first guard that this server is seen to enforce; "none" where it enforces none.

    It is tried once for a client.

    Raises
    ------
    LLMError
        The server cannot be reached or refuses the key.
    """
    if client.guard is None:
        client.guard = _tried(client)
    return cast(Guard, client.guard)


def _tried(client: Client) -> Guard:
    tried: tuple[Guard, ...] = ("grammar",) if client.llama else GUARDS
    for guard in tried:
        try:
            reply = client.complete(
                [{"role": "user", "content": _PROBE}],
                max_tokens=24,
                extra=guard_fields(guard, _PROBE_OPTIONS),
            )
        except (LLMUnreachable, LLMTimeout, LLMRateLimited, LLMGarbage):
            raise
        except LLMError:
            client.check()  # if that fails too, it was not the guard that was refused
            continue
        if answered(reply.text, _PROBE_OPTIONS, guard) in _PROBE_OPTIONS:
            return guard
    return "none"


def answered(text: str, options: Sequence[str], guard: Guard) -> str | None:
    """The option that a reply gives; None where it gives none.

    Where nothing holds the model to the options, "B.", "(B)" and other cases of a label are taken
    as meant; a sentence is not searched for a label.
    """
    if guard == "json_schema":
        try:
            text = json.loads(text)["answer"]
        except (ValueError, KeyError, TypeError):
            return None
        if not isinstance(text, str):
            return None
    bare = text.strip()
    if bare in options:
        return bare
    bare = bare.strip(" \t\n\"'`*().:[]")
    if bare in options:
        return bare
    same = [option for option in options if option.casefold() == bare.casefold()]
    return same[0] if len(same) == 1 else None


def option_scores(
    reply: Reply, options: Sequence[str], guard: Guard
) -> npt.NDArray[np.float64] | None:
    """Probability of each single-token option, shape (options,), renormalised over them.

    The probabilities are of the first token of the answer, before any grammar. An option that the
    server did not list gets the smallest one it did list, which bounds it from above. None where
    the server listed none of them.
    """
    for token, rivals in _places(reply, guard):
        if not token:
            continue
        found = dict.fromkeys(options, 0.0)
        for text, logprob in rivals:
            bare = text.strip().strip('"')
            if bare in found:
                found[bare] += math.exp(logprob)
        if not any(found.values()):
            return None
        floor = math.exp(min(logprob for _, logprob in rivals))
        scores = np.array([p if p > 0 else floor for p in found.values()], dtype=np.float64)
        total = float(scores.sum())
        return scores / total if total > 0 else None
    return None


def _places(reply: Reply, guard: Guard) -> list[tuple[str, tuple[tuple[str, float], ...]]]:
    """Positions where the answer's own token can stand, first one first."""
    places = list(zip((t.strip() for t in reply.tokens), reply.top, strict=False))
    if guard != "json_schema":
        return places
    # {"answer":"B"}: the answer is the first token after the colon that is not punctuation.
    written = ""
    for at, token in enumerate(reply.tokens):
        if ":" in written and token.strip().strip('"'):
            return places[at:]
        written += token
    return []
