"""How long `import whichlever` takes over bare Python, and what it loads.

    python bench/import_time.py

Both interpreters are started in turn, so that a noisy machine disturbs both alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HEAVY = (
    "torch",
    "transformers",
    "onnxruntime",
    "sklearn",
    "polars",
    "xllamacpp",
    "openai",
    "scipy",
)
RUNS = 11
BOUND_SECONDS = 0.3
RESULT = Path(__file__).with_name("results") / "import_time.json"


def seconds(code: str) -> float:
    """Wall time of one interpreter running ``code``."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the medians, their difference against the bound, and the heavy modules loaded."""
    pairs = [(seconds("pass"), seconds("import whichlever")) for _ in range(RUNS)]
    bare = statistics.median(a for a, _ in pairs)
    over = statistics.median(b - a for a, b in pairs)
    code = f"import sys, whichlever; print([m for m in {HEAVY!r} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    found = {
        "bare_python_seconds": round(bare, 4),
        "import_over_bare_seconds": round(over, 4),
        "bound_seconds": BOUND_SECONDS,
        "ratio_to_bound": round(over / BOUND_SECONDS, 3),
        "heavy_modules_loaded": loaded.stdout.strip(),
    }
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
    if over > BOUND_SECONDS or found["heavy_modules_loaded"] != "[]":
        sys.exit("over the bound")


if __name__ == "__main__":
    main()
