"""Distillation on real sets, which rows to ask about, and a prompt baked in.

    OMP_NUM_THREADS=1 python bench/distill.py run SET DIR    sms, banking77, hs-chapter or cwe
    OMP_NUM_THREADS=1 python bench/distill.py try SET DIR    what training rows should teach
    OMP_NUM_THREADS=1 python bench/distill.py ask SET DIR    active choice against chance
    OMP_NUM_THREADS=1 python bench/distill.py bake DIR       a prompt baked into small models
    python bench/distill.py page                             docs/results/distill.md

Of each set few rows keep their labels; those of the others are hidden and never read. Records go
into docs/results/distill.json; DIR goes on where it stopped. Texts are read from ../shared/data and
are not kept; the page quotes none.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("WHICHLEVER_DATA", ROOT.parent / "shared" / "data"))
RECORDS = Path(os.environ.get("WHICHLEVER_RECORDS", ROOT / "docs" / "results" / "distill.json"))

SETS: dict[str, dict[str, Any]] = {
    "sms": {
        "what": "SMS messages, spam or not", "labelled": 160, "valid": 64, "calibrate": 16,
        "metric": "macro_f1", "max_tokens": 96, "epochs": 12, "minutes": 8,
        "about": "Is this text message spam?",
    },
    "banking77": {
        "what": "messages to a bank, 77 intents", "labelled": 2000, "valid": 500,
        "calibrate": 200, "metric": "accuracy", "max_tokens": 64, "epochs": 12, "minutes": 15,
        "about": "Which intent has this message to a bank?",
    },
    "hs-chapter": {
        "what": "goods, the chapter of the Harmonized System", "labelled": 1000, "valid": 250,
        "calibrate": 100, "metric": "accuracy", "max_tokens": 64, "epochs": 12, "minutes": 12,
        "about": "Which HS chapter has these goods?",
    },
    "cwe": {
        "what": "vulnerabilities, the newest 4,000 labels before 2024; test 2024",
        "labelled": 4000, "valid": 400, "calibrate": 200, "metric": "accuracy", "max_tokens": 64,
        "epochs": 3, "minutes": 9, "linear": {"minutes": 2},
        "about": "Which weakness class (CWE) does this vulnerability description show?",
    },
}  # fmt: skip
POOL = {"cwe": 800}
"""Rows whose labels are hidden, at most."""

STUDENTS = ("static", "linear")
SHORT = ("cwe",)
"""Sets of long rows: one student, static, and training rows keep their labels, so that the teacher
is asked about the others alone."""
BUDGETS, SEEDS = (500, 1000, 2000), 5

SYSTEMS = {
    "rules": """\
You work at the front desk of a dental practice and sort what patients write. Answer with one word.
pain: the patient hurts, bleeds or has broken a tooth.
billing: it is about an invoice, an insurer or a price.
appointment: it is about a date, a time, or coming later.
""",
    "examples": """\
You sort messages of a dental practice. Answer with one word.
my tooth hurts = pain
I broke a tooth = pain
the bill is too high = billing
what does it cost = billing
move my visit to Monday = appointment
I will be late = appointment
""",
}
"""Two ways of saying it; on the first, the model says nearly always the same."""

INPUTS = {"rules": 200, "examples": 400}
"""Simulated messages; with 200 the second could not be told from chance."""

BAKE_TASK = {
    "version": 1, "task": "front desk, simulated",
    "data": {"rows": "messages.jsonl", "id": "id", "input": "text"},
    "labels": {"pain": "", "billing": "", "appointment": ""},
    "levers": {"finetune": {"rungs": ["static"], "threads": 1}},
}  # fmt: skip
SIMULATED = {
    "start": ("Hello, ", "Good morning, ", "Hi there, ", "Dear team, ", ""),
    "say": (
        "my tooth hurts when I {drink}", "my gum is bleeding since {day}",
        "I broke a tooth on {day}", "I cannot sleep because of the pain {where}",
        "the invoice of {day} is too high", "does my insurer pay for {thing}",
        "what does {thing} cost", "I was charged twice for {thing}",
        "can I come on {day} instead", "please move my visit to {day}",
        "is there a free slot on {day}", "I will be late on {day}",
        "the filling {where} fell out", "I need a receipt for {thing}",
    ),
    "end": (".", "?", ", please call me.", ", thanks.", "!"),
}  # fmt: skip
WORDS = {
    "drink": ("drink", "chew", "eat ice", "brush"),
    "day": ("Monday", "Tuesday", "Friday", "the 3rd", "last week", "tomorrow"),
    "where": ("on the left", "on the right", "at the back", "in front"),
    "thing": ("the crown", "the cleaning", "the X-ray", "an implant", "the check-up"),
}


def read(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows to learn from, those that keep their labels first; and test rows."""
    rng = random.Random(0)

    def lines(file: str) -> list[dict[str, Any]]:
        with gzip.open(DATA / f"{file}.jsonl.gz", "rt") as stream:
            return [json.loads(line) for line in stream]

    if name == "cwe":
        rows = lines("cwe/train")
        rows.sort(key=lambda row: row["published"], reverse=True)
        return rows, lines("cwe/test_2024")
    if name == "hs-chapter":
        rows = [{"text": r["input"], "label": r["output"][:2]} for r in lines("copilot/hs")]
    else:
        rows = lines({"sms": "general/sms_spam"}.get(name, f"general/{name}"))
    rows = list({row["text"]: row for row in reversed(rows)}.values())[::-1]  # each text once
    rows = [{"id": f"{name}-{i}", **row} for i, row in enumerate(rows)]
    if name == "hs-chapter":
        rng.shuffle(rows)
        return rows[1500:], rows[:1500]
    test = [row for row in rows if row["split"] == "test"]
    rest = [row for row in rows if row["split"] != "test"]
    rng.shuffle(rest)
    return rest, test


def prepare(name: str, folder: Path) -> Path:
    """Write the set's task; the labels of all but the labelled rows are left behind."""
    import yaml

    own = SETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "task.yaml").exists():
        rows, test = read(name)
        labelled, more = rows[: own["labelled"]], rows[own["labelled"] :][: POOL.get(name)]
        time = ["published"] if name == "cwe" else []
        for file, part, keys in (
            ("labelled", labelled, ("id", "text", "label", *time)),
            ("test", test, ("id", "text", "label")),
            ("more", more, ("id", "text")),
        ):
            with (folder / f"{file}.jsonl").open("w") as out:
                out.writelines(json.dumps({k: r[k] for k in keys}) + "\n" for r in part)
        task = {
            "version": 1, "task": name, "kind": "classify", "about": own["about"],
            "data": {
                "train": "labelled.jsonl", "test": "test.jsonl", "id": "id", "input": "text",
                "target": "label", "unseen_labels": "count_wrong",
                "split": {
                    "by": "random", "valid": own["valid"], "calibrate": own["calibrate"],
                },
            },
            "constraints": {"calls_per_month": 50_000_000, "data_may_leave": True},
            "goal": {"metric": own["metric"], "margin": 0.02},
            "levers": {
                "linear": own.get("linear", {}),
                "finetune": {
                    "rungs": ["static", "encoder"], "max_tokens": own["max_tokens"],
                    "epochs": own["epochs"], "minutes": own["minutes"], "threads": 1,
                },
                "distill": {"teacher": "finetune-encoder", "rows": "more.jsonl"},
            },
        }  # fmt: skip
        (folder / "task.yaml").write_text(yaml.safe_dump(task, sort_keys=False))
    return folder / "task.yaml"


def record(kind: str, name: str, found: Any) -> None:  # noqa: ANN401 - JSON values
    """Put a record into the file."""
    known = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    known.setdefault(kind, {})[name] = found
    RECORDS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def run(name: str, folder: Path) -> None:
    """Teacher, students and floor, measured in one run."""
    task = prepare(name, folder)
    program = [sys.executable, "-m", "whichlever", "distill", str(task), "-o", str(folder / "run")]
    program += [f"--student={rung}" for rung in (STUDENTS[:1] if name in SHORT else STUDENTS)]
    program += ["--labelled=true"] if name in SHORT else []
    made = subprocess.run([*program, "--json"], check=True, stdout=subprocess.PIPE)
    found = json.loads(made.stdout)
    measures = json.loads((folder / "run" / "measures.json").read_text())
    verdict = json.loads((folder / "run" / "verdict.json").read_text())
    audit = json.loads((folder / "run" / "audit.json").read_text())
    chosen = {lever["lever"]: lever["chosen"] for lever in measures["levers"]}
    teacher = chosen["finetune-encoder"]
    record(
        "sets",
        name,
        {
            "what": SETS[name]["what"],
            "metric": measures["metric"],
            "rows": audit["rows"],
            "taught": chosen["finetune-distilled"]["distilled"],
            "students": found["students"],
            "volume": found["volume"],
            "teacher": {
                key: teacher[key]
                for key in ("rows", "epochs_planned", "shrunk", "training_seconds", "threads")
            },
            "levers": [
                {k: lever[k] for k in ("lever", "latency", "cost", "fit_seconds")}
                | {"score": lever["metrics"][measures["metric"]]}
                for lever in measures["levers"]
            ],
            "verdict": {k: verdict[k] for k in ("headline", "reasons")},
        },
    )


def attempt(name: str, folder: Path) -> None:
    """Validation scores of what training rows may teach, and of draws; no test row is answered."""
    from whichlever.comparison import train
    from whichlever.task import DistillSettings, Task

    task = Task.load(prepare(name, folder))
    found = []
    for student in STUDENTS:
        for labelled, draws in (("teacher", 4), ("teacher", 1), ("true", 4), ("both", 4)):
            if student == "linear" and labelled == "both":
                continue
            own = DistillSettings(
                teacher="finetune-encoder", rows="more.jsonl", student=student, draws=draws,
                labelled=labelled,
            )  # fmt: skip
            levers = task.levers.model_copy(update={"distill": own})
            lever = "finetune-distilled" + ("" if student == "static" else f"-{student}")
            (made,) = train(task.model_copy(update={"levers": levers}), folder / "run", lever)
            chosen = made["chosen"]
            score = chosen.get("valid_score", chosen.get("validation", {}).get("score"))
            found.append(
                {
                    "student": student, "labelled": labelled, "draws": draws, "valid": score,
                    "seconds": made["fit_seconds"],
                }
            )  # fmt: skip
            print(found[-1], flush=True)
            record("tried", name, found)


def ask(name: str, folder: Path) -> None:
    """Active choice against chance, the encoder's answers as a paid teacher's."""
    import tempfile

    import numpy as np

    from whichlever.comparison import prepare as read_rows
    from whichlever.data.unlabelled import read_unlabelled
    from whichlever.levers.base import Context, Fit
    from whichlever.levers.linear_fit import Candidate
    from whichlever.levers.linear_search import fit_final
    from whichlever.levers.taught import TeacherAnswers
    from whichlever.levers.teaching import Teaching
    from whichlever.predict import Prediction
    from whichlever.settings_decoder import DistillSettings
    from whichlever.task import Task

    task = Task.load(prepare(name, folder))
    rows = read_rows(task)
    labels, splits = rows.dataset.labels, rows.splits
    (file,) = (folder / "run" / "fits" / "teacher-answers").glob("*.jsonl")
    told = TeacherAnswers(file, labels)
    pool = [row for row in read_unlabelled(task, "more.jsonl") if told.has(row)]
    said = dict(zip([r.id for r in pool], told.probabilities(pool), strict=True))

    class Lookup:
        def predict(self, rows: Any) -> list[Prediction]:  # noqa: ANN401 - rows
            scores = [said[row.id] for row in rows]
            return [
                Prediction(row.id, labels[int(own.argmax())], own)
                for row, own in zip(rows, scores, strict=True)
            ]

    found = []
    for most in BUDGETS:
        for seed in range(SEEDS):
            scores: dict[str, Any] = {"asked": most, "seed": seed}
            for way in ("random", "active"):
                with tempfile.TemporaryDirectory() as place:
                    own = DistillSettings(teacher="t", max_rows=most, ask=way)
                    answers = TeacherAnswers(Path(place) / "a.jsonl", labels)
                    context = Context(task, labels, seed, Path(place))
                    asked = Teaching(name, own, Fit(Lookup(), ""), answers, context).ask(pool, [])
                    taught = [
                        row.__class__(row.id, row.text, labels[int(said[row.id].argmax())])
                        for row in asked.rows
                    ]
                    model = fit_final(taught, labels, Candidate("all", 1.0), 3.0, 50_000, seed)
                for role in ("valid", "test"):
                    part = getattr(splits, role)
                    best = model.scores([row.text for row in part]).argmax(axis=1)
                    right = [labels[int(b)] == r.target for b, r in zip(best, part, strict=True)]
                    scores[f"{way}_{role}"] = float(np.mean(right))
            found.append(scores)
            print(scores, flush=True)
            record("asked", name, {"pool": len(pool), "runs": found})


def bake(how: str, folder: Path) -> None:
    """SmolLM2 with a system prompt, on simulated messages."""
    rng = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, None] = {}
    while len(texts) < INPUTS[how]:
        said = rng.choice(SIMULATED["say"])
        for word, choices in WORDS.items():
            said = said.replace("{" + word + "}", rng.choice(choices))
        texts[rng.choice(SIMULATED["start"]) + said + rng.choice(SIMULATED["end"])] = None
    with (folder / "messages.jsonl").open("w") as out:
        out.writelines(
            json.dumps({"id": f"m{i}", "text": text}) + "\n" for i, text in enumerate(texts)
        )
    (folder / "task.yaml").write_text(json.dumps(BAKE_TASK))
    (folder / "system.txt").write_text(SYSTEMS[how])
    program = [sys.executable, "-m", "whichlever", "bake", str(folder / "task.yaml")]
    program += ["--system", str(folder / "system.txt"), "-o", str(folder / "run"), "--json"]
    made = subprocess.run(program, check=True, stdout=subprocess.PIPE)
    found = json.loads(made.stdout)
    keys = ("faithful", "tokens_with", "tokens_without", "volume", "text")
    verdict = json.loads((folder / "run" / "verdict.json").read_text())
    kept = {key: found[key] for key in keys} | {"headline": verdict["headline"]}
    record("baked", how, kept)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "page":
        from distill_page import page

        page(RECORDS)
    else:
        {"run": run, "try": attempt, "ask": ask, "bake": bake}[what](rest[0], Path(rest[1]))
