"""A language model as judge of texts, where the task configures one.

It is shown the input, the true answer and one lever's answer, never the lever's name, and says
right or wrong, in both orders of the two options. An answer that equals the true one after
normalising is right unasked; equal answers of several levers are asked about once.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from whichlever.data.files import find_source
from whichlever.data.noise_files import cell
from whichlever.data.records import read_records
from whichlever.errors import DataError, RunError
from whichlever.likeness import normalised
from whichlever.llm import Chooser, Journal, Limit, check_llm, open_llm
from whichlever.llm.budget import Billing, dollars_of
from whichlever.llm.describe import describe
from whichlever.measure.judge import Agreement, JudgedLever, Judging, agreement_of
from whichlever.measure.shares import share_of
from whichlever.predict import Row
from whichlever.progress import Progress
from whichlever.run import written_aside
from whichlever.settings import JudgeSettings
from whichlever.step import Step
from whichlever.task import Task

RIGHT, WRONG = "right", "wrong"
MEANINGS = {
    RIGHT: "the answer to judge says what the true answer says; other words do not matter",
    WRONG: "it says something else, leaves out what matters, or adds what is not there",
}
RUBRIC = "Judge whether an answer says the same as the true answer."

FILE = "judged.parquet"
TEXT_CHARS = 4_000
"""Most characters of an input or an answer that the judge is shown."""

CHUNK = 16
"""Answers asked about between two movements of the bar; several at once where a server can."""

Key = tuple[str, str]
"""A row's id and an answer as `normalised` compares it."""


@dataclass(frozen=True)
class _Item:
    """One answer to be judged."""

    row: Row
    answer: str

    @property
    def key(self) -> Key:
        return self.row.id, normalised(self.answer)

    def text(self) -> str:
        """One line each, so that no text can pass for the line that follows it."""
        parts = {"Input": self.row.text, "True answer": self.row.target or "",
                 "To judge": self.answer}  # fmt: skip
        return "\n".join(
            f"{name}: {' '.join(said[:TEXT_CHARS].split())}" for name, said in parts.items()
        )


def check_judge(task: Task) -> None:
    """Raise early what judging would raise late: no such model, or no such file of people's.

    Raises
    ------
    WhichleverError
        As `check_llm`; DataError where ``judge.human`` cannot be read.
    """
    if task.judge is None:
        return
    check_llm(task.judge.model, task, "judge", dollars=task.judge.dollars)
    if task.judge.human is not None:
        read_people(task, task.judge.human)


def judge_answers(
    task: Task,
    test: Sequence[Row],
    steps: Sequence[Step],
    run: Path,
    seed: int,
    progress: Progress,
    *,
    keep_texts: bool = True,
) -> Judging | None:
    """Ask the judge about every lever's answers to the first test rows; None without a judge.

    Parameters
    ----------
    test
        The test rows in their frozen order.
    keep_texts
        Whether what was judged is kept in ``RUN/judged.parquet``, for people to judge too.
    """
    settings = task.judge
    if settings is None:
        return None
    frame = pl.concat([s.frame.filter(pl.col("role") == "test") for s in steps], how="diagonal")
    rows = {row.id: row for row in test[: settings.max_rows or len(test)]}
    said = (pl.col("status") == "ok") & pl.col("predicted").is_not_null()
    answers = frame.filter(pl.col("id").is_in(list(rows)) & said)
    items: dict[Key, _Item] = {}
    for row_id, answer, exact in answers.select("id", "predicted", "exact").iter_rows():
        item = _Item(rows[row_id], answer)
        if not exact:
            items.setdefault(item.key, item)
    told, model, dollars = _ask(task, settings, list(items.values()), run, progress)
    people = None if settings.human is None else read_people(task, settings.human)
    if keep_texts:
        _keep(run / FILE, items, told)
    levers = tuple(
        _lever(str(name), own, rows, told, seed)
        for (name,), own in frame.filter(pl.col("id").is_in(list(rows))).group_by(
            ["lever"], maintain_order=True
        )
    )
    return Judging(
        model=model,
        asked=len(items),
        rows_cut=len(rows) if len(rows) < len(test) else None,
        levers=levers,
        people=None if people is None else _agreement(told, people, items, seed),
        dollars=dollars,
    )


def read_people(task: Task, name: str) -> dict[Key, bool]:
    """What people said: rows with ``id``, ``answer`` and ``right``; an empty ``right`` is none.

    Raises
    ------
    DataError
        The file cannot be read, or a row has something else under ``right``.
    """
    words = {"true": True, "right": True, "1": True, "yes": True,
             "false": False, "wrong": False, "0": False, "no": False}  # fmt: skip
    found: dict[Key, bool] = {}
    for number, record in read_records(find_source(name, task.path(name))):
        said = str(record.get("right", "")).strip().casefold()
        if said in ("", "none", "null"):
            continue
        if said not in words or "id" not in record or "answer" not in record:
            raise DataError(
                f"{name}:{number}: a judged answer has id, answer and right (yes or no); "
                "whichlever judge RUN -o FILE writes such a sheet"
            )
        answer = str(record["answer"]).removeprefix("'")  # put before what looks like a formula
        found[str(record["id"]).removeprefix("'"), normalised(answer)] = words[said]
    return found


def _ask(
    task: Task, settings: JudgeSettings, items: Sequence[_Item], run: Path, progress: Progress
) -> tuple[dict[Key, bool], str, float | None]:
    """What the judge says of each answer it judged, its name, and the dollars it took."""
    client = open_llm(
        settings.model, task, slots=2, timeout=settings.timeout_seconds,
        retries=settings.retries, parallel=settings.parallel,
    )  # fmt: skip
    try:
        billing = Billing.of(settings.model, task)
        limit = Limit("judge", settings.minutes, settings.dollars, billing)
        limit.start_answers()
        chooser = Chooser(
            client, (RIGHT, WRONG), about=settings.rubric or RUBRIC, meanings=MEANINGS,
            journal=Journal(run / "judge.journal.jsonl"), limit=limit,
        )  # fmt: skip
        chooser.warm_up()
        told: dict[Key, bool] = {}
        taken = []
        with progress.step("judge the answers", total=len(items)) as bar:
            for start in range(0, len(items), CHUNK):
                part = items[start : start + CHUNK]
                asked = [Row(json.dumps(item.key), item.text()) for item in part]
                for item, said in zip(part, chooser.choose_rows(asked), strict=True):
                    taken.append(said)
                    if said.status == "ok":
                        told[item.key] = said.label == RIGHT
                bar.advance(len(part))
        return told, describe(client), dollars_of(taken, billing.price)
    finally:
        client.close()


def _lever(
    name: str, frame: pl.DataFrame, rows: Mapping[str, Row], told: Mapping[Key, bool], seed: int
) -> JudgedLever:
    hits: list[bool] = []
    groups: list[str] = []
    equal = unjudged = 0
    for row_id, said, exact, status in frame.select(
        "id", "predicted", "exact", "status"
    ).iter_rows():
        right = bool(exact)
        equal += right
        if not right and status == "ok":
            # Where no text is kept (--redact) there is none to be judged.
            judged = None if said is None else told.get((row_id, normalised(said)))
            if judged is None:
                unjudged += 1
                continue
            right = judged
        hits.append(right)
        groups.append(rows[row_id].group or row_id)
    own = share_of(np.array(hits, bool), groups, seed)
    return JudgedLever(lever=name, right=own, rows=len(hits), equal=equal, unjudged=unjudged)


def _agreement(
    told: Mapping[Key, bool], people: Mapping[Key, bool], items: Mapping[Key, _Item], seed: int
) -> Agreement | None:
    both = [key for key in told if key in people]
    if not both:
        return None
    groups = [items[key].row.group or key[0] for key in both]
    judge, persons = (np.array([said[key] for key in both], bool) for said in (told, people))
    return agreement_of(judge, persons, groups, seed)


def _keep(path: Path, items: Mapping[Key, _Item], told: Mapping[Key, bool]) -> None:
    frame = pl.DataFrame(
        [
            {
                "id": item.row.id, "input": item.row.text[:TEXT_CHARS],
                "true_answer": item.row.target, "answer": item.answer, "judge": told.get(key),
            }
            for key, item in items.items()
        ],
        schema={"id": pl.String, "input": pl.String, "true_answer": pl.String,
                "answer": pl.String, "judge": pl.Boolean},
    )  # fmt: skip
    with written_aside(path) as aside:
        frame.write_parquet(aside)


def write_sheet(run: Path, out: Path, count: int, seed: int) -> int:
    """Write a random part of what the judge was asked about, for people to judge; how many rows.

    The judge's own verdict is not on it, nor who answered.

    Raises
    ------
    RunError
        RUN holds no judged answers.
    """
    try:
        frame = pl.read_parquet(run / FILE)
    except (OSError, pl.exceptions.PolarsError):
        raise RunError(
            f"{run} holds no judged answers; give the task judge: and run compare (without "
            "--redact)"
        ) from None
    drawn = frame.sample(min(count, len(frame)), shuffle=True, seed=seed)
    with written_aside(out) as aside, aside.open("w", encoding="utf-8", newline="") as handle:
        sheet = csv.writer(handle)
        sheet.writerow(["id", "input", "true_answer", "answer", "right"])
        for row in drawn.select("id", "input", "true_answer", "answer").iter_rows():
            sheet.writerow([*(cell(value or "") for value in row), ""])
    return len(drawn)
