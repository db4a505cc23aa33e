"""The folder that ``whichlever init --pack phishing DIR`` makes: simulated, from a seed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from whichlever.data.simulate import write_jsonl
from whichlever.packs.phishing.simulate import DOMAIN, make_people, simulate_mailbox
from whichlever.packs.phishing.simulate.phrases import LATER_CAMPAIGNS, LATER_VENDORS, VENDORS

COUNT = 2_400


def write_template(folder: Path, seed: int = 0) -> None:
    """Write task, README, company file and eight months of simulated mail.

    The same seed writes the same bytes.
    """
    from whichlever.data.simulate import Dice

    mails = list(simulate_mailbox(COUNT, seed))
    phishing = sum(mail.label == "phishing" for mail in mails)
    words = {
        "@SEED@": str(seed), "@MAILS@": str(len(mails)), "@PHISHING@": str(phishing),
        "@LATER@": ", ".join(LATER_CAMPAIGNS),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for item in (files(__name__) / "files").iterdir():
        text = item.read_text(encoding="utf-8")
        for mark, word in words.items():
            text = text.replace(mark, word)
        (folder / item.name).write_text(text, encoding="utf-8", newline="\n")
    rows = [
        {"id": m.id, "eml": m.eml, "label": m.label, "source": m.source, "thread": m.thread,
         "time": m.time, "author": m.author, "payment": m.payment, "simulated": True}
        for m in mails
    ]  # fmt: skip
    write_jsonl(folder / "data" / "mail.jsonl.gz", rows)
    people = make_people(Dice(seed + 1))
    protected = [p for p in people if p.role in ("CFO", "CEO", "controller", "purchasing")]
    company = {
        "domains": [DOMAIN],
        "partners": sorted(
            v.lower().replace(" & ", "-").replace(" ", "-") + ".example"
            for v in (*VENDORS, *LATER_VENDORS)
        ),
        "people": [{"name": p.name, "addresses": [p.address]} for p in protected],
    }
    said = "# SIMULATED company; see README.md\n" + json.dumps(company, indent=2) + "\n"
    (folder / "company.yaml").write_text(said, encoding="utf-8")
