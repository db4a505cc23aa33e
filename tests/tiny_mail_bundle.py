"""A tiny phishing bundle, learned from forty mails made up here."""

from __future__ import annotations

import tempfile
from email.message import EmailMessage
from pathlib import Path

import numpy as np

from whichlever.bundle.archive import write_archive
from whichlever.bundle.format import MANIFEST, Manifest, Part, Reader, Trained
from whichlever.infer.linear import LinearModel, Weights
from whichlever.infer.linear_features import Features
from whichlever.packs.phishing.render import render

LABELS = ("legitimate", "phishing")
BAD = "Your mailbox is locked. Verify your password now and confirm your account number"
GOOD = "Minutes of the project meeting are attached, see you on the building site"


def mail(text: str, subject: str = "Note", **headers: str) -> EmailMessage:
    """A mail of plain text."""
    made = EmailMessage()
    said = {"From": "Ada <ada@partner.test>", "To": "bo@company.test", **headers}
    for name, value in said.items():
        made[name.replace("_", "-")] = value
    made["Subject"] = subject
    made.set_content(text)
    return made


def tiny_mail_files(pack: str | None = "phishing@1") -> dict[str, bytes]:
    """The files of an unsigned bundle: least squares on the mails above."""
    texts = [
        render({"eml": mail(f"{text}. Number {i}").as_string()})
        for text in (GOOD, BAD)
        for i in range(20)
    ]
    features = Features.fit(texts, chars=False, max_features=1_000)
    w = np.linalg.lstsq(features.transform(texts).toarray(), np.repeat([-1.0, 1.0], 20), None)[0]
    weights = Weights(np.stack([-w, w], axis=1).astype(np.float32), np.zeros(2, np.float32))
    model = LinearModel(features, weights, LABELS, np.arange(2), 3.0, {})
    said = Manifest(
        task="tiny mail", lever="linear", what="least squares on forty mails", labels=LABELS,
        reader=Reader(pack=pack) if pack else Reader(input="text"),
        parts=(Part(name="linear", kind="linear"),), trained=Trained(rows_sha256="0" * 64),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model")
        files = {
            f"model/linear/{p.name}": p.read_bytes() for p in (Path(folder) / "model").iterdir()
        }
    return {MANIFEST: said.to_bytes(), **files}


def tiny_mail_bundle(path: Path, pack: str | None = "phishing@1") -> Path:
    """Write `tiny_mail_files` as an unsigned bundle."""
    write_archive(path, tiny_mail_files(pack))
    return path
