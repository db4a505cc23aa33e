"""The decoder rung on real terms-of-service clauses split by service, and goods for customs.

    OMP_NUM_THREADS=1 python bench/copilot.py run DIR    compare, in DIR (goes on where it stopped)
    OMP_NUM_THREADS=1 python bench/copilot.py goods DIR  the same for goods: two splits, two tasks
    python bench/copilot.py page [DIR …]                 docs/results/copilot.{json,md} from these

Texts are read from ../shared/data and are not kept; the page quotes none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from copilot_goods import goods_text
from copilot_tables import lever_table
from results import verdict_text

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "copilot"
RESULTS = ROOT / "docs" / "results"
ALIKE = 0.05
"""Nats a token within which two losses after a few steps are called the same."""

METRICS = ("exact_match", "token_f1", "rouge_l", "outside")

TASK = """\
version: 1
task: tos-clauses
kind: generate
about: Explain this terms-of-service clause in one plain sentence.
data:
  rows: tos.jsonl.gz
  id: id
  input: input
  group: group
  split: {by: group, valid: 0.15, calibrate: 0.15, test: 0.25}
levers:
  prompt: {minutes: 3, shots: 4}
  rag: {vote_only: true}
  finetune:
    rungs: [static, decoder]
    threads: 1
    decoder: {epochs: 5, layers: 15, learning_rate: 2.0e-3, minutes: 60}
"""


GOODS = {
    "chapter": """\
version: 1
task: hs-chapter
kind: generate
about: Name the customs chapter of these goods.
answers: closed
data:
  rows: hs.jsonl.gz
  id: id
  input: input
  target: chapter_text
  group: group
  split: {by: group, valid: 0.15, calibrate: 0.15, test: 0.25}
levers:
  prompt: {minutes: 3, shots: 0}
  rag: {vote_only: true}
  finetune:
    rungs: [static]
    threads: 1
""",
    "heading": """\
version: 1
task: hs-heading
kind: generate
about: Give the customs chapter (2 digits) and heading (4 digits) of these goods.
answers: closed
data:
  rows: hs.jsonl.gz
  id: id
  input: input
  target: output
  split: {by: random, valid: 0.15, calibrate: 0.15, test: 0.25}
levers:
  rag: {vote_only: true}
  finetune:
    rungs: [static]
    threads: 1
""",
}
"""A split by heading, so that every test heading is unseen and its chapter is not; and rows drawn
at random, since nothing that chooses can say a heading that no training row has."""


def run(folder: Path) -> None:
    """Compare every lever on the clauses."""
    _compared(folder, TASK, "tos.jsonl.gz")


def goods(folder: Path) -> None:
    """Compare every lever on the goods, twice."""
    for name, task in GOODS.items():
        _compared(folder / name, task, "hs.jsonl.gz")


def _compared(folder: Path, task: str, data: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.yaml").write_text(task)
    if not (folder / data).exists():
        (folder / data).symlink_to(DATA / data)
    command = [sys.executable, "-m", "whichlever", "compare", "task.yaml", "-o", "run"]
    subprocess.run(command, check=True, cwd=folder)


def page(*folders: Path) -> None:
    """Write what the runs in folders showed, beside what is known of the others."""
    file = RESULTS / "copilot.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for folder in folders:
        if (folder / "run").exists():
            found |= with_decoder(folder / "run")
        else:
            found["goods"] = {name: gathered(folder / name / "run") for name in GOODS}
            found["goods"]["decoder_plan"] = decoder_plan(folder / "chapter" / "run")
    speed = ROOT / "bench" / "results" / "decoder_speed.json"
    found["speed"] = json.loads(speed.read_text()) if speed.exists() else None
    file.write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "copilot.md").write_text(written(found) + goods_text(found))


def decoder_plan(run: Path) -> dict[str, Any] | None:
    """What the decoder's own planner said of rows that it was not trained on in the end."""
    plans = sorted(run.glob("fits/finetune-decoder/*/plan.json"))
    return json.loads(plans[0].read_text()) if plans else None


def gathered(run: Path) -> dict[str, Any]:
    """What is worth keeping of a RUN: no text, no row id."""
    measures, verdict, audit = (
        json.loads((run / f"{name}.json").read_text()) for name in ("measures", "verdict", "audit")
    )
    return {
        "rows": audit["rows"],
        "leaked_test_rows": len(audit["leaked_ids"]),
        "answers": len(measures["labels"]),
        "levers": [
            {key: lever[key] for key in ("lever", "what", "rows", "all_rows", "latency", "cost")}
            | {"clean": lever["without_leaks"], "clean_rows": lever["clean_rows"]}
            | {key: lever["metrics"][key] for key in METRICS}
            | {"ece": lever["calibration"] and lever["calibration"]["ece"]}
            for lever in measures["levers"]
        ],
        "pairs": measures["pairs"],
        "verdict": {key: verdict[key] for key in ("headline", "reasons", "would_change", "scope")},
    }


def with_decoder(run: Path) -> dict[str, Any]:
    """The same of the clauses, and how the decoder was trained."""
    found = gathered(run)
    measures = json.loads((run / "measures.json").read_text())
    chosen = next(
        lever["chosen"] for lever in measures["levers"] if lever["lever"] == "finetune-decoder"
    )
    kept = (
        "rank", "layers", "all_layers", "rows", "epochs", "checks", "best_epoch", "validation",
        "shrunk", "cut_by_time", "training_seconds", "tokens_per_second", "threads", "torch",
    )  # fmt: skip
    return found | {"decoder": {key: chosen[key] for key in kept}}


def pair_table(found: dict[str, Any]) -> str:
    """The decoder minus every other lever, on the rows that both answered."""
    own = "finetune-decoder"
    lines = [
        "| the decoder minus | difference [95 %] | p (Holm) | rows | services |",
        "|---" * 5 + "|",
    ]
    for pair in found["pairs"]:
        if own not in (pair["a"], pair["b"]):
            continue
        other, sign = (pair["b"], 1) if pair["a"] == own else (pair["a"], -1)
        gap = pair["difference"]
        low, high = sorted((sign * gap["low"], sign * gap["high"]))
        lines.append(
            f"| {other} | {sign * gap['value']:+.3f} [{low:+.3f}, {high:+.3f}] | "
            f"{pair['p_holm']:.2g} | {pair['rows']} | {pair['groups']} |"
        )
    return "\n".join(lines)


def written(found: dict[str, Any]) -> str:
    """The page."""
    own, rows = found["decoder"], found["rows"]
    checks = "; ".join(
        f"after {epoch:g} passes {right:.3f} (loss {loss:.3f})"
        for epoch, loss, right in own["checks"]
    )
    shrunk = f" {own['shrunk']}." if own["shrunk"] else ""
    return f"""# Terms-of-service clauses: is a small model of one's own worth it?

1,088 clauses of 302 services (ToS;DR, CC BY-SA, measuring only) and the plain sentence that
volunteers gave each, one of 24. Split by service: {rows["train"]} rows to train, {rows["valid"]} to
choose, {rows["calibrate"]} to calibrate, {rows["test"]} to test. These were
read twice: an earlier decoder (adapters in the upper third, half the rate, the check with least
loss kept) had .849 on them; what was changed was chosen on validation rows (decision 0016).
Written by `bench/copilot.py page`; the run was on one core of a busy machine, so times are upper
ones.

{lever_table(found)}

{pair_table(found)}

## The verdict that the tool gives

{verdict_text(found)}

## The decoder

SmolLM2-135M-Instruct from its 4-bit GGUF, made 32-bit; LoRA of rank {own["rank"]} in the upper
{own["layers"]} of {own["all_layers"]} layers, {own["epochs"]:g} passes planned over {own["rows"]}
rows.{shrunk} Exact match on the {own["validation"]["rows"]} validation rows {checks}. Training took
{own["training_seconds"] / 60:.0f} minutes of wall time
({own["tokens_per_second"]:.0f} tokens/s, the machine shared). One training seed.

{speed_text(found["speed"])}
"""


def speed_text(speed: dict[str, Any] | None) -> str:
    """The training loop beside a plain one."""
    if speed is None:
        return "Training speed against a plain loop: not measured yet (`bench/decoder_speed.py`)."
    runs = speed["runs"]
    plain = {one["rate"]: one for one in runs if one["loop"] == "plain"}
    ours = [one for one in runs if one["loop"] == "ours"]
    for one in ours:
        one["ratio"] = one["tokens_per_second"] / plain[one["rate"]]["tokens_per_second"]
        one["more"] = one["validation_loss"] - plain[one["rate"]]["validation_loss"]
    lines = "\n".join(
        f"| {_loop(one)} | {one['rate']:g} | {one['tokens_per_second']:.0f} | "
        f"{one.get('ratio', 1):.2f} | {one['validation_loss']:.3f} |"
        for one in sorted(runs, key=lambda one: (one["rate"], one["loop"] == "ours"))
    )
    alike = [one for one in ours if one["more"] <= ALIKE]
    fast = max(alike, key=lambda one: float(one["ratio"]), default=None)
    said = "At no rate is a loss of ours like the plain loop's."
    if fast is not None:
        said = (
            f"At the same rate and (within {ALIKE} nats) the same loss as the plain loop, ours is "
            f"{fast['ratio']:.2f} times as fast, {_loop(fast)[6:]}: the bar of 1.5 is "
            f"{'reached' if fast['ratio'] >= 1.5 else 'not reached'}. Adapters in fewer layers "
            "are faster and learn less in so few steps, at every rate tried."
        )
    return f"""## Training speed

Learning the words of {speed["rows"]} answers, {speed["steps"]} steps each, one thread, real tokens
per second of processor time on a busy machine (`bench/decoder_speed.py`). The plain loop pads
random batches, has adapters in every layer and scores the whole vocabulary at every place. Several
rates of each; the loss is on {speed["valid_rows"]} other rows, after the last step, one seed:

| loop | rate | tokens/s | ratio at this rate | loss, nats a token |
|---|---|---|---|---|
{lines}

{said}
"""


def _loop(one: dict[str, Any]) -> str:
    return "plain" if one["loop"] == "plain" else f"ours, adapters in {one['layers']} of 30 layers"


if __name__ == "__main__":
    {"run": run, "goods": goods, "page": page}[sys.argv[1]](*map(Path, sys.argv[2:]))
