"""Speed on one core: enrolment from 300 mails, and mails a second of the answer to "who wrote it".

Each rate is the best of three passes in processor seconds, so that what else runs counts little;
the load is written beside.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mail_attacks
import mail_authors

ENROL = 300
ASKED = 300


def speed(data: Path) -> dict[str, Any]:
    """Seconds and rates on the list's mail; headers are made up around the words."""
    from whichlever.mail.company import Company, History, Person
    from whichlever.mail.parse import read_message
    from whichlever.mail.scan import judge
    from whichlever.models.style import train_style
    from whichlever.runtime.mail_check import check_mail

    folds = mail_authors.folds(data / "mail" / "authors_list.jsonl.gz")
    fold = max(folds, key=lambda f: len(f.own) + len(f.later))
    own = [*fold.own, *fold.later][:ENROL]
    load = os.getloadavg()[0]
    began = time.process_time()
    profile = train_style(fold.author, own, fold.known, salt=7)
    seconds = time.process_time() - began
    raws = [mail_attacks.envelope(text) for text in (*fold.foreign, *fold.later)][:ASKED]
    company = Company(
        domains=("northwind.example",),
        people=(Person(name="A Person", addresses=(mail_attacks.PERSON,)),),
    )
    history = History().learn([read_message(raws[0])])

    def check(raw: bytes) -> None:
        check_mail(profile, read_message(raw), company=company, history=history, raw=raw)

    def both(raw: bytes) -> None:
        message = read_message(raw)
        judge(message, company=company, history=history, raw=raw)
        check_mail(profile, message, company=company, history=history, raw=raw)

    lines = [
        {"what": f"enrolment from {len(own)} mails of theirs, {len(fold.known)} of others",
         "value": seconds, "unit": "s", "bound": "at most 60 s"},
        {"what": "read, signs, and the answer to who wrote it", "value": _rate(check, raws),
         "unit": "mails/s", "bound": "at least 60"},
        {"what": "the same, and the verdict of `mail scan` by signs", "value": _rate(both, raws),
         "unit": "mails/s", "bound": "at least 60"},
    ]  # fmt: skip
    return {"load": load, "mails": len(raws), "lines": lines}


def _rate(work: Callable[[bytes], None], raws: Sequence[bytes]) -> float:
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        for raw in raws:
            work(raw)
        best = max(best, len(raws) / (time.process_time() - began))
    return best
