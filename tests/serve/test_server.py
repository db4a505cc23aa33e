"""A live server: what it answers, what it refuses, and how it stops and swaps."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from live import Live, serving

from tiny_bundle import TEXTS, tiny_bundle
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.lines import answer_line

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("served") / "m.wl")


@pytest.fixture(scope="module")
def live(bundle: Path) -> Iterator[Live]:
    with serving(bundle) as found:
        yield found


def test_it_answers_as_the_bundle_does(live: Live, bundle: Path) -> None:
    here = Bundle.open(bundle, allow_unsigned=True)
    rows = [{"id": f"a{i}", "text": text} for i, text in enumerate(TEXTS)]
    said = live.predict(rows).json()["answers"]
    expected = here.predict(rows)
    assert said == [
        answer_line(p, here.manifest, id=r["id"]) for p, r in zip(expected, rows, strict=True)
    ]


def test_one_bad_row_does_not_spoil_the_others(live: Live) -> None:
    answers = live.predict([TEXTS[0], 7, {"x": 1}, "", {"id": "k", "text": TEXTS[-1]}]).json()
    kinds = ["error" in a for a in answers["answers"]]
    assert kinds == [False, True, True, True, False]
    assert answers["answers"][4]["id"] == "k"
    alone = httpx.post(f"{live.url}/v1/predict", json={"row": {"x": 1}}, trust_env=False)
    assert alone.status_code == 422
    assert alone.headers["content-type"] == "application/problem+json"


def test_it_names_the_words_that_decided(live: Live) -> None:
    (answer,) = live.predict([TEXTS[0]], explain=3).json()["answers"]
    assert len(answer["why"]) == 3
    assert answer["why"][0]["weight"] > 0


def test_top_gives_the_most_probable_scores_alone(live: Live) -> None:
    rows = [*TEXTS[:3], 7]
    whole, best = (live.predict(rows, **more).json()["answers"] for more in ({}, {"top": 1}))
    for every, one in zip(whole[:3], best[:3], strict=True):
        assert one["scores"] == {one["label"]: max(every["scores"].values())}
    assert best[3] == whole[3]
    assert live.predict(rows, top=99).json()["answers"][0]["scores"] == whole[0]["scores"]
    assert live.predict(rows, top=0).status_code == 422


def test_vllms_shape(live: Live) -> None:
    said = httpx.post(
        f"{live.url}/classify", json={"model": "x", "input": TEXTS[:2]}, trust_env=False
    ).json()
    assert said["object"] == "list"
    assert [d["index"] for d in said["data"]] == [0, 1]
    assert said["data"][0]["num_classes"] == len(said["data"][0]["probs"]) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"[" * 200_000, 400),
        (b"{}", 422),
        (b'{"rows": []}', 422),
        (b'{"rows": 1}', 422),
        (b'{"rows": ["a"], "row": "b"}', 422),
        (b'{"rows": ["a"], "evil": 1}', 422),
        (b'{"rows": ["a"], "explain": true}', 422),
        (b'{"rows": [' + b'"a",' * 1_000 + b'"a"]}', 422),
        (b" " * (4 * 2**20 + 1), 413),
    ],
)
def test_bad_requests_are_problems_and_repeat_nothing(live: Live, body: bytes, status: int) -> None:
    said = httpx.post(
        f"{live.url}/v1/predict", content=body, trust_env=False,
        headers={"content-type": "application/json"},
    )  # fmt: skip
    assert said.status_code == status
    assert said.json()["status"] == status
    assert "evil" not in said.text


def test_who_sends_too_much_still_reads_the_answer(live: Live) -> None:
    for _ in range(20):
        said = httpx.post(
            f"{live.url}/v1/predict", content=b" " * 2**23, trust_env=False,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert (said.status_code, said.json()["status"]) == (413, 413)


def test_a_chunked_body_is_counted_too(live: Live) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 100_000

    try:
        said = httpx.post(f"{live.url}/v1/predict", content=chunks(), trust_env=False)
    except httpx.HTTPError:
        return  # it closed on us while we were still sending: as good
    assert said.status_code == 413


def test_paths_methods_ids_and_headers(live: Live) -> None:
    assert httpx.get(f"{live.url}/nothing", trust_env=False).status_code == 404
    assert httpx.get(f"{live.url}/v1/predict", trust_env=False).status_code == 405
    said = httpx.get(f"{live.url}/healthz", headers={"x-request-id": "abc-1"}, trust_env=False)
    assert said.headers["x-request-id"] == "abc-1"
    assert "server" not in said.headers
    odd = httpx.get(f"{live.url}/healthz", headers={"x-request-id": "a b\\"}, trust_env=False)
    assert odd.headers["x-request-id"] != "a b\\"


def test_logs_hold_no_input_and_metrics_count(live: Live) -> None:
    live.predict(["a very secret text about backup"])
    last = [e for e in live.events() if e["event"] == "request"][-1]
    assert last["rows"] == 1
    live.log.seek(0)
    assert b"secret" not in live.log.read()
    text = httpx.get(f"{live.url}/metrics", trust_env=False).text
    for name in ("request_seconds_bucket", "batch_rows_sum", "answers_total", "score_bucket"):
        assert f"whichlever_{name}" in text
    assert "secret" not in text


def test_no_public_bind_without_keys(bundle: Path) -> None:
    command = [sys.executable, "-m", "whichlever", "serve", str(bundle), "--allow-unsigned",
               "--host", "0.0.0.0", "--port", "0"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--api-keys" in done.stderr
    assert done.stderr.count("\n") == 1


def keys_file(folder: Path, *more: str) -> tuple[Path, str]:
    path = folder / "keys.json"
    made = subprocess.run(
        [sys.executable, "-m", "whichlever", "serve-keys", "add", str(path), *more],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return path, made.stdout.strip()


def test_api_keys_rotate_and_have_limits(bundle: Path, tmp_path: Path) -> None:
    path, first = keys_file(tmp_path, "first", "--rows-per-minute", "10")
    assert first not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    with serving(bundle, "--api-keys", str(path)) as live:

        def ask(key: str, rows: int = 1) -> httpx.Response:
            return httpx.post(
                f"{live.url}/v1/predict", json={"rows": [TEXTS[0]] * rows}, trust_env=False,
                headers={"authorization": f"Bearer {key}"},
            )  # fmt: skip

        assert live.predict([TEXTS[0]]).status_code == 401
        assert ask("wl_wrong").status_code == 401
        assert httpx.get(f"{live.url}/metrics", trust_env=False).status_code == 401
        assert httpx.get(f"{live.url}/readyz", trust_env=False).status_code == 200
        assert ask(first, 10).status_code == 200
        refused = ask(first, 5)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        _, second = keys_file(tmp_path, "second")
        assert ask(second).status_code == 401
        live.process.send_signal(signal.SIGHUP)
        live.wait_for("reloaded")
        assert ask(second).status_code == 200
        revoke = [sys.executable, "-m", "whichlever", "serve-keys", "revoke", str(path), "first"]
        subprocess.run(revoke, check=True, capture_output=True)
        live.process.send_signal(signal.SIGHUP)
        live.wait_for("reloaded", 2)
        assert ask(first).status_code == 401
        names = {e["key"] for e in live.events() if e["event"] == "request"}
        assert names == {None, "first", "second"}


def test_a_swap_drops_no_request(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "m.wl")
    statuses: list[int] = []
    stop = threading.Event()
    with serving(bundle) as live:

        def fire() -> None:
            with httpx.Client(trust_env=False, timeout=20) as client:
                while not stop.is_set():
                    said = client.post(f"{live.url}/v1/predict", json={"rows": TEXTS})
                    statuses.append(said.status_code)

        threads = [threading.Thread(target=fire) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(3):
            time.sleep(0.3)
            tiny_bundle(bundle, task=f"turn-{turn}")
            live.process.send_signal(signal.SIGHUP)
            live.wait_for("reloaded", turn + 1)
            said = httpx.get(f"{live.url}/v1/model", trust_env=False).json()
            assert said["task"] == f"turn-{turn}"
        bundle.write_bytes(b"damaged")
        live.process.send_signal(signal.SIGHUP)
        live.wait_for("reload failed")
        assert httpx.get(f"{live.url}/v1/model", trust_env=False).json()["task"] == "turn-2"
        stop.set()
        for thread in threads:
            thread.join()
    assert len(statuses) > 50
    assert set(statuses) == {200}


def test_sigterm_drains(bundle: Path) -> None:
    with serving(bundle, "--drain", "0.7") as live:
        live.process.send_signal(signal.SIGTERM)
        live.wait_for("draining")
        assert httpx.get(f"{live.url}/readyz", trust_env=False).status_code == 503
        assert live.predict([TEXTS[0]]).status_code == 200
        assert live.process.wait(20) == 0
        assert live.events()[-1]["event"] == "stopped"


def test_https(bundle: Path, tmp_path: Path) -> None:
    x509 = pytest.importorskip("cryptography.x509", reason="the extra 'sign' is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    options = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    with serving(bundle, *options) as live:
        trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        with httpx.Client(verify=trusted, trust_env=False) as client:
            url = f"https://localhost:{live.port}/v1/predict"
            said = client.post(url, json={"rows": TEXTS * 20})
            assert len(said.json()["answers"]) == len(TEXTS) * 20
    command = [sys.executable, "-m", "whichlever", "serve", str(bundle), "--allow-unsigned"]
    for wrong in (options[:2], [*options[:3], options[1]], [*options[:3], "nowhere.pem"]):
        done = subprocess.run(
            [*command, *wrong], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_a_shadow_is_compared_and_says_nothing(bundle: Path, tmp_path: Path) -> None:
    other = tiny_bundle(tmp_path / "other.wl", temperature=3.0)
    with serving(bundle, "--shadow", str(other)) as live:
        assert set(live.predict(TEXTS).json()) == {"answers"}
        for _ in range(50):
            text = httpx.get(f"{live.url}/metrics", trust_env=False).text
            if 'whichlever_shadow_total{answer="noise",shadow="noise"} 20.0' in text:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the shadow was not asked")


def test_inputs_are_kept_only_where_asked_for(bundle: Path, tmp_path: Path) -> None:
    old = tmp_path / "kept" / "2020-01-01.jsonl"
    old.parent.mkdir()
    old.write_text("{}\n")
    with serving(bundle, "--log-inputs", str(old.parent), "--retain-days", "3") as live:
        live.predict([TEXTS[0], 7])
    (kept,) = old.parent.iterdir()
    assert kept != old
    assert json.loads(kept.read_text())["input"] == TEXTS[0]
    assert kept.stat().st_mode & 0o077 == 0


def test_hostile_connections_do_not_stop_it_or_grow_it(bundle: Path) -> None:
    """Half requests, slow bodies, aborted answers and huge heads beside honest requests."""
    with serving(bundle, "--timeout", "1") as live:
        live.predict(TEXTS)

        def resident() -> int:
            status = Path(f"/proc/{live.process.pid}/status").read_text()
            return int(status.split("VmRSS:")[1].split()[0])

        before = resident()
        held = []
        until = time.monotonic() + 4
        heads = [
            b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{",
            b"GET / HTTP/1.1\r\n",
            b"\x16\x03\x01" + os.urandom(200),
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
            b"POST /v1/predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        ]
        while time.monotonic() < until:
            for head in heads:
                one = socket.create_connection(("127.0.0.1", live.port))
                one.sendall(head)
                held.append(one)
            if len(held) > 200:
                for one in held:
                    one.close()
                held.clear()
            assert live.predict([TEXTS[0]]).status_code == 200
        for one in held:
            one.close()
        assert resident() < before + 60_000
        assert live.process.poll() is None
