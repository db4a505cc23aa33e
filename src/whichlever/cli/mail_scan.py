"""``whichlever mail scan``: a verdict with reasons for every mail of a file or folder."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import AllowUnsigned, TrustedKey, go_offline

if TYPE_CHECKING:
    from whichlever.runtime.mail_judge import MailJudge

BATCH = 32


def scan(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help=".eml, mbox, Maildir, .msg, .jsonl or a folder.")
    ],
    model: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="The content model (phishing.wl).")
    ] = None,
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    company: Annotated[
        Path | None, typer.Option(metavar="FILE", help="company.yaml: domains, partners, people.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="history.json: who usually writes.")
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Probability from which a mail is phishing.")
    ] = 0.5,
    profiles: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Style profiles of protected people.")
    ] = None,
    profile_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The key they are encrypted with.")
    ] = None,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help='.jsonl; "-" stdout.')
    ] = "-",
) -> None:
    """Judge mails: the content model where one is given, and signs in words.

    One JSON line a mail; what cannot be read is an error line in its place.
    """
    go_offline()
    from whichlever.mail.scan import in_batches
    from whichlever.run import written_aside
    from whichlever.runtime.mail_judge import MailJudge

    judge = MailJudge.open(
        model, key, allow_unsigned=allow_unsigned, company=company, history=history,
        threshold=threshold, profiles=profiles, profile_key=profile_key,
    )  # fmt: skip
    counts: dict[str, int] = {}

    def write(stream: Any) -> None:  # noqa: ANN401 - a text stream
        with Bars().step("mails") as bar:
            for batch in in_batches(_mails(path), BATCH):
                for line in _lines(judge, batch):
                    name = line.get("verdict", "error")
                    counts[name] = counts.get(name, 0) + 1
                    stream.write(json_text.dumps(line) + "\n")
                bar.advance(len(batch))

    if out == "-":
        write(sys.stdout)
    else:
        with written_aside(Path(out)) as aside, aside.open("w", encoding="utf-8") as stream:
            write(stream)
    said = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
    typer.echo(said or "no mail there", err=True)


def _mails(path: Path) -> Any:  # noqa: ANN401 - an iterator of (where, bytes or error)
    from whichlever.mail.mailbox import raw_mails

    return raw_mails(path)


def _lines(judge: MailJudge, batch: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    verdicts = iter(judge([raw for _, raw in batch if isinstance(raw, bytes)]))
    found: list[dict[str, Any]] = []
    for where, raw in batch:
        said = next(verdicts) if isinstance(raw, bytes) else raw
        line = getattr(said, "line", None)
        found.append({"id": where, "error": str(said)} if line is None else line(where))
    return found
