"""Bytes to lines to events: nothing lost, nothing reordered, everything bounded."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whichlever.errors import InputError
from whichlever.runtime.logs.events import Event, Joiner, visible
from whichlever.runtime.logs.lines import Line, Origin, Splitter
from whichlever.runtime.logs.masks import event_rule
from whichlever.runtime.logs.sources import Sources
from whichlever.runtime.logs.tcp import Frames

HERE = Origin("x")


def split(content: bytes, cuts: list[int], most: int = 1_000) -> list[Line]:
    splitter, lines, at = Splitter(HERE, most=most), [], 0
    for cut in [*sorted(c for c in cuts if c <= len(content)), len(content)]:
        lines += splitter.push(content[at:cut])
        at = cut
    return lines + splitter.rest()


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6), st.integers(1, 40))
def test_lines_are_the_content_wherever_it_is_cut(
    content: bytes, cuts: list[int], most: int
) -> None:
    lines = split(content, cuts, most)
    joined = b""
    for line in lines:
        assert line.data is not None
        assert len(line.data) <= most
        joined += line.data
        if joined != content[: line.end]:
            joined += b"\n"
        assert joined == content[: line.end]  # the place after the line is the place after it
    assert joined == content or joined + b"\n" == content


def test_a_long_line_comes_in_numbered_pieces() -> None:
    lines = split(b"a" * 25 + b"\nb\n", [], most=10)
    assert [(line.data, line.piece) for line in lines] == [
        (b"a" * 10, 1), (b"a" * 10, 2), (b"a" * 5, 3), (b"b", 0),
    ]  # fmt: skip


def events(rule: str, given_: list[bytes], **bounds: int) -> list[Event]:
    joiner = Joiner(event_rule(rule), **bounds)
    found = joiner.push(Line(line, HERE, place) for place, line in enumerate(given_, 1))
    return found + joiner.rest()


TRACE = [
    b"2024-06-01 10:00:00,123 ERROR [main] a.B - failed",
    b"java.lang.IllegalStateException: no",
    b"\tat a.B.run(B.java:7)",
    b"",
    b"Caused by: java.io.IOException",
    b"2024-06-01 10:00:01,000 INFO  [main] a.B - on",
]


def test_events_by_timestamp_indent_and_mask() -> None:
    assert [e.lines for e in events("timestamp", TRACE)] == [5, 1]
    assert [e.lines for e in events("start:####-##-##", TRACE)] == [5, 1]
    assert [e.lines for e in events("indent", TRACE)] == [1, 4, 1]
    assert [e.lines for e in events("none", TRACE)] == [1] * 6
    first = events("timestamp", TRACE)[0]
    assert first.text == "\n".join(line.decode() for line in TRACE[:5])
    assert (first.flags, first.end) == (("multiline",), 5)


@pytest.mark.parametrize(
    "line",
    ["Jun  1 10:00:00 fw", "<134>Jun 01 10:00:00", "[01/Jun/2024:10:00:00 +0200]", "2024-06-01T10",
     "6/1/2024 2:04:24 PM", "01-Jun-2024 10:00:00.1", "1717236000.250 x", "<13>1717236000.250 ",
     "Sat Jun  1 10:00:00 2024", "[Sat Jun 01 10:00:00", "12: 2024/06/01"],
)  # fmt: skip
def test_a_timestamp_is_known_by_its_beginning(line: str) -> None:
    begins = event_rule("timestamp")
    assert begins is not None
    assert begins(line.encode())
    assert not begins(b" " + line.encode())


@pytest.mark.parametrize("rule", ["", "start:", "start", "regex:(a+)+$", "start:" + "#" * 300])
def test_rules_that_are_none_are_refused(rule: str) -> None:
    with pytest.raises(InputError, match="--join"):
        event_rule(rule)


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b), max_size=30),
       st.sampled_from(["indent", "timestamp", "start:##|a"]))  # fmt: skip
def test_joining_loses_no_line(lines: list[bytes], rule: str) -> None:
    found = events(rule, lines, lines=4, bytes_=40)
    assert sum(event.lines for event in found) == len(lines)
    said = [line.decode("utf-8", "surrogateescape").removesuffix("\r") for line in lines]
    assert "\n".join(event.text for event in found) == "\n".join(said)
    assert all(event.lines <= 4 for event in found)


def test_an_event_without_end_is_split_and_says_so() -> None:
    found = events("indent", [b"a"] + [b" x"] * 9, lines=4)
    assert [e.lines for e in found] == [4, 4, 2]
    assert found[0].flags == ("multiline", "split")


def test_an_event_waits_for_its_next_line_but_not_for_ever() -> None:
    now = [0.0]
    joiner = Joiner(event_rule("indent"), wait=1.0, clock=lambda: now[0])
    assert joiner.push([Line(b"a", HERE, 1)]) == []
    now[0] = 0.9
    assert joiner.due() == []
    assert joiner.push([Line(b" b", HERE, 2)]) == []
    now[0] = 1.8
    assert joiner.due() == []
    now[0] = 2.0
    assert [event.text for event in joiner.due()] == ["a\n b"]
    other = Origin("y")
    joiner.push([Line(b"c", HERE, 3), Line(b"d", other, 1), Line(b" e", HERE, 4)])
    assert [event.text for event in joiner.push([Line(None, HERE)])] == ["c\n e"]
    assert [event.text for event in joiner.rest()] == ["d"]


def test_bytes_that_are_no_text_keep_their_places() -> None:
    (event,) = events("none", [b"\xff\xc3\xa9 10.0.0.1"])
    assert event.raw == b"\xff\xc3\xa9 10.0.0.1"
    assert event.text[3:11] == "10.0.0.1"
    assert visible(event.text) == "\N{REPLACEMENT CHARACTER}é 10.0.0.1"


def test_time_grows_with_the_line_and_not_faster() -> None:
    begins = event_rule("timestamp")
    assert begins is not None
    began = time.perf_counter()
    begins(b"<" * 1_000_000)
    begins(b"[2024-" * 200_000)
    split(b"a" * 4_000_000, list(range(0, 4_000_000, 65_536)), most=8_000_000)
    assert time.perf_counter() - began < 1.0


@settings(max_examples=60)
@given(
    st.lists(st.binary(min_size=1, max_size=30).map(lambda b: b"<1>" + b), min_size=1, max_size=8),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_counted_messages_of_tcp_come_whole_wherever_they_are_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(b"%d %s" % (len(m), m) for m in messages)
    frames, found, at = Frames(HERE), [], 0
    for cut in [*sorted(c for c in cuts if c <= len(stream)), len(stream)]:
        found += frames.push(stream[at:cut])
        at = cut
    found += frames.rest()
    assert found.pop().data is None
    assert [line.data for line in found] == [m.rstrip(b"\r\n\0") for m in messages]


def test_tcp_by_line_feed_even_where_lines_begin_with_numbers() -> None:
    frames = Frames(HERE)
    assert [line.data for line in frames.push(b"12 apples\n1717236000.2 x\n13")] == [
        b"12 apples", b"1717236000.2 x",
    ]  # fmt: skip
    assert [line.data for line in frames.rest()] == [b"13", None]
    long = Frames(HERE, most=10)
    found = long.push(b"25 <" + b"a" * 24 + b"3 <b>")
    assert [(line.data, line.piece) for line in found] == [
        (b"<" + b"a" * 9, 1), (b"a" * 10, 2), (b"a" * 5, 3), (b"<b>", 0),
    ]  # fmt: skip


def test_sources_are_told_by_pattern() -> None:
    sources = Sources(["/var/log/asa*=asa", "10.0.0.?=gate", "udp:5514=edge", "rest"])
    assert sources.of("/var/log/asa.log", "asa.log") == "asa"
    assert sources.of("10.0.0.7", "udp:99") == "gate"
    assert sources.of("10.0.9.7", "udp:5514") == "edge"
    assert sources.of("x") == "rest"
    assert Sources([]).of("x") is None
    for bad in (["=x"], ["a="], ["a", "b"]):
        with pytest.raises(InputError, match="--source"):
            Sources(bad)
