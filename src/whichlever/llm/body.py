"""The body of a provider's answer, whichever API gave it, read without trusting it.

OpenAI's chat completions and Responses, Anthropic's Messages, and servers that speak like them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.llm.reading import named
from whichlever.llm.reply import one_line
from whichlever.predict import Usage


@dataclass(frozen=True, slots=True)
class Body:
    """What an answer says: its text or what went wrong, the model, and tokens as counted there.

    ``said`` and ``error`` are both None where the model gave nothing at all. Tokens that are not
    stated are None.
    """

    said: str | None
    error: str | None
    model: str | None
    usage: Usage


def read_body(body: Mapping[str, Any]) -> Body | None:
    """Read an answer; None where it is none of the known kinds."""
    error = error_of(body.get("error"))
    if isinstance(body.get("choices"), list):
        said = _chat(body["choices"])
    elif isinstance(body.get("output"), list):
        said = _responses(body["output"])
    elif isinstance(body.get("content"), list) and (
        body.get("type") == "message" or body.get("role") == "assistant"
    ):
        said = _blocks(body["content"])
    elif isinstance(body.get("message"), Mapping) and "content" in body["message"]:
        said = _content(body["message"].get("content"))  # Ollama
    elif error is not None:
        said = None
    else:
        return None
    model = body.get("model")
    return Body(
        said=said or None,
        error=error,
        model=model if isinstance(model, str) and model else None,
        usage=usage_of(body.get("usage")),
    )


def usage_of(found: Any, seconds: float | None = None) -> Usage:  # noqa: ANN401 - any JSON value
    """Tokens of an answer's ``usage``, in OpenAI's or Anthropic's words.

    OpenAI counts cached tokens within the prompt's. Anthropic counts those read from the cache and
    those written to it apart, so ``tokens_in`` is the sum of the three; what is written costs a
    quarter more than the price table says.
    """
    usage = found if isinstance(found, Mapping) else {}
    tokens_in = count(usage.get("prompt_tokens"))
    tokens_out = count(usage.get("completion_tokens"))
    cached = None
    for key in ("prompt_tokens_details", "input_tokens_details"):
        if isinstance(usage.get(key), Mapping):
            cached = count(usage[key].get("cached_tokens"))
    if tokens_in is None:
        tokens_in = count(usage.get("input_tokens"))
        read = count(usage.get("cache_read_input_tokens"))
        written = count(usage.get("cache_creation_input_tokens"))
        if tokens_in is not None and (read is not None or written is not None):
            tokens_in += (read or 0) + (written or 0)
            cached = read
    if tokens_out is None:
        tokens_out = count(usage.get("output_tokens"))
    return Usage(
        tokens_in=tokens_in,
        tokens_cached=cached,
        tokens_out=tokens_out,
        seconds=seconds,
        bytes_out=None,  # what left some other machine, some other day, is not known
    )


def error_of(found: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """What an ``error`` says as one line; None where there is none."""
    for _ in range(4):  # Anthropic's stands inside another
        if not isinstance(found, Mapping):
            break
        inner = found.get("error")
        found = inner if isinstance(inner, Mapping | str) else found.get("message") or found
        if found is not None and isinstance(found, Mapping) and "error" not in found:
            found = found.get("message") or found.get("type") or json.dumps(found)[:300]
    if found is None or found in ("", False, {}):
        return None
    return one_line(str(found))


def count(value: Any) -> int | None:  # noqa: ANN401 - any JSON value
    """A count of tokens; None where it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 2**53 else None


def _chat(choices: list[Any]) -> str | None:
    choice = choices[0] if choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        return None
    said = _content(message.get("content"))
    if said:
        return said
    for call in message.get("tool_calls") or []:
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping) and isinstance(function.get("arguments"), str):
            return str(function["arguments"])
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else None


def _responses(output: list[Any]) -> str | None:
    texts: list[str] = []
    for item in output:
        if not isinstance(item, Mapping):
            continue
        if item.get("type") == "function_call" and isinstance(item.get("arguments"), str):
            texts.append(item["arguments"])
        elif item.get("type") == "message":
            texts.append(_content(item.get("content")) or "")
    return "".join(texts)


def _blocks(content: list[Any]) -> str | None:
    """Anthropic's content: the tool that was to be used says the answer, else the text does."""
    for block in content:
        if isinstance(block, Mapping) and block.get("type") == "tool_use":
            found = named(block.get("input"))
            return found if found is not None else json.dumps(block.get("input"))[:2000]
    return _content(content)


def _content(content: Any) -> str | None:  # noqa: ANN401 - any JSON value
    """Text, or the text parts of a list of parts (a refusal is what was said, too)."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = []
    for part in content:
        if isinstance(part, Mapping) and part.get("type") in ("text", "output_text", "refusal"):
            text = part.get("text", part.get("refusal"))
            texts.append(text if isinstance(text, str) else "")
    return "".join(texts)
