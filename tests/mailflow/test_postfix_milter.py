"""Mail through a real Postfix and the milter: judged, held, passed unchecked, never lost."""

from __future__ import annotations

import json
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")

from mailflow.postfix import free_port, header, postfix
from tiny_mail_bundle import BAD, GOOD, mail, tiny_mail_bundle
from whichlever.mail.scan import MailVerdict
from whichlever.mailflow.listening import Listen
from whichlever.mailflow.milter import Milter, Settings
from whichlever.mailflow.milter_session import Rules


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mail_bundle(tmp_path_factory.mktemp("mail") / "phishing.wl")


class Running:
    """The milter as users start it."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self._log = process, log

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def wait_for(self, event: str) -> dict[str, object]:
        for _ in range(600):
            found = [e for e in self.events() if e["event"] == event]
            if found:
                return found[-1]
            assert self.process.poll() is None or event == "stopped", self._log.read_text()
            time.sleep(0.05)
        raise AssertionError(self._log.read_text())


@contextmanager
def milter(bundle: Path, folder: Path, listen: str, *more: str) -> Iterator[Running]:
    log = folder / "milter.log"
    command = [sys.executable, "-m", "whichlever", "mail", "milter", "--listen", listen]
    command += ["--model", str(bundle), "--allow-unsigned", *more]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stream)
        running = Running(process, log)
        try:
            running.wait_for("listening")
            yield running
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()


def test_mail_is_judged_held_and_released(bundle: Path, tmp_path: Path) -> None:
    company = tmp_path / "company.yaml"
    company.write_text("domains: [company.test]\npartners: [partner.test]\n")
    at = f"inet:127.0.0.1:{free_port()}"
    forged = mail(GOOD, X_Whichlever_Verdict="legitimate", x_whichlever_SCORE="0.0")
    forged["X-Whichlever-Verdict"] = "legitimate; really"
    forged = forged.as_bytes().replace(b"really\n", b"really\nX-Whichlever-Note : trust me\n")
    more = ("--quarantine", "phishing", "--company", str(company))
    with milter(bundle, tmp_path, at, *more) as running, postfix(at) as server:
        # Several mails in one connection: none gets another's headers.
        alike = mail(GOOD, From="Ada <ada@p\u0430rtner.test>")
        server.send(mail(BAD, "secret subject"), mail(GOOD), forged, alike)
        good, cleaned, other = server.delivered(3)
        assert header(good, "X-Whichlever-Verdict") == ["legitimate"]
        assert 0 <= float(header(good, "X-Whichlever-Score")[0]) < 0.5
        assert header(good, "X-Whichlever-Reasons")[0].startswith("the model gives phishing 0.")
        assert header(cleaned, "X-Whichlever-Verdict") == ["legitimate"]
        assert len(header(cleaned, "X-Whichlever-Score")) == 1
        assert header(cleaned, "X-Whichlever-Note") == [
            "headers of these names that it came with were removed"
        ]
        assert b"trust me" not in cleaned
        assert b"really" not in cleaned
        assert b"\\u0430" in other
        assert max(map(len, other.split(b"\n\n")[0].splitlines())) < 200
        assert header(other, "X-Whichlever-Verdict") == ["suspicious"]
        assert "lookalike_domain" in header(other, "X-Whichlever-Signals")[0]
        running.process.send_signal(signal.SIGHUP)
        running.wait_for("reloaded")
        held = server.queue()
        assert [one["queue_name"] for one in held] == ["hold"]
        assert held[0]["recipients"] == [{"address": "bo@company.test"}]
        server.release()
        released = [raw for raw in server.delivered(4) if b"secret subject" in raw]
        assert header(released[0], "X-Whichlever-Verdict") == ["phishing"]
        mails = [e for e in running.events() if e["event"] == "mail"]
        assert [e["did"] for e in mails] == ["held", "passed", "passed", "passed"]
        assert all(e["queue"] for e in mails)
        logged = (tmp_path / "milter.log").read_text()
        for text in ("secret", "password", "ada@", "meeting"):
            assert text not in logged
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert running.wait_for("stopped")["legitimate"] == 2


def test_what_is_too_long_passes_and_says_so(bundle: Path, tmp_path: Path) -> None:
    path = Path("/tmp") / f"whichlever-{free_port()}.sock"
    at = f"unix:{path}"
    long = mail(BAD + "\n" + "word and word\n" * 10_000)
    with (
        milter(bundle, tmp_path, at, "--max-bytes", "20000", "--socket-mode", "666"),
        postfix(at) as server,
    ):
        server.send(long)
        (raw,) = server.delivered(1)
        assert header(raw, "X-Whichlever-Verdict")[0] in ("phishing", "legitimate")
        said = header(raw, "X-Whichlever-Note")[0]
        assert said.startswith("not read to its end: the first 20000 of 1")
        assert raw.count(b"word and word") == 10_000
    assert not path.exists()


@contextmanager
def failing(
    judge: Callable[[bytes], MailVerdict],
    rules: Rules,
    timeout: float,
    listen: str = "inet:127.0.0.1:0",
) -> Iterator[str]:
    """A milter in this process whose model fails."""
    import asyncio

    where: list[str] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    made = Milter(Settings(Listen.parse(listen), rules, timeout=timeout), judge)

    def told(at: str) -> None:
        where.append(at)
        ready.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(made.run(told)))
    thread.start()
    assert ready.wait(10)
    try:
        yield where[0]
    finally:
        loop.call_soon_threadsafe(made.stop)
        thread.join(20)
        loop.close()


SEEN: list[bytes] = []


def _raises(raw: bytes) -> MailVerdict:
    SEEN.append(raw)
    raise RuntimeError("secret: " + raw.decode("ascii", "replace"))


def _hangs(raw: bytes) -> MailVerdict:
    time.sleep(3)
    raise RuntimeError


@pytest.mark.parametrize(("judge", "why"), [(_raises, "RuntimeError"), (_hangs, "0.5 seconds")])
def test_an_open_milter_passes_what_it_cannot_judge(
    judge: Callable[[bytes], MailVerdict], why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = mail(BAD, X_Folded="one and more " * 20, From="Zo\u00eb  <zoe@partner.test>")
    sent["Message-ID"] = "<1@partner.test>"  # else Postfix adds them
    sent["Date"] = "Sat, 28 Nov 2026 19:00:00 +0000"
    with failing(judge, Rules(fail="open"), 0.5) as at, postfix(at, "tempfail") as server:
        server.send(sent)
        (raw,) = server.delivered(1)
        assert header(raw, "X-Whichlever-Verdict") == ["unchecked"]
        assert why in header(raw, "X-Whichlever-Note")[0]
    if judge is _raises:  # what is judged is the mail to the byte, so that signatures hold
        original = sent.as_bytes().replace(b"\n", b"\r\n")
        assert SEEN[-1] == b"Return-Path: <ada@partner.test>\r\n" + original
    assert "secret" not in capfd.readouterr().err


def test_a_closed_milter_has_the_sender_keep_its_mail(bundle: Path, tmp_path: Path) -> None:
    at = f"inet:127.0.0.1:{free_port()}"
    with postfix(at, "tempfail") as server:
        # No milter at all: Postfix itself says later.
        with pytest.raises(smtplib.SMTPException) as refused:
            server.send(mail(GOOD))
        assert _code(refused.value) == 451
        with failing(_raises, Rules(fail="closed"), 5, at):
            with pytest.raises(smtplib.SMTPDataError) as later:
                server.send(mail(GOOD))
            assert later.value.smtp_code == 451
            assert b"try again later" in later.value.smtp_error
        assert server.queue() == []
        server.delivered(0)
        # The sender tries again when the milter is well.
        with milter(bundle, tmp_path, at, "--fail", "closed"):
            server.send(mail(GOOD))
            (raw,) = server.delivered(1)
            assert header(raw, "X-Whichlever-Verdict") == ["legitimate"]


def test_mail_flows_where_the_milter_is_not_there_hangs_or_was_killed(
    bundle: Path, tmp_path: Path
) -> None:
    at = f"inet:127.0.0.1:{free_port()}"
    with postfix(at, "accept", timeout=1) as server:
        server.send(mail(GOOD))
        with milter(bundle, tmp_path, at) as running:
            running.process.send_signal(signal.SIGSTOP)  # it is there, and says nothing
            server.send(mail(GOOD))
            running.process.send_signal(signal.SIGCONT)
            with smtplib.SMTP("127.0.0.1", server.port, "client.test", timeout=30) as client:
                client.ehlo()
                running.process.kill()
                running.process.wait()
                client.sendmail("ada@partner.test", ["bo@company.test"], mail(GOOD).as_bytes())
        for raw in server.delivered(3):
            assert header(raw, "X-Whichlever-Verdict") == []


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))[0]
    assert isinstance(error, smtplib.SMTPResponseException)
    return error.smtp_code
