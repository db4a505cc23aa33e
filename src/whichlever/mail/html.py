"""HTML of a mail to the text that a reader sees, its links, and the text that nobody sees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from whichlever.errors import MissingExtraError
from whichlever.mail.message import Link

_BLOCK_NAMES = (
    "address article aside blockquote br center div dl dd dt fieldset footer form h1 h2 h3 h4 h5 h6"
    " header hr li main nav ol p pre section table td th tr ul"
)
_BLOCK = frozenset(_BLOCK_NAMES.split())
_UNSEEN_NAMES = (
    "script style head title template noscript object embed svg math textarea select iframe"
)
_UNSEEN = frozenset(_UNSEEN_NAMES.split())
_HIDING = re.compile(
    r"display:none|visibility:hidden|font-size:0(?![.\d]*[1-9])|opacity:0(?![.\d]*[1-9])"
    r"|max-height:0(?![.\d]*[1-9])|mso-hide:all"
)
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_MANY_LINES = re.compile(r"\n{3,}")
_MOST_NODES = 200_000


@dataclass(frozen=True)
class Seen:
    """What an HTML part holds: text seen, text hidden, links, and whether it was cut."""

    text: str
    hidden: str
    links: tuple[Link, ...]
    cut: bool


def read_html(source: str, max_text: int, max_links: int) -> Seen:
    """Text, links and hidden text of HTML; nothing is fetched, no style sheet is applied.

    Text counts as hidden by its own or an ancestor's ``style`` or ``hidden`` attribute.

    Raises
    ------
    MissingExtraError
        The extra ``mail`` is not installed.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser
    except ImportError:
        raise MissingExtraError("reading HTML mail", "mail") from None
    root = LexborHTMLParser(source.replace("\x00", "")[: max_text * 20]).root
    reader = _Reader(max_text, max_links)
    if root is not None:
        reader.read(root)
    return reader.seen()


class _Reader:
    def __init__(self, max_text: int, max_links: int) -> None:
        self._left = {False: max_text, True: max_text}
        self._text: dict[bool, list[str]] = {False: [], True: []}
        self._links: list[Link] = []
        self._max_links = max_links
        self._open: list[tuple[str, int]] = []  # target of a link, where its text begins
        self._cut = False

    def read(self, root: Any) -> None:  # noqa: ANN401 - a node of selectolax
        # An explicit stack: an attacker's nesting is deeper than Python's own.
        stack: list[tuple[str, Any, bool]] = [("open", root, False)]
        nodes = 0
        while stack:
            step, node, hidden = stack.pop()
            nodes += 1
            if nodes > _MOST_NODES:
                self._cut = True
                return
            if step == "close":
                self._close(node, hidden)
                continue
            if node.is_text_node:
                self._add(_SPACES.sub(" ", node.text_content or ""), hidden)
                continue
            tag = (node.tag or "").lower()
            if tag in _UNSEEN or tag.startswith(("-", "_", "!")):
                continue
            attributes = node.attributes if node.is_element_node else {}
            hidden = hidden or _hides(attributes)
            if tag in _BLOCK:
                self._add("\n", hidden)
            if tag == "a" and attributes.get("href"):
                self._open.append((attributes["href"] or "", len(self._text[hidden])))
                stack.append(("close", "a", hidden))
            elif tag in _BLOCK and tag not in ("br", "hr"):
                stack.append(("close", tag, hidden))
            children = []
            child = node.child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(("open", child, hidden) for child in reversed(children))

    def _close(self, tag: str, hidden: bool) -> None:
        if tag != "a":
            self._add("\n", hidden)
            return
        target, begin = self._open.pop()
        if len(self._links) >= self._max_links:
            self._cut = True
            return
        text = _SPACES.sub(" ", "".join(self._text[hidden][begin:])).strip()
        self._links.append(Link(text[:500], _SPACES.sub("", target)[:2000]))

    def _add(self, piece: str, hidden: bool) -> None:
        left = self._left[hidden]
        if len(piece) > left:
            self._cut = self._cut or bool(piece.strip())
            piece = piece[:left]
        if piece:
            self._text[hidden].append(piece)
            self._left[hidden] = left - len(piece)

    def seen(self) -> Seen:
        return Seen(
            _tidy("".join(self._text[False])),
            _tidy("".join(self._text[True])),
            tuple(self._links),
            self._cut,
        )


def _hides(attributes: dict[str, str | None]) -> bool:
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    return bool(style) and _HIDING.search(_SPACES.sub("", style or "").lower()) is not None


def _tidy(text: str) -> str:
    lines = (line.strip() for line in text.split("\n"))
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()
