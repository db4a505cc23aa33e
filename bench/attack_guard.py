"""What each defence of the guard holds and costs, alone and together, on real alerts.

    python bench/attack_guard.py RUNS [--data ../shared/data] [--only SET]

Each variant is a run of its own with the linear floor and its guard; the floor and every guarded
lever are attacked with text behind, before and inside what an attacker writes. What was chosen was
chosen on calibration rows; test rows are answered once. `python bench/results.py fill` writes the
tables of docs/results/attack.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import yaml

from attack import STRINGS, rounded, run
from triage import task as triage_task

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "attack_guard.json"

PLACES = ("behind", "before", "inside")

BUDGET = {"questions": "200", "search": "200", "chars": "400", "minutes": "600"}

BARE = 1_000_000
"""Characters of a shortest beginning that no text has: no beginning is asked."""

FIELDS: dict[str, dict[str, Any]] = {
    "without untrusted": {},
    "without untrusted, 5 % spared": {"spare": 0.05},
    "without untrusted, and beginnings": {"views": ["trusted", "beginnings"]},
    "without untrusted, beginnings and endings": {"views": ["trusted", "beginnings", "endings"]},
    "one form alone": {"views": ["beginnings"], "least": BARE, "canonical": True},
    "new words alone, 5 %": {"views": ["beginnings"], "least": BARE, "novelty": 0.05},
    "without untrusted, one form, new words": {"canonical": True, "novelty": 0.05},
}
TEXT: dict[str, dict[str, Any]] = {
    "beginnings": {"views": ["beginnings"]},
    "endings": {"views": ["endings"]},
    "beginnings and endings": {"views": ["beginnings", "endings"]},
}
SETS: dict[str, dict[str, Any]] = {
    "panther-product, fields": {
        "of": "panther-product", "controls": ["event"], "guards": FIELDS, "places": PLACES,
    },
    "panther-product, fields, static": {
        "of": "panther-product", "controls": ["event"], "places": PLACES,
        "lever": "finetune-static",
        "guards": {"without untrusted": {"levers": ["finetune-static"]}},
    },
    "ait-random, fields": {
        "of": "ait-random", "controls": ["note"], "places": ("behind",),
        "guards": {"without untrusted": {}},
    },
    "ait-scenario, fields": {
        "of": "ait-scenario", "controls": ["note"], "places": ("behind",),
        "guards": {"without untrusted": {}},
    },
    "panther-product, event apart": {
        "of": "panther-product", "controls": ["said"], "places": PLACES,
        "guards": {"without untrusted": {}},
    },
    "panther-product, text": {"of": "panther-product", "guards": TEXT, "places": PLACES},
}  # fmt: skip
"""``fields``: an alert's rule and what the rule is about are the house's, its event is the
attacker's (Panther); all that sensors say is theirs, and a note, empty in every row, is the
attacker's (AIT, whose alerts quote nobody). ``event apart``: what the platform itself writes into
Panther's events (`PLATFORM`, and what is true or false) is the house's too, and everything else
said in them is the attacker's. ``text``: nothing is known but the text."""

_PLATFORM = """
    eventname eventtype eventsource eventcategory action operation category type status outcome
    result severity errorcode code protocol service region version level state activity reason
    alerttype logtype reporttype method
"""
PLATFORM = frozenset(_PLATFORM.split())
"""Names of members that a platform fills in from a list of its own; chosen before any figure."""


def apart(event: str) -> dict[str, str]:
    """An event as what its platform wrote, and what is said in it; each a JSON object as text."""
    try:
        waiting = [("", json.loads(event))]
    except ValueError:
        return {"event": "{}", "said": event}
    sides: dict[str, dict[str, Any]] = {"event": {}, "said": {}}
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value, dict | list):
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [(f"{path}.{key}".lstrip("."), one) for key, one in inner]
            continue
        name = "".join(filter(str.isalpha, path.rsplit(".", 1)[-1])).lower()
        own = name in PLATFORM or isinstance(value, bool)
        sides["event" if own else "said"][path] = value
    return {side: json.dumps(inner, ensure_ascii=False) for side, inner in sides.items()}


def write_rows(name: str, data: Path, folder: Path, said: bool) -> tuple[str, list[str]]:
    """The rows with the fields apart, beside the run; their file and the columns to be read."""
    columns = ["rule", "about", "event"] if name.startswith("panther") else ["text", "note"]
    columns += ["said"] if said else []
    source = data / "alerts" / f"{name.split('-')[0]}.jsonl.gz"
    with gzip.open(source, "rt") as lines, (folder / "rows.jsonl").open("w") as out:
        for line in lines:
            row = json.loads(line)
            if "note" in columns:
                row = {**row, "note": ""}
            else:
                parts = dict(part.split(": ", 1) for part in row["text"].split("\n", 2))
                row = {**row, **parts, **(apart(parts["event"]) if said else {})}
            out.write(json.dumps(row) + "\n")
    return "rows.jsonl", columns


def task_of(name: str, guard: dict[str, Any], data: Path, folder: Path) -> dict[str, Any]:
    """The task of one variant: the floor and its guard, and nothing else."""
    settings = SETS[name]
    made: dict[str, Any] = triage_task(settings["of"], data, encoder=False)
    levers = {"linear": {}} if "lever" not in settings else made["levers"]
    made |= {"levers": levers, "guard": guard}
    if "controls" in settings:
        rows, columns = write_rows(settings["of"], data, folder, "said" in settings["controls"])
        made["data"] |= {"rows": rows, "input": columns}
        made["guard"] = {**guard, "untrusted": settings["controls"]}
    return made


def measured(name: str, variant: str, runs: Path, data: Path, bare: bool) -> dict[str, Any]:
    """One variant compared and attacked at each place; the floor too where it is asked for."""
    settings = SETS[name]
    lever = settings.get("lever", "linear")
    folder = runs / f"{name}, {variant}"
    folder.mkdir(parents=True, exist_ok=True)
    file, out = folder / "task.yaml", folder / "run"
    if not (out / "verdict.json").exists():
        task = task_of(name, settings["guards"][variant], data, folder)
        file.write_text(yaml.safe_dump(task, sort_keys=False))
        run(["compare", str(file), "-o", str(out)])
    found: dict[str, Any] = {"lever": lever, "cost": costs(out, lever), "places": {}}
    few = settings["places"][: 1 if "alone" in variant else None]
    for place in few:
        (out / "attack.json").unlink(missing_ok=True)
        asked = [str(out), "--task", str(file), "--strings", str(data / STRINGS), "--json"]
        asked += ["--place", place, "--lever", f"{lever}-guarded"]
        asked += ["--lever", lever] if bare else []
        for option, value in BUDGET.items():
            asked += [f"--{option}", value]
        for control in settings.get("controls", ()):
            asked += ["--control", control]
        run(["attack", *asked])
        attacks = json.loads((out / "attack.json").read_text(), parse_float=rounded)
        kept = ("rows", "groups", "flipped", "flip", "certified", "questions", "missed", "asked",
                "outsider", "control")  # fmt: skip
        found["places"][place] = {
            one["lever"]: {key: one[key] for key in kept} for one in attacks["levers"]
        }
        found["strings"] = attacks["aim"]["families"]
    return found


def costs(out: Path, lever: str) -> dict[str, Any]:
    """What the guard costs, on calibration and on test rows, beside the bare lever."""
    import polars as pl
    from sklearn.metrics import f1_score

    measures = json.loads((out / "measures.json").read_text())
    found: dict[str, Any] = {}
    for name in (lever, f"{lever}-guarded"):
        path = next((out / "fits" / name).glob("*/trials.parquet"))
        summary = next(s for s in measures["levers"] if s["lever"] == name)
        found[name] = {
            "macro_f1": summary["metrics"]["macro_f1"],
            "p50_ms": summary["latency"]["p50_ms"],
            "p95_ms": summary["latency"]["p95_ms"],
        }
        kept = pl.read_parquet(path)
        for role in ("calibrate", "test"):
            mine = kept.filter(pl.col("role") == role)
            wanted, status = mine["target"].to_list(), mine["status"].to_list()
            said = [p or "" for p in mine["predicted"].to_list()]
            seen = [t if s == "handed" else p for t, s, p in zip(wanted, status, said, strict=True)]
            honest = [i for i, target in enumerate(wanted) if target == "noise"]
            found[name][role] = {
                "rows": len(wanted),
                "closing": len(honest),
                "closed_rightly": sum(said[i] == "noise" for i in honest),
                "handed_closing": sum(status[i] == "handed" for i in honest),
                "handed": sum(s == "handed" for s in status),
                "wrongly_closed": sum(
                    p == "noise" and t == "critical" for p, t in zip(said, wanted, strict=True)
                ),
                "macro_f1_with_person": f1_score(wanted, seen, average="macro"),
            }
    made: dict[str, Any] = json.loads(json.dumps(found), parse_float=rounded)
    return made


def main() -> None:
    """Measure every variant and write docs/results/attack_guard.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", action="append", choices=sorted(SETS))
    parser.add_argument("--variant", action="append")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    done = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.only or SETS:
        for i, variant in enumerate(SETS[name]["guards"]):
            if args.variant and variant not in args.variant:
                continue
            made = measured(name, variant, args.runs.resolve(), args.data.resolve(), i == 0)
            done.setdefault(name, {})[variant] = made
            ordered = {
                key: {v: done[key][v] for v in SETS[key]["guards"] if v in done[key]}
                for key in SETS if key in done
            }  # fmt: skip
            args.out.write_text(json.dumps(ordered, indent=1) + "\n")


if __name__ == "__main__":
    main()
