"""Logs of chat APIs: a request and its response on each line, as a proxy or a program kept them.

There is no standard. Known are pairs under ``request``/``response``, ``request_body``/
``response_body`` or ``input``/``output``, each an API body, JSON text of one, or ``{"body": …}``;
and flat records with ``messages`` and ``response`` (LiteLLM's standard logging payload). Whose row
it answers is told by an id in the record or its metadata, else by the text that was asked about.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from whichlever.errors import DataError
from whichlever.levers.recorded_batches import NO_TEXT
from whichlever.levers.recorded_raw import Raw, ids_of, input_keys, mapping
from whichlever.llm.body import Body, count, error_of, read_body
from whichlever.llm.reading import unwrapped
from whichlever.predict import Usage

PAIRS = (("request", "response"), ("request_body", "response_body"), ("input", "output"))
_IDS = ("custom_id", "row_id", "alert_id", "id")


def is_chat(record: Mapping[str, Any]) -> bool:
    """Whether a record is a request with its response."""
    if any(asked in record and said in record for asked, said in PAIRS):
        return True
    return "messages" in record and ("response" in record or "completion" in record)


def read_chat(record: Mapping[str, Any], where: str) -> Raw:
    """One line of a log.

    Raises
    ------
    DataError
        It holds no request with a response.
    """
    request, response = _pair(record, where)
    answer = _answer(response)
    failed = error_of(record.get("error")) or error_of(record.get("error_str"))
    status = mapping(record.get("response")).get("status", record.get("status_code"))
    if failed is None and isinstance(status, int) and status >= 400:
        failed = f"HTTP {status}"
    if failed is None and answer is not None:
        failed = answer.error
    if failed is None and (answer is None or answer.said is None):
        failed = "no answer in the response" if answer is None else NO_TEXT
    said = answer.said if answer is not None and answer.said is not None else None
    model = answer.model if answer is not None else None
    asked_for = request.get("model")
    return Raw(
        ids=_ids(record, request, response),
        said=None if failed or said is None else unwrapped(said),
        error=failed,
        usage=_usage(record, answer),
        where=where,
        inputs=input_keys(_asked(request)),
        model=model or (asked_for if isinstance(asked_for, str) and asked_for else None),
    )


def asked_texts(record: Mapping[str, Any], where: str) -> list[str]:
    """The parts of the last thing the user said in a record's request.

    Raises
    ------
    DataError
        It holds no request with a response.
    """
    return list(_asked(_pair(record, where)[0]))


def _pair(record: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], Any]:
    for asked, said in PAIRS:
        if asked in record and said in record:
            request = _opened(record[asked])
            if isinstance(request, str):
                request = {"messages": [{"role": "user", "content": request}]}
            if isinstance(request, list):
                request = {"messages": request}
            return mapping(request), _opened(record[said])
    if "messages" in record:
        return record, _opened(record.get("response", record.get("completion")))
    raise DataError(
        f"{where}: no request with a response, as on the first line; is it another log?"
    )


def _opened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A body that stands as JSON text, or inside an HTTP message."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, Mapping) and isinstance(value.get("body"), Mapping | str):
        return _opened(value["body"])
    return value


def _answer(response: Any) -> Body | None:  # noqa: ANN401 - any JSON value
    if isinstance(response, str):
        return Body(response.strip() or None, None, None, Usage(bytes_out=None))
    if not isinstance(response, Mapping):
        return None
    found = read_body(response)
    if found is None and isinstance(response.get("content"), str):  # the message alone
        return Body(response["content"].strip() or None, None, None, Usage(bytes_out=None))
    return found


def _ids(record: Mapping[str, Any], request: Mapping[str, Any], response: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What may name the row: what a caller sets for it first, what an API makes up last."""
    given: list[Any] = [record.get(key) for key in _IDS[:3]]
    for holder in (request, record, mapping(response)):
        metadata = mapping(holder.get("metadata"))
        given += [metadata.get(key) for key in _IDS]
        given += [mapping(metadata.get("requester_metadata")).get(key) for key in _IDS]
    given += [request.get("custom_id"), request.get("user")]
    given += [mapping(request.get("metadata")).get("user_id"), record.get("id")]
    return ids_of(*given)


def _asked(request: Mapping[str, Any]) -> Iterator[str]:
    """The last thing the user said: the question about the row."""
    messages = request.get("messages", request.get("input"))
    if isinstance(messages, str):
        yield messages
        return
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, Mapping) and message.get("role") == "user":
            yield from _texts(message.get("content"))
            return


def _texts(content: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else []:
        if isinstance(part, Mapping) and isinstance(part.get("text"), str):
            yield part["text"]


def _usage(record: Mapping[str, Any], answer: Body | None) -> Usage:
    """Tokens from the response, else as the log counts them; seconds where their unit is plain."""
    used = answer.usage if answer is not None else Usage(bytes_out=None)
    tokens_in, tokens_out = used.tokens_in, used.tokens_out
    if tokens_in is None and tokens_out is None:
        tokens_in = count(record.get("prompt_tokens"))
        tokens_out = count(record.get("completion_tokens"))
    return Usage(
        tokens_in=tokens_in,
        tokens_cached=used.tokens_cached,
        tokens_out=tokens_out,
        seconds=_seconds(record),
        bytes_out=None,
    )


def _seconds(record: Mapping[str, Any]) -> float | None:
    for key, unit in (
        ("seconds", 1.0), ("duration_seconds", 1.0), ("latency_seconds", 1.0),
        ("latency_ms", 1e-3), ("duration_ms", 1e-3), ("latencyMs", 1e-3),
    ):  # fmt: skip
        if (found := _positive(record.get(key))) is not None:
            return found * unit
    began, ended = (_positive(record.get(key)) for key in ("startTime", "endTime"))
    if began is not None and ended is not None and 0 <= ended - began < 86_400:
        return ended - began
    return None


def _positive(value: Any) -> float | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return None
    return float(value) if math.isfinite(value) else None
