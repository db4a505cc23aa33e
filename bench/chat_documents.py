"""A co-pilot whose form is learned and whose prices stand in documents, on a live server.

    OMP_NUM_THREADS=1 python bench/chat_documents.py run DIR    init to serve, ask, change, ask
    python bench/chat_documents.py page                         docs/results/copilot-documents.md

Everything is simulated: notes of dental practices, their answers with a slot for the fee, a price
list, and a thousand other documents.
"""

from __future__ import annotations

import csv
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import httpx

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "bench" / "results" / "chat_documents.json"
PAGE = ROOT / "docs" / "results" / "copilot-documents.md"
LEVERS = ("linear", "finetune-decoder")
OTHERS, CHANGES, ASKED = 1_000, 20, 60

CODES = {
    "crown": ("pfm", "crn prep", "full crwn"),
    "root canal": ("rct", "endo", "root tx"),
    "extraction": ("xla", "exo", "ext"),
    "filling": ("comp", "cr fill", "gic"),
    "deep cleaning": ("srp", "rsd", "deep scale"),
    "night guard": ("nti", "occ splint", "nite guard"),
}
ASIDES = ("pls adv", "tc", "asap", "as disc", "see file", "cb pm")


def answer(treatment: str) -> str:
    """What people answer, with a slot in place of the fee."""
    return f"The patient needs a {treatment}; the fee is {{fee for a {treatment}}}."


def note(treatment: str, dice: random.Random) -> str:
    """A simulated note."""
    return f"#{dice.randrange(100, 999)}, {dice.choice(CODES[treatment])}, {dice.choice(ASIDES)}"


def write_prices(folder: Path, prices: dict[str, int]) -> None:
    """The price list, whole or not at all."""
    rows = "".join(f"| {name} | {fee} EUR | 14 days |\n" for name, fee in prices.items())
    aside = folder / ".prices"
    aside.write_text(f"# Prices\n\n| treatment | fee | valid |\n|---|---|---|\n{rows}")
    aside.replace(folder / "prices.md")


def run(folder: Path) -> None:
    """Make, compare, pack, and ask live servers."""
    dice = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    documents = folder / "handbook"
    documents.mkdir(exist_ok=True)
    prices = {name: dice.randrange(80, 900) for name in CODES}
    write_prices(documents, prices)
    for i in range(OTHERS):
        text = f"# Leaflet {i}\n\nAfter a {dice.choice(list(CODES))} rest for {i % 9} hours.\n"
        (documents / f"leaflet-{i}.md").write_text(text)
    with (folder / "pairs.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["input", "output"])
        for _ in range(240):
            treatment = dice.choice(list(CODES))
            writer.writerow([note(treatment, dice), answer(treatment)])
    if not (folder / "task").exists():
        call("init", "--pack", "copilot", "--from", documents, "--pairs", folder / "pairs.csv",
             folder / "task")  # fmt: skip
        task = folder / "task" / "task.yaml"
        text = task.read_text().replace("{epochs: 3, minutes: 20}", "{epochs: 3, minutes: 8}")
        lines = [line for line in text.splitlines() if not line.startswith(("  prompt", "  rag"))]
        task.write_text("\n".join(lines) + "\n")
    call("compare", folder / "task" / "task.yaml", "-o", folder / "task" / "run")
    found = {}
    for lever in LEVERS:
        bundle = folder / f"{lever}.wl"
        call("pack", folder / "task" / "run", "--lever", lever, "-o", bundle)
        found[lever] = asked(bundle, folder / "task" / "documents", dict(prices), dice)
    measures = json.loads((folder / "task" / "run" / "measures.json").read_text())
    exact = {m["lever"]: m["metrics"]["exact_match"] for m in measures["levers"]}
    record = {"documents": OTHERS + 1, "changes": CHANGES, "asked": ASKED,
              "exact_match": exact, "served": found}  # fmt: skip
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


def call(*words: str | Path) -> None:
    """The program, as anybody calls it."""
    subprocess.run([sys.executable, "-m", "whichlever", *map(str, words)], check=True)


def asked(
    bundle: Path, documents: Path, prices: dict[str, int], dice: random.Random
) -> dict[str, Any]:
    """Ask notes never seen before and after prices change, and see how soon a change is said."""
    write_prices(documents, prices)
    command = [sys.executable, "-m", "whichlever", "serve", str(bundle), "--allow-unsigned",
               "--port", "0", "--documents", str(documents)]  # fmt: skip
    log = bundle.with_suffix(".log")
    with log.open("w") as out, subprocess.Popen(command, stderr=out) as server:
        try:
            return measured(address(log), documents, prices, dice)
        finally:
            server.terminate()


def address(log: Path) -> str:
    """Where a server listens, once its log says so."""
    for _ in range(600):
        for line in log.read_text().splitlines():
            said = json.loads(line)
            if said["event"] == "listening":
                return f"http://127.0.0.1:{said['port']}/v1/chat/completions"
        time.sleep(0.1)
    raise SystemExit(log.read_text())


def measured(
    url: str, documents: Path, prices: dict[str, int], dice: random.Random
) -> dict[str, Any]:
    """What one server says."""
    with httpx.Client(trust_env=False, timeout=30) as client:

        def ask(text: str) -> dict[str, Any]:
            body = {"messages": [{"role": "user", "content": text}]}
            found: dict[str, Any] = client.post(url, json=body).raise_for_status().json()
            return found

        shares, seconds, cited = [], [], 0
        for _ in range(2):
            right = 0
            for _ in range(ASKED):
                treatment = dice.choice(list(CODES))
                began = time.perf_counter()
                said = ask(note(treatment, dice))
                seconds.append(time.perf_counter() - began)
                fee = f"{prices[treatment]} EUR"
                wanted = answer(treatment).replace(f"{{fee for a {treatment}}}", fee)
                right += said["choices"][0]["message"]["content"] == wanted
                first = said["whichlever"]["citations"][:1]
                cited += bool(first) and first[0]["document"] == "prices.md"
            shares.append(right / ASKED)
            prices = {name: fee + 7 for name, fee in prices.items()}
            write_prices(documents, prices)
            time.sleep(1)
        delays = []
        text = next(
            t for t in (note("crown", dice) for _ in range(50)) if "crown" in content(ask(t))
        )
        for _ in range(CHANGES):
            prices["crown"] += 1
            write_prices(documents, prices)
            began = time.perf_counter()
            while f"{prices['crown']} EUR" not in content(ask(text)):
                time.sleep(0.005)
            delays.append(time.perf_counter() - began)
            time.sleep(0.3 * dice.random())
    return {
        "right_before": shares[0], "right_after": shares[1], "cited": cited / (2 * ASKED),
        "seconds_median": statistics.median(seconds),
        "seconds_p95": sorted(seconds)[int(0.95 * len(seconds))],
        "delay_median": statistics.median(delays), "delay_most": max(delays),
    }  # fmt: skip


def content(said: dict[str, Any]) -> str:
    """What a message says."""
    return str(said["choices"][0]["message"]["content"])


def page() -> None:
    """The page, from the record alone."""
    found = json.loads(RECORD.read_text())
    rows = [
        f"| {lever} | {found['exact_match'][lever]['value']:.3f} | {own['right_before']:.3f} | "
        f"{own['right_after']:.3f} | {own['cited']:.3f} | {1000 * own['seconds_median']:.0f} ms | "
        f"{1000 * own['seconds_p95']:.0f} ms | {own['delay_median']:.2f} s | "
        f"{own['delay_most']:.2f} s |"
        for lever, own in found["served"].items()
    ]
    table = "\n".join(rows)
    head = (
        "lever", "exact match, compared", "right before", "right after", "price list cited first",
        "median", "p95", "a change is said after, median", "at most",
    )  # fmt: skip
    PAGE.write_text(f"""# The form learned, the price looked up

Simulated (`bench/chat_documents.py`): notes of dental practices, six answers with a slot for the
fee, a price list and {found["documents"] - 1:,} other documents.
`init --pack copilot --from … --pairs …`, `compare`, `pack`, `serve --documents`; then
{found["asked"]} notes never seen are asked over HTTP, every price is changed, and
{found["asked"]} more are asked. An answer is right if it is the
sentence with the fee as it stands then. The last columns are of {found["changes"]} changes of one
price: from when the file is written to the first answer that says it, asked again and again.
One core of a busy machine.

| {" | ".join(head)} |
{"|---" * len(head)}|
{table}

The notes are easy, and meant to be: this shows that learned answers follow documents, not how well
notes are understood. No model reads the documents; a fee must stand in a line or a table that
names it.
""")


if __name__ == "__main__":
    {"run": run, "page": page}[sys.argv[1]](*map(Path, sys.argv[2:]))
