"""Attack real runs: alerts of two sources, owned levers and a prompted one, canaries, leaks.

    python bench/attack.py RUNS [--data ../shared/data] [--only SET]

Each set is compared under RUNS/<set>/run (or taken up where that is done), attacked with the
strings of ``attacks/prompt_attacks.jsonl.gz`` besides the house's own, and what came of it goes to
docs/results/attack.json; `python bench/results.py fill` writes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

from triage import task as triage_task

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "attack.json"

KEY = "BENCH_SERVE_KEY"

STRINGS = "attacks/prompt_attacks.jsonl.gz"

SMALL = {"model": "smollm2-135m-instruct", "shots": 0, "rotations": 1, "minutes": 15,
         "max_rows": 60}  # fmt: skip
"""The embedded model on few rows: it reads some ten tokens a second beside other work."""

OWNED = ["linear", "finetune-static"]
GUARDED = [f"{name}-guarded" for name in OWNED]

SETS: dict[str, dict[str, Any]] = {
    "panther-product": {},
    "panther-product, 100 characters": {"of": "panther-product", "chars": 100},
    "ait-scenario": {},
    "ait-scenario, 100 characters": {"of": "ait-scenario", "chars": 100},
    "ait-random": {"levers": {"linear": {}}},
    "ait-random, 100 characters": {"of": "ait-random", "chars": 100},
    "panther-product-match": {"controls": ["event"], "levers": {"linear": {}}},
    "panther-prompt": {"of": "panther-product", "levers": {"linear": {}, "prompt": SMALL}},
    "panther-prompt, noise to critical": {
        "of": "panther-prompt",
        "protect": "noise",
        "into": "critical",
        "lever": "prompt",
        "minutes": 20,
    },
    "panther-product, served": {"of": "panther-product", "serve": "linear", "minutes": 20},
    "panther-product, guarded": {
        "rows": "panther-product",
        "guard": {"levers": OWNED},
        "lever": GUARDED,
        "minutes": 600,
    },
    "panther-product, guarded, 5 % handed": {
        "rows": "panther-product",
        "guard": {"levers": OWNED, "hand_over": 0.05},
        "lever": GUARDED,
        "minutes": 600,
    },
    "panther-product, guarded, before too": {
        "of": "panther-product, guarded",
        "controls": ["text"],
        "lever": ["linear", "linear-guarded"],
        "minutes": 600,
    },
    "panther-product-match, guarded": {
        "rows": "panther-product-match",
        "guard": {"levers": ["linear"]},
        "levers": {"linear": {}},
        "controls": ["event"],
        "lever": GUARDED[:1],
        "minutes": 600,
    },
    "ait-random, guarded": {
        "rows": "ait-random",
        "guard": {"levers": ["linear"]},
        "levers": {"linear": {}},
        "lever": GUARDED[:1],
        "minutes": 600,
    },
    "ait-scenario, guarded": {
        "rows": "ait-scenario",
        "guard": {"levers": ["linear"]},
        "levers": {"linear": {}},
        "lever": GUARDED[:1],
        "minutes": 600,
    },
    "panther-product, canaries": {"of": "panther-product", "canaries": "linear"},
    "ait-scenario, canaries": {"of": "ait-scenario", "canaries": "linear"},
    "simulated, canaries": {"canaries": "finetune-static", "simulated": 480},
    "tos-clauses, speaking": {
        "of": "tos-clauses",
        "speaks": True,
        "minutes": 5,
        "chars": 400,
        "lever": ["finetune-decoder", "prompt"],
        "made by": "copilot",
    },
    "simulated, writing decoder": {
        "memory": True,
        "minutes": 20,
        "simulated": 60,
        "lever": "finetune-decoder",
        "writes": True,
    },
    "tos-clauses, memory": {
        "of": "tos-clauses",
        "memory": True,
        "minutes": 2,
        "made by": "copilot",
    },
    "panther-product, memory": {"of": "panther-product", "memory": True, "minutes": 4},
    "ait-random, memory": {"of": "ait-random", "memory": True, "minutes": 4},
}
"""``of``: the set whose run is attacked; ``levers``: a run of its own, with these alone;
``guard``: a run of its own on ``rows``, with levers guarded (asked about every beginning of a text,
they answer slowly: the time is no bound, so that they get as many questions as the others);
``serve``: that lever's bundle behind a live server, with an API key; ``canaries``: planted for
that lever and looked for, and nothing attacked; ``memory``: membership and exposure asked, and
nothing attacked; ``speaks``: models asked for instructions and given orders; ``made by``: the
bench whose run it is; ``simulated``: so many made-up rows, as training the static rung six times on
the real ones takes long on a busy machine."""


def task_of(name: str, data: Path) -> dict[str, Any]:
    """The task of one set."""
    settings = SETS[name]
    rows = settings.get("rows", settings.get("of", name))
    made: dict[str, Any] = triage_task(rows, data, encoder=False)
    guard = {"guard": settings["guard"]} if "guard" in settings else {}
    return {**made, **guard, "levers": settings.get("levers", made["levers"])}


def simulated(folder: Path, rows: int) -> Path:
    """The tests' tiny task, with the static rung for recorded answers."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from tiny import TASK, write_task

    static = "  finetune: {rungs: [static], joined: false, seeds: 1}"
    text = TASK.replace("  recorded: {other: answers.jsonl}", static)
    return write_task(folder, rows, task=f"{text}mistakes: {{open: {{close: 10}}}}\n")


def simulated_writing(folder: Path, rows: int) -> Path:
    """The tests' jargon of two trades with open answers, for the small embedded decoder."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    import tiny_decoder

    task, _, _ = tiny_decoder.TASK.partition("  linear:")
    task = task.replace("kind: generate\n", "kind: generate\nanswers: open\n")
    task += "  finetune: {decoder: {epochs: 2, minutes: 6}, threads: 1}\n"
    return tiny_decoder.write_task(folder, rows, task=task)


def rounded(digits: str) -> float:
    """A figure with as many digits as a page can show."""
    return round(float(digits), 6)


def run(arguments: list[str]) -> None:
    """One call of the program; the bench ends where it fails."""
    command = [sys.executable, "-m", "whichlever", *arguments]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"failed: {' '.join(arguments)}")


@contextmanager
def serving(out: Path, lever: str, folder: Path) -> Iterator[str]:
    """Serve a lever's bundle with an API key, which goes into the environment."""
    bundle, keys = folder / f"{lever}.wl", folder / "keys.json"
    run(["pack", str(out), "--lever", lever, "-o", str(bundle), "--int8", "never"])
    keys.unlink(missing_ok=True)
    program = [sys.executable, "-m", "whichlever"]
    made = subprocess.run(
        [*program, "serve-keys", "add", str(keys), "bench"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    os.environ[KEY] = made.stdout.strip()
    served = [*program, "serve", str(bundle), "--allow-unsigned", "--port", "0"]
    process = subprocess.Popen(
        [*served, "--api-keys", str(keys)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        port = next(
            json.loads(line)["port"]
            for line in process.stderr
            if line.startswith(b"{") and json.loads(line).get("event") == "listening"
        )
        Thread(target=process.stderr.read, daemon=True).start()  # its log must not fill the pipe
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def attack(name: str, runs: Path, data: Path) -> dict[str, Any]:
    """Compare where that is not done, attack, and read what came of it."""
    settings = SETS[name]
    base = name if {"levers", "guard"} & set(settings) else settings.get("of", name)
    folder = runs / base
    folder.mkdir(parents=True, exist_ok=True)
    file, out = folder / "task.yaml", folder / "run"
    if "simulated" in settings and not (out / "verdict.json").exists():
        made = simulated_writing if "writes" in settings else simulated
        file = made(folder, settings["simulated"])
        run(["compare", str(file), "-o", str(out)])
    elif "made by" in settings and not (out / "verdict.json").exists():
        sys.exit(f"{folder}: run bench/{settings['made by']}.py, and copy its task and run here")
    elif not (out / "verdict.json").exists():
        file.write_text(yaml.safe_dump(task_of(base, data), sort_keys=False))
        run(["compare", str(file), "-o", str(out)])
    (out / "attack.json").unlink(missing_ok=True)  # another set's aim on the same run
    where = [str(out), "--task", str(file), "--json"]
    asked = ["--strings", str(data / STRINGS)]
    for option in ("chars", "minutes", "protect", "into", "lever"):
        given = settings.get(option, [])
        for value in given if isinstance(given, list) else [given]:
            asked += [f"--{option}", str(value)]
    for control in settings.get("controls", ()):
        asked += ["--control", control]
    if "speaks" in settings:
        asked += ["--rows", "4", "--questions", "1", "--search", "0", "--leaks", "4"]
    if "memory" in settings:
        asked = ["--memory", "--minutes", str(settings["minutes"])]
        asked += ["--lever", settings["lever"]] if "lever" in settings else []
    if "canaries" in settings:
        asked = ["--canaries", "--lever", settings["canaries"]]
    if "serve" in settings:
        with serving(out, settings["serve"], folder) as url:
            run(["attack", *where, *asked, "--against", url, "--key-env", KEY])
    else:
        run(["attack", *where, *asked])
    found: dict[str, Any] = json.loads((out / "attack.json").read_text(), parse_float=rounded)
    if "speaks" in settings:
        found |= {"levers": [], "aim": None}  # one question a row is no attack on labels
    verdict = json.loads((out / "verdict.json").read_text())
    guarded = {"guard": guard_figures(out)} if "guard" in settings else {}
    return {
        "attacks": found,
        **guarded,
        "verdict": {
            "headline": verdict["headline"],
            "attack": verdict["attack"],
            "reasons": [r["text"] for r in verdict["reasons"] if r["text"].startswith("Attack")],
            "would_change": [r["text"] for r in verdict["would_change"] if "attack" in r["text"]],
        },
    }


def guard_figures(out: Path) -> dict[str, dict[str, Any]]:
    """What a guard costs: each guarded lever and the bare one on the same test rows."""
    import polars as pl
    from sklearn.metrics import f1_score

    trials = pl.read_parquet(out / "trials.parquet").filter(pl.col("role") == "test")
    measures = json.loads((out / "measures.json").read_text())
    found: dict[str, dict[str, Any]] = {}
    for summary in measures["levers"]:
        said = summary["chosen"].get("guard")
        if said is None:
            continue
        for name in (summary["lever"].removesuffix("-guarded"), summary["lever"]):
            mine = trials.filter(pl.col("lever") == name)
            wanted, status = mine["target"].to_list(), mine["status"].to_list()
            answers = [p or "" for p in mine["predicted"].to_list()]
            closes = said["closes"]
            honest = [i for i, t in enumerate(wanted) if t == closes]
            handed = [i for i, s in enumerate(status) if s == "handed"]
            seen = [wanted[i] if s == "handed" else answers[i] for i, s in enumerate(status)]
            other = next(s for s in measures["levers"] if s["lever"] == name)
            found[name] = {
                "least": said["least"],
                "floor": said["floor"],
                "rows": len(wanted),
                "macro_f1": other["metrics"]["macro_f1"],
                "macro_f1_with_person": f1_score(wanted, seen, average="macro"),
                "closed_rightly": sum(answers[i] == closes for i in honest),
                "closing": len(honest),
                "handed": len(handed),
                "handed_closing": sum(status[i] == "handed" for i in honest),
                "p50_ms": other["latency"]["p50_ms"],
                "p95_ms": other["latency"]["p95_ms"],
            }
    rounded_: dict[str, dict[str, Any]] = json.loads(json.dumps(found), parse_float=rounded)
    return rounded_


def main() -> None:
    """Attack each set and write docs/results/attack.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", action="append", choices=sorted(SETS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    done = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.only or SETS:
        done[name] = attack(name, args.runs.resolve(), args.data.resolve())
        ordered = {key: done[key] for key in SETS if key in done}
        args.out.write_text(json.dumps(ordered, indent=1) + "\n")


if __name__ == "__main__":
    main()
