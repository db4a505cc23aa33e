"""One mail from its bytes (RFC 5322 and MIME), whatever an attacker made of it."""

from __future__ import annotations

import datetime
import email.policy
import re
from collections.abc import Callable, Iterator
from email.message import Message as Mime
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from typing import Any

from whichlever.mail.contents import content_type_of
from whichlever.mail.decode import addresses, decode, plain, words
from whichlever.mail.html import read_html
from whichlever.mail.message import Attachment, Limits, Link, Message
from whichlever.mail.own_words import own_words
from whichlever.mail.winmail import is_winmail, read_winmail

_DEFAULT = Limits()
_POLICY = email.policy.compat32.clone(max_line_length=0)
_MBOX_FROM = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:>?From [^\r\n]{0,500}\r?\n)+")
_CONTAINER = re.compile(rb"content-type\s{0,100}:\s{0,100}(?:multipart|message)/", re.IGNORECASE)


def read_message(raw: bytes, limits: Limits = _DEFAULT) -> Message:
    """Read a mail; what is broken or beyond the limits is said in `Message.problems`.

    No input raises: bytes that are no mail at all are a message without headers.
    """
    problems: list[str] = []
    if len(raw) > limits.max_bytes:
        problems.append(f"{len(raw)} bytes; the first {limits.max_bytes} are read")
        raw = raw[: limits.max_bytes]
    raw = _MBOX_FROM.sub(b"", raw, count=1)
    top = _parse(raw, limits, problems)
    headers = _headers(top, limits, problems)
    body = _Body(limits, problems)
    for depth, part in _parts(top, limits, problems):
        body.add(part, depth)
    text, links, hidden, html = body.finish()
    sender = addresses([v for k, v in headers if k == "from"])
    name, address = sender[0] if sender else ("", "")
    reply = addresses([v for k, v in headers if k == "reply-to"])
    path = addresses([v for k, v in headers if k == "return-path"])

    def first(key: str) -> str:
        return next((value for k, value in headers if k == key), "")

    return Message(
        headers=tuple(headers),
        from_name=name,
        from_address=address,
        reply_to=reply[0][1] if reply else "",
        return_path=path[0][1] if path else "",
        to=tuple(a for _, a in addresses([v for k, v in headers if k == "to"])),
        cc=tuple(a for _, a in addresses([v for k, v in headers if k == "cc"])),
        date=_date(first("date")),
        message_id=first("message-id")[:500],
        subject=first("subject"),
        text=text,
        own=own_words(text),
        hidden=hidden,
        html=html,
        links=links,
        attachments=tuple(body.attachments),
        problems=tuple(dict.fromkeys(problems)),
    )


def _parse(raw: bytes, limits: Limits, problems: list[str]) -> Mime:
    """Parse MIME; where there are too many parts for it, the headers alone."""
    # Each open part makes the standard parser look at every line once more, and go deeper in the
    # stack, so their number is bounded before it begins.
    many = sum(1 for _ in _CONTAINER.finditer(raw)) > limits.max_parts
    parser = BytesParser(policy=_POLICY)
    if not many:
        try:
            return parser.parsebytes(raw)
        except (RecursionError, ValueError, LookupError, AssertionError, IndexError, TypeError):
            pass
    problems.append("its MIME parts are too many or broken; read as one text")
    try:
        return parser.parsebytes(raw, headersonly=True)
    except Exception:  # whatever is left is a text without headers
        bare = Mime(policy=_POLICY)
        bare.set_payload(raw.decode("ascii", "surrogateescape"))
        return bare


def _headers(top: Mime, limits: Limits, problems: list[str]) -> list[tuple[str, str]]:
    items = top.raw_items()
    found = []
    for count, (name, value) in enumerate(items):
        if count >= limits.max_headers:
            problems.append(f"more than {limits.max_headers} headers")
            break
        if len(str(value)) > limits.max_header_chars:
            problems.append(f"a header of more than {limits.max_header_chars} characters")
        found.append((plain(str(name)).lower()[:200], words(value, limits.max_header_chars)))
    return found


def _parts(top: Mime, limits: Limits, problems: list[str]) -> Iterator[tuple[int, Mime]]:
    """Every part that holds no others, in order, with its depth; nested messages' parts too."""
    stack: list[tuple[int, Mime]] = [(0, top)]
    seen = 0
    while stack:
        depth, part = stack.pop()
        seen += 1
        if seen > limits.max_parts:
            problems.append(f"more than {limits.max_parts} parts")
            return
        payload = part._payload  # type: ignore[attr-defined]  # get_payload raises on some charsets
        if isinstance(payload, list):
            if depth >= limits.max_depth:
                problems.append(f"parts nested deeper than {limits.max_depth}")
                continue
            inside = [p for p in payload if isinstance(p, Mime)]
            stack.extend((depth + 1, p) for p in reversed(inside))
        else:
            yield depth, part


class _Body:
    """Gathers text, links and attachments over the parts."""

    def __init__(self, limits: Limits, problems: list[str]) -> None:
        self._limits, self._problems = limits, problems
        self._plain: list[str] = []
        self._html: list[str] = []
        self._left = limits.max_text
        self.attachments: list[Attachment] = []

    def add(self, part: Mime, depth: int) -> None:
        declared = _safe(part.get_content_type, "application/octet-stream")
        name = words(_safe(part.get_filename, "") or "", 500)
        content = _payload(part, self._problems)
        disposition = _safe(part.get_content_disposition, None)
        attached = disposition == "attachment" or (name and declared != "text/plain")
        if declared in ("text/plain", "text/html") and not attached:
            charset = _safe(part.get_content_charset, None)
            text = plain(decode(content[: 8 * self._limits.max_text], charset))
            (self._html if declared == "text/html" else self._plain).append(text)
            return
        if len(self.attachments) >= self._limits.max_attachments:
            self._problems.append(f"more than {self._limits.max_attachments} attachments")
            return
        if is_winmail(content):
            body, inside = read_winmail(content)
            self._plain.append(plain(body[: self._limits.max_text]))
            room = self._limits.max_attachments - len(self.attachments)
            for inner, data in inside[:room]:
                self._attach(inner, declared, data)
            return
        self._attach(name, declared, content)

    def _attach(self, name: str, declared: str, content: bytes) -> None:
        found = content_type_of(content, name)
        self.attachments.append(Attachment(name, declared.lower()[:200], found, len(content)))

    def finish(self) -> tuple[str, tuple[Link, ...], str, bool]:
        """The text, the links, the hidden text, and whether there was HTML."""
        text = "\n".join(self._plain).strip()
        if len(text) > self._limits.max_text:
            self._problems.append(f"more than {self._limits.max_text} characters of text")
            text = text[: self._limits.max_text]
        links: list[Link] = []
        hidden: list[str] = []
        seen_text: list[str] = []
        for source in self._html:
            seen = read_html(source, self._limits.max_text, self._limits.max_links)
            if seen.cut:
                self._problems.append("HTML beyond the limits")
            seen_text.append(seen.text)
            hidden.append(seen.hidden)
            links += seen.links
        # Most readers show the HTML; a plain alternative that says nothing must not hide it.
        html_text = "\n".join(seen_text).strip()[: self._limits.max_text]
        if len(html_text) > len(text) // 2 and html_text:
            text = text if 2 * len(text) > len(html_text) and text else html_text
        return (
            text,
            tuple(links[: self._limits.max_links]),
            "\n".join(hidden).strip()[: self._limits.max_text],
            bool(self._html),
        )


def _payload(part: Mime, problems: list[str]) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except Exception:  # broken encodings raise many kinds
        content = None
    if isinstance(content, bytes):
        return content
    problems.append("a part whose encoding is broken")
    raw = part._payload  # type: ignore[attr-defined]
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def _safe(read: Callable[[], Any], otherwise: Any) -> Any:  # noqa: ANN401 - of any header
    """What a part says of itself, or what stands for it where it says it brokenly."""
    try:
        said = read()
    except Exception:  # headers of an attacker's making
        return otherwise
    return otherwise if said is None else said


def _date(value: str) -> float | None:
    try:
        when = parsedate_to_datetime(value[:100])
        if when.tzinfo is None:
            when = when.replace(tzinfo=datetime.UTC)
        return when.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
