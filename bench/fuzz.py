"""Feed every parser damaged input for as long as it is told (targets: tests/fuzz/fuzz_targets.py).

    python bench/fuzz.py --minutes 30                 every target in turn, its share of the time
    python bench/fuzz.py --minutes 5 --only tokenizer.json
    python bench/fuzz.py --minutes 5 --engine plain   seeded mutations, without atheris

With atheris (Linux on x86-64: pip install atheris) inputs are grown by coverage of the Python code;
without it, seeds are mutated blindly. Each target runs in a process of its own, so that one that
dies is a finding too. Findings are kept under --keep, and the exit code is 1 where there are any;
mended ones belong into tests/fuzz/found/<target>/.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
RESULT = Path(__file__).with_name("results") / "fuzz.json"
MOST_SECONDS, MOST_MB = 20, 4_096
HAVE_ATHERIS = importlib.util.find_spec("atheris") is not None
RUNS = re.compile(r"Done (\d+) runs|^RAN (\d+)$", re.M)


def one(name: str, seconds: float, keep: Path, engine: str) -> None:
    """Fuzz a target in this process until the time is over."""
    sys.path[:0] = [str(TESTS), str(TESTS / "fuzz")]
    if engine == "atheris":
        _by_coverage(name, seconds, keep)
    import fuzz_targets
    from mutate import mutated

    target = {t.name: t for t in fuzz_targets.targets()}[name]
    until, count = time.monotonic() + seconds, 0
    for data in mutated(target.seeds(), int(time.time())):
        if time.monotonic() > until:
            break
        (keep / "running").write_bytes(data)  # what it dies of is on disk
        count += 1
        try:
            target.run(data)
        except target.refusals:
            continue
        except BaseException as error:
            (keep / f"crash-{hashlib.sha256(data).hexdigest()[:16]}").write_bytes(data)
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    (keep / "running").unlink(missing_ok=True)
    print(f"RAN {count}")


def _by_coverage(name: str, seconds: float, keep: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=["whichlever"]):
        import fuzz_targets

        import whichlever.runtime.bundle
        import whichlever.serve.app  # noqa: F401 - instrumented by being imported here
    target = {t.name: t for t in fuzz_targets.targets()}[name]

    def give(data: bytes) -> None:
        try:
            target.run(data)
        except target.refusals:
            return

    with tempfile.TemporaryDirectory() as corpus:
        for i, seed in enumerate(target.seeds()):
            (Path(corpus) / f"seed-{i}").write_bytes(seed)
        largest = max(map(len, target.seeds()))
        options = [f"-max_total_time={int(seconds)}", f"-artifact_prefix={keep}/",
                   f"-max_len={4 * largest}", f"-timeout={MOST_SECONDS}",
                   f"-rss_limit_mb={MOST_MB}", "-verbosity=0", "-print_final_stats=1"]  # fmt: skip
        atheris.Setup([sys.argv[0], *options, corpus], give)
        atheris.Fuzz()  # ends the process


def main() -> None:
    """Fuzz every target, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"))
    parser.add_argument("--engine", choices=("atheris", "plain"),
                        default="atheris" if HAVE_ATHERIS else "plain")  # fmt: skip
    parser.add_argument("--target", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.target:
        one(args.target, args.minutes * 60, args.keep, args.engine)
        return
    sys.path[:0] = [str(TESTS), str(TESTS / "fuzz")]
    import fuzz_targets

    names = [t.name for t in fuzz_targets.targets() if args.only in (None, t.name)]
    share = args.minutes / len(names)
    said: dict[str, object] = {}
    for name in names:
        keep = args.keep / name
        keep.mkdir(parents=True, exist_ok=True)
        before = set(keep.iterdir())
        done = subprocess.run(
            [sys.executable, __file__, "--target", name, "--minutes", str(share),
             "--keep", str(keep), "--engine", args.engine],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        found = sorted(set(keep.iterdir()) - before)
        ran = RUNS.search(done.stdout + done.stderr)
        stat = re.search(r"number_of_executed_units: (\d+)", done.stderr)
        count = int(stat[1]) if stat else int(next(filter(None, ran.groups()))) if ran else None
        said[name] = {"inputs": count, "findings": [p.name for p in found],
                      "exit": done.returncode}  # fmt: skip
        print(name, json.dumps(said[name]), flush=True)
        for path in found:
            print("  ", path, base64.b64encode(path.read_bytes())[:200].decode())
        if found or done.returncode:
            print(done.stderr[-3_000:])
    bad = any(v["findings"] or v["exit"] for v in said.values())  # type: ignore[index]
    RESULT.write_text(
        json.dumps({"engine": args.engine, "minutes": args.minutes, "targets": said}, indent=1)
        + "\n"
    )
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
