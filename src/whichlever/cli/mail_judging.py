"""What ``whichlever mail milter`` and ``watch`` judge with: options and how it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from whichlever.mail.scan import MailVerdict

Model = Annotated[
    Path | None, typer.Option("--model", metavar="BUNDLE", help="The content model (phishing.wl).")
]
CompanyFile = Annotated[
    Path | None,
    typer.Option("--company", metavar="FILE", help="company.yaml: domains, partners, people."),
]
HistoryFile = Annotated[
    Path | None, typer.Option("--history", metavar="FILE", help="history.json: who usually writes.")
]
Threshold = Annotated[
    float,
    typer.Option("--threshold", min=0, max=1, help="Probability from which a mail is phishing."),
]
Profiles = Annotated[
    Path | None,
    typer.Option("--profiles", metavar="DIR", help="Style profiles of protected people."),
]
ProfileKey = Annotated[
    Path | None,
    typer.Option("--profile-key", metavar="FILE", help="The key they are encrypted with."),
]


def load_judge(
    model: Path | None,
    key: Path | None,
    allow_unsigned: bool,
    company: Path | None,
    history: Path | None,
    threshold: float,
    profiles: Path | None,
    profile_key: Path | None,
) -> Callable[[bytes], MailVerdict]:
    """One mail's bytes to its verdict; it raises where the model gives no answer.

    The model is asked once, so that what is wrong with it is seen at the start.

    Raises
    ------
    WhichleverError
        A file cannot be used.
    """
    from whichlever.mail.scan import MailVerdict
    from whichlever.runtime.mail_judge import MailJudge

    judge = MailJudge.open(
        model, key, allow_unsigned=allow_unsigned, company=company, history=history,
        threshold=threshold, profiles=profiles, profile_key=profile_key,
    )  # fmt: skip

    def one(raw: bytes) -> MailVerdict:
        found = judge([raw])[0]
        if not isinstance(found, MailVerdict):
            raise found
        return found

    one(_WARM)
    return one


_WARM = b"""\
From: Warm Up <warm@up.example>\r
Subject: warm up\r
Authentication-Results: up.example; spf=pass\r
Content-Type: multipart/mixed; boundary=x\r
\r
--x\r
Content-Type: text/html\r
\r
<p>Warm up: <a href="http://up.example/">warm.example</a></p>\r
--x\r
Content-Type: application/pdf; name=up.pdf\r
\r
%PDF-1.7\r
--x--\r
"""
"""A mail that reaches what is loaded late: domains, links, attachments."""
