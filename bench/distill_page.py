"""The page docs/results/distill.md, from the records that bench/distill.py keeps."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from results import dollars, interval, milliseconds

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "results"

NEED_KEPT, NEED_RATIO = 0.97, 50.0
"""What a student must keep of its teacher's score, and how much cheaper it must be."""


WHO = ("teacher", "student")


def page(records: Path) -> None:
    """Write the page, and the records beside it."""
    found = json.loads(records.read_text())
    (RESULTS / "distill.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    (RESULTS / "distill.md").write_text(written(found))


def written(found: dict[str, Any]) -> str:
    """The page."""
    parts = [HEAD, summary(found.get("sets", {}))]
    for name, own in sorted(found.get("sets", {}).items()):
        parts.append(one_set(name, own) + (f"\n\n{whole_cwe()}" if name == "cwe" else ""))
    if "tried" in found:
        parts.append(tried(found["tried"]))
    if "asked" in found:
        parts.append(asked(found["asked"]))
    parts += [baked(how, own) for how, own in sorted(found.get("baked", {}).items())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


HEAD = """# Distillation: what a small model keeps of its teacher

Of each set a few rows keep their labels; the others are rows without a label, which the teacher
(the encoder rung, fine-tuned on the labelled rows) labels for the students. Floor, teacher and
students answer the same test rows, read once; scores, costs and times are of one run each. Written
by `bench/distill.py`; records in [distill.json](distill.json). The machine was busy with other
work, so times are upper ones; the ratio of costs is of processor time and suffers less."""


def met(student: dict[str, Any]) -> bool:
    """Whether the student is what was asked for: a teacher worth it, kept, and cheap."""
    kept, ratio = student["of_teacher"], student["cost_ratio"]
    return bool(
        student["teacher_beats_floor"]
        and kept is not None
        and kept >= NEED_KEPT
        and ratio is not None
        and ratio >= NEED_RATIO
    )


def summary(sets: dict[str, Any]) -> str:
    """The first table: one row per set and student."""
    lines = [
        "| set | student | floor (linear) [95 %] | teacher (encoder) | teacher beats floor | "
        "student | of the teacher's score | its cost | student beats floor |",
        "|---" * 9 + "|",
    ]
    for name, own in sorted(sets.items()):
        for s in own["students"]:
            ratio = "not measured" if s["cost_ratio"] is None else f"1/{s['cost_ratio']:,.0f}"
            beats = ["yes" if s[f"{who}_beats_floor"] else "not shown" for who in WHO]
            lines.append(
                f"| {name} | {s['lever'].removeprefix('finetune-')} | {interval(s['floor'])} | "
                f"{interval(s['teacher'])} | {beats[0]} | "
                f"{interval(s['student'])} | {s['of_teacher']:.1%} | {ratio} | "
                f"{beats[1]} |"
            )
    good = sorted({n for n, own in sets.items() if any(map(met, own["students"]))})
    bad = sorted(set(sets) - set(good))
    told = (
        "Wanted: a teacher ahead of the linear floor by the paired test, and a student that keeps "
        f"at least {NEED_KEPT:.0%} of its score at 1/{NEED_RATIO:.0f} of its cost or less. "
        f"So it is on {', '.join(good) or 'no set'}{'; not on ' + ', '.join(bad) if bad else ''}."
    )
    return "\n".join(lines) + "\n\n" + told


def one_set(name: str, own: dict[str, Any]) -> str:
    """One set: how it was split, what the tool says, and the month of many calls."""
    rows, taught, teacher = own["rows"], own["taught"], own["teacher"]
    shrunk = f" ({teacher['shrunk']})" if teacher["shrunk"] else ""
    lines = [
        f"## {name}: {own['what']}",
        "",
        f"{rows['train']:,} rows to train, {rows['valid']:,} to choose, {rows['calibrate']:,} to "
        f"calibrate, {rows['test']:,} to test; {taught['rows_without_label']:,} rows whose labels "
        f"were hidden. The encoder trained {teacher['training_seconds'] / 60:.0f} minutes of wall "
        f"time on one thread{shrunk}. Goal: {own['metric'].replace('_', '-')}.",
        "",
        "What the tool says:",
        "",
    ]
    for student in own["students"]:
        lines += [f"> - {said}" for said in student["text"]]
    lines += [
        f"> - **{own['verdict']['headline']}**",
        "",
        "50 million calls a month:",
        "",
        "| | $ per million, one more | $ of 50 million | $ a month, everything counted | "
        "core-hours | one row, p95 |",
        "|---" * 6 + "|",
    ]
    for lever in own["volume"]:
        each = None if lever["calls_dollars"] is None else lever["calls_dollars"] / lever["calls"]
        month = lever["month_dollars"]
        lines.append(
            f"| {lever['lever']} | {dollars(each)} | {_dollars(lever['calls_dollars'])} | "
            f"{_dollars(month)} | {_number(lever['core_hours'])} | "
            f"{milliseconds(lever['p95_ms'])} |"
        )
    return "\n".join(lines)


def whole_cwe() -> str:
    """The same question on the newest 25,000 labels, as docs/results/cwe.json has it."""
    found = json.loads((RESULTS / "cwe.json").read_text())
    scores = {lever["lever"]: lever["accuracy"] for lever in found["levers"]}
    return (
        "With all labels that the levers want ([cwe](cwe.md), an earlier run) the encoder, trained "
        f"for most of an hour, has {interval(scores['finetune-encoder'])} and linear "
        f"{interval(scores['linear'])}: the teacher is not ahead there either. The tool on that "
        f"run: **{found['verdict']['headline']}**"
    )


def tried(sets: dict[str, Any]) -> str:
    """What training rows teach, and how often a row is drawn, on validation rows."""
    lines = [
        "## What the lesson holds, on validation rows",
        "",
        "`labelled`: what the training rows teach (the rows without a label always teach what the "
        "teacher says). `draws`: labels drawn for each row from the teacher's probabilities; 1 is "
        "its best guess. The encoder has learned from the training rows itself; a teacher that has "
        "not (a prompted model) was not tried. Where all have the same score nothing is chosen by "
        "it: the defaults, `teacher` and 4, are then not better than the others, only kept.",
        "",
        "| set | student | labelled | draws | validation score | seconds |",
        "|---" * 6 + "|",
    ]
    for name, rows in sorted(sets.items()):
        lines += [
            f"| {name} | {r['student']} | {r['labelled']} | {r['draws']} | {r['valid']:.3f} | "
            f"{r['seconds']:.0f} |"
            for r in rows
        ]
    return "\n".join(lines)


def asked(sets: dict[str, Any]) -> str:
    """Active choice against chance."""
    lines = [
        "## Which rows to ask about",
        "",
        "The encoder's answers stand for a paid teacher's; a linear model on words learns from the "
        "rows asked about alone. Mean accuracy over seeds; active minus random by seed, with its "
        "standard error. Active is the default because of the validation rows.",
        "",
        "| set | asked of | rows asked | seeds | random, test | active, test | difference, test | "
        "difference, validation |",
        "|---" * 8 + "|",
    ]
    for name, own in sorted(sets.items()):
        for most in sorted({r["asked"] for r in own["runs"]}):
            runs = [r for r in own["runs"] if r["asked"] == most]
            means = {w: statistics.mean(r[f"{w}_test"] for r in runs) for w in ("random", "active")}
            gaps = {
                role: [r[f"active_{role}"] - r[f"random_{role}"] for r in runs]
                for role in ("test", "valid")
            }
            cells = [_mean(gaps["test"]), _mean(gaps["valid"])]
            lines.append(
                f"| {name} | {own['pool']:,} | {most:,} | {len(runs)} | {means['random']:.3f} | "
                f"{means['active']:.3f} | {cells[0]} | {cells[1]} |"
            )
    return "\n".join(lines)


def baked(how: str, own: dict[str, Any]) -> str:
    """A prompt baked in."""
    lines = [f"## A prompt baked in (simulated messages, the prompt in {how})", ""]
    lines += [f"> - {said}" for said in own["text"]]
    lines += [f"> - **{own['headline']}**", "", "| | says what the prompted model says [95 %] |"]
    lines += ["|---|---|"]
    lines += [f"| {name} | {interval(score)} |" for name, score in own["faithful"].items()]
    return "\n".join(lines)


def _mean(values: list[float]) -> str:
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return f"{statistics.mean(values):+.3f} ± {error:.3f}"


def _dollars(value: float | None) -> str:
    return "not measured" if value is None else f"${value:,.2f}"


def _number(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
