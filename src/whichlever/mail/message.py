"""One mail, read: what was in it, and what had to be bounded or was broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much of one mail is read; what lies beyond is left out and said in `Message.problems`.

    Attributes
    ----------
    max_bytes
        Of the whole mail, read from its beginning.
    max_headers, max_header_chars
        Header lines, and characters of each.
    max_parts, max_depth
        MIME parts in all, and how deep they may be nested.
    max_text
        Characters of text kept in all.
    max_links, max_attachments
        Kept of each.
    """

    max_bytes: int = 25_000_000
    max_headers: int = 500
    max_header_chars: int = 10_000
    max_parts: int = 200
    max_depth: int = 20
    max_text: int = 200_000
    max_links: int = 500
    max_attachments: int = 100


@dataclass(frozen=True, slots=True)
class Link:
    """A link of an HTML part: what a reader sees and where it leads."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not read as text.

    ``declared`` is the type that the mail gives; ``found`` the extension that its first bytes
    speak of, None where they speak of none; ``size`` is in bytes after decoding.
    """

    name: str
    declared: str
    found: str | None
    size: int


@dataclass(frozen=True)
class Message:
    """A mail, read.

    Attributes
    ----------
    headers
        (name in lower case, decoded value), in order.
    from_name, from_address
        The display name and the address of From:, lower case; empty where there is none.
    reply_to, return_path
        Addresses, lower case; empty where there is none.
    to, cc
        Addresses, lower case.
    date
        Seconds since 1970 UTC by the mail's own Date:, None where it cannot be read.
    text
        The body as plain text; of HTML, what a reader would see.
    own
        The author's own words: without quoted and forwarded mail, signature, disclaimer and the
        furniture of mailing lists.
    hidden
        Text of HTML that no reader sees.
    problems
        What was bounded or broken, in words.
    """

    headers: tuple[tuple[str, str], ...] = ()
    from_name: str = ""
    from_address: str = ""
    reply_to: str = ""
    return_path: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    date: float | None = None
    message_id: str = ""
    subject: str = ""
    text: str = ""
    own: str = ""
    hidden: str = ""
    html: bool = False
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()

    def header(self, name: str) -> str | None:
        """The first header of that name (lower case), decoded; None where there is none."""
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        """Every header of that name (lower case), in order."""
        return [value for key, value in self.headers if key == name]
