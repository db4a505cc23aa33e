"""The prompt lever's requests for somebody else's big model, and its replies as recorded rows.

The format is OpenAI's for batches: one JSON request a line in, one JSON response a line out, in
any order, matched by ``custom_id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from whichlever.errors import DataError
from whichlever.llm.options import enum_schema
from whichlever.llm.wording import conversation, instructions, question
from whichlever.predict import Row
from whichlever.task import Task

PLACEHOLDER = "YOUR-MODEL"
MAX_LINE_BYTES = 8 * 2**20


def write_requests(
    path: Path,
    rows: Sequence[Row],
    task: Task,
    labels: Sequence[str],
    *,
    shots: Sequence[tuple[str, str]] = (),
    model: str = PLACEHOLDER,
) -> None:
    """Write one request per row.

    Parameters
    ----------
    path
        The JSON-lines file to write; it appears whole or not at all.
    rows
        The test rows; a row's id becomes ``custom_id``.
    task, labels
        What is asked, and the closed set of answers.
    shots
        Solved cases as (text, label).
    model
        The model's name at the provider; to be replaced where it is not known yet.
    """
    system = instructions(task.about, [(label, label) for label in labels], task.labels)
    system += ' Answer as JSON: {"label": "…"}.'
    solved = [(text, json.dumps({"label": label})) for text, label in shots]
    fields = enum_schema("label", labels)
    aside = path.with_name(path.name + ".part")
    with aside.open("w", encoding="utf-8") as stream:
        for row in rows:
            body = {
                "model": model,
                "messages": conversation(system, solved, question(row.text)),
                "temperature": 0,
                "response_format": fields,
            }
            line = {
                "custom_id": row.id,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": body,
            }
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    aside.replace(path)


def read_replies(path: Path) -> Iterator[dict[str, Any]]:
    """Read a batch's output file as recorded rows.

    Yields
    ------
    dict
        ``id``, ``prediction`` (None where there is none), ``tokens_in``, ``tokens_out``,
        ``seconds`` (None: a batch does not say) and ``error``.

    Raises
    ------
    DataError
        The file cannot be read, or a line is not one of a batch's output.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    with stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise DataError(f"{path}: line {number} is longer than {MAX_LINE_BYTES} bytes")
            if line.strip():
                yield _recorded(line, f"{path}: line {number}")


def convert_replies(replies: Path, recorded: Path) -> int:
    """Write a batch's output as a file for the ``recorded`` lever; returns the number of rows."""
    aside = recorded.with_name(recorded.name + ".part")
    count = 0
    with aside.open("w", encoding="utf-8") as stream:
        for row in read_replies(replies):
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    aside.replace(recorded)
    return count


def _recorded(line: bytes, where: str) -> dict[str, Any]:
    try:
        values = json.loads(line)
        name = values["custom_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{where} holds no custom_id; give the output file of a batch of requests.jsonl"
        ) from error
    row: dict[str, Any] = {
        "id": str(name), "prediction": None, "tokens_in": None, "tokens_out": None,
        "seconds": None, "error": None,
    }  # fmt: skip
    response = _mapping(values.get("response"))
    status, body = response.get("status_code"), _mapping(response.get("body"))
    failed = _mapping(values.get("error")) or _mapping(body.get("error"))
    if failed or status != 200:
        row["error"] = str(failed.get("message") or f"HTTP {status}")[:200]
        return row
    usage = _mapping(body.get("usage"))
    row["tokens_in"], row["tokens_out"] = _count(usage, "prompt"), _count(usage, "completion")
    try:
        content = body["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        row["error"] = "no answer in the response"
        return row
    row["prediction"] = _label(content)
    if row["prediction"] is None:
        row["error"] = "the model gave no text (it may have refused)"
    return row


def _label(content: object) -> str | None:
    """The label in an answer: its JSON field, or the bare text where the schema was not kept."""
    if not isinstance(content, str) or not content.strip():
        return None
    try:
        label = json.loads(content)["label"]
    except (ValueError, KeyError, TypeError):
        return content.strip()
    return label if isinstance(label, str) else content.strip()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(usage: Mapping[str, Any], what: str) -> int | None:
    value = usage.get(f"{what}_tokens")
    return value if isinstance(value, int) and value >= 0 else None
