"""``whichlever mail milter``: verdicts in the headers of mail as a mail server takes it in."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

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
from whichlever.errors import InputError


class Hold(StrEnum):
    """From which verdict on a mail is put on hold."""

    phishing = "phishing"
    suspicious = "suspicious"


class Fail(StrEnum):
    """What becomes of a mail that cannot be judged."""

    open = "open"
    closed = "closed"


def milter(
    listen: Annotated[str, typer.Option(metavar="WHERE", help="inet:127.0.0.1:PORT or unix:PATH.")],
    model: Model = None,
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    company: CompanyFile = None,
    history: HistoryFile = None,
    threshold: Threshold = 0.5,
    profiles: Profiles = None,
    profile_key: ProfileKey = None,
    quarantine: Annotated[
        Hold | None, typer.Option(help="Hold such mail (suspicious: phishing too); off.")
    ] = None,
    fail: Annotated[
        Fail, typer.Option(help="Mail that cannot be judged: passes unchecked, or 451 later.")
    ] = Fail.open,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one mail may take.")] = 20.0,
    max_bytes: Annotated[
        int, typer.Option(min=10_000, max=25_000_000, help="Of one mail that are read.")
    ] = 10_000_000,
    max_held: Annotated[
        int, typer.Option(min=10_000, help="Bytes of all mails in hand at once.")
    ] = 256 * 2**20,
    max_connections: Annotated[int, typer.Option(min=1, help="Connections at once.")] = 200,
    idle: Annotated[
        float, typer.Option(min=1, help="Seconds that a connection may be silent.")
    ] = 600.0,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds for mails in hand when it stops.")
    ] = 30.0,
    socket_mode: Annotated[str, typer.Option(help="Permissions of a Unix socket.")] = "660",
    remote: Annotated[
        bool, typer.Option("--remote", help="Listen where other machines reach it.")
    ] = False,
) -> None:
    """Judge mail as Postfix or Sendmail takes it in: X-Whichlever-Verdict, score and reasons.

    Nothing of a mail is changed but these headers, and none is lost where the model fails. SIGHUP
    reads the bundle and the files again; SIGTERM ends after the mails in hand.
    """
    go_offline()
    from whichlever.mailflow.listening import Listen
    from whichlever.mailflow.milter import Settings, serve_milter
    from whichlever.mailflow.milter_session import Rules

    try:
        mode = int(socket_mode, 8)
    except ValueError:
        raise InputError(f"--socket-mode {socket_mode}: give it as 660") from None
    held = {None: (), Hold.phishing: ("phishing",), Hold.suspicious: ("phishing", "suspicious")}
    serve_milter(
        Settings(
            Listen.parse(listen, remote=remote, mode=mode),
            Rules(
                quarantine=frozenset(held[quarantine]), fail=fail.value, max_bytes=max_bytes,
                idle=idle,
            ),
            timeout=timeout, max_connections=max_connections, max_held=max_held, drain=drain,
        ),
        partial(
            load_judge, model, key, allow_unsigned, company, history, threshold, profiles,
            profile_key,
        ),
    )  # fmt: skip
