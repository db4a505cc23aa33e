"""Baking a prompt in: a student learns what a model does with a system prompt, without it.

Context distillation (Askell et al. 2021, "A General Language Assistant as a Laboratory for
Alignment", section 2.2.2). The model is asked about every input with the prompt; its answers become
the targets of a task of its own, which is compared like any other: so faithfulness is the score of
that comparison, on inputs that the student never saw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whichlever.baking_task import (
    Taught,
    ask,
    ask_without,
    check_answers,
    from_log,
    read_inputs,
    write_task,
)
from whichlever.comparison import Comparison, compare, prepare
from whichlever.errors import InputError, TaskError
from whichlever.llm import find_weights
from whichlever.llm.behaviour import Said
from whichlever.measure.figure import Interval
from whichlever.measure.latency import from_seconds
from whichlever.measure.summary import LeverSummary
from whichlever.offline import enforced, is_loopback
from whichlever.predict import Row
from whichlever.prices import CallTotals, build_bill, call_cost
from whichlever.progress import Progress, Silent
from whichlever.report.distill import write_page
from whichlever.run import write_json
from whichlever.settings_decoder import LogSettings
from whichlever.task import Task
from whichlever.verdict.at_volume import AtVolume, at_volume
from whichlever.verdict.kept import said

CHARS_PER_TOKEN = 4

TEACHER, WITHOUT = "the prompted model", "recorded-without-the-prompt"


@dataclass(frozen=True)
class Baked:
    """What came of it.

    Attributes
    ----------
    comparison
        The run, whose truth is what the prompted model said.
    faithful
        Student or baseline → the share of held-out inputs to which it says what the prompted model
        said (for open answers, word for word).
    tokens_with, tokens_without
        Tokens of one call's prompt, means over the held-out inputs; None where not known.
    volume
        A month of 50 million calls.
    text
        All of it in sentences.
    """

    comparison: Comparison
    faithful: Mapping[str, Interval]
    tokens_with: float | None
    tokens_without: float | None
    volume: tuple[AtVolume, ...]
    text: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "faithful": {k: v.model_dump(mode="json") for k, v in self.faithful.items()},
            "tokens_with": self.tokens_with,
            "tokens_without": self.tokens_without,
            "volume": [own.model_dump(mode="json") for own in self.volume],
            "students": [],
            "text": list(self.text),
        }


def bake(
    task: Task,
    run: str | Path,
    *,
    system: str | None = None,
    model: str = "smollm2-135m-instruct",
    logs: LogSettings | None = None,
    students: Sequence[str] = (),
    rows: str | None = None,
    max_rows: int | None = None,
    dollars: float | None = None,
    minutes: float = 30.0,
    seed: int = 0,
    progress: Progress | None = None,
    allow_egress: Collection[str] = (),
) -> Baked:
    """Teach students what a model does with a system prompt.

    Parameters
    ----------
    task
        Its inputs are what the model is asked about; a label that stands there is not looked at.
        Its ``labels`` are the closed set of answers; without them answers are open.
    system
        The prompt; None where ``logs`` hold what was answered with it.
    model
        Weights by name, or an entry of ``llms:``.
    students
        ``static``, ``linear`` (closed answers), ``decoder``; all that go with the answers unless
        given, the decoder only where they are open.
    rows
        Another file of inputs, from the task's folder.
    max_rows, dollars, minutes
        Most inputs, money (a hard bound) and time.

    Raises
    ------
    InputError
        There is neither a prompt nor a log, or both.
    DataError
        Too few inputs were answered, or all alike.
    """
    progress, run = progress or Silent(), Path(run)
    if (system is None) == (logs is None):
        raise InputError("give either --system FILE (and --model) or --logs FILE")
    labels = tuple(task.labels)
    rungs = tuple(students) or (("static", "linear") if labels else ("decoder",))
    for rung in rungs:
        if (rung == "decoder") == bool(labels):
            fits = "static or linear" if labels else "decoder (or give labels: for closed answers)"
            raise TaskError(f"--student {rung} does not go with these answers; {fits} does")
    folder = run / "baked"
    folder.mkdir(parents=True, exist_ok=True)
    with enforced(frozenset(allow_egress)):
        if logs is None:
            _allowed(task, model, allow_egress)
        if logs is not None:
            taught = from_log(task, logs, labels, max_rows, seed)
        else:
            inputs = read_inputs(task, rows, max_rows, seed)
            taught = ask(
                task, model, system or "", labels, inputs, folder, dollars, minutes,
                progress,
            )  # fmt: skip
        check_answers(taught, labels)
        path = write_task(task, taught, labels, rungs, folder, without=logs is None)
        own = Task.load(path)
        without: list[tuple[Row, Said]] = []
        if logs is None:
            test = prepare(own).splits.test
            without = ask_without(task, model, labels, test, folder, progress)
    names = _levers(rungs, labels, without=logs is None)
    done = compare(own, run, only=names, seed=seed, progress=progress, allow_egress=allow_egress)
    found = _summed(done, own, taught, without, names)
    write_json(run / "baked.json", found.as_json())
    write_json(run / "distill.json", found.as_json())
    write_page(run, done.verdict.headline, (), found.volume, found.text)
    return found


def _allowed(task: Task, model: str, allow: Collection[str]) -> None:
    """Say before anything is asked that a server needs ``--allow-egress``."""
    from urllib.parse import urlsplit

    llm = task.llms.get(model)
    host = "" if llm is None else (urlsplit(llm.base_url).hostname or "").lower()
    if host and not is_loopback(host) and host not in {name.lower() for name in allow}:
        raise InputError(
            f"{model} is at {host}, which is not this machine; allow it with --allow-egress {host}"
        )
    if llm is None:
        find_weights(model)  # its absence is said now


def _levers(rungs: Sequence[str], labels: Sequence[str], *, without: bool) -> list[str]:
    named = ["majority", *(["linear"] if labels else [])]
    named += [f"finetune-{rung}" for rung in rungs if rung != "linear"]
    return [*named, *([WITHOUT] if without else [])]


def _summed(
    done: Comparison, task: Task, taught: Taught, without: Sequence[tuple[Row, Said]],
    names: Sequence[str],
) -> Baked:  # fmt: skip
    measures, metric = done.measures, done.measures.metric
    held = {row.id for row, _ in without} or {row.id for row in prepare(task).splits.test}
    used = [(r, u) for r, u in zip(taught.rows, taught.usage, strict=True) if r.id in held]
    long = [u.tokens_in for _, u in used if u.tokens_in is not None]
    if without:
        short = [float(s.usage.tokens_in) for _, s in without if s.usage.tokens_in is not None]
    else:
        short = [len(row.text) / CHARS_PER_TOKEN for row, _ in used]
    tokens = [sum(n) / len(n) if n else None for n in (long, short)]
    faithful = {name: measures.lever(name).metrics[metric] for name in names}
    best = max(
        (n for n in names if n not in ("majority", WITHOUT)), key=lambda n: faithful[n].value
    )
    teacher = _teacher(taught, task)
    text = [
        f"Taught by {taught.what}: {len(taught.rows):,} inputs with an answer; {taught.left_out}.",
        f"{best} says what the prompted model says on {said(faithful[best])} of {len(held):,} "
        f"held-out inputs{'' if measures.labels else ', word for word'}"
        + "".join(f"; {name} on {said(faithful[name])}" for name in names if name != best)
        + ".",
    ]
    if WITHOUT in names:
        pair = measures.pair(best, WITHOUT)
        ahead = pair.difference.value * (1 if pair.a == best else -1)
        shown = "ahead of" if ahead > 0 and pair.p_holm < 0.05 else "not shown to be ahead of"
        text.append(f"{best} is {shown} the same model without the prompt (p {pair.p_holm:.3g}).")
    majority = measures.pair(best, "majority")
    if majority.p_holm >= 0.05:
        text.append(
            f"{best} is not shown to be ahead of the most frequent answer: what the prompt does "
            "was not learned from so few inputs, or there is little of it."
        )
    if tokens[0] is not None and tokens[1] is not None:
        how = "" if without else " (without it, estimated from characters)"
        reads = "" if best == "finetune-decoder" else f"; {best} reads no prompt at all"
        text.append(
            f"The prompt of one call has {tokens[0]:,.0f} tokens with the system prompt and "
            f"{tokens[1]:,.0f} without{how}: {tokens[0] - tokens[1]:,.0f} saved, "
            f"{1 - tokens[1] / tokens[0]:.0%}{reads}."
        )
    if taught.spent is not None:
        text.append(f"Asking the prompted model cost ${taught.spent:.4g}.")
    levers = [teacher, *(measures.lever(n) for n in names if n != "majority")]
    return Baked(done, faithful, tokens[0], tokens[1], at_volume(levers), tuple(text))


def _teacher(taught: Taught, task: Task) -> LeverSummary:
    """The prompted model as the bills and the page of volumes know levers."""
    tokens = tuple(
        (float(u.tokens_in), float(u.tokens_cached or 0), float(u.tokens_out))
        for u in taught.usage
        if u.tokens_in is not None and u.tokens_out is not None
    )
    seconds = [u.seconds for u in taught.usage if u.seconds is not None]
    busy = sum(seconds) / len(seconds) * taught.cores if seconds else None
    totals = CallTotals(rows=len(taught.rows), core_seconds=busy, tokens=tokens)
    cost = call_cost(
        totals, taught.place, task, price_as=taught.price_as, token_prices=taught.token_prices,
    )  # fmt: skip
    bill = build_bill(
        "prompt", taught.place, cost, task, rows_seen=0, fit_seconds=0.0, test_rows=0
    )  # fmt: skip
    return LeverSummary(
        lever=TEACHER, what=taught.what, place=taught.place, rows=len(taught.rows),
        all_rows=len(taught.rows), statuses={"ok": len(taught.rows)}, metrics={}, calibration=None,
        latency=from_seconds(seconds), cost=cost, rows_seen=0, fit_seconds=0.0, chosen={},
        bill=bill,
    )  # fmt: skip
