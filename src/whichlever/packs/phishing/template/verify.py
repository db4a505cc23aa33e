"""The folder of ``whichlever init --pack phishing --kind verify DIR``: simulated, from a seed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from whichlever.data.simulate import Dice, write_jsonl
from whichlever.packs.phishing.simulate import make_people, simulate_mailbox

COUNT = 3_600
PROTECTED = ("CFO", "CEO", "controller", "purchasing")
"""Whose names are worth stealing."""


def write_verify_template(folder: Path, seed: int = 0) -> None:
    """Write task, README and mails that bear four protected persons' names.

    Each simulated mail is used once: a protected person's as theirs, anybody else's as if it came
    from one of them. The same seed writes the same bytes.
    """
    from whichlever.mail import read_message

    people = make_people(Dice(seed + 1))
    names = [person.address for person in people if person.role in PROTECTED]
    dice = Dice(seed + 2)
    rows = []
    for mail in simulate_mailbox(COUNT, seed):
        if mail.author is None:
            continue
        genuine = mail.author in names
        rows.append({
            "id": mail.id, "text": read_message(mail.eml.encode()).own,
            "from": mail.author if genuine else dice.pick(names), "author": mail.author,
            "genuine": genuine, "time": mail.time, "payment": mail.payment, "simulated": True,
        })  # fmt: skip
    words = {
        "@SEED@": str(seed), "@MAILS@": str(len(rows)), "@PERSONS@": str(len(names)),
        "@GENUINE@": str(sum(bool(row["genuine"]) for row in rows)),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for item in (files("whichlever.packs.phishing.template") / "files_verify").iterdir():
        text = item.read_text(encoding="utf-8")
        for mark, word in words.items():
            text = text.replace(mark, word)
        (folder / item.name).write_text(text, encoding="utf-8", newline="\n")
    write_jsonl(folder / "data" / "mail.jsonl.gz", rows)
