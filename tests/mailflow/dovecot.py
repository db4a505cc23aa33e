"""A real Dovecot with its own configuration and mail on loopback, for tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailflow.postfix import PATH, free_port

PASSWORD = "correct-horse"

CONFIGURATION = """\
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{root}/mail/%n
mail_uid = {user}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
imap_capability = {capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={gid} home={root}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
"""


@dataclass
class Dovecot:
    """A running server: ports without and with TLS, and its certificate."""

    root: Path
    port: int
    tls: int

    @property
    def ca(self) -> Path:
        return self.root / "cert.pem"

    def client(self, user: str = "bo"):  # type: ignore[no-untyped-def]
        """A client of another program: what the user sees."""
        from imapclient import IMAPClient

        client = IMAPClient("127.0.0.1", self.port, ssl=False)
        client.login(user, PASSWORD)
        return client

    def put(self, *mails: EmailMessage, folder: str = "INBOX") -> None:
        with self.client() as client:
            for mail in mails:
                client.append(folder, mail.as_bytes())

    def mails(self, folder: str = "INBOX") -> dict[str, tuple[bytes, ...]]:
        """Subjects and flags of a folder."""
        with self.client() as client:
            if not client.folder_exists(folder):
                return {}
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["FLAGS", "ENVELOPE"])
            return {m[b"ENVELOPE"].subject.decode(): m[b"FLAGS"] for m in found.values()}


@contextmanager
def dovecot(capability: str = "") -> Iterator[Dovecot]:
    """Run it until the block ends; skipped where there is none."""
    program = shutil.which("dovecot", path=PATH)
    if program is None:
        pytest.skip("no Dovecot here (Debian: apt-get install dovecot-imapd)")
    if os.geteuid() != 0:
        pytest.skip("this Dovecot is started as root")
    root = Path(tempfile.mkdtemp(prefix="whichlever-dovecot-"))
    try:
        root.chmod(0o755)
        nobody = pwd.getpwnam("nobody")
        (root / "mail").mkdir(mode=0o755)
        os.chown(root / "mail", nobody.pw_uid, nobody.pw_gid)
        _certificate(root)
        server = Dovecot(root, free_port(), free_port())
        (root / "dovecot.conf").write_text(
            CONFIGURATION.format(
                root=root, user=nobody.pw_uid, gid=nobody.pw_gid, port=server.port,
                tls=server.tls, password=PASSWORD, capability=capability,
            )
        )  # fmt: skip
        process = subprocess.Popen([program, "-F", "-c", str(root / "dovecot.conf")])
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _certificate(root: Path) -> None:
    """One for 127.0.0.1 that vouches for itself."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (root / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (root / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _wait(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    log = server.root / "dovecot.log"
    raise AssertionError(log.read_text() if log.exists() else "Dovecot does not start")
