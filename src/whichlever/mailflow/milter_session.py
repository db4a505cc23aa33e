"""One connection of a mail server to the milter: mails one after the other, each answered."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from whichlever.mail.scan import MailVerdict
from whichlever.mailflow import milter_wire as wire
from whichlever.mailflow.header_lines import (
    PREFIX,
    HeaderLine,
    unchecked_headers,
    verdict_headers,
)
from whichlever.mailflow.judging import Judging, Unjudged
from whichlever.serve.logs import say

LATER = "451 4.7.1 This mail cannot be judged now; try again later"
FORGER = "550 5.7.1 Too many X-Whichlever headers"

MOST_FORGED = 100
"""Headers that pass for ours which are removed from one mail; with more it is refused."""

_QUEUE_ID = re.compile(rb"[A-Za-z0-9]{1,40}")


@dataclass(frozen=True)
class Rules:
    """What is done with mails.

    Attributes
    ----------
    quarantine
        Verdicts that are put on hold.
    fail
        ``open`` lets a mail pass that could not be judged; ``closed`` has its sender try again.
    max_bytes
        Of one mail that are kept and judged; the rest passes by.
    idle
        Seconds that a connection may say nothing.
    """

    quarantine: frozenset[str] = frozenset()
    fail: Literal["open", "closed"] = "open"
    max_bytes: int = 10_000_000
    idle: float = 600.0


@dataclass
class _Mail:
    """What came of a mail so far."""

    sender: bytes = b""
    kept: bytearray = field(default_factory=bytearray)
    size: int = 0
    cut: bool = False
    busy: bool = False
    forged: dict[bytes, int] = field(default_factory=dict)


class Session:
    """Speaks with one mail server until it says goodbye.

    Attributes
    ----------
    last
        Set when the milter stops: it ends after the mail in hand.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        judging: Judging,
        rules: Rules,
        told: Callable[[str], None] = lambda verdict: None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._judging, self._rules, self._told = judging, rules, told
        self._mail: _Mail | None = None
        self._steps = 0
        self._queue_id = ""
        self.last = False

    @property
    def busy(self) -> bool:
        """Whether a mail is in hand."""
        return self._mail is not None

    async def run(self) -> None:
        """Answer commands until the connection ends.

        Raises
        ------
        Broken
            The other side does not speak the protocol.
        TimeoutError
            It says nothing.
        """
        try:
            while not (self.last and not self.busy):
                async with asyncio.timeout(self._rules.idle):
                    got = await wire.read_packet(self._reader)
                if got is None or got.command == wire.QUIT:
                    return
                await self._answer(got)
        finally:
            self._drop()

    async def _answer(self, got: wire.Packet) -> None:
        command, content = got
        if command == wire.NEGOTIATE:
            self._writer.write(self._negotiated(wire.read_offer(content)))
        elif command == wire.MACRO:
            self._macro(content)
            return
        elif command in (wire.ABORT, wire.QUIT_NEW):
            self._drop()
            return
        elif command == wire.END_OF_MESSAGE:
            self._keep(content)
            await self._end()
        elif command not in wire.GATHERED:
            raise wire.Broken("a command that is none")
        else:
            self._gather(command, content)
            if self._steps & wire.SILENT.get(command, 0):
                return
            self._writer.write(wire.packet(wire.CONTINUE))
        async with asyncio.timeout(self._rules.idle):
            await self._writer.drain()

    def _negotiated(self, offered: wire.Offer) -> bytes:
        actions = wire.ADD_HEADERS | wire.CHANGE_HEADERS
        actions |= wire.QUARANTINES if self._rules.quarantine else 0
        if offered.version < wire.VERSION or actions & ~offered.actions:
            raise wire.Broken("a server that offers too little: milter protocol 6 is needed")
        wanted = (
            wire.NO_CONNECT | wire.NO_HELO | wire.NO_RCPT | wire.NO_UNKNOWN | wire.NO_DATA
            | wire.SILENT_HEADER | wire.SILENT_MAIL | wire.SILENT_EOH | wire.SILENT_BODY
            | wire.LEADING_SPACE
        )  # fmt: skip
        self._steps = wanted & offered.steps
        return wire.offer(wire.Offer(wire.VERSION, actions, self._steps))

    def _macro(self, content: bytes) -> None:
        said = wire.strings(content[1:])
        for name, value in zip(said[::2], said[1::2], strict=False):
            if name in (b"i", b"{i}") and _QUEUE_ID.fullmatch(value):
                self._queue_id = value.decode("ascii")

    def _gather(self, command: bytes, content: bytes) -> None:
        if command == wire.MAIL:
            self._drop()
            sender = wire.strings(content)[0] if content else b""
            self._mail = _Mail(bytes(c for c in sender if c >= 32)[:1_000])
            # The mail itself gets this header only when it is delivered.
            self._keep(b"Return-Path: " + self._mail.sender + b"\r\n")
        elif command == wire.HEADER:
            self._header(content)
        elif command == wire.END_OF_HEADERS:
            self._keep(b"\r\n")
        elif command == wire.BODY:
            self._keep(content)

    def _header(self, content: bytes) -> None:
        name, _, value = content.removesuffix(b"\0").partition(b"\0")
        bare = name.strip(b" \t").lower()
        mail = self._in_hand()
        if bare.startswith(PREFIX.encode()):
            mail.forged[bare] = mail.forged.get(bare, 0) + 1
            return
        space = b"" if self._steps & wire.LEADING_SPACE else b" "
        value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._keep(name + b":" + space + value + b"\r\n")

    def _in_hand(self) -> _Mail:
        if self._mail is None:
            self._mail = _Mail()
        return self._mail

    def _keep(self, content: bytes) -> None:
        mail = self._in_hand()
        mail.size += len(content)
        room = self._rules.max_bytes - len(mail.kept)
        if len(content) > room:
            content, mail.cut = content[:room], True
        if not content or mail.busy:
            return
        if not self._judging.take(len(content)):
            self._judging.give(len(mail.kept))
            mail.kept, mail.busy = bytearray(), True
            return
        mail.kept += content

    def _drop(self) -> None:
        if self._mail is not None:
            self._judging.give(len(self._mail.kept))
            self._mail = None

    async def _end(self) -> None:
        """Judge the mail in hand, and answer."""
        mail, began = self._in_hand(), time.perf_counter()
        found: MailVerdict | None = None
        why = ""
        forged = sum(mail.forged.values())
        try:
            if mail.busy:
                raise Unjudged("too much mail was in hand")
            if forged <= MOST_FORGED:
                found = await self._judging.verdict(bytes(mail.kept))
        except Unjudged as error:
            why = str(error)
        hold = found is not None and found.verdict in self._rules.quarantine
        refused = forged > MOST_FORGED
        if refused:
            said, did = wire.reply_code(FORGER), "refused"
        elif found is None and self._rules.fail == "closed":
            said, did = wire.reply_code(LATER), "later"
        else:
            said = self._edits(mail, _lines(mail, found, why))
            said += wire.quarantine(f"whichlever: {found.verdict}") if found and hold else b""
            said += wire.packet(wire.CONTINUE)
            did = "held" if hold else "passed"
        self._writer.write(said)
        verdict = "unchecked" if found is None else found.verdict
        say("mail", queue=self._queue_id, verdict=verdict, did=did, why=why or None,
            score=None if found is None else round(found.score, 4),
            signals=[] if found is None else list(found.codes), bytes=mail.size, cut=mail.cut,
            forged=forged, ms=round((time.perf_counter() - began) * 1000, 1))  # fmt: skip
        self._told(verdict)
        self._queue_id = ""
        self._drop()

    def _edits(self, mail: _Mail, lines: list[HeaderLine]) -> bytes:
        said = b""
        for name, count in mail.forged.items():
            # From the last: what is removed moves no number of those still to be removed.
            for number in range(count, 0, -1):
                said += wire.delete_header(name, number)
        space = " " if self._steps & wire.LEADING_SPACE else ""
        for line in reversed(lines):
            said += wire.insert_header(line.name, space + line.value)
        return said


def _lines(mail: _Mail, found: MailVerdict | None, why: str) -> list[HeaderLine]:
    notes = []
    if mail.cut:
        notes.append(f"not read to its end: the first {len(mail.kept)} of {mail.size} bytes")
    if mail.forged:
        notes.append("headers of these names that it came with were removed")
    return unchecked_headers(why, notes) if found is None else verdict_headers(found, notes)
