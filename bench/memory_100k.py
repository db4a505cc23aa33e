"""Peak memory of `compare` on 100,000 short simulated rows, against the 4 GB bound.

    python bench/memory_100k.py

The rows are simulated: short sentences whose words depend on their label, with noise.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = 100_000
BOUND_GB = 4.0
RESULT = Path(__file__).with_name("results") / "memory_100k.json"
LABELS = ("critical", "investigate", "noise")
TASK = """\
version: 1
task: hundred-thousand
about: Simulated short alerts.
data: {rows: rows.jsonl, id: id, input: text, target: label}
levers:
  linear: {}
  rag: {vote_only: true}
  finetune: {rungs: [static]}
"""


def write_rows(path: Path) -> None:
    """Write the simulated rows; the same seed gives the same bytes."""
    rng = random.Random(0)
    words = [f"word{i}" for i in range(5_000)]
    with path.open("w") as out:
        for i in range(ROWS):
            label = rng.choices(range(3), weights=(1, 3, 16))[0]
            picked = [words[int(rng.random() ** 2 * 5_000)] for _ in range(12)]
            hint = f"hint{label if rng.random() < 0.6 else rng.randrange(3)}"
            text = " ".join([*picked, hint, f"host{rng.randrange(400)}"])
            out.write(json.dumps({"id": f"r{i}", "text": text, "label": LABELS[label]}) + "\n")


def main() -> None:
    """Run compare in a child and print its peak memory and time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "rows.jsonl")
        (folder / "task.yaml").write_text(TASK)
        command = [sys.executable, "-m", "whichlever", "compare", "task.yaml", "-o", "run"]
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    found = {
        "rows": ROWS,
        "peak_gb": round(peak, 2),
        "bound_gb": BOUND_GB,
        "ratio_to_bound": round(peak / BOUND_GB, 3),
        "seconds": round(took, 1),
    }
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    if peak > BOUND_GB:
        sys.exit("over the bound")


if __name__ == "__main__":
    main()
