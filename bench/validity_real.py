"""Real tasks for bench/validity.py: levers fitted once, their answers kept, test sets drawn.

Rows of a set are parted (by group, where there are groups) into rows to fit on, rows that define
the truth, and rows that small test sets are drawn from. Each lever is fitted once per training seed
and answers the other two parts; its answers are kept under RUN/answers as numbers. Everything after
that is drawing from what is kept.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whichlever.levers import Context, Lever
from whichlever.levers.build import build
from whichlever.predict import Row
from whichlever.task import Task

FIT, ELSE = 2_000, 5_000
"""At most so many rows to fit on (a quarter of them to choose on), and to define the truth, and to
draw from: the levers need not be at their best, only different."""

SETS: dict[str, dict[str, Any]] = {
    "sms-spam": {"file": "general/sms_spam", "target": "label"},
    "ait": {"file": "alerts/ait", "target": "label"},
    "panther": {"file": "alerts/panther", "target": "label", "group": "group"},
    "tos": {"file": "copilot/tos", "text": "input", "target": "output", "group": "group"},
    "triage-simulated": {"simulated": 9_000},
    "cwe-2024": {"file": "cwe/train", "target": "label", "newest": 4_000, "recorded": True},
    "cwe": {"file": "cwe/train", "target": "label", "newest": 12_000, "commonest": 25},
    "banking77": {"file": "general/banking77", "target": "label"},
}

WEAK = {"linear-half": 0.5, "linear-fifth": 0.2, "linear-tenth": 0.1}
"""The linear floor again, on a part of the rows: levers that are truly a little behind."""


def read(path: Path) -> list[dict[str, Any]]:
    """The objects of a gzip JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def rows_of(name: str, data: Path) -> list[Row]:
    """A set's rows, oldest first where they have times."""
    about = SETS[name]
    if "simulated" in about:
        from whichlever.packs.triage.render import render
        from whichlever.packs.triage.simulate import simulate

        made = simulate(about["simulated"], seed=5)
        return [
            Row(str(i), render(found.row, 1), found.row["label"], None)
            for i, found in enumerate(made)
        ]
    records = read(data / f"{about['file']}.jsonl.gz")
    records = records[-about.get("newest", len(records)) :]
    text, target, group = about.get("text", "text"), about["target"], about.get("group")
    if "commonest" in about:
        kept = {c for c, _ in Counter(r[target] for r in records).most_common(about["commonest"])}
        records = [r for r in records if r[target] in kept]
    return [
        Row(str(i), r[text][:2_000], r[target], r[group] if group else None)
        for i, r in enumerate(records)
    ]


def answers_of(name: str, seed: int, run: Path, data: Path) -> dict[str, Any]:
    """Answers of every lever to the rows that were not fitted on, from RUN or made now.

    Returns
    -------
    dict
        ``labels``; ``truth`` and ``pool``, each with ``targets``, ``groups`` (or None) and
        ``answers`` by lever.
    """
    home = run / "answers" / f"{name}-{seed}"
    kept = home / "answers.json"
    if not kept.exists():
        home.mkdir(parents=True, exist_ok=True)
        made = _made(name, seed, home, data)
        aside = kept.with_suffix(".part")
        aside.write_text(json.dumps(made))
        aside.rename(kept)
    return json.loads(kept.read_text())  # type: ignore[no-any-return]


def _made(name: str, seed: int, home: Path, data: Path) -> dict[str, Any]:
    about = SETS[name]
    rows = rows_of(name, data)
    recorded: dict[str, dict[str, str | None]] = {}
    if about.get("recorded"):
        fit = rows[-FIT * 2 :]
        np.random.default_rng(seed).shuffle(fit)  # type: ignore[arg-type]
        fit = fit[:FIT]
        asked = [Row(r["id"], r["text"], r["label"]) for r in read(data / "cwe/test_2024.jsonl.gz")]
        order = np.random.default_rng([seed, 1]).permutation(len(asked))
        truth, pool = ([asked[i] for i in half] for half in np.array_split(order, 2))
        for file in sorted((data / "cwe/recorded_2024").glob("*.jsonl.gz")):
            name_ = file.name.removesuffix(".jsonl.gz")
            recorded[f"recorded-{name_}"] = {r["id"]: r["prediction"] for r in read(file)}
    else:
        fit, truth, pool = _parted(rows, seed)
    labels = tuple(sorted({str(r.target) for r in [*fit, *truth, *pool]}))
    index = {label: i for i, label in enumerate(labels)}
    task = Task.model_validate(
        {
            "task": name, "data": {"rows": "rows.jsonl", "input": "text"},
            "levers": {
                "linear": {"c": [1.0], "families": ["svm"], "chars": False, "windows": ["all"],
                           "decay": False},
                "rag": {"vote_only": True},
                "finetune": {"rungs": ["static"], "joined": False, "windows": ["all"]},
            },
        }
    )  # fmt: skip
    cut = len(fit) // 4
    valid, train = fit[:cut], fit[cut:]
    asked = [*truth, *pool]
    said: dict[str, list[int]] = {}

    def answer(lever: Lever, as_name: str, rows_: Sequence[Row]) -> None:
        folder = home / as_name
        folder.mkdir(exist_ok=True)
        done = lever.fit(rows_, valid, Context(task, labels, seed, folder))
        said[as_name] = [
            -1 if p.label is None else index[p.label] for p in done.predictor.predict(asked)
        ]

    by_id = {lever.id: lever for lever in build(task)}
    for lever in by_id.values():
        answer(lever, lever.id, train)
    for weak, share in WEAK.items():
        answer(by_id["linear"], weak, train[: int(share * len(train))])
    for who, given in recorded.items():
        said[who] = [index.get(given.get(r.id) or "", -1) for r in asked]
    out: dict[str, Any] = {"labels": labels}
    for part, start, stop in (("truth", 0, len(truth)), ("pool", len(truth), len(asked))):
        chosen = asked[start:stop]
        out[part] = {
            "targets": [index[str(r.target)] for r in chosen],
            "groups": None if chosen[0].group is None else [r.group for r in chosen],
            "answers": {who: given[start:stop] for who, given in said.items()},
        }
    return out


def _parted(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows to fit on (35 %), rows that define the truth (35 %), rows to draw from (30 %)."""
    random = np.random.default_rng(seed)
    units = [r.group or r.id for r in rows]
    names = sorted(set(units))
    place = dict(zip(names, random.permutation(len(names)) / len(names), strict=True))
    parts: tuple[list[Row], list[Row], list[Row]] = ([], [], [])
    for i in random.permutation(len(rows)):
        at = place[units[i]]
        parts[0 if at < 0.35 else 1 if at < 0.7 else 2].append(rows[i])
    return parts[0][:FIT], parts[1][:ELSE], parts[2][:ELSE]


def drawn(part: dict[str, Any], rows: int, random: np.random.Generator) -> dict[str, Any] | None:
    """A test set of about so many rows, whole groups; None where there are not twice as many."""
    n = len(part["targets"])
    if n < 1.5 * rows:
        return None
    if part["groups"] is None:
        take = random.permutation(n)[:rows]
    else:
        codes = np.unique(part["groups"], return_inverse=True)[1]
        sizes = np.bincount(codes)
        order = random.permutation(len(sizes))
        many = int(np.searchsorted(np.cumsum(sizes[order]), rows)) + 1
        take = random.permutation(np.flatnonzero(np.isin(codes, order[:many])))
    groups = part["groups"]
    return {
        "targets": np.asarray(part["targets"])[take],
        "groups": None if groups is None else [groups[i] for i in take],
        "answers": {who: np.asarray(said)[take] for who, said in part["answers"].items()},
    }
