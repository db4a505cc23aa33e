"""What the rest of the house sees of this pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from whichlever.mail.message import Message


class PhishingPack:
    """The ``phishing`` pack; `whichlever.render.registry.Pack` says what each method promises."""

    name = "phishing"
    versions: tuple[int, ...] = (1,)
    kinds: tuple[str, ...] = ("classify", "verify")

    def render(self, record: Mapping[str, Any], version: int = 1) -> str:
        """The masked text of one mail with its marks; ValueError for a version not spoken here."""
        from whichlever.packs.phishing.render import render

        return render(record, version)

    def render_mail(self, message: Message, version: int = 1) -> str:
        """As `render`, of a mail that was read already; ValueError for an unknown version."""
        from whichlever.packs.phishing.render import render_message

        if version not in self.versions:
            raise ValueError(f"phishing@{version} is not spoken here; phishing@1 is")
        return render_message(message)

    def records(
        self, name: str, stream: BinaryIO
    ) -> Iterator[tuple[int, Mapping[str, Any] | Exception]] | None:
        """Mails of an .eml or .mbox file as records; None where the usual readers do."""
        from whichlever.packs.phishing.reader import read_mails, reads

        return read_mails(stream) if reads(name) else None

    def moment(self, record: Mapping[str, Any]) -> float | None:
        """When the mail was written, in seconds since 1970 UTC; None where it does not say."""
        from whichlever.packs.phishing.render import message_of

        try:
            return message_of(record).date
        except (KeyError, TypeError):
            return None

    def write_template(self, folder: Path, seed: int = 0, kind: str = "classify") -> None:
        """Write a runnable task folder with a simulated company's mail."""
        if kind == "verify":
            from whichlever.packs.phishing.template.verify import write_verify_template

            write_verify_template(folder, seed)
            return
        from whichlever.packs.phishing.template import write_template

        write_template(folder, seed)
