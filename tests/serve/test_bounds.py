"""What a server holds is bounded, whoever sends what; and what it says it can always say."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from live import Live, serving

from tiny_bundle import TEXTS, tiny_bundle

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("served") / "m.wl")


@pytest.fixture(scope="module")
def live(bundle: Path) -> Iterator[Live]:
    with serving(bundle) as found:
        yield found


def connected(live: Live) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", live.port), timeout=20)
    one.settimeout(20)
    return one


def sent(one: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # where it hangs up on us, that is what is tested
        one.sendall(data)


def hung_up(one: socket.socket) -> None:
    """Read until the server ends the connection; a timeout where it does not."""
    with contextlib.suppress(ConnectionError):
        while one.recv(65_536):
            pass


def resident_mb(live: Live) -> float:
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@pytest.mark.parametrize(
    "given", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 5_000, b'"\\ud800"', b"true", b"[1]"]
)
def test_an_odd_id_is_no_failure(live: Live, given: bytes) -> None:
    body = b'{"row": {"id": ' + given + b', "text": "backup job"}}'
    said = httpx.post(f"{live.url}/v1/predict", content=body, trust_env=False)
    assert said.status_code in (200, 400)
    assert said.status_code == 400 or said.json()["label"] == "noise"


def test_a_long_number_is_kept_as_training_read_it(live: Live) -> None:
    body = b'{"rows": [{"id": 123456789012345678901234567890, "text": "backup job"}, "backup"]}'
    said = httpx.post(f"{live.url}/v1/predict", content=body, trust_env=False).json()
    assert [a["label"] for a in said["answers"]] == ["noise", "noise"]


def test_too_many_rows_to_explain_are_refused(live: Live) -> None:
    assert live.predict(TEXTS, explain=2).status_code == 422
    assert live.predict(TEXTS[:32], explain=2).status_code == 200


@pytest.mark.parametrize(
    "head",
    [b"GET /" + b"a" * 200_000, b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
     b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 40_000],
)  # fmt: skip
def test_an_endless_head_is_cut_off(live: Live, head: bytes) -> None:
    with connected(live) as one:
        sent(one, head)
        hung_up(one)
    assert live.predict([TEXTS[0]]).status_code == 200


def test_endless_trailers_are_cut_off(live: Live) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(live) as one:
        sent(one, head + b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 40_000)
        hung_up(one)
    assert live.predict([TEXTS[0]]).status_code == 200


def test_a_body_a_byte_a_chunk_is_still_read(live: Live) -> None:
    body = json.dumps({"rows": [TEXTS[0]], "explain": 0}).encode()
    chunks = b"".join(b"1\r\n" + body[i : i + 1] + b"\r\n" for i in range(len(body)))
    head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(live) as one:
        one.sendall(head + chunks + b"0\r\n\r\n")
        assert one.recv(1_000).startswith(b"HTTP/1.1 200")


def test_bytes_in_hand_are_bounded_and_come_back(bundle: Path) -> None:
    """Twenty half-sent bodies fill the room; the next gets 429, and once they end, 200 again."""
    with serving(bundle, "--max-bodies", "1000000", "--timeout", "3") as live:
        head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
        held = [connected(live) for _ in range(20)]
        for one in held:
            sent(one, head + b" " * 60_000)
        time.sleep(0.5)
        refused = live.predict(["x" * 90_000])
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        text = httpx.get(f"{live.url}/metrics", trust_env=False).text
        assert 'whichlever_rejected_total{why="bytes"}' in text
        for one in held:
            one.close()
        for _ in range(100):
            if live.predict(["x" * 90_000]).status_code == 200:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the room did not come back")


def test_a_flood_gets_429_and_memory_stays(bundle: Path) -> None:
    """Far more at once than may wait: some are answered, the others told to come again."""
    with serving(bundle, "--max-waiting", "300", "--max-bodies", "4000000") as live:
        live.predict(TEXTS)
        before = resident_mb(live)
        body = json.dumps({"rows": [" ".join(TEXTS)] * 100}).encode()
        head = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        for _ in range(3):
            held = [connected(live) for _ in range(40)]
            live.process.send_signal(signal.SIGSTOP)  # so that all of them are there at once
            writers = [threading.Thread(target=sent, args=(one, head + body)) for one in held]
            for writer in writers:
                writer.start()
            time.sleep(0.2)
            live.process.send_signal(signal.SIGCONT)
            heads = [one.recv(65_536) for one in held]
            for writer in writers:
                writer.join()
            for one in held:
                one.close()
            statuses = {head.split(b" ", 2)[1] for head in heads}
            assert statuses == {b"200", b"429"}
            assert all(b"\r\nretry-after: " in h for h in heads if b" 429 " in h[:15])
        assert resident_mb(live) < before + 120
        assert live.predict([TEXTS[0]]).status_code == 200


def test_serving_loads_no_training_library(bundle: Path) -> None:
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n"
        "from whichlever.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "serve", str(bundle), "--allow-unsigned", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as done:
        assert done.stderr is not None
        first = json.loads(done.stderr.readline())
        url = f"http://127.0.0.1:{first['port']}"
        body = {"rows": [TEXTS[0]], "explain": 2}
        assert httpx.post(f"{url}/v1/predict", json=body, trust_env=False).status_code == 200
        assert httpx.get(f"{url}/openapi.json", trust_env=False).status_code == 200
        done.terminate()
        out, _ = done.communicate(timeout=30)
    loaded = {name.split(".")[0] for name in json.loads(out)}
    assert "uvicorn" in loaded
    assert loaded.isdisjoint({"torch", "transformers", "sklearn", "scipy", "pandas", "polars"})
