"""One folder of an IMAP server: new mails read without a trace, flagged or moved, never deleted."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from whichlever.errors import InputError, MissingExtraError
from whichlever.offline import is_loopback

CONNECTING, READING = 15.0, 120.0
"""Seconds that the server has to let us in, and to answer."""

PHISHING_KEYWORD = b"$Phishing"
"""Registered with IANA as an IMAP keyword."""


@dataclass(frozen=True)
class Account:
    """Where a folder is and how it is reached.

    Attributes
    ----------
    tls
        ``on`` from the first byte, ``starttls``, or ``off`` (to this machine, or where
        ``insecure`` is set).
    ca
        Certificates to trust beside the system's.
    """

    host: str
    user: str
    password: str
    folder: str = "INBOX"
    port: int | None = None
    tls: Literal["on", "starttls", "off"] = "on"
    insecure: bool = False
    ca: Path | None = None

    @property
    def at(self) -> str:
        """Its name in state and log."""
        port = self.port or (993 if self.tls == "on" else 143)
        return f"{self.user}@{self.host}:{port}/{self.folder}"

    def check(self) -> None:
        """Refuse to send a password in the clear.

        Raises
        ------
        InputError
            Without TLS to another machine, and not told to.
        """
        if self.tls == "off" and not self.insecure and not is_loopback(self.host):
            raise InputError(
                f"--tls off would send the password to {self.host} for all to read; "
                "use --tls starttls, or add --insecure"
            )

    def trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed; host names are always checked.

        Raises
        ------
        InputError
            ``ca`` holds none.
        """
        context = ssl.create_default_context()
        if self.ca is not None:
            try:
                context.load_verify_locations(self.ca)
            except OSError as error:  # an SSLError is one
                raise InputError(f"--ca {self.ca}: no certificates ({error.strerror})") from None
        return context


class Fetched(NamedTuple):
    """A mail, read from its beginning; ``size`` is what the server has of it."""

    uid: int
    raw: bytes
    size: int


class ImapFolder:
    """An open connection with the folder selected.

    Attributes
    ----------
    validity
        The folder's UIDVALIDITY.
    following
        Its UIDNEXT: mail that comes from now on has this UID or a higher one.
    """

    def __init__(self, client: Any, said: dict[bytes, Any]) -> None:  # noqa: ANN401
        self._client = client
        self.validity, self.following = int(said[b"UIDVALIDITY"]), int(said[b"UIDNEXT"])
        self._keywords = b"\\*" in said.get(b"PERMANENTFLAGS", ())

    @classmethod
    def open(cls, account: Account, move_to: str | None, change: bool) -> Self:
        """Connect, log in and select; for reading alone unless ``change``.

        Raises
        ------
        InputError
            The password is refused, the folder is not there, or the server cannot move mail.
        OSError, IMAPClientError
            The server cannot be reached, or does not answer as it should.
        """
        module = _imapclient()
        context = account.trusted()
        client = module.IMAPClient(
            account.host, account.port, ssl=account.tls == "on", ssl_context=context,
            timeout=module.SocketTimeout(CONNECTING, READING),
        )  # fmt: skip
        try:
            if account.tls == "starttls":
                client.starttls(context)
            try:
                client.login(account.user, account.password)
            except module.exceptions.LoginError:
                raise InputError(f"{account.at}: the password is refused") from None
            if move_to is not None:
                _prepare(client, account, move_to)
            if not client.folder_exists(account.folder):
                raise InputError(f"{account.at}: no such folder")
            said = client.select_folder(account.folder, readonly=not change)
            return cls(client, said)
        except BaseException:
            client.shutdown()
            raise

    def after(self, last: int) -> list[int]:
        """UIDs above ``last``, ascending."""
        # "n:*" always means the newest mail too, also where its UID is below n.
        found = self._client.search(["UID", f"{last + 1}:*"])
        return sorted(uid for uid in found if uid > last)

    def fetch(self, uid: int, most: int) -> Fetched | None:
        """A mail's first ``most`` bytes, left unread; None where it is gone."""
        said = self._client.fetch([uid], ["RFC822.SIZE", f"BODY.PEEK[]<0.{most}>"]).get(uid)
        if said is None:
            return None
        raw = said.get(b"BODY[]<0>", said.get(b"BODY[]"))
        if not isinstance(raw, bytes):
            return None
        return Fetched(uid, raw[:most], int(said.get(b"RFC822.SIZE", len(raw))))

    def flag(self, uid: int, phishing: bool) -> None:
        """Mark a mail so that its reader sees it."""
        flags = [b"\\Flagged"]
        if phishing and self._keywords:
            flags.append(PHISHING_KEYWORD)
        self._client.add_flags([uid], flags, silent=True)

    def move(self, uid: int, folder: str) -> None:
        """Move a mail; the server does it as one step (RFC 6851)."""
        self._client.move([uid], folder)

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself (RFC 2177)."""
        return bool(self._client.has_capability("IDLE"))

    def begin_idle(self) -> None:
        """Ask to be told."""
        self._client.idle()

    def told(self, seconds: float) -> bool:
        """Whether something was told within so many seconds."""
        return bool(self._client.idle_check(timeout=seconds))

    def end_idle(self) -> None:
        """Stop being told."""
        self._client.idle_done()

    def close(self) -> None:
        """Say goodbye, or hang up."""
        try:
            self._client.logout()
        except Exception:  # it may have gone already
            self._client.shutdown()


def _prepare(client: Any, account: Account, move_to: str) -> None:  # noqa: ANN401
    if not client.has_capability("MOVE"):
        raise InputError(
            f"{account.host} cannot move mail as one step (no MOVE), and nothing is deleted here; "
            "use --flag"
        )
    if move_to == account.folder:
        raise InputError(f"--move-to {move_to} is the folder that is watched")
    if not client.folder_exists(move_to):
        client.create_folder(move_to)


def _imapclient() -> Any:  # noqa: ANN401 - the module
    try:
        import imapclient
    except ImportError:
        raise MissingExtraError("watching an IMAP folder", "imap") from None
    return imapclient
