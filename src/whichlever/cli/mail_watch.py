"""``whichlever mail watch``: a verdict for every new mail of an IMAP folder."""

from __future__ import annotations

import json as json_text
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from whichlever.cli.mail_judging import (
    CompanyFile,
    HistoryFile,
    Model,
    ProfileKey,
    Profiles,
    Threshold,
    load_judge,
)
from whichlever.cli.options import AllowUnsigned, TrustedKey, go_offline
from whichlever.errors import InputError, MissingExtraError


class Tls(StrEnum):
    """How the connection is kept secret."""

    on = "on"
    starttls = "starttls"
    off = "off"


class From(StrEnum):
    """From which verdict on a mail is flagged or moved."""

    phishing = "phishing"
    suspicious = "suspicious"


def watch(
    host: Annotated[str, typer.Option(help="The IMAP server; nothing else is reached.")],
    user: Annotated[str, typer.Option(help="Whose mail.")],
    password_file: Annotated[Path, typer.Option(metavar="FILE", help="Holds the password.")],
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="993; 143 without TLS at once.")
    ] = None,
    folder: Annotated[str, typer.Option(help="The folder to watch.")] = "INBOX",
    tls: Annotated[Tls, typer.Option(help="off: to this machine, or with --insecure.")] = Tls.on,
    ca: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Certificates to trust beside the system's.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the password in the clear to another machine.")
    ] = False,
    model: Model = None,
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    company: CompanyFile = None,
    history: HistoryFile = None,
    threshold: Threshold = 0.5,
    profiles: Profiles = None,
    profile_key: ProfileKey = None,
    flag: Annotated[bool, typer.Option("--flag", help="Flag such mail (and $Phishing).")] = False,
    move_to: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Move such mail there; made if missing.")
    ] = None,
    act_on: Annotated[
        From, typer.Option(help="What is flagged or moved (suspicious: phishing too).")
    ] = From.phishing,
    state: Annotated[Path, typer.Option(metavar="FILE", help="Remembers how far it came.")] = Path(
        "whichlever-watch.json"
    ),
    from_now: Annotated[
        bool, typer.Option("--from-now", help="At first, leave alone what is there already.")
    ] = False,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help='.jsonl, added to; "-" stdout.')
    ] = "-",
    max_bytes: Annotated[
        int, typer.Option(min=10_000, max=25_000_000, help="Of one mail that are read.")
    ] = 10_000_000,
    every: Annotated[
        float, typer.Option(min=1, help="Seconds between looks where the server has no IDLE.")
    ] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Judge what is new, then end.")] = False,
) -> None:
    """Judge new mail of an IMAP folder; it stays unread, and none is ever deleted.

    One JSON line a mail. It ends after the mail in hand on SIGTERM.
    """
    go_offline([host])
    try:
        from imapclient.exceptions import IMAPClientError
    except ImportError:
        raise MissingExtraError("watching an IMAP folder", "imap") from None
    from whichlever.mailflow.imap_folder import Account
    from whichlever.mailflow.watch import Watch, Watching

    account = Account(
        host, user, _password(password_file), folder, port, tls.value, insecure, ca
    )  # fmt: skip
    account.check()
    act = ("phishing",) if act_on is From.phishing else ("phishing", "suspicious")
    judge = load_judge(
        model, key, allow_unsigned, company, history, threshold, profiles, profile_key
    )
    lines: list[TextIO] = [sys.stdout]

    def tell(line: dict[str, Any]) -> None:
        lines[-1].write(json_text.dumps(line) + "\n")
        lines[-1].flush()

    watching = Watch(
        Watching(account, state, frozenset(act), flag, move_to, max_bytes, from_now, every),
        judge,
        tell,
    )
    with _stopping(watching.stop), nullcontext() if out == "-" else _added(Path(out)) as stream:
        lines += [] if stream is None else [stream]
        try:
            watching.run(once)
        except (OSError, IMAPClientError) as error:
            said = getattr(error, "strerror", None) or type(error).__name__
            raise InputError(f"{account.at}: {said}") from error
    said = ", ".join(f"{n:,} {name}" for name, n in sorted(watching.counts.items()))
    typer.echo(said or "no new mail", err=True)


def _added(path: Path) -> TextIO:
    try:
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


@contextmanager
def _stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Signals end the watch after the mail in hand."""
    before = {n: signal.signal(n, lambda *_: stop()) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _password(path: Path) -> str:
    try:
        said = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no password can be read ({type(error).__name__})") from None
    if not said:
        raise InputError(f"{path}: is empty")
    return said
