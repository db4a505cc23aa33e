"""Syslog over UDP and TCP: in order by sender, and what is dropped is counted."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from whichlever.errors import InputError
from whichlever.runtime.logs.lines import Line
from whichlever.runtime.logs.listen import Address, address_of
from whichlever.runtime.logs.tcp import CONNECTIONS, Tcp
from whichlever.runtime.logs.udp import EACH, Udp


def drain(feed: Udp | Tcp, want: int, seconds: float = 10) -> list[Line]:
    lines: list[Line] = []
    until = time.monotonic() + seconds
    while len(lines) < want and time.monotonic() < until:
        lines += [line for line in feed.take() if line.data is not None]
        time.sleep(0.002)
    return lines


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("udp://:5514", Address("udp", "127.0.0.1", 5514)),
        ("tcp://localhost:601", Address("tcp", "127.0.0.1", 601)),
        ("udp://0.0.0.0:514", Address("udp", "0.0.0.0", 514)),
        ("tcp://[::1]:601", Address("tcp", "::1", 601)),
    ],
)
def test_an_address_is_of_this_machine_unless_one_is_named(said: str, meant: Address) -> None:
    assert address_of(said) == meant


@pytest.mark.parametrize(
    "said", ["", "udp://x", "http://:1", "udp://:99999", "udp://a.b:1", "5514"]
)
def test_other_addresses_are_refused(said: str) -> None:
    with pytest.raises(InputError, match="--listen"):
        address_of(said)


def test_udp_keeps_order_and_a_taken_port_is_said() -> None:
    feed = Udp(address_of("udp://:0"), lambda peer: f"of {peer}")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i in range(500):
        sender.sendto(b"<13>line %d\n\0" % i, (feed.address.host, feed.address.port))
    sender.sendto(b"two\nlines", (feed.address.host, feed.address.port))
    lines = drain(feed, 501)
    assert [line.data for line in lines[:500]] == [b"<13>line %d" % i for i in range(500)]
    assert lines[500].data == b"two\nlines"
    assert {line.origin.source for line in lines} == {"of 127.0.0.1"}
    with pytest.raises(InputError, match="cannot listen"):
        feed.address.bind()
    feed.stop()
    time.sleep(0.5)
    assert feed.ended
    assert feed.lost() == {}
    feed.close()
    sender.close()


def test_udp_that_is_not_read_stays_bounded_and_counts_what_it_drops() -> None:
    feed = Udp(address_of("udp://:0"), most_queued=100 * (EACH + 10))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(400):
        sender.sendto(b"x" * 10, (feed.address.host, feed.address.port))
        time.sleep(0.0002)
    until = time.monotonic() + 10
    while feed.received + feed.lost().get("udp_kernel", 0) < 400 and time.monotonic() < until:
        time.sleep(0.01)
    lines = drain(feed, 100)
    assert len(lines) == 100
    assert len(lines) + sum(feed.lost().values()) == 400
    feed.close()
    sender.close()


def test_tcp_makes_a_fast_sender_wait_and_loses_nothing() -> None:
    feed = Tcp(address_of("tcp://:0"))
    sent = b"".join(b"line %d %s\n" % (i, b"x" * 200) for i in range(100_000))

    def send() -> None:
        with socket.create_connection((feed.address.host, feed.address.port)) as connection:
            connection.sendall(sent)

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(0.3)
    assert sender.is_alive()  # nobody reads: it waits
    lines = drain(feed, 100_000, 60)
    sender.join(10)
    assert b"".join((line.data or b"") + b"\n" for line in lines) == sent
    feed.stop()
    feed.take()
    assert feed.ended
    feed.close()


def test_many_connections_each_in_order_and_too_many_are_refused() -> None:
    feed = Tcp(address_of("tcp://:0"))
    where = (feed.address.host, feed.address.port)
    first, second = socket.create_connection(where), socket.create_connection(where)
    for i in range(50):
        first.sendall(b"7 <1>a%03d" % i)
        second.sendall(b"b%03d\n" % i)
    second.sendall(b"unfinished")
    second.close()
    lines = drain(feed, 101)
    by_sender = {o: [x.data for x in lines if x.origin is o] for o in {x.origin for x in lines}}
    assert sorted(by_sender.values()) == [
        [b"<1>a%03d" % i for i in range(50)],
        [b"b%03d" % i for i in range(50)] + [b"unfinished"],
    ]
    first.close()
    assert CONNECTIONS >= 100
    feed.close()
