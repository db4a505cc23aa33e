"""RUN/report.html: one file, no outside reference, no script, made from RUN's files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from whichlever.measure.summary import LeverSummary
from whichlever.report import findings, sections, wording
from whichlever.report.attack import attack_section
from whichlever.report.autoclose import autoclose_section
from whichlever.report.change import change_section, cost_of_change, retrieval_rows
from whichlever.report.charts import draw_charts
from whichlever.report.curve import curve_section
from whichlever.report.distill import distill_section
from whichlever.report.files import Answer, RunFiles, read_run
from whichlever.report.hybrid import hybrid_section
from whichlever.report.judge import judge_section
from whichlever.report.ladder import ladder_section
from whichlever.report.lines import lines_section
from whichlever.report.look import metric_name
from whichlever.report.mistakes import (
    FEW,
    confusion,
    difference,
    largest_classes,
    most_confused,
    worst,
)
from whichlever.report.noise import noise_section
from whichlever.report.palette import COLOURS, GREY, Mark, marks
from whichlever.report.verifying import verify_section
from whichlever.report.visible import shortened, visible, visible_block
from whichlever.report.workload import workload_section
from whichlever.run import write_text

TEXT_CHARS = 600
"""How much of a row's text is quoted."""
WORST_FIRST, WORST_OTHER = 10, 3
"""Mistakes shown of the leading lever, and of each other one."""
PAIRS_SHOWN, CLASSES_SHOWN = 15, 20


def write_report(run: Path, redact: bool = False) -> Path:
    """Write ``RUN/report.html`` from RUN's files alone; the same files give the same bytes.

    Parameters
    ----------
    run
        A finished RUN folder; only ``measures.json`` and ``verdict.json`` must be there.
    redact
        Quote no input: no text, no row id, no message that may hold either.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        The folder holds no finished run, or a damaged file.
    """
    run = Path(run)
    page = run / "report.html"
    write_text(page, render(read_run(run), redact=redact))
    return page


def render(files: RunFiles, *, redact: bool = False) -> str:
    """The whole page as text."""
    given = marks([s.lever for s in files.measures.levers])
    first = sections.leader(files)
    near, far = sections.pair_rows(files)
    spoken_of = None if first is None else first.lever
    return (
        _templates()
        .get_template("page.html")
        .render(
            task=files.task,
            name=visible(files.verdict.task),
            about=" ".join(files.task.about.split()) if files.task is not None else "",
            redact=redact,
            palette=[*COLOURS, GREY],
            metric=metric_name(files.measures.metric),
            share_name=sections.share_name(files),
            hero=sections.hero(files),
            pulled=given.get(files.verdict.lever or ""),
            tiles=sections.strip(files),
            levers=sections.lever_rows(files, given),
            marks=given,
            charts=draw_charts(files, given),
            autoclose=autoclose_section(files, given, spoken_of, redact=redact),
            curve=curve_section(files, given),
            distill=distill_section(files.folder),
            ladder=ladder_section(files, given),
            workload=workload_section(files, given, spoken_of, redact=redact),
            change=change_section(files, given),
            retrieval=retrieval_rows(files, given),
            changing=cost_of_change(files, given),
            judge=judge_section(files, given),
            hybrid=hybrid_section(files, given),
            noise=noise_section(files, redact=redact),
            attack=attack_section(files, given),
            verify=verify_section(files, given),
            lines=lines_section(files, given, spoken_of, redact=redact),
            confusions=[
                _confusion(files, s, given, s is first)
                for s in _leading(files, first)
                if _has(files, s) and s.lines is None
            ],
            audit=findings.audit_rows(files, redact=redact),
            audited=files.audit is not None,
            clean=findings.clean_rows(files),
            mistakes=[
                _mistakes(files, s, given, s is first, redact)
                for s in _leading(files, first)
                if _has(files, s)
            ],
            pairs_near=near,
            pairs_far=far,
            advice=files.verdict.advice,
            facts=findings.measured_how(files, redact=redact),
            seed=files.seed,
        )
    )


@cache
def _templates() -> Environment:
    """Templates with every value escaped, every unseen character shown, every typo an error."""
    environment = Environment(
        loader=PackageLoader("whichlever.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["block"] = lambda text: Markup(escape(visible_block(text)))  # noqa: S704 - escaped here
    return environment


def _shown(value: object) -> object:
    """What each expression gives before it is escaped."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value)


def _leading(files: RunFiles, first: LeverSummary | None) -> list[LeverSummary]:
    rest = [s for s in files.measures.levers if s is not first]
    return [*([first] if first is not None else []), *rest]


def _has(files: RunFiles, summary: LeverSummary) -> bool:
    return bool(files.answers.get(summary.lever))


def _confusion(
    files: RunFiles, summary: LeverSummary, given: Mapping[str, Mark], leads: bool
) -> dict[str, Any]:
    answers, labels = files.answers[summary.lever], files.measures.labels
    told: dict[str, Any] = {
        "lever": summary.lever, "mark": given[summary.lever], "leads": leads,
        "rows": wording.count(len(answers)), "matrix": None, "pairs": [], "classes": [],
    }  # fmt: skip
    if len(labels) <= FEW:
        matrix = confusion(answers, labels)
        told["matrix"] = [
            _matrix_row(matrix.labels[i], row, i) for i, row in enumerate(matrix.counts)
        ]
        told["said"] = [shortened(label, 24) for label in matrix.said]
        return told
    told["pairs"] = [
        {"true": t, "said": s, "rows": n} for t, s, n in most_confused(answers, PAIRS_SHOWN)
    ]
    told["classes"] = [
        {
            "label": label,
            "rows": n,
            "recall": wording.share(right / n),
            "percent": round(100 * right / n, 1),
        }
        for label, n, right in largest_classes(answers, CLASSES_SHOWN)
    ]
    return told


def _matrix_row(label: str, counts: Sequence[int], place: int) -> dict[str, Any]:
    total = sum(counts)
    cells = [
        {"n": n, "percent": round(100 * n / total) if total else 0, "right": j == place}
        for j, n in enumerate(counts)
    ]
    return {
        "label": shortened(label, 24), "cells": cells, "total": wording.count(total),
        "recall": wording.share(counts[place] / total) if total else "–",
    }  # fmt: skip


def _mistakes(
    files: RunFiles, summary: LeverSummary, given: Mapping[str, Mark], leads: bool, redact: bool
) -> dict[str, Any]:
    answers = files.answers[summary.lever]
    costs = files.task.mistakes if files.task is not None else {}
    place = {a.row: i for i, a in enumerate(answers, 1)}
    shown = worst(answers, costs, WORST_FIRST if leads else WORST_OTHER)
    every = len(worst(answers, costs, len(answers)))
    return {
        "lever": summary.lever, "mark": given[summary.lever], "leads": leads,
        "wrong": wording.count(every), "rows": wording.count(len(answers)),
        "left": every - len(shown),
        "shown": [
            {
                "row": f"test row {place[m.answer.row]}" if redact else shortened(m.answer.row, 80),
                **_answered(m.answer, redact=redact),
                "status": m.answer.status,
                "error": "" if redact or not m.answer.error else shortened(m.answer.error, 200),
                "confidence": None if m.answer.confidence is None else f"{m.answer.confidence:.0%}",
                "cost": None if m.cost is None else f"{m.cost:g}",
                **_quoted(files, m.answer, redact),
            }
            for m in shown
        ],
    }  # fmt: skip


def _answered(answer: Answer, *, redact: bool) -> dict[str, str | None]:
    """What was true and what was said; of fields, only where the two differ."""
    if answer.exact is None:
        return {
            "true": answer.target,
            "said": answer.predicted if answer.status == "ok" else None,
        }
    true, said = ("", "") if redact else difference(answer.target, answer.predicted)
    return {"true": true, "said": said if answer.status == "ok" else None}


def _quoted(files: RunFiles, answer: Answer, redact: bool) -> dict[str, Any]:
    example = files.examples.get(answer.row)
    if redact or example is None:
        return {"text": None, "cut": 0}
    return {"text": example.text[:TEXT_CHARS], "cut": max(0, example.chars - TEXT_CHARS)}
