"""From starting the process to the first answer, for bundles of each kind.

    python bench/cold_start.py model.wl ...

Interpreters that only import numpy are started in turn with those that open a bundle and answer one
row, so that a noisy machine disturbs both alike. Bundles are opened unsigned, and their files are
in the page cache.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 9
BOUND_SECONDS = 1.5
RESULT = Path(__file__).with_name("results") / "cold_start.json"

NUMPY = "import numpy"
ANSWER = """\
import sys, whichlever
bundle = whichlever.Bundle.open(sys.argv[1], allow_unsigned=True)
bundle.predict(["failed password for root from 203.0.113.7 port 22"])
"""


def seconds(code: str, *arguments: str) -> float:
    """Wall time of one interpreter running ``code``."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)
    return time.perf_counter() - began


def measure(path: str) -> dict[str, object]:
    """Medians for one bundle, beside numpy's own import."""
    seconds(ANSWER, path)  # files into the page cache
    pairs = [(seconds(NUMPY), seconds(ANSWER, path)) for _ in range(RUNS)]
    found = statistics.median(b for _, b in pairs)
    return {
        "bundle": Path(path).name,
        "megabytes": round(Path(path).stat().st_size / 1e6, 1),
        "numpy_seconds": round(statistics.median(a for a, _ in pairs), 3),
        "first_answer_seconds": round(found, 3),
        "slowest_seconds": round(max(b for _, b in pairs), 3),
        "ratio_to_numpy": round(statistics.median(b / a for a, b in pairs), 2),
        "ratio_to_bound": round(found / BOUND_SECONDS, 3),
    }


def main() -> None:
    """Print and keep the figures; exit 1 where a bundle is over the bound."""
    if len(sys.argv) < 2:
        sys.exit("name one or more bundles")
    found = [measure(path) for path in sys.argv[1:]]
    names = {b["bundle"] for b in found}
    if RESULT.exists():  # what was measured of other bundles stays
        before = json.loads(RESULT.read_text())["bundles"]
        found = [b for b in before if b["bundle"] not in names] + found
    said = {"bound_seconds": BOUND_SECONDS, "cores": os.cpu_count(), "runs": RUNS, "bundles": found}
    RESULT.write_text(json.dumps(said, indent=2) + "\n")
    print(json.dumps(said, indent=2))
    if any(b["first_answer_seconds"] > BOUND_SECONDS for b in found if b["bundle"] in names):  # type: ignore[operator]
        sys.exit(1)


if __name__ == "__main__":
    main()
