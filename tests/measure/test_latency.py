"""Latency of a predictor whose speed is known."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from whichlever.measure.latency import from_seconds, measure_latency
from whichlever.predict import Prediction, Row

ROWS = [Row(id=str(i), text="x") for i in range(300)]


class Sleeper:
    """Waits per call, not per row, as a batching model does."""

    def __init__(self, seconds):
        self.seconds, self.calls = seconds, 0

    def predict(self, rows):
        self.calls += 1
        time.sleep(self.seconds)
        return [Prediction(row.id, "a") for row in rows]


def test_single_rows_and_batches():
    found = measure_latency(Sleeper(0.002), ROWS, seconds=0.6)
    assert found.p50_ms >= 2
    assert found.p50_ms <= found.p95_ms <= found.p99_ms
    assert found.rows_per_second > 1000 / found.p50_ms  # batches win


def test_work_that_another_process_does_has_no_processor_time_here():
    # In an interpreter of its own: threads that other tests left behind count as this process's.
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_latency import ROWS, Sleeper, measure_latency\n"
        "print(measure_latency(Sleeper(0.02), ROWS, seconds=0.6).core_seconds)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "None", done.stderr


def test_bounded_however_slow():
    began = time.monotonic()
    found = measure_latency(Sleeper(0.1), ROWS, seconds=0.2)
    assert found.rows == 5
    assert time.monotonic() - began < 20  # not after 300 rows of 0.1 s


def test_processor_time_of_work_done_here():
    class Busy:
        def predict(self, rows):
            for _ in rows:
                sum(range(20_000))
            return [Prediction(row.id, "a") for row in rows]

    found = measure_latency(Busy(), ROWS, seconds=0.3)
    assert 0 < found.core_seconds < 0.1


def test_a_throughput_already_known_is_kept_and_no_rows_are_no_latency():
    assert measure_latency(Sleeper(0), ROWS, 0.05, rows_per_second=7.0).rows_per_second == 7.0
    assert measure_latency(Sleeper(0), [], 1.0).p50_ms is None


def test_recorded_seconds():
    found = from_seconds([0.1, None, 0.3, float("nan"), 0.2])
    assert found.rows == 3
    assert found.p50_ms == pytest.approx(200)
    assert found.rows_per_second == pytest.approx(5)
    assert from_seconds([None, None]).p95_ms is None
