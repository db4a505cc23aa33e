"""The milter as a hostile or failing mail server sees it, packet by packet."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whichlever.errors import InputError
from whichlever.mail.scan import MailVerdict
from whichlever.mailflow import milter_wire as wire
from whichlever.mailflow.listening import Listen
from whichlever.mailflow.milter import Milter, Settings
from whichlever.mailflow.milter_session import MOST_FORGED, Rules

LOOPBACK = Listen.parse("inet:127.0.0.1:0")
OFFER = wire.packet(wire.NEGOTIATE, struct.pack("!III", 6, 0x1FF, 0x1FFFFF))


def judged(raw: bytes) -> MailVerdict:
    return MailVerdict("phishing" if b"bad" in raw else "legitimate", 0.5, (), ())


def header(name: str, value: str) -> bytes:
    return wire.packet(wire.HEADER, f"{name}\0 {value}\0".encode())


def a_mail(body: bytes, *headers: bytes) -> bytes:
    return b"".join(
        (wire.packet(wire.MAIL, b"<a@b.test>\0"), *headers, wire.packet(wire.END_OF_HEADERS),
         wire.packet(wire.BODY, body), wire.packet(wire.END_OF_MESSAGE))
    )  # fmt: skip


class Client:
    """A mail server of a few lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, what: bytes) -> None:
        self.writer.write(what)
        await self.writer.drain()

    async def answer(self) -> list[wire.Packet]:
        """Packets up to the one that ends a mail."""
        found: list[wire.Packet] = []
        while not found or found[-1].command not in (wire.CONTINUE, b"y", wire.NEGOTIATE):
            got = await asyncio.wait_for(wire.read_packet(self.reader), 10)
            assert got is not None
            found.append(got)
        return found


Play = Callable[[Milter, Callable[[], Awaitable[Client]]], Awaitable[None]]


def played(play: Play, judge: Callable[[bytes], MailVerdict] = judged, **more: object) -> Milter:
    """A milter for as long as ``play`` takes."""

    async def go() -> Milter:
        milter = Milter(Settings(LOOPBACK, **more), judge)  # type: ignore[arg-type]
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(milter.run(ready.set_result))
        port = int((await ready).rpartition(":")[2])
        clients: list[Client] = []

        async def connect() -> Client:
            clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
            return clients[-1]

        try:
            await play(milter, connect)
        finally:
            milter.stop()
            for client in clients:
                client.writer.close()
            await asyncio.wait_for(running, 20)
        return milter

    return asyncio.run(go())


def inserted(answer: list[wire.Packet]) -> dict[str, str]:
    said = [wire.strings(got.content[4:]) for got in answer if got.command == b"i"]
    return {name.decode(): value.decode() for name, value in said}


def test_every_mail_of_a_connection_gets_its_own_answer() -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        await client.say(OFFER)
        (chosen,) = await client.answer()
        assert wire.read_offer(chosen.content).actions == 0x31
        for body, verdict in ((b"bad", "phishing"), (b"good", "legitimate"), (b"bad", "phishing")):
            await client.say(a_mail(body))
            answer = await client.answer()
            assert inserted(answer)["X-Whichlever-Verdict"] == f" {verdict}"
            assert (b"q" in [got.command for got in answer]) == (verdict == "phishing")
            await client.say(wire.packet(wire.ABORT))

    milter = played(play, rules=Rules(quarantine=frozenset({"phishing"})))
    assert milter.counts == {"phishing": 2, "legitimate": 1}


def test_forged_headers_go_and_too_many_are_refused() -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        await client.say(OFFER)
        await client.answer()
        forged = [header("X-WHICHLEVER-Verdict", "fine"), header("x-whichlever-verdict ", "fine")]
        await client.say(a_mail(b"good", *forged, header("Subject", "x")))
        removed = [got.content for got in await client.answer() if got.command == b"m"]
        name = b"x-whichlever-verdict\0\0"
        assert removed == [struct.pack("!I", 2) + name, struct.pack("!I", 1) + name]
        many = [header(f"X-Whichlever-{i}", "x") for i in range(MOST_FORGED + 1)]
        await client.say(a_mail(b"good", *many))
        (answer,) = await client.answer()
        assert answer.content.startswith(b"550 5.7.1 ")

    played(play)


def test_too_much_mail_in_hand_is_not_judged_and_not_lost() -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        first, second = await connect(), await connect()
        for client in (first, second):
            await client.say(OFFER)
            await client.answer()
        await first.say(wire.packet(wire.MAIL, b"<>\0") + wire.packet(wire.BODY, b"x" * 15_000))
        while not milter.judging._left < 10_000:
            await asyncio.sleep(0.01)
        await second.say(a_mail(b"y" * 10_000))
        (answer,) = await second.answer()
        assert answer.content.startswith(b"451 4.7.1 ")
        await first.say(wire.packet(wire.END_OF_MESSAGE))
        assert inserted(await first.answer())["X-Whichlever-Verdict"] == " legitimate"
        await second.say(a_mail(b"y" * 10_000))
        assert inserted(await second.answer())["X-Whichlever-Verdict"] == " legitimate"

    played(play, rules=Rules(fail="closed"), max_held=20_000)


def test_a_mail_that_hangs_leaves_the_others_judged() -> None:
    free = threading.Event()

    def judge(raw: bytes) -> MailVerdict:
        if b"hang" in raw:
            free.wait(20)
        return judged(raw)

    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        client = await connect()
        await client.say(OFFER)
        await client.answer()
        for _ in range(2):
            await client.say(a_mail(b"hang"))
            assert inserted(await client.answer())["X-Whichlever-Verdict"] == " unchecked"
            await client.say(a_mail(b"bad"))
            assert inserted(await client.answer())["X-Whichlever-Verdict"] == " phishing"
        assert milter.judging._stuck == 2
        free.set()
        while milter.judging._stuck:
            await asyncio.sleep(0.01)
        await client.say(a_mail(b"bad"))
        assert inserted(await client.answer())["X-Whichlever-Verdict"] == " phishing"

    played(play, judge, timeout=0.3)


def test_a_connection_too_many_is_closed() -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        first = await connect()
        await first.say(OFFER)
        await first.answer()
        assert await (await connect()).reader.read() == b""
        await first.say(a_mail(b"good"))
        assert await first.answer()

    played(play, max_connections=1)


def test_a_mail_in_hand_is_answered_before_it_stops() -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        busy, idle = await connect(), await connect()
        for client in (busy, idle):
            await client.say(OFFER)
            await client.answer()
        await busy.say(wire.packet(wire.MAIL, b"<>\0") + wire.packet(wire.BODY, b"bad"))
        while not any(session.busy for session in milter._sessions.values()):
            await asyncio.sleep(0.01)
        milter.stop()
        assert await idle.reader.read() == b""
        await busy.say(wire.packet(wire.END_OF_MESSAGE))
        assert inserted(await busy.answer())["X-Whichlever-Verdict"] == " phishing"
        assert await busy.reader.read() == b""

    played(play)


def test_a_silent_connection_is_closed() -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        assert await asyncio.wait_for((await connect()).reader.read(), 5) == b""

    played(play, rules=Rules(idle=0.2))


PACKETS = st.one_of(
    st.binary(max_size=200),
    st.builds(wire.packet, st.binary(min_size=1, max_size=1), st.binary(max_size=100)),
    st.builds(
        wire.packet,
        st.sampled_from([*wire.GATHERED, wire.MACRO, wire.END_OF_MESSAGE, wire.ABORT]),
        st.binary(max_size=100),
    ),
    st.just(OFFER),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(PACKETS, max_size=12), min_size=1, max_size=5))
def test_no_packets_bring_it_down(connections: list[list[bytes]]) -> None:
    async def play(milter: Milter, connect: Callable[[], Awaitable[Client]]) -> None:
        for packets in connections:
            client = await connect()
            client.writer.write(b"".join(packets))
            client.writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(client.reader.read(), 10)
        client = await connect()
        await client.say(OFFER + a_mail(b"bad"))
        await client.answer()
        assert inserted(await client.answer())["X-Whichlever-Verdict"] == " phishing"

    milter = played(play)
    assert milter.judging._left == milter.settings.max_held  # what was held was given back


def test_where_it_may_listen(tmp_path: Path) -> None:
    assert Listen.parse("inet:8891@localhost") == Listen("localhost", 8891)
    assert Listen.parse("inet:[::1]:8891").host == "::1"
    assert Listen.parse("unix:/run/x").path == Path("/run/x")
    for wrong in ("8891", "inet:8891", "inet:127.0.0.1:x", "inet:127.0.0.1:70000", "unix:"):
        with pytest.raises(InputError):
            Listen.parse(wrong)
    with pytest.raises(InputError, match="--remote"):
        Listen.parse("inet:0.0.0.0:8891")
    assert Listen.parse("inet:0.0.0.0:8891", remote=True).port == 8891
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match="no socket"):
        Listen.parse(f"unix:{tmp_path / 'file'}").open()
    assert (tmp_path / "file").read_text() == "kept"
