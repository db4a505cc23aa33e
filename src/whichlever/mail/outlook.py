"""Outlook's .msg files, by python-oxmsg (MIT)."""

from __future__ import annotations

from pathlib import Path

from whichlever.errors import DataError, MissingExtraError
from whichlever.mail.message import Limits

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_outlook(head: bytes) -> bool:
    """Whether a file with these first bytes is a compound file, as .msg files are."""
    return head.startswith(_OLE)


def outlook_bytes(path: Path, limits: Limits) -> bytes:
    """A .msg file as the mail it was (RFC 5322): its headers where it kept them, body, attachments.

    Raises
    ------
    DataError
        The file is damaged, no .msg, or larger than the limit.
    MissingExtraError
        The extra ``mail`` is not installed.
    """
    try:
        from oxmsg import Message as Outlook
    except ImportError:
        raise MissingExtraError("reading Outlook's .msg files", "mail") from None
    if path.stat().st_size > limits.max_bytes:
        raise DataError(f"{path}: larger than {limits.max_bytes} bytes; not read")
    try:
        outlook = Outlook.load(str(path))
        return _as_mail(outlook, limits)
    except Exception as error:  # olefile and oxmsg raise many kinds on damaged files
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path}: no readable .msg file ({said})") from error


def _as_mail(outlook: object, limits: Limits) -> bytes:
    """The .msg as RFC 5322 bytes, so that one reader does all the bounding."""
    from email.message import EmailMessage
    from email.utils import format_datetime

    mail = EmailMessage()
    kept = getattr(outlook, "message_headers", None) or {}
    for name, value in list(kept.items())[: limits.max_headers]:
        if name.lower().startswith(("content-", "mime-version")):
            continue
        _set(mail, name, value)
    if "From" not in mail:
        _set(mail, "From", getattr(outlook, "sender", None))
    if "Subject" not in mail:
        _set(mail, "Subject", getattr(outlook, "subject", None))
    sent = getattr(outlook, "sent_date", None)
    if "Date" not in mail and sent is not None:
        _set(mail, "Date", format_datetime(sent))
    if "To" not in mail:
        names = [r.email_address for r in getattr(outlook, "recipients", ()) if r.email_address]
        _set(mail, "To", ", ".join(names[:500]))
    mail.set_content(str(getattr(outlook, "body", None) or "")[: limits.max_text])
    html = getattr(outlook, "html_body", None)
    if html:
        mail.add_alternative(str(html)[: 20 * limits.max_text], subtype="html")
    for attachment in list(getattr(outlook, "attachments", ()))[: limits.max_attachments]:
        content = getattr(attachment, "file_bytes", None)
        mail.add_attachment(
            content if isinstance(content, bytes) else b"",
            maintype="application", subtype="octet-stream",
            filename=str(getattr(attachment, "file_name", None) or "attachment")[:200],
        )  # fmt: skip
    return mail.as_bytes()


def _set(mail: object, name: str, value: object) -> None:
    """Set a header where it can be one; line breaks never begin another."""
    if value:
        try:
            mail[name] = " ".join(str(value).split())[:10_000]  # type: ignore[index]
        except (ValueError, IndexError, AttributeError, TypeError):
            return
