"""A live server beside the bare runtime, in one run: throughput, latency, memory, every answer.

    python bench/serving.py RUNS [--data ../shared/data] [--rounds 5] [--minute 60] [--exclusive]

RUNS is what bench/serving_models.py made: its signed bundles are served as a user would, one at a
time, on loopback, and asked rows of the same real data. Bare is `Bundle.predict` on lists of 64
texts in a process of its own, one thread; served is the same texts as JSON over HTTP, by wrk on 16
connections. Both take turns of a few seconds. Where other work on the machine takes wall time from
either, the ratio of CPU time per row stands beside that of the wall: the server's CPU seconds, all
threads counted, against the bare process's. With --exclusive (root) the turns run at real-time
priority, so that other work waits; the minute never does.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import whichlever
from load import arrivals, labels_in, post, saturate, served
from whichlever.runtime.lines import answer_line

RESULT = Path(__file__).with_name("results") / "serving.json"
TEXTS = {"triage": "alerts/panther.jsonl.gz", "cwe": "cwe/test_2024.jsonl.gz"}
ROWS = 64
TURN_SECONDS = 3.0
PAUSE_SECONDS = 2.0  # for whoever else is on the machine
SHARE_OF_CAPACITY = 0.6
LEAST_ARRIVALS = 200
BOUND_MS = {"encoder": 150.0, "other": 20.0}

BARE = """\
import json, sys, time, whichlever
bundle = whichlever.Bundle.open(sys.argv[1], sys.argv[2])
batches = [json.loads(line)["rows"] for line in open(sys.argv[3], encoding="utf-8")]
for batch in batches:
    bundle.predict(batch)  # every word has been met, as in the server's first turns
for line in sys.stdin:
    rows, wall, cpu = 0, time.perf_counter(), time.process_time()
    end = wall + float(line)
    while time.perf_counter() < end:
        rows += len(bundle.predict(batches[rows // len(batches[0]) % len(batches)]))
    print(rows, time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""


class Bare:
    """The runtime alone in a process of its own."""

    def __init__(self, bundle: Path, key: Path, bodies: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", BARE, str(bundle), str(key), str(bodies)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def turn(self, seconds: float) -> tuple[float, float]:
        """Rows per second of wall time, and of CPU time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n")
        rows, wall, cpu = map(float, self._process.stdout.readline().split())
        return rows / wall, rows / cpu

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def exclusive(wanted: bool) -> None:
    """Let this process and those it starts from now on run before all others, or no longer."""
    policy = os.SCHED_FIFO if wanted else os.SCHED_OTHER
    os.sched_setscheduler(0, policy, os.sched_param(1 if wanted else 0))


def texts_of(path: Path) -> list[str]:
    """The texts of a file of rows."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file]


Texts = tuple[list[str], dict[str, int]]
"""Texts, and what else a request says."""


def asked(bundle: whichlever.Bundle, texts: Texts, rows: int, count: int) -> Any:  # noqa: ANN401
    """Bodies of so many rows each, and the labels that the bundle itself gives them.

    An encoder remembers nothing of the words it met and is slow: a tenth of the bodies do.
    """
    if "encoder" in bundle.model.kinds:
        count = max(1, count // 10)
    rng = random.Random(3)
    batches = [[rng.choice(texts[0]) for _ in range(rows)] for _ in range(count)]
    bodies = [json.dumps({"rows": batch, **texts[1]}).encode() for batch in batches]
    expected = []
    for batch in batches:
        lines = [answer_line(p, bundle.manifest) for p in bundle.predict(batch)]
        expected.append(labels_in(json.dumps(lines, separators=(",", ":")).encode()))
    return bodies, expected


def percentile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    return round(1000 * sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))], 2)


def summary(values: list[float], digits: int = 3) -> dict[str, Any]:
    """Least, median, and all."""
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
        "rounds": [round(v, digits) for v in values],
    }


def throughput(bundle: Path, key: Path, folder: Path, texts: Texts, rounds: int) -> Any:  # noqa: ANN401
    """Batches of 64: served beside bare."""
    opened = whichlever.Bundle.open(bundle, key)
    bodies, expected = asked(opened, texts, ROWS, 40)
    file = folder / "bodies.jsonl"
    file.write_bytes(b"\n".join(bodies) + b"\n")
    bare = Bare(bundle, key, file)
    found: dict[str, list[float]] = {"bare": [], "served": [], "wall": [], "cpu": []}
    wrong = 0
    try:
        with served(bundle, "--key", str(key)) as server:
            saturate(server.port, bodies, expected, TURN_SECONDS)
            bare.turn(TURN_SECONDS)
            for _ in range(rounds):
                time.sleep(PAUSE_SECONDS)
                rate, per_cpu = bare.turn(TURN_SECONDS)
                time.sleep(PAUSE_SECONDS)
                before = server.cpu_seconds()
                got = saturate(server.port, bodies, expected, TURN_SECONDS)
                cpu = server.cpu_seconds() - before
                wrong += got.wrong + got.broken
                rows = got.requests * ROWS
                found["bare"].append(rate)
                found["served"].append(rows / got.seconds)
                found["wall"].append(rows / got.seconds / rate)
                found["cpu"].append(rows / cpu / per_cpu)
    finally:
        bare.close()
    return {
        "rows_per_second_bare": summary(found["bare"], 0),
        "rows_per_second_served": summary(found["served"], 0),
        "ratio_wall": summary(found["wall"]),
        "ratio_cpu": summary(found["cpu"]),
        "wrong_answers": wrong,
    }


def latency(bundle: Path, key: Path, texts: Texts, rounds: int) -> Any:  # noqa: ANN401
    """Single rows at 60 % of the capacity measured just before; /healthz at that rate beside."""
    opened = whichlever.Bundle.open(bundle, key)
    bodies, expected = asked(opened, texts, 1, 400)
    requests = [post("/v1/predict", body) for body in bodies]
    probe = [b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
    out: dict[str, list[float]] = {"capacity": [], "p50": [], "p99": [], "floor": []}
    failed = 0
    with served(bundle, "--key", str(key)) as server:
        saturate(server.port, bodies, expected, TURN_SECONDS, 32)
        for _ in range(rounds):
            time.sleep(PAUSE_SECONDS)
            got = saturate(server.port, bodies, expected, TURN_SECONDS, 32)
            rate = SHARE_OF_CAPACITY * got.requests / got.seconds
            # What saturation left in the queue is not to keep the first arrivals waiting.
            arrivals(server.port, requests, 1.0, 1.0, 1)
            long = max(2 * TURN_SECONDS, LEAST_ARRIVALS / rate)
            # Few connections where few rows come: the server ends those that are idle.
            few = min(128, max(8, int(rate)))
            seconds, lost = arrivals(server.port, requests, rate, long, few)
            floor, _ = arrivals(server.port, probe, rate, TURN_SECONDS)
            failed += lost + got.wrong + got.broken
            out["capacity"].append(got.requests / got.seconds)
            out["p50"].append(percentile(seconds, 0.5))
            out["p99"].append(percentile(seconds, 0.99))
            out["floor"].append(percentile(floor, 0.99))
    kind = "encoder" if "encoder" in opened.model.kinds else "other"
    return {
        "requests_per_second_capacity": summary(out["capacity"], 0),
        "p50_ms": summary(out["p50"], 2),
        "p99_ms": summary(out["p99"], 2),
        "healthz_p99_ms": summary(out["floor"], 2),
        "bound_ms": BOUND_MS[kind],
        "failed": failed,
    }


def minute(bundle: Path, key: Path, texts: Texts, seconds: float) -> Any:  # noqa: ANN401
    """A minute at saturation with every answer checked; memory before and after."""
    opened = whichlever.Bundle.open(bundle, key)
    bodies, expected = asked(opened, texts, 8, 200)
    with served(bundle, "--key", str(key)) as server:
        saturate(server.port, bodies, expected, seconds / 6)
        before = server.megabytes()
        got = saturate(server.port, bodies, expected, seconds)
        time.sleep(0.5)
        after = server.megabytes()
    return {
        "seconds": round(got.seconds, 1),
        "requests": got.requests,
        "answers_checked": got.requests * 8,
        "wrong": got.wrong,
        "broken": got.broken,
        "resident_mb_before": round(before, 1),
        "resident_mb_after": round(after, 1),
    }


def main() -> None:
    """Measure every bundle of RUNS, and keep the figures as they come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", help="a part of the bundle's name")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minute", type=float, default=60.0)
    parser.add_argument("--exclusive", action="store_true")
    parser.add_argument("--top", type=int, help="ask for so many labels' scores alone")
    args = parser.parse_args()
    key = args.runs / "team.pub"
    said: dict[str, Any] = {"bundles": {}}
    if RESULT.exists():
        said = json.loads(RESULT.read_text())
    said |= {"cores": os.cpu_count(), "rows_a_request": ROWS}
    for bundle in sorted(args.runs.glob("*.wl")):
        if args.only and args.only not in bundle.stem:
            continue
        more = {} if args.top is None else {"top": args.top}
        texts = texts_of(args.data / TEXTS[bundle.stem.split("-")[0]]), more
        found: dict[str, Any] = {"load_average": round(os.getloadavg()[0], 1)}
        if args.exclusive:
            exclusive(True)
        found["exclusive"] = args.exclusive
        found["throughput"] = throughput(bundle, key, args.runs, texts, args.rounds)
        found["latency"] = latency(bundle, key, texts, args.rounds)
        if args.exclusive:
            exclusive(False)
        found["minute"] = minute(bundle, key, texts, args.minute)
        name = bundle.stem if args.top is None else f"{bundle.stem}, top {args.top}"
        said["bundles"][name] = found
        RESULT.write_text(json.dumps(said, indent=1) + "\n")
        print(bundle.stem, json.dumps(found, indent=1), flush=True)


if __name__ == "__main__":
    main()
