"""A real Postfix with its own configuration and queue on loopback, for tests."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
command_directory = /usr/sbin
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}/log
myhostname = mx.company.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = error
relay_transport = error
local_transport = error
virtual_mailbox_domains = company.test
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
milter_connect_timeout = 5s
milter_command_timeout = {timeout}s
milter_content_timeout = 30s
smtpd_milters = {milter}
milter_default_action = {action}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
"""Debian has Postfix's programs where not every user looks."""


def ran(*command: str) -> str:
    """Run one of Postfix's programs; what it says."""
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PATH": PATH}
    ).stdout


@dataclass
class Postfix:
    """A running mail server: where it listens and where it puts mail."""

    root: Path
    port: int

    def send(self, *mails: EmailMessage | bytes, sender: str = "ada@partner.test") -> None:
        """Hand mails over in one SMTP connection; smtplib's errors say what it answers."""
        with smtplib.SMTP("127.0.0.1", self.port, "client.test", timeout=30) as client:
            for mail in mails:
                raw = mail if isinstance(mail, bytes) else mail.as_bytes()
                crlf = raw.replace(b"\n", b"\r\n")
                client.sendmail(sender, ["bo@company.test"], crlf)

    def delivered(self, count: int) -> list[bytes]:
        """The mails in the Maildir, in the order of delivery, once there are ``count``."""
        new = self.root / "mail" / "inbox" / "new"
        for _ in range(300 if count else 1):
            found = list(new.glob("*")) if new.is_dir() else []
            if len(found) >= count:
                break
            time.sleep(0.05)
        assert len(found) == count, (found, self.log())
        return [path.read_bytes() for path in sorted(found, key=lambda p: p.stat().st_mtime_ns)]

    def queue(self) -> list[dict[str, object]]:
        """What waits, by postqueue."""
        said = ran("postqueue", "-c", str(self.root / "etc"), "-j")
        return [json.loads(line) for line in said.splitlines()]

    def release(self) -> None:
        """Let go what is on hold."""
        etc = str(self.root / "etc")
        ran("postsuper", "-c", etc, "-H", "ALL")
        ran("postqueue", "-c", etc, "-f")

    def log(self) -> str:
        path = self.root / "log" / "mail.log"
        return path.read_text() if path.exists() else ""


@contextmanager
def postfix(milter: str, action: str = "accept", timeout: int = 20) -> Iterator[Postfix]:
    """Run it until the block ends; skipped where there is none."""
    if shutil.which("postfix", path=PATH) is None:
        pytest.skip("no Postfix here (Debian: apt-get install postfix)")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts as root alone")
    port = free_port()
    # Not pytest's own folder: Postfix's user must be able to reach it.
    root = Path(tempfile.mkdtemp(prefix="whichlever-postfix-"))
    try:
        root.chmod(0o755)
        owner = pwd.getpwnam("postfix")
        nobody = pwd.getpwnam("nobody")
        for name in ("etc", "spool", "data", "log", "mail"):
            (root / name).mkdir(mode=0o755)
        os.chown(root / "data", owner.pw_uid, owner.pw_gid)
        os.chown(root / "mail", nobody.pw_uid, nobody.pw_gid)
        main = MAIN.format(
            root=root, milter=milter, action=action, timeout=timeout, uid=nobody.pw_uid,
            gid=nobody.pw_gid,
        )  # fmt: skip
        (root / "etc" / "main.cf").write_text(main)
        (root / "etc" / "master.cf").write_text(MASTER.format(port=port))
        server = Postfix(root, port)
        try:
            ran("postfix", "-c", str(root / "etc"), "start")
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stderr + server.log()) from None
        try:
            _wait(port)
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):
                ran("postfix", "-c", str(root / "etc"), "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def header(raw: bytes, name: str) -> list[str]:
    """Every value of a header, unfolded."""
    head = raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode("latin-1")
    unfolded = re.sub(r"\n[ \t]+", " ", head)
    return [
        line.partition(":")[2].strip()
        for line in unfolded.split("\n")
        if line.partition(":")[0].strip().lower() == name.lower()
    ]


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Postfix does not listen")
