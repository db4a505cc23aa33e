"""Signs in links, attachments and hidden text: (code, weight, words)."""

from __future__ import annotations

import ipaddress
from pathlib import PurePosixPath

from whichlever.mail.company import Company
from whichlever.mail.domains import decoded, host_of, hosts_in, looks_like, registrable
from whichlever.mail.message import Message

Sign = tuple[str, float, str]

_RUN = frozenset((".exe", ".elf", ".lnk", ".script", ".js", ".vbs", ".hta", ".wsf", ".ps1", ".bat"))
_RUN_NAMES = _RUN | {".scr", ".com", ".pif", ".cmd", ".jar", ".msi", ".cpl", ".jse", ".vbe", ".dll"}
_MACRO = frozenset((".docm", ".xlsm", ".pptm", ".xlam", ".dotm"))
_DISK = frozenset((".iso", ".img", ".vhd", ".one", ".cab"))
_DOCUMENTS = frozenset(
    (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".txt", ".jpg", ".png", ".csv")
)
_SAME = (
    frozenset((".doc", ".xls", ".ppt", ".msg", ".ole", ".dot", ".xlt")),
    frozenset((".jpg", ".jpeg")),
    frozenset((".html", ".htm")),
    frozenset((".docx", ".docm", ".dotx", ".zip")),
    frozenset((".xlsx", ".xlsm", ".xltx", ".zip")),
    frozenset((".pptx", ".pptm", ".zip")),
    frozenset((".gz", ".tgz")),
    frozenset((".exe", ".dll", ".scr", ".com")),
    frozenset((".zip", ".jar", ".odt", ".ods", ".odp", ".epub", ".apk", ".docx", ".xlsx", ".pptx")),
)
"""Endings that one kind of content goes by."""


def link_signals(message: Message, company: Company) -> list[Sign]:
    """What links show and where they lead; each kind of sign once, by its first link."""
    known = (*company.domains, *company.partners)
    found: dict[str, Sign] = {}

    def add(code: str, weight: float, words: str) -> None:
        found.setdefault(code, (code, weight, words))

    for link in message.links[:200]:
        target = link.target[:2_000]
        scheme = target.split(":", 1)[0].lower() if ":" in target[:20] else ""
        if scheme in ("javascript", "data", "vbscript", "file"):
            add("link_runs", 0.8, f"a link is {scheme}:, not a page")
            continue
        host = host_of(target)
        if not host:
            continue
        if _is_ip(host):
            add("link_to_number", 0.6, f"a link leads to the bare address {host}")
        if "@" in target.split("/", 3)[2] if target.count("/") >= 2 else False:
            add("link_with_name", 0.6, f"a link hides its host {host} behind another name")
        if decoded(host) != host:
            add("link_punycode", 0.5, f"a link leads to {host}, which is shown as {decoded(host)}")
        alike = looks_like(host, known)
        if alike is not None:
            passes = f"which looks like {alike.like} ({alike.how})"
            add("link_lookalike", 0.85, f"a link leads to {alike.domain}, {passes}")
        mine = registrable(host)
        for shown in hosts_in(link.text[:500]):
            if mine and registrable(shown) != mine:
                add("link_text_differs", 0.6, f"a link shows {shown} and leads to {mine}")
                break
    return list(found.values())


def attachment_signals(message: Message) -> list[Sign]:
    """Attachments that run, that hide what they are, or that carry pages."""
    found = []
    for attachment in message.attachments:
        name = attachment.name[:200]
        endings = [ending.lower() for ending in PurePosixPath(name.replace("\\", "/")).suffixes]
        last = endings[-1] if endings else ""
        said = f"attachment {name or '(without a name)'}"
        if attachment.found in _RUN or last in _RUN_NAMES:
            found.append(
                ("attachment_runs", 0.9, f"{said} is a program ({attachment.found or last})")
            )
        elif attachment.found in _MACRO or last in _MACRO:
            found.append(("attachment_macro", 0.6, f"{said} can hold macros"))
        elif attachment.found in _DISK or last in _DISK:
            found.append(
                ("attachment_disk", 0.7, f"{said} is a disk image or a container of programs")
            )
        elif attachment.found in (".html", ".svg") or last in (".html", ".htm", ".shtml", ".svg"):
            found.append(("attachment_page", 0.5, f"{said} is a page that opens in a browser"))
        if len(endings) > 1 and last in _RUN_NAMES and endings[-2] in _DOCUMENTS:
            found.append(("attachment_two_endings", 0.9, f"{said} poses as {endings[-2]}"))
        if "\u202e" in name:
            found.append(("attachment_reversed", 0.95, f"{said} has its name written backwards"))
        if attachment.found and last in _DOCUMENTS and not _same(attachment.found, last):
            found.append(
                (
                    "attachment_false_type",
                    0.7,
                    f"{said} is really {attachment.found} by its content",
                )
            )
    return list({sign[0]: sign for sign in reversed(found)}.values())


def hidden_signals(message: Message) -> list[Sign]:
    """Text that no reader sees, beside the line that mail programs preview."""
    hidden, shown = len(message.hidden), max(len(message.text), 1)
    if hidden > 400 and hidden > 0.5 * shown:
        return [("hidden_text", 0.4, f"{hidden} characters of its text are hidden from the reader")]
    return []


def _same(found: str, named: str) -> bool:
    return found == named or any(found in group and named in group for group in _SAME)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.replace(".", "").isdigit() or host.startswith("0x")
    return True
