"""``whichlever mail scan``: a verdict with reasons for every mail of a file or folder."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import AllowUnsigned, TrustedKey, go_offline
from whichlever.errors import InputError

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
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help='.jsonl; "-" stdout.')
    ] = "-",
) -> None:
    """Judge mails: the content model where one is given, and signs in words.

    One JSON line a mail; what cannot be read is an error line in its place.
    """
    go_offline()
    from whichlever.mail.company import Company, History
    from whichlever.mail.scan import in_batches
    from whichlever.run import written_aside

    if model is None and (key is not None or allow_unsigned):
        raise InputError("--key and --allow-unsigned go with --model")
    whose = Company.load(company) if company is not None else None
    known = History.load(history) if history is not None else None
    judged = _Judge(_content(model, key, allow_unsigned), whose, known, threshold)

    def write(stream: Any) -> None:  # noqa: ANN401 - a text stream
        with Bars().step("mails") as bar:
            for batch in in_batches(_mails(path), BATCH):
                for line in judged.lines(batch):
                    stream.write(json_text.dumps(line) + "\n")
                bar.advance(len(batch))

    if out == "-":
        write(sys.stdout)
    else:
        with written_aside(Path(out)) as aside, aside.open("w", encoding="utf-8") as stream:
            write(stream)
    said = ", ".join(f"{count:,} {name}" for name, count in sorted(judged.counts.items()))
    typer.echo(said or "no mail there", err=True)


def _mails(path: Path) -> Any:  # noqa: ANN401 - an iterator of (where, bytes or error)
    from whichlever.mail.mailbox import raw_mails

    return raw_mails(path)


def _content(model: Path | None, key: Path | None, allow_unsigned: bool) -> Any:  # noqa: ANN401
    if model is None:
        return None
    from whichlever.runtime.bundle import Bundle

    bundle = Bundle.open(model, key, allow_unsigned=allow_unsigned)
    if "phishing" not in bundle.manifest.labels:
        raise InputError(f"{model} has no label 'phishing'; pack a phishing task")
    return bundle


class _Judge:
    """Reads, asks the model in batches, and judges."""

    def __init__(self, bundle: Any, company: Any, history: Any, threshold: float) -> None:  # noqa: ANN401
        self._bundle, self._threshold = bundle, threshold
        self._company, self._history = company, history
        self.counts: dict[str, int] = {}

    def lines(self, batch: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        from whichlever.mail.parse import read_message
        from whichlever.mail.scan import judge

        read = [(w, raw, read_message(raw) if isinstance(raw, bytes) else None) for w, raw in batch]
        contents = iter(self._ask([m for _, _, m in read if m is not None]))
        found = []
        for where, raw, message in read:
            if message is None:
                found.append({"id": where, "error": str(raw)})
                self._count("error")
                continue
            verdict = judge(
                message, content=next(contents), company=self._company, history=self._history,
                raw=raw, threshold=self._threshold,
            )  # fmt: skip
            self._count(verdict.verdict)
            found.append(verdict.line(where))
        return found

    def _ask(self, messages: list[Any]) -> list[Any]:
        if self._bundle is None:
            return [None] * len(messages)
        from whichlever.mail.scan import Content
        from whichlever.packs.phishing.render import render_message

        labels = self._bundle.manifest.labels
        answers = self._bundle.predict([render_message(m) for m in messages])
        return [
            Content(a.label or "", dict(zip(labels, map(float, a.scores), strict=True)))
            if a.scores is not None
            else None
            for a in answers
        ]

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1
