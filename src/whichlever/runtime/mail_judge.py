"""A mail's bytes to its verdict: content model, signs and, where there are profiles, style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from whichlever.errors import DataError, InputError
from whichlever.mail.company import Company, History
from whichlever.mail.message import Limits, Message
from whichlever.mail.parse import read_message
from whichlever.mail.scan import Content, MailVerdict, judge
from whichlever.predict import Prediction, Row
from whichlever.render.registry import find_pack
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.mail_style import UNLIKE, Styles

PHISHING = "phishing"
"""The label that a bundle must have to judge mail."""

MOST_REASON = 300
"""Characters of a reason."""

_LIMITS = Limits()


@dataclass(frozen=True)
class ReadMail:
    """One mail, read: its bytes, what is in them, and the text that the content model reads."""

    raw: bytes
    message: Message
    row: Row | None


class MailJudge:
    """Judges mails as ``whichlever mail scan`` does, wherever they come from.

    Parameters
    ----------
    bundle
        The content model; None judges by signs alone.
    company, history
        As for `whichlever.mail.scan.judge`.
    threshold
        Probability from which a mail is phishing.
    styles
        Style profiles of protected people, None for none.

    Raises
    ------
    InputError
        The bundle knows no phishing, or does not read mail.
    """

    def __init__(
        self,
        bundle: Bundle | None,
        company: Company | None = None,
        history: History | None = None,
        *,
        threshold: float = 0.5,
        styles: Styles | None = None,
    ) -> None:
        self.bundle, self._threshold = bundle, threshold
        self._company, self._history, self._styles = company, history, styles
        self._render = None if bundle is None else _renderer(bundle)

    @classmethod
    def open(
        cls,
        model: Path | None,
        key: Path | None = None,
        *,
        allow_unsigned: bool = False,
        company: Path | None = None,
        history: Path | None = None,
        threshold: float = 0.5,
        profiles: Path | None = None,
        profile_key: Path | None = None,
    ) -> MailJudge:
        """A judge from files.

        Raises
        ------
        InputError
            A file cannot be used, or options do not go together.
        NotTrusted
            The bundle, or a profile, is not what it should be.
        """
        if model is None and (key is not None or allow_unsigned):
            raise InputError("--key and --allow-unsigned go with --model")
        bundle = None
        if model is not None:
            bundle = Bundle.open(model, key, allow_unsigned=allow_unsigned)
        return cls.over(
            bundle, company=company, history=history, threshold=threshold, profiles=profiles,
            profile_key=profile_key,
        )  # fmt: skip

    @classmethod
    def over(
        cls,
        bundle: Bundle | None,
        *,
        company: Path | None = None,
        history: Path | None = None,
        threshold: float = 0.5,
        profiles: Path | None = None,
        profile_key: Path | None = None,
    ) -> MailJudge:
        """A judge over a bundle that is open; the rest from files, as `open`."""
        if (profiles is None) != (profile_key is None):
            raise InputError("--profiles and --profile-key go together")
        whose = Company.load(company) if company is not None else None
        known = History.load(history) if history is not None else None
        styles = None
        if profiles is not None and profile_key is not None:
            styles = Styles.open(profiles, profile_key)
        return cls(bundle, whose, known, threshold=threshold, styles=styles)

    def read(self, raw: bytes, limits: Limits = _LIMITS) -> ReadMail:
        """Read a mail, and render it for the model where there is one; no input raises."""
        message = read_message(raw, limits)
        if self._render is None:
            return ReadMail(raw, message, None)
        text = self._render(message)
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()
        return ReadMail(raw, message, Row("", text))

    def verdict(self, mail: ReadMail, answer: Prediction | None) -> MailVerdict:
        """What is thought of a mail that was read; ``answer`` is the model's to its row.

        Raises
        ------
        DataError
            The model gave no answer; signs alone would pass for its word.
        """
        if self.bundle is not None and (answer is None or answer.scores is None):
            raise DataError("the model gave no answer to this mail")
        found = judge(
            mail.message, content=self._content(answer), company=self._company,
            history=self._history, raw=mail.raw, threshold=self._threshold,
        )  # fmt: skip
        if self._styles is None:
            return found
        sign = self._styles.sign(mail.message, self._company)
        if sign is None:
            return found
        found = replace(
            found,
            reasons=(*found.reasons, sign.words[:MOST_REASON]),
            codes=(*found.codes, sign.code),
        )
        if sign.code != UNLIKE:
            return found
        # As other signs: strange words alone make a mail suspicious, never phishing.
        said = "suspicious" if found.verdict == "legitimate" else found.verdict
        return replace(found, verdict=said, score=max(found.score, 0.5))

    def __call__(
        self, raws: Sequence[bytes], limits: Limits = _LIMITS
    ) -> list[MailVerdict | DataError]:
        """Judge mails together, the model asked once for all; an error where it gave no answer."""
        read = [self.read(raw, limits) for raw in raws]
        rows = [mail.row for mail in read if mail.row is not None]
        answers: list[Prediction | None] = [None] * len(read)
        if self.bundle is not None:
            answers = list(self.bundle.predictor.predict(rows))
        found: list[MailVerdict | DataError] = []
        for mail, answer in zip(read, answers, strict=True):
            try:
                found.append(self.verdict(mail, answer))
            except DataError as error:
                found.append(error)
        return found

    def line(self, raw: bytes, where: str) -> dict[str, Any]:
        """One mail's verdict as JSON values, or its error."""
        found = self([raw])[0]
        if isinstance(found, DataError):
            return {"id": where, "error": str(found)}
        return found.line(where)

    def _content(self, answer: Prediction | None) -> Content | None:
        if answer is None or answer.scores is None or self.bundle is None:
            return None
        labels = self.bundle.manifest.labels
        return Content(
            answer.label or "", dict(zip(labels, map(float, answer.scores), strict=True))
        )


def reads_mail(bundle: Bundle) -> bool:
    """Whether a bundle tells phishing apart and reads mail."""
    try:
        _renderer(bundle)
    except InputError:
        return False
    return True


def _renderer(bundle: Bundle) -> Callable[[Message], str]:
    said = bundle.manifest
    if PHISHING not in said.labels:
        raise InputError(f"the bundle has no label {PHISHING!r}; pack a phishing task")
    if said.reader.pack is None:
        raise InputError("the bundle was not learned from mail (pack: phishing@1)")
    pack, version = find_pack(said.reader.pack)
    render: Any = getattr(pack, "render_mail", None)
    if render is None:
        raise InputError(f"the bundle reads {said.reader.pack}, which is not mail")
    return lambda message: render(message, version)
