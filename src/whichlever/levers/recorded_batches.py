"""The outputs of batches: OpenAI's (``custom_id``, ``response``) and Anthropic's (``result``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.errors import DataError
from whichlever.levers.recorded_raw import Raw, ids_of, mapping
from whichlever.llm.body import error_of, read_body
from whichlever.llm.reading import unwrapped
from whichlever.predict import Usage

NO_TEXT = "the model gave no text (it may have refused)"
_ENDS = ("errored", "canceled", "expired")


def read_openai(record: Mapping[str, Any], where: str) -> Raw:
    """A line of the output, or of the error file, of an OpenAI batch.

    The body is a chat completion or one of the Responses API. Seconds are not known.

    Raises
    ------
    DataError
        It is not such a line.
    """
    response = mapping(record.get("response"))
    status, body = response.get("status_code"), mapping(response.get("body"))
    failed = error_of(record.get("error")) or error_of(body.get("error"))
    if failed is None and status != 200:
        failed = f"HTTP {status}"
    return _raw(record, where, body, failed)


def read_anthropic(record: Mapping[str, Any], where: str) -> Raw:
    """A line of the results of an Anthropic Message Batch.

    Raises
    ------
    DataError
        It is not such a line.
    """
    result = mapping(record.get("result"))
    kind = result.get("type")
    if kind not in ("succeeded", *_ENDS):
        raise DataError(
            f"{where}: result.type is {str(kind)[:40]!r}; it is succeeded, {', '.join(_ENDS)} in "
            "the results of a Message Batch"
        )
    failed = None if kind == "succeeded" else error_of(result.get("error")) or str(kind)
    return _raw(record, where, mapping(result.get("message")), failed)


def _raw(record: Mapping[str, Any], where: str, body: Mapping[str, Any], failed: str | None) -> Raw:
    ids = ids_of(record.get("custom_id"))
    if not ids:
        raise DataError(f"{where} holds no custom_id; give the output file of a batch of requests")
    answer = read_body(body)
    said = None if answer is None or answer.said is None else unwrapped(answer.said)
    if failed is None and answer is None:
        failed = "no answer in the response"
    elif failed is None and said is None:
        failed = NO_TEXT
    return Raw(
        ids=ids[:1],
        said=None if failed else said,
        error=failed,
        usage=Usage(bytes_out=None) if answer is None else answer.usage,
        where=where,
        model=None if answer is None else answer.model,
    )
