"""The live server held to its own OpenAPI description, and under load with every answer checked."""

from __future__ import annotations

import importlib.util
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from live import serving

from tiny_bundle import TEXTS, tiny_bundle
from whichlever.runtime.bundle import Bundle

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")

BENCH = Path(__file__).resolve().parents[2] / "bench" / "load.py"


def load():
    spec = importlib.util.spec_from_file_location("load", BENCH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["load"] = module
    spec.loader.exec_module(module)
    return module


LOAD = load()


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    with serving(tiny_bundle(tmp_path / "m.wl")) as live:
        done = subprocess.run(
            [str(program), "run", f"{live.url}/openapi.json", "--max-examples", "15",
             "--seed", "1", "--checks", "all", "--no-color", "--generation-database", "none"],
            capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert not [e for e in live.events() if e["event"] == "failed"]


def answers_of(path: Path, size: int) -> tuple[list[bytes], list[str]]:
    """Bodies of so many rows, no two alike, and the labels that the bundle gives them."""
    here = Bundle.open(path, allow_unsigned=True)
    batches = [[TEXTS[(i * 7 + k * 3) % len(TEXTS)] for k in range(size)] for i in range(40)]
    labels = [",".join(json.dumps(p.label) for p in here.predict(batch)) for batch in batches]
    assert len(set(labels)) > 1
    return [json.dumps({"rows": batch}).encode() for batch in batches], labels


@pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk (Debian: apt-get install wrk)")
def test_every_answer_is_right_at_saturation_and_while_bundles_swap(tmp_path: Path) -> None:
    """Some seconds of ``bench/serving.py``'s minute."""
    path = tiny_bundle(tmp_path / "m.wl")
    bodies, labels = answers_of(path, 3)
    with serving(path) as live:
        stop = threading.Event()

        def swap() -> None:
            while not stop.wait(0.4):
                live.process.send_signal(signal.SIGHUP)

        swapping = threading.Thread(target=swap)
        swapping.start()
        try:
            found = LOAD.saturate(live.port, bodies, labels, 3.0)
        finally:
            stop.set()
            swapping.join()
        assert found.requests > 100
        assert (found.wrong, found.broken) == (0, 0)
        live.wait_for("reloaded", 3)
        wrong = LOAD.saturate(live.port, bodies, labels[1:] + labels[:1], 1.0).wrong
        assert wrong > 0  # so that the check is known to check


@pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk (Debian: apt-get install wrk)")
def test_vllms_shape_is_right_at_saturation(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "m.wl")
    bodies, labels = answers_of(path, 1)
    asked = [json.dumps({"input": json.loads(body)["rows"]}).encode() for body in bodies]
    with serving(path) as live:
        found = LOAD.saturate(live.port, asked, labels, 1.0, path="/classify")
    assert found.requests > 20
    assert (found.wrong, found.broken) == (0, 0)
