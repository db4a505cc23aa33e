"""Questions in the formats of providers' batches: OpenAI's and Anthropic's, one request a line.

Answers come back in any order, matched by ``custom_id``; `whichlever.levers.recorded_batches` reads
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from whichlever.llm.options import enum_schema
from whichlever.llm.requests import PLACEHOLDER, Asked, asked_rows, safe_id
from whichlever.predict import Row
from whichlever.run import written_aside
from whichlever.task import Task

__all__ = ["PLACEHOLDER", "anthropic_line", "openai_line", "write_parts", "write_requests"]

OPENAI_MOST = (50_000, 190_000_000)
ANTHROPIC_MOST = (100_000, 240_000_000)
"""Requests and bytes of one batch, a little below the providers' limits."""

TOOL = "answer"
MAX_TOKENS = 256
"""Anthropic asks for a limit; a label and its wrapping take a few dozen."""


def write_requests(
    path: Path,
    rows: Sequence[Row],
    task: Task,
    labels: Sequence[str],
    *,
    shots: Sequence[tuple[str, str]] = (),
    model: str = PLACEHOLDER,
) -> None:
    """Write one request per row in OpenAI's batch format.

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
    with written_aside(path) as aside, aside.open("w", encoding="utf-8") as stream:
        for asked in asked_rows(rows, task, labels, shots):
            stream.write(json.dumps(openai_line(asked, model), ensure_ascii=False) + "\n")


def openai_line(asked: Asked, model: str) -> dict[str, Any]:
    """A request of OpenAI's batches; its answer is held to the labels by a JSON schema."""
    return {
        "custom_id": asked.id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": model,
            "messages": asked.messages(),
            "temperature": 0,
            "response_format": enum_schema("label", asked.labels),
        },
    }


def anthropic_line(asked: Asked, model: str) -> dict[str, Any]:
    """A request of Anthropic's Message Batches; its answer is held to the labels by a tool.

    The instructions are marked for the prompt cache, since every row has the same.
    """
    schema = enum_schema("label", asked.labels)["json_schema"]["schema"]
    return {
        "custom_id": safe_id(asked.id),
        "params": {
            "model": model,
            "max_tokens": MAX_TOKENS,
            "temperature": 0,
            "system": [
                {
                    "type": "text",
                    "text": asked.system,
                    "cache_control": {"type": "ephemeral"},
                }
            ],
            "messages": [{"role": role, "content": text} for role, text in asked.turns],
            "tools": [
                {
                    "name": TOOL,
                    "description": "Give the answer: one of the options.",
                    "input_schema": schema,
                }
            ],
            "tool_choice": {"type": "tool", "name": TOOL},
        },
    }


def write_parts(
    folder: Path, stem: str, lines: Iterable[dict[str, Any]], most: tuple[int, int]
) -> list[Path]:
    """Write lines to ``stem-1.jsonl`` and so on, each within a batch's limits; the files, in order.

    Parameters
    ----------
    most
        Requests and bytes of one file; a single request larger than that has a file of its own.
    """
    made: list[Path] = []
    rest = (json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    pending = next(rest, None)
    while pending is not None:
        path = folder / f"{stem}-{len(made) + 1}.jsonl"
        with written_aside(path) as aside, aside.open("wb") as stream:
            pending = _fill(stream.write, pending, rest, most)
        made.append(path)
    return made


def _fill(write: Any, first: bytes, rest: Iterator[bytes], most: tuple[int, int]) -> bytes | None:  # noqa: ANN401 - a file's write
    """Write lines while they fit; the one that did not."""
    count, size = 1, len(first)
    write(first)
    for line in rest:
        if count >= most[0] or size + len(line) > most[1]:
            return line
        write(line)
        count, size = count + 1, size + len(line)
    return None
