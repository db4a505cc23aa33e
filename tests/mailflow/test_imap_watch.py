"""A folder of a real Dovecot, watched: judged once, moved or flagged, never deleted or read."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")
pytest.importorskip("imapclient", reason="the extra 'imap' is not installed")

from mailflow.dovecot import PASSWORD, Dovecot, dovecot
from tiny_mail_bundle import BAD, GOOD, mail, tiny_mail_bundle
from whichlever.cli.app import app
from whichlever.errors import InputError
from whichlever.mail.scan import MailVerdict
from whichlever.mailflow.imap_folder import Account
from whichlever.mailflow.watch import TRIES, Watch, Watching
from whichlever.mailflow.watch_state import WatchState


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mail_bundle(tmp_path_factory.mktemp("mail") / "phishing.wl")


def options(server: Dovecot, bundle: Path, folder: Path, *more: str) -> list[str]:
    (folder / "password").write_text(PASSWORD + "\n")
    return [
        "mail", "watch", "--host", "127.0.0.1", "--user", "bo", "--password-file",
        str(folder / "password"), "--state", str(folder / "state.json"), "--model", str(bundle),
        "--allow-unsigned", "-o", str(folder / "out.jsonl"), *more,
    ]  # fmt: skip


def plain(server: Dovecot) -> list[str]:
    return ["--port", str(server.port), "--tls", "off"]


def run(arguments: list[str]) -> Result:
    return CliRunner().invoke(app, arguments)


def refused(done: Result, why: str) -> None:
    assert isinstance(done.exception, InputError), done.exception
    assert why in str(done.exception)


def lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / "out.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_new_mail_is_judged_once_and_moved(bundle: Path, tmp_path: Path) -> None:
    with dovecot() as server:
        server.put(mail(GOOD, "one"), mail(BAD, "two"), mail(GOOD, "three"))
        asked = options(server, bundle, tmp_path, *plain(server), "--once")
        assert run([*asked, "--move-to", "Quarantine"]).exit_code == 0
        found = lines(tmp_path)
        assert [line["verdict"] for line in found] == ["legitimate", "phishing", "legitimate"]
        assert [line["did"] for line in found] == [[], ["moved to Quarantine"], []]
        # Nothing was read, as a mail reader sees it, and nothing deleted.
        inbox = server.mails()
        assert set(inbox) == {"one", "three"}
        assert all(b"\\Seen" not in flags for flags in inbox.values())
        assert set(server.mails("Quarantine")) == {"two"}
        # A restart repeats nothing and misses nothing.
        assert run([*asked, "--move-to", "Quarantine"]).exit_code == 0
        assert len(lines(tmp_path)) == 3
        server.put(mail(BAD, "four"))
        assert run([*asked, "--flag"]).exit_code == 0
        assert lines(tmp_path)[3:] == [lines(tmp_path)[-1]]
        assert {b"\\Flagged", b"$Phishing"} <= set(server.mails()["four"])
        # The folder made anew: its numbers mean other mails.
        state = WatchState.load(tmp_path / "state.json", f"bo@127.0.0.1:{server.port}/INBOX")
        state.validity = 7
        state.save(tmp_path / "state.json")
        assert run(asked).exit_code == 0
        assert len(lines(tmp_path)) == 4 + 3
        refused(run([*asked, "--folder", "Quarantine"]), "is the state of bo@")
        # What was there before it first looked can be left alone.
        later = [*asked, "--state", str(tmp_path / "later.json"), "--from-now"]
        assert run(later).exit_code == 0
        assert len(lines(tmp_path)) == 7
        server.put(mail(GOOD, "five"))
        assert run(later).exit_code == 0
        assert [line["verdict"] for line in lines(tmp_path)[7:]] == ["legitimate"]


def test_tls_is_checked_and_the_watch_survives_a_restart_of_the_server(
    bundle: Path, tmp_path: Path
) -> None:
    with dovecot() as server:
        asked = options(server, bundle, tmp_path, "--port", str(server.tls))
        refused(run([*asked, "--once"]), "certificate")
        command = [sys.executable, "-m", "whichlever", *asked, "--ca", str(server.ca)]
        log = tmp_path / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stream)
        try:
            _until(lambda: b'"watching"' in log.read_bytes())
            server.put(mail(BAD, "told by IDLE"))
            _until(lambda: len(lines(tmp_path)) == 1)
            subprocess.run(["doveadm", "-c", str(server.root / "dovecot.conf"), "kick", "bo"],
                           check=False, capture_output=True)  # fmt: skip
            _until(lambda: b'"connection lost"' in log.read_bytes())
            server.put(mail(GOOD, "while away"))
            _until(lambda: len(lines(tmp_path)) == 2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
        assert [line["verdict"] for line in lines(tmp_path)] == ["phishing", "legitimate"]
        assert PASSWORD.encode() not in log.read_bytes()
        assert b"IDLE" not in log.read_bytes()
        # STARTTLS on the other port, and a wrong password.
        more = ["--tls", "starttls", "--ca", str(server.ca), "--state", str(tmp_path / "b")]
        again = options(server, bundle, tmp_path, "--port", str(server.port), "--once", *more)
        assert run(again).exit_code == 0
        (tmp_path / "password").write_text("wrong")
        refused(run(again), "the password is refused")


def test_nothing_is_moved_where_the_server_cannot_move(bundle: Path, tmp_path: Path) -> None:
    with dovecot("IMAP4rev1 IDLE") as server:
        server.put(mail(BAD, "stays"))
        asked = options(server, bundle, tmp_path, *plain(server), "--once")
        refused(run([*asked, "--move-to", "Quarantine"]), "no MOVE")
        assert set(server.mails()) == {"stays"}


def test_a_mail_that_cannot_be_judged_is_tried_again(tmp_path: Path) -> None:
    with dovecot() as server:
        server.put(mail(GOOD, "odd"), mail(GOOD, "good"), mail(GOOD + "\n" * 20_000, "long"))
        seen: list[bytes] = []

        def judge(raw: bytes) -> MailVerdict:
            seen.append(raw)
            if b"odd" in raw:
                raise RuntimeError
            return MailVerdict("phishing", 1.0, (), ())

        account = Account("127.0.0.1", "bo", PASSWORD, port=server.port, tls="off")
        told: list[dict[str, Any]] = []
        for _ in range(TRIES + 1):
            watching = Watching(account, tmp_path / "state.json", max_bytes=10_000)
            Watch(watching, judge, told.append).run(once=True)
        assert [line["verdict"] for line in told] == ["phishing", "phishing", "unchecked"]
        assert told[1]["reasons"][-1].startswith("not read to its end: the first 10000 of 4")
        assert len(seen) == 2 + TRIES
        assert len(server.mails()) == 3


def test_no_password_goes_in_the_clear_to_another_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--insecure"):
        Account("mail.company.test", "bo", "x", tls="off").check()
    Account("mail.company.test", "bo", "x", tls="off", insecure=True).check()
    (tmp_path / "state").write_text("{}")
    with pytest.raises(InputError, match="no state"):
        WatchState.load(tmp_path / "state", "bo@x:1/INBOX")


def _until(so: Any) -> None:
    for _ in range(400):
        if so():
            return
        time.sleep(0.05)
    raise AssertionError
