"""The task that baking is: inputs, and what a model said to them with a system prompt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from whichlever.data.unlabelled import read_unlabelled
from whichlever.errors import DataError, InputError
from whichlever.levers.logged import left_out, read_log
from whichlever.levers.recorded import priced_as
from whichlever.levers.recorded_raw import text_key
from whichlever.llm import Journal, Limit, open_llm
from whichlever.llm.behaviour import Behaviour, Said
from whichlever.llm.budget import Billing
from whichlever.llm.describe import describe
from whichlever.predict import Row, Usage
from whichlever.progress import Progress
from whichlever.run import written_aside
from whichlever.settings_decoder import LogSettings
from whichlever.task import Task

LEAST = 40
"""Inputs with an answer below which nothing is baked: there would be no test set."""

MOST_PROMPT = 200_000
"""Characters of a system prompt."""


@dataclass(frozen=True)
class Taught:
    """What the prompted model said, and what that took.

    ``usage`` is of each row's answer; ``spent`` in dollars, where tokens have a price.
    """

    what: str
    rows: Sequence[Row]
    usage: Sequence[Usage]
    left_out: str
    price_as: str | None = None
    token_prices: tuple[float, float, float] | None = None
    place: Literal["here", "remote", "recorded"] = "here"
    cores: int = 1
    spent: float | None = None


def read_inputs(task: Task, rows: str | None, most: int | None, seed: int) -> list[Row]:
    """The inputs of a file, or of all the task's own, each text once, in a seeded order."""
    data = task.data
    named = [rows] if rows else [data.rows, data.train, data.valid, data.calibrate, data.test]
    found: dict[bytes, Row] = {}
    for name in named:
        if name is not None:
            for row in read_unlabelled(task, name):
                found.setdefault(text_key(row.text), row)
    inputs = list(found.values())
    order = np.random.default_rng(seed).permutation(len(inputs))[: most or len(inputs)]
    return [inputs[i] for i in order.tolist()]


def ask(
    task: Task,
    model: str,
    system: str,
    labels: Sequence[str],
    inputs: Sequence[Row],
    folder: Path,
    dollars: float | None,
    minutes: float,
    progress: Progress,
) -> Taught:
    """Ask a model about inputs with the prompt, within minutes and dollars.

    Raises
    ------
    InputError
        The prompt is empty or far too long.
    LLMError
        The model cannot be asked; what it said so far is kept.
    """
    if not system.strip() or len(system) > MOST_PROMPT:
        raise InputError(f"the system prompt is empty or longer than {MOST_PROMPT:,} characters")
    billing = Billing.of(model, task)
    limit = Limit("bake", minutes, dollars, billing)
    journal = Journal(folder / "prompted.journal.jsonl")
    said: list[tuple[Row, Said]] = []
    with open_llm(model, task) as client:
        asked = Behaviour(client, system, labels, journal=journal, limit=limit)
        with progress.step("bake: ask with the prompt", total=len(inputs)) as bar, limit.asking():
            for row in inputs:
                said.append((row, asked.answer(row.text)))
                bar.advance()
        what, place = f"{describe(client)} with the system prompt", client.server.place
        cores = client.cores or 1
    wrong = [one.error for _, one in said if one.error is not None]
    first = f", the first: {wrong[0]}" if wrong else ""
    return Taught(
        what=what,
        rows=[Row(row.id, row.text, one.answer) for row, one in said if one.answer],
        usage=[one.usage for _, one in said if one.answer],
        left_out=f"{len(wrong):,} of {len(said):,} inputs got no answer{first}",
        price_as=billing.price_as,
        token_prices=billing.token_prices,
        place=place,
        cores=cores,
        spent=None if billing.price is None else limit.spent,
    )


def from_log(
    task: Task, logs: LogSettings, labels: Sequence[str], most: int | None, seed: int
) -> Taught:
    """What a log says was answered; of several answers to one text, the most frequent."""
    log = read_log(logs, task.path(logs.path), labels, max_chars=task.data.max_chars)
    entries = list(log.entries.values())
    order = np.random.default_rng(seed).permutation(len(entries))[: most or len(entries)]
    kept = [entries[i] for i in order.tolist()]
    rows = [
        Row(e.row.id, e.row.text, max(dict.fromkeys(e.answers), key=e.answers.count)) for e in kept
    ]
    return Taught(
        what=f"{log.model or 'a model that the log does not name'}, as logged",
        rows=rows,
        usage=[entry.usage[0] for entry in kept],
        left_out=left_out(log),
        price_as=logs.price_as or priced_as(log.model),
        place="recorded",
    )


def check_answers(taught: Taught, labels: Sequence[str]) -> None:
    """Refuse what nothing can be learned from.

    Raises
    ------
    DataError
        Too few inputs have an answer, or all have the same.
    """
    if len(taught.rows) < LEAST:
        raise DataError(
            f"{len(taught.rows)} inputs have an answer ({taught.left_out}); at least {LEAST} are "
            "needed to learn from some and be judged on others"
        )
    answers = {row.target for row in taught.rows}
    if labels and len(answers) < 2:
        raise DataError(
            f"the prompted model says {next(iter(answers))!r} to every input: there is nothing to "
            "bake; look at the prompt, or take a model that can follow it"
        )


def write_task(
    task: Task, taught: Taught, labels: Sequence[str], rungs: Sequence[str], folder: Path,
    *, without: bool,
) -> Path:  # fmt: skip
    """The task whose truth is what the prompted model said."""
    with written_aside(folder / "rows.jsonl") as aside:
        lines = (
            json.dumps({"id": r.id, "text": r.text, "said": r.target}) + "\n" for r in taught.rows
        )
        aside.write_text("".join(lines), encoding="utf-8")
    finetune = (
        None if task.levers.finetune is None
        else task.levers.finetune.model_dump(mode="json", exclude_unset=True)
    ) or {}  # fmt: skip
    finetune["rungs"] = [rung for rung in rungs if rung != "linear"] or ["static"]
    _found_from_elsewhere(task, finetune)
    linear = task.levers.linear.model_dump(mode="json", exclude_unset=True)
    counts: dict[str, int] = {}
    for row in taught.rows:
        counts[row.target or ""] = counts.get(row.target or "", 0) + 1
    own: dict[str, Any] = {
        "version": 1,
        "task": f"{task.task[:180]}, baked",
        "kind": "classify" if labels else "generate",
        "about": task.about,
        "data": {
            "rows": "rows.jsonl", "id": "id", "input": "text", "target": "said",
            "split": {"by": "random", "valid": 0.2, "calibrate": 0.1, "test": 0.3, "seed": 0},
            "unseen_labels": "count_wrong",
        },
        "constraints": task.constraints.model_dump(mode="json"),
        "prices": task.prices.model_dump(mode="json"),
        "levers": {"finetune": finetune, **({"linear": linear} if labels else {})},
    }  # fmt: skip
    if labels:
        own["labels"] = {name: task.labels[name] for name in labels if counts.get(name)}
        own["goal"] = {"metric": "accuracy", "margin": task.goal.margin}
    else:
        own["answers"] = "open"
    if without:
        path = {"path": "without.jsonl", "what": "the same model, asked without the system prompt"}
        own["levers"]["recorded"] = {"without-the-prompt": path}
    file = folder / "task.yaml"
    with written_aside(file) as aside:
        aside.write_text(json.dumps(own, indent=1), encoding="utf-8")  # JSON is YAML too
    return file


def _found_from_elsewhere(task: Task, finetune: dict[str, Any]) -> None:
    """Name a base that lies beside the first task so that the new one finds it."""
    for holder in (finetune, finetune.get("decoder")):
        if isinstance(holder, dict) and "base" in holder:
            path = task.path(holder["base"])
            holder["base"] = str(path.resolve()) if path.exists() else holder["base"]


def ask_without(
    task: Task, model: str, labels: Sequence[str], test: Sequence[Row], folder: Path,
    progress: Progress,
) -> list[tuple[Row, Said]]:  # fmt: skip
    """Ask the same model about the held-out inputs without the prompt; keep it as recorded rows."""
    journal = Journal(folder / "without.journal.jsonl")
    found: list[tuple[Row, Said]] = []
    with open_llm(model, task) as client:
        asked = Behaviour(client, None, labels, journal=journal)
        with progress.step("bake: ask without the prompt", total=len(test)) as bar:
            for row in test:
                found.append((row, asked.answer(row.text)))
                bar.advance()
    with written_aside(folder / "without.jsonl") as aside:
        lines = [
            {
                "id": row.id, "prediction": one.answer, "tokens_in": one.usage.tokens_in,
                "tokens_out": one.usage.tokens_out, "seconds": one.usage.seconds,
                **({"error": one.error} if one.error else {}),
            }
            for row, one in found
        ]  # fmt: skip
        aside.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return found
