"""Some hundreds of mutated inputs for every parser; ``bench/fuzz.py`` runs the same for hours."""

from __future__ import annotations

import base64
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fuzz_targets import Target, targets
from mutate import mutated

HERE = Path(__file__).parent
COUNT, NATIVE_COUNT = 300, 200
MOST_SECONDS = 5.0  # of CPU
TARGETS = {target.name: target for target in targets()}

pytestmark = pytest.mark.filterwarnings("ignore")  # damaged files warn; that is not what is tested


def attempt(target: Target, data: bytes) -> None:
    """Feed one input; an assertion says what it was, so that it can be kept under ``found/``."""
    began = time.process_time()
    try:
        target.run(data)
    except target.refusals:
        pass
    except BaseException as error:
        said = base64.b64encode(data).decode()
        raise AssertionError(
            f"{target.name}: {type(error).__name__}: {error}\n{said[:4_000]}"
        ) from error
    assert time.process_time() - began < MOST_SECONDS, f"{target.name}: slow"


@pytest.mark.parametrize("name", [n for n, t in TARGETS.items() if not t.native])
def test_damage_is_refused_in_one_way(name: str) -> None:
    target = TARGETS[name]
    for data in itertools.islice(mutated(target.seeds(), 1), COUNT):
        attempt(target, data)


@pytest.mark.parametrize("name", [n for n, t in TARGETS.items() if t.native])
def test_damage_does_not_end_the_process(name: str) -> None:
    done = subprocess.run(
        [sys.executable, __file__, name, str(NATIVE_COUNT)], capture_output=True, text=True,
        check=False, timeout=300, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stderr[-6_000:])


def test_what_was_once_found_stays_mended() -> None:
    for path in sorted((HERE / "found").glob("*/*")):
        if (target := TARGETS.get(path.parent.name)) is not None:
            attempt(target, path.read_bytes())


def main() -> None:
    """In a process of its own: a target, and how many inputs."""
    target = TARGETS[sys.argv[1]]
    for data in itertools.islice(mutated(target.seeds(), 1), int(sys.argv[2])):
        attempt(target, data)


if __name__ == "__main__":
    main()
