"""Test rows as questions for somebody else's model, before any provider's format.

They are made from rows, or read back from a RUN's ``requests.jsonl``, which holds all of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whichlever.errors import DataError, RunError
from whichlever.llm.wording import conversation, instructions, question
from whichlever.predict import Row
from whichlever.task import Task

PLACEHOLDER = "YOUR-MODEL"

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Asked:
    """One question.

    Attributes
    ----------
    id
        The row's id.
    system
        The instructions, the same for every row of a task.
    turns
        Solved cases and the question, as (role, text); the last is the user's.
    labels
        The closed set of answers.
    """

    id: str
    system: str
    turns: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]

    def messages(self) -> list[dict[str, str]]:
        """Chat messages, the instructions first."""
        turns = [{"role": role, "content": text} for role, text in self.turns]
        return [{"role": "system", "content": self.system}, *turns]


def asked_rows(
    rows: Sequence[Row],
    task: Task,
    labels: Sequence[str],
    shots: Sequence[tuple[str, str]] = (),
) -> Iterator[Asked]:
    """The question for each row; ``shots`` are solved cases as (text, label)."""
    system = instructions(task.about, [(label, label) for label in labels], task.labels)
    system += ' Answer as JSON: {"label": "…"}.'
    solved = [(text, json.dumps({"label": label})) for text, label in shots]
    for row in rows:
        _, *turns = conversation(system, solved, question(row.text))
        yield Asked(
            row.id, system, tuple((turn["role"], turn["content"]) for turn in turns), tuple(labels)
        )


def read_requests(path: Path) -> Iterator[Asked]:
    """The questions of a ``requests.jsonl``.

    Raises
    ------
    RunError
        There is no such file.
    DataError
        A line is not one that `write_requests` wrote.
    """
    try:
        stream = path.open("r", encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{path} is not there; give the folder of a finished compare without --redact, or "
            "the task file"
        ) from error
    with stream:
        for number, line in enumerate(stream, 1):
            try:
                yield _read(json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
                raise DataError(
                    f"{path.name}:{number}: not a request that whichlever wrote; run compare again"
                ) from error


def safe_id(id_: str) -> str:
    """An id that every provider and tool takes: letters, digits, ``_`` and ``-``, 64 at most.

    Anthropic's batches refuse any other. One that is safe stays; another becomes its digest, which
    is found again because the ids of the task's rows are digested alike.
    """
    if _SAFE.fullmatch(id_):
        return id_
    return f"wl-{hashlib.sha256(id_.encode('utf-8', 'surrogatepass')).hexdigest()[:48]}"


def _read(line: Mapping[str, Any]) -> Asked:
    body = line["body"]
    system, *turns = [(message["role"], message["content"]) for message in body["messages"]]
    schema = body["response_format"]["json_schema"]["schema"]
    asked = Asked(
        id=line["custom_id"],
        system=system[1],
        turns=tuple(turns),
        labels=tuple(schema["properties"]["label"]["enum"]),
    )
    texts = [asked.id, asked.system, *asked.labels, *(text for turn in turns for text in turn)]
    if system[0] != "system" or not turns or not all(isinstance(text, str) for text in texts):
        raise TypeError("not a request of ours")
    return asked
