"""POST /v1/mail of a real server: what mail scan says, within the same bounds as every route."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")

from live import Live, serving
from typer.testing import CliRunner

from runtime.test_imports import LATE, TRAINING, imported
from tiny_bundle import tiny_bundle
from tiny_mail_bundle import BAD, GOOD, mail, tiny_mail_bundle
from whichlever.cli.app import app
from whichlever.serve.mail import EXAMPLE

RFC822 = {"Content-Type": "message/rfc822"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serve-mail")
    tiny_mail_bundle(folder / "phishing.wl")
    (folder / "company.yaml").write_text("domains: [company.test]\npartners: [partner.test]\n")
    (folder / "history.json").write_text('{"seen": {"ada@partner.test": [9, 0, 0]}, "names": {}}')
    return folder


def files(folder: Path) -> list[str]:
    return ["--company", str(folder / "company.yaml"), "--history", str(folder / "history.json")]


@pytest.fixture(scope="module")
def live(folder: Path) -> Iterator[Live]:
    os.environ["PYTHONPROFILEIMPORTTIME"] = "1"
    try:
        with serving(folder / "phishing.wl", *files(folder), "--max-body", "100000") as live:
            yield live
    finally:
        del os.environ["PYTHONPROFILEIMPORTTIME"]


def ask(live: Live, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{live.url}/v1/mail", content=body, headers=headers, trust_env=False)


def test_it_says_what_mail_scan_says(live: Live, folder: Path) -> None:
    mails = [
        mail(BAD),
        mail(GOOD),
        mail(GOOD, From="Ada <ada@partmer.test>"),
        mail(BAD, Reply_To="x@other.test"),
    ]
    (folder / "in").mkdir()
    for number, one in enumerate(mails):
        (folder / "in" / f"{number}.eml").write_bytes(one.as_bytes())
    scanned = CliRunner().invoke(
        app, ["mail", "scan", str(folder / "in"), "--model", str(folder / "phishing.wl"),
              "--allow-unsigned", *files(folder), "-o", str(folder / "out.jsonl")]
    )  # fmt: skip
    assert scanned.exit_code == 0, scanned.output
    wanted = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [line["verdict"] for line in wanted] == [
        "phishing", "legitimate", "suspicious", "phishing"
    ]  # fmt: skip
    for one, line in zip(mails, wanted, strict=True):
        found = ask(live, one.as_bytes(), **RFC822)
        assert found.status_code == 200
        assert found.json() == {**line, "id": 0}
        packed = json.dumps({"mail": base64.b64encode(one.as_bytes()).decode()}).encode()
        assert ask(live, packed, **{"Content-Type": "application/json"}).json() == found.json()


def test_what_is_no_mail_is_said_and_never_repeated(live: Live) -> None:
    json_kind = {"Content-Type": "application/json"}
    for body, headers, status in (
        (b"x", {"Content-Type": "text/plain"}, 415),
        (b"", RFC822, 422),
        (b"{", json_kind, 400),
        (b"[]", json_kind, 400),
        (b'{"mail": "no base64!"}', json_kind, 422),
        (b'{"mail": "eA==", "more": 1}', json_kind, 422),
        (b"x" * 100_001, RFC822, 413),
    ):
        found = ask(live, body, **headers)
        assert found.status_code == status, (body[:30], found.text)
        assert "base64!" not in found.text
    # Bytes that are no mail at all are a mail without headers, as everywhere.
    assert ask(live, bytes(range(256)), **RFC822).status_code == 200


def test_it_is_counted_described_and_logged_without_text(live: Live) -> None:
    ask(live, mail(BAD, "secret subject").as_bytes(), **RFC822)
    said = httpx.get(f"{live.url}/metrics", trust_env=False).text
    assert 'whichlever_mails_total{verdict="phishing"}' in said
    assert 'whichlever_requests_total{route="/v1/mail",status="200"}' in said
    described = httpx.get(f"{live.url}/openapi.json", trust_env=False).json()
    example = described["components"]["schemas"]["MailVerdict"]["example"]
    assert ask(live, EXAMPLE, **RFC822).json() == example
    assert set(described["paths"]["/v1/mail"]["post"]["requestBody"]["content"]) == {
        "message/rfc822", "application/json"
    }  # fmt: skip
    live.log.seek(0)
    log = live.log.read().decode()
    assert "secret subject" not in log
    loaded = imported(log)
    assert "whichlever.mail.parse" in loaded
    assert loaded.isdisjoint(TRAINING + LATE), sorted(loaded & {*TRAINING, *LATE})


def test_keys_hold_for_it(folder: Path) -> None:
    keys = folder / "keys"
    made = subprocess.run(
        [sys.executable, "-m", "whichlever", "serve-keys", "add", str(keys), "desk"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    key = made.stdout.split()[-1]
    with serving(folder / "phishing.wl", "--api-keys", str(keys)) as live:
        assert ask(live, EXAMPLE, **RFC822).status_code == 401
        assert ask(live, EXAMPLE, **RFC822, **{"X-API-Key": key}).status_code == 200


def test_other_bundles_answer_no_mail(folder: Path, tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "m.wl")
    with serving(path) as live:
        assert ask(live, EXAMPLE, **RFC822).status_code == 404
        described = httpx.get(f"{live.url}/openapi.json", trust_env=False).json()
        assert "/v1/mail" not in described["paths"]
    done = subprocess.run(
        [sys.executable, "-m", "whichlever", "serve", str(path), "--allow-unsigned",
         *files(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "does not read mail" in done.stderr


@pytest.mark.slow
def test_schemathesis_finds_nothing(folder: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    with serving(folder / "phishing.wl", *files(folder)) as live:
        done = subprocess.run(
            [str(program), "run", f"{live.url}/openapi.json", "--max-examples", "25",
             "--seed", "1", "--checks", "all", "--no-color", "--generation-database", "none",
             "--include-path", "/v1/mail"],
            capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert not [e for e in live.events() if e["event"] == "failed"]
