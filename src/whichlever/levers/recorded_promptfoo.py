"""Results of ``promptfoo eval -o results.json|jsonl|csv``.

JSON: ``results.results[]`` (``results[]`` in older ones), each with ``vars``, ``provider``,
``response``, ``latencyMs``. CSV: the variables, then for each prompt ``[provider] prompt``,
Status, Score, …. Whose row it answers is told by the variable or metadata ``id``, else by the text
of a variable. Field names: promptfoo's EvaluateResult (src/types) and evalTableUtils
(src/util/eval).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from whichlever.errors import DataError
from whichlever.levers.recorded_batches import NO_TEXT
from whichlever.levers.recorded_raw import Raw, ids_of, input_keys, mapping
from whichlever.llm.body import count, error_of
from whichlever.llm.reading import unwrapped
from whichlever.predict import Usage

PATHS = (("results", "results"), ("results",))
"""Where the list of results stands, by version of the file."""

_IDS = ("id", "custom_id", "row_id", "alert_id")
_ANSWER = re.compile(r"\[([^\]]+)\] ?(.*)", re.DOTALL)
_STATUS = re.compile(r"\[(PASS|FAIL|ERROR)\] ?")
_FORMULA = re.compile(r"'(?=[=+\-@\t\r])")
_PER_PROMPT = ("Status", "Score", "Named Scores", "Grader Reason", "Comment")


def is_result(record: Mapping[str, Any]) -> bool:
    """Whether a record is one result (a line of ``results.jsonl``, an item of the JSON)."""
    return "vars" in record and ("response" in record or "promptIdx" in record)


def read_result(record: Mapping[str, Any], where: str) -> Raw:
    """One result.

    Raises
    ------
    DataError
        It is not one.
    """
    if not isinstance(record, Mapping) or "vars" not in record:
        raise DataError(f"{where}: not a promptfoo result (it holds no vars)")
    response = mapping(record.get("response"))
    output = response.get("output")
    said = output if isinstance(output, str) else None if output is None else json.dumps(output)
    failed = error_of(response.get("error")) or (
        error_of(record.get("error")) if not said else None
    )
    if failed is None and not said:
        failed = NO_TEXT
    test = mapping(record.get("testCase"))
    given = mapping(record.get("vars"))
    metadata = (mapping(test.get("metadata")), mapping(record.get("metadata")))
    return Raw(
        ids=ids_of(
            *(h.get(key) for h in (given, *metadata) for key in _IDS), test.get("description")
        ),
        said=None if failed or said is None else unwrapped(said),
        error=failed,
        usage=_usage(record, response),
        where=where,
        inputs=input_keys(v for v in given.values() if isinstance(v, str)),
        model=_variant(record),
    )


def is_csv(header: Sequence[str]) -> bool:
    """Whether columns are those of a promptfoo table."""
    return any(_ANSWER.match(name) for name in header) and bool(header)


def read_csv(header: Sequence[str], fields: Sequence[str], where: str) -> Iterator[Raw]:
    """The answers of one line of a table: one for each prompt and provider."""
    columns = [i for i, name in enumerate(header) if _ANSWER.match(name)]
    given = {name: _plain(fields[i]) for i, name in enumerate(header[: columns[0]])}
    ids = ids_of(*(given.get(key) for key in _IDS), given.get("Description"))
    keys = input_keys(given.values())
    for place, column in enumerate(columns):
        found = _ANSWER.match(header[column])
        end = columns[place + 1] if place + 1 < len(columns) else len(header)
        beside = dict(zip(header[column + 1 : end], fields[column + 1 : end], strict=True))
        text = _plain(fields[column])
        status = beside.get("Status", "")
        if "Status" not in beside and (mark := _STATUS.match(text)):  # before 0.90
            status, text = mark[1], text[mark.end() :].rpartition("\n---\n")[2]
        failed = text or "failed" if status == "ERROR" else None if text.strip() else NO_TEXT
        yield Raw(
            ids=ids,
            said=None if failed else unwrapped(text),
            error=None if failed is None else error_of(failed),
            usage=Usage(bytes_out=None),
            where=where,
            inputs=keys,
            model=found[1] if found else None,
        )


def model_name(variant: str) -> str:
    """The model in a provider's id: ``openai:chat:gpt-4o-mini`` is ``gpt-4o-mini``."""
    return variant.partition(" | ")[0].rpartition(":")[2]


def _variant(record: Mapping[str, Any]) -> str | None:
    """Provider, and which prompt where it is not the first: what one lever would be."""
    provider = record.get("provider")
    if isinstance(provider, Mapping):
        provider = provider.get("label") or provider.get("id")
    if not isinstance(provider, str) or not provider:
        return None
    index = count(record.get("promptIdx")) or 0
    return f"{provider} | prompt {index + 1}" if index else provider


def _usage(record: Mapping[str, Any], response: Mapping[str, Any]) -> Usage:
    """Tokens and seconds; an answer out of promptfoo's own cache has neither.

    ``tokenUsage.cached`` counts the tokens of such an answer, not those that a provider's cache
    spared.
    """
    used = mapping(response.get("tokenUsage")) or mapping(record.get("tokenUsage"))
    if response.get("cached") is True:
        return Usage(bytes_out=None)
    tokens_in, tokens_out = count(used.get("prompt")), count(used.get("completion"))
    if not tokens_in and not tokens_out:
        tokens_in = tokens_out = None
    details = mapping(used.get("completionDetails"))
    taken = record.get("latencyMs")
    timed = isinstance(taken, int | float) and not isinstance(taken, bool)
    milliseconds = taken if timed and taken is not None else 0
    return Usage(
        tokens_in=tokens_in,
        tokens_cached=count(details.get("cacheReadInputTokens")),
        tokens_out=tokens_out,
        seconds=milliseconds / 1000 if 0 < milliseconds < 1e9 else None,
        bytes_out=None,
    )


def _plain(cell: str) -> str:
    """A cell without the quote that keeps spreadsheets from computing it."""
    return cell[1:] if _FORMULA.match(cell) else cell
