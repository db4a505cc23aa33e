"""The model card: what it is for, how good it is, what it cannot do; every figure from the run.

The sections follow Mitchell et al. 2019, "Model Cards for Model Reporting". Nothing here is
judged or worked out anew: figures are quoted from ``measures.json``, sentences from
``verdict.json`` and ``audit.json``, counts from the trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whichlever.bundle.card_limits import limits, not_measured, promises, under_attack
from whichlever.bundle.card_lines import by_slice
from whichlever.bundle.choice import Choice
from whichlever.bundle.evidence import Answered
from whichlever.bundle.finished import Finished
from whichlever.bundle.format import KINDS, Guard, Manifest
from whichlever.bundle.markdown import (
    dollars,
    escaped,
    figure,
    milliseconds,
    size,
    table,
)
from whichlever.kinds import METRICS


@dataclass(frozen=True)
class DataFacts:
    """What only the data files tell, where they are still those that were learned from.

    ``labels`` counts training rows of each label; ``spans`` is each role's first and last time as
    ISO dates; ``files`` is the SHA-256 of each file. ``why`` says why they are not known.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    spans: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    groups: int | None = None
    why: str = ""


@dataclass(frozen=True)
class CardFacts:
    """Everything that a card quotes.

    ``precision`` are sentences about the weights' precision; ``size`` is the bytes of the weights.
    """

    finished: Finished
    choice: Choice
    manifest: Manifest
    answered: Answered
    data: DataFacts
    size: int
    notes: tuple[str, ...] = ()
    precision: tuple[str, ...] = ()

    @property
    def summary(self) -> Mapping[str, Any]:
        """What was measured of the packed lever."""
        return self.finished.summary(self.choice.lever) or {}


def write_card(facts: CardFacts) -> str:
    """The card as Markdown."""
    lines = [
        *_head(facts),
        *_purpose(facts),
        *_learned(facts),
        *_scores(facts),
        *_by_label(facts),
        *by_slice(facts.summary),
        *_calibration(facts),
        *_costs(facts),
        *promises(facts),
        *limits(facts),
        *under_attack(facts),
        *not_measured(facts),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _head(facts: CardFacts) -> list[str]:
    manifest = facts.manifest
    lines = [
        f"# {escaped(manifest.task)}",
        "",
        f"A model that answers by **{escaped(manifest.lever)}**: {escaped(manifest.what)}.",
        f"Packed by whichlever from a finished comparison; bundle format {manifest.format}. "
        "Every figure below was measured in that comparison, on test rows unless said otherwise; "
        "parentheses hold 95 % intervals.",
        "",
        f"Verdict: {escaped(facts.finished.verdict.get('headline', ''))}",
    ]
    if facts.choice.caution:
        lines += ["", f"**Mind:** {escaped(facts.choice.caution)}."]
    if facts.choice.why:
        lines += ["", f"Chosen for packing: {escaped(facts.choice.why)}."]
    return [*lines, *(f"- {escaped(note)}" for note in facts.notes), ""]


def _purpose(facts: CardFacts) -> list[str]:
    manifest, reader = facts.manifest, facts.manifest.reader
    if reader.pack is not None:
        reads = f"the record, rendered by the pack {escaped(reader.pack)}"
    else:
        names = [reader.input] if isinstance(reader.input, str) else list(reader.input or ())
        reads = "the record's " + ", ".join(map(escaped, names))
        if reader.match is not None:
            reads += f", and which words of {escaped(reader.match)} are found there"
    lines = ["## What it is for", ""]
    if manifest.about:
        lines.append(f"- The task: {escaped(manifest.about)}")
    lines.append(f"- It reads {reads}; at most {reader.max_chars:,} characters.")
    if reader.hidden:
        lines.append(f"- It never reads {', '.join(map(escaped, reader.hidden))}.")
    if manifest.kind == "extract":
        lines.append(
            f"- It copies {len(manifest.labels)} named fields out of a line: every value is a "
            "piece of the line, or made from one by its declared normaliser. The names: "
            f"{', '.join(map(escaped, manifest.labels))}."
        )
        if reader.source is not None:
            lines.append(
                f"- What wrote the line ({escaped(reader.source)}) helps where it is known."
            )
    elif manifest.kind == "generate":
        lines.append(
            "- It writes an answer in words of its own, the likeliest first, without a "
            "probability: nothing holds it to what is true."
        )
    else:
        lines.append(
            f"- It answers one of {len(manifest.labels)} labels, with a probability for each."
        )
    if manifest.abstain_below is not None:
        lines.append(
            f"- Answers less probable than {manifest.abstain_below:g} are marked as abstained. "
            "The scores below are of all answers, abstained ones too."
        )
    if manifest.handing is not None:
        given = manifest.handing
        what = "doubt" if given.score == "doubt" else "expected mistake cost"
        lines.append(
            f"- Rows whose {what} is {given.threshold:.6g} or more come back without a label, "
            "for a person or another system."
        )
    if manifest.guard is not None:
        lines.append(_guard_line(manifest.guard, reader.untrusted))
    lines.append("- It was compared for this task and these labels, and for nothing else.")
    if manifest.meanings:
        rows = [[escaped(label), escaped(text)] for label, text in manifest.meanings.items()]
        lines += ["", "| label | meaning |", "| --- | --- |"]
        lines += [f"| {label} | {text} |" for label, text in rows]
    return [*lines, ""]


def _guard_line(guard: Guard, untrusted: Sequence[str]) -> str:
    """What else must say the closing label, and what that shows."""
    if guard.plain:
        return (
            f"- It says {escaped(guard.closes)} only where every beginning of the text from "
            f"{guard.least:,} characters on says so; other rows come back without a label. "
            + (
                "Text added behind a row of that length closes no row that it does not close "
                "without; text put elsewhere may."
                if guard.floor == 0
                else f"A beginning may fall {-guard.floor:.3g} short of that: text added behind a "
                "row may close one that comes as near."
            )
        )
    fields = " and ".join(escaped(name) for name in untrusted)
    asked = {
        "trusted": f"the record without {fields} (give records: of a bare text it is not known "
        "what is trusted; whatever stands there closes no row that is not closed without it)",
        "beginnings": f"every beginning of {guard.least:,} characters or more",
        "endings": f"every ending of {guard.least:,} characters or more",
    }
    also = "; ".join(asked[view] for view in guard.views)
    line = f"- It says {escaped(guard.closes)} only where this says so too: {also}."
    if guard.one_form:
        line += " Lookalike letters are read as Latin ones, and nothing invisible is read."
    if guard.novelty is not None:
        line += f" Nor where more than {guard.novelty_limit:.0%} of the words are new to it."
    return f"{line} Other rows come back without a label."


def _learned(facts: CardFacts) -> list[str]:
    trained, data = facts.manifest.trained, facts.data
    lines = ["## What it learned from", ""]
    if trained.roles:
        spans = {role: f", {a} to {b}" for role, (a, b) in data.spans.items()}
        said = "; ".join(f"{r} {n:,}{spans.get(r, '')}" for r, n in trained.roles.items())
        lines.append(f"- Rows: {said}.")
    seen, seeds = facts.summary.get("rows_seen"), facts.summary.get("seeds", 1)
    lines.append(
        f"- It learned from {figure(seen)} of them; {seeds} training "
        f"{'seed' if seeds == 1 else 'seeds'}; seed {trained.seed}."
    )
    if facts.answered.groups is not None:
        known = f"; {data.groups:,} in all rows" if data.groups is not None else ""
        lines.append(f"- Groups in calibration and test rows: {facts.answered.groups:,}{known}.")
    lines.append(f"- SHA-256 of the rows as read: {trained.rows_sha256}")
    lines += [f"- SHA-256 of {escaped(n)}: {digest}" for n, digest in trained.files.items()]
    if data.why:
        lines.append(f"- Time span, labels and files of the data: not known ({escaped(data.why)}).")
    found = facts.finished.audit.get("findings") or ()
    lines += [
        f"- Audit, {escaped(f.get('severity'))}: {escaped(f.get('text'))}"
        for f in found
        if f.get("severity") in ("leak", "warning")
    ]
    if data.labels:
        rows = [[escaped(label), f"{n:,}"] for label, n in data.labels.items()]
        what = "name" if facts.manifest.kind == "extract" else "label"
        lines += ["", *table((what, "training rows"), rows)]
    return [*lines, ""]


def _scores(facts: CardFacts) -> list[str]:
    measures = facts.finished.measures
    both = METRICS[facts.manifest.kind]
    metrics = list(dict.fromkeys((str(measures.get("metric")), *both)))
    states = {s.get("lever"): s for s in facts.finished.verdict.get("standings") or ()}
    rows = []
    for lever in measures.get("levers") or ():
        name = str(lever.get("lever"))
        bold = "**" if name == facts.choice.lever else ""
        rows.append(
            [
                f"{bold}{escaped(name)}{bold}",
                f"{figure(lever.get('rows'))}",
                *(figure((lever.get("metrics") or {}).get(m)) for m in metrics),
                escaped(states.get(name, {}).get("state", "not judged")),
            ]
        )
    margin = facts.finished.task.goal.margin
    lines = [
        "## How good it is",
        "",
        f"The goal is {metrics[0]}; a difference of {margin:g} would not matter.",
        "",
        *table(("lever", "test rows", *metrics, "standing"), rows),
        "",
    ]
    clean = (facts.summary.get("without_leaks") or {}).get(metrics[0])
    if clean is not None:
        lines.append(
            f"- On the {figure(facts.summary.get('clean_rows'))} test rows that training had not "
            f"(nearly) seen: {metrics[0]} {figure(clean)}."
        )
    reasons = states.get(facts.choice.lever, {}).get("reasons") or ()
    lines += [f"- {escaped(reason.get('text'))}" for reason in reasons]
    return [*lines, ""]


def _by_label(facts: CardFacts) -> list[str]:
    if not facts.manifest.labels:
        return []
    metrics = facts.summary.get("metrics") or {}
    rows = [
        [
            escaped(label),
            f"{facts.answered.targets.get(label, 0):,}",
            figure(metrics.get(f"recall.{label}")),
            figure(metrics.get(f"precision.{label}")),
        ]
        for label in facts.manifest.labels
        if f"recall.{label}" in metrics or f"precision.{label}" in metrics
    ]
    what = "name" if facts.manifest.kind == "extract" else "label"
    lines = [f"## By {what}", "", *table((what, "test rows", "recall", "precision"), rows)]
    without = len(facts.manifest.labels) - len(rows)
    if without:
        lines += ["", f"{without:,} of {len(facts.manifest.labels):,} {what}s: not measured."]
    return [*lines, ""]


def _calibration(facts: CardFacts) -> list[str]:
    said = facts.summary.get("calibration")
    lines = ["## Can its probabilities be believed", ""]
    if not isinstance(said, dict):
        return [*lines, "Calibration: not measured.", ""]
    before = said.get("ece_before")
    lines.append(
        f"- Expected calibration error {figure(said.get('ece'))}"
        + (f", {figure(before)} before calibration" if before is not None else "")
        + f"; Brier score {figure(said.get('brier'))}."
    )
    if facts.manifest.temperature is not None:
        lines.append(f"- Temperature {facts.manifest.temperature:.4g}, from calibration rows.")
    return [*lines, ""]


def _costs(facts: CardFacts) -> list[str]:
    summary = facts.summary
    latency, cost = summary.get("latency") or {}, summary.get("cost") or {}
    bill = summary.get("bill") or {}
    per_million = cost.get("marginal")
    per_million = per_million * 1e6 if isinstance(per_million, int | float) else None
    lines = ["## Speed and cost", ""]
    times = ", ".join(
        f"{name} {milliseconds(latency.get(key))}"
        for name, key in (("median", "p50_ms"), ("p95", "p95_ms"), ("p99", "p99_ms"))
    )
    lines += [
        f"- One row at a time: {times}; in batches "
        f"{figure(latency.get('rows_per_second'), 0)} rows a second, on "
        f"{latency.get('cores') or 'an unknown number of'} cores of the machine that compared.",
        f"- One million more calls: {dollars(per_million)} ({escaped(cost.get('basis', ''))}).",
        f"- A month at {figure(bill.get('calls_per_month'), 0)} calls, everything counted: "
        f"{dollars(bill.get('dollars_per_month'))}.",
        f"- Training took {_training(facts)}.",
        f"- Weights: {size(facts.size)} in "
        + ", ".join(f"{p.name} ({p.precision})" for p in facts.manifest.parts)
        + ".",
    ]
    return [*lines, *(f"- {escaped(said)}" for said in facts.precision), ""]


def _training(facts: CardFacts) -> str:
    """Seconds of the lever's own fit, and of each part's where it joins several."""
    names = [facts.choice.lever]
    if facts.manifest.pooled:
        names += [n for n, kind in KINDS.items() if kind in {p.kind for p in facts.manifest.parts}]
    said = [(n, facts.finished.summary(n)) for n in names]
    return ", ".join(
        f"{figure(None if summary is None else summary.get('fit_seconds'), 1)} s ({n})"
        for n, summary in said
    )
