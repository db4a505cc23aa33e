"""``whichlever mail collect`` and ``history``: the own mail as rows, and who usually writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError


def collect(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Rows: .jsonl[.gz].")],
    legitimate: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Genuine mail: .eml, mbox, Maildir, .msg (repeatable)."),
    ] = None,
    phishing: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Confirmed phishing (repeatable).")
    ] = None,
    json: Json = False,
) -> None:
    """Make rows for ``pack: phishing@1`` of mail files: id, eml, label, source, thread, time.

    ``source`` is the file or folder that a mail came from, ``thread`` ties near-duplicates, so that
    a campaign is never on both sides of a split.
    """
    go_offline()
    from whichlever.packs.phishing.collect import collect_rows

    given = [(p, "legitimate") for p in legitimate or ()] + [
        (p, "phishing") for p in phishing or ()
    ]
    if not given:
        raise InputError("nothing to collect: give --legitimate PATH and --phishing PATH")
    if out.exists():
        raise InputError(f"{out} is there already; remove it or give another with -o")
    done = collect_rows(given, out, Bars(quiet=json))
    if json:
        print_json(done)
        return
    for name, count in done["mails"].items():
        typer.echo(f"{count:>8,} {name}")
    for line in done["skipped"][:10]:
        typer.echo(f"skipped: {line}")
    typer.echo(f"{done['threads']:,} groups of near-duplicates; wrote {out}")


def history(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Genuine mail received.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="history.json")],
    json: Json = False,
) -> None:
    """Count who writes to you, from genuine mail: addresses, names, first and last time."""
    go_offline()
    from whichlever.mail.company import History

    known = History()
    with Bars(quiet=json).step("read mail") as bar:
        for _, message in _readable(paths):
            known.add(message)
            bar.advance()
    known.save(out)
    said = {"addresses": len(known.seen), "names": len(known.names), "out": str(out)}
    print_json(said) if json else typer.echo(
        f"{said['addresses']:,} addresses, {said['names']:,} names; wrote {out}"
    )


def _readable(paths: list[Path]) -> Iterator[tuple[str, Any]]:
    from whichlever.mail.mailbox import read_mailbox
    from whichlever.mail.message import Message

    for path in paths:
        for where, message in read_mailbox(path):
            if isinstance(message, Message):
                yield where, message
