"""The prompt lever's requests for somebody else's big model, and its replies as recorded rows.

The format is OpenAI's for batches: one JSON request a line in, one JSON response a line out, in
any order, matched by ``custom_id``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whichlever.errors import DataError
from whichlever.llm.options import enum_schema
from whichlever.llm.reply import one_line
from whichlever.llm.wording import conversation, instructions, question
from whichlever.predict import Row
from whichlever.run import written_aside
from whichlever.task import Task

PLACEHOLDER = "YOUR-MODEL"


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
    with written_aside(path) as aside, aside.open("w", encoding="utf-8") as stream:
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


def recorded_row(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One line of a batch's output as a recorded row.

    Tokens are as the provider counted them; seconds are not known (a batch does not say).

    Raises
    ------
    DataError
        It holds no ``custom_id``; ``where`` is the file and line that the error names.
    """
    name = values.get("custom_id")
    if not isinstance(name, str | int):
        raise DataError(
            f"{where} holds no custom_id; give the output file of a batch of requests.jsonl"
        )
    row: dict[str, Any] = {
        "id": str(name), "prediction": None, "tokens_in": None, "tokens_out": None,
        "seconds": None, "error": None,
    }  # fmt: skip
    response = _mapping(values.get("response"))
    status, body = response.get("status_code"), _mapping(response.get("body"))
    failed = _mapping(values.get("error")) or _mapping(body.get("error"))
    if failed or status != 200:
        row["error"] = one_line(str(failed.get("message") or f"HTTP {status}"))
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
