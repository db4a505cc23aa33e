"""Mail read from bytes that an attacker may have written."""

from __future__ import annotations

import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")

from whichlever.mail import Limits, read_message


def _mail(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in {
        "From": "Ada Byron <ada@corp.example>",
        "Subject": "Plan",
        **headers,
    }.items():
        mail[name.replace("_", "-")] = value
    return mail


def test_headers_addresses_and_date_are_read() -> None:
    mail = _mail(
        To="Bob <bob@corp.example>, carol@corp.example", Reply_To="x@evil.example",
        Date="Tue, 01 Jul 2025 10:00:00 +0200", Subject="Grüße",
    )  # fmt: skip
    mail.set_content("Hello Bob.\n")
    read = read_message(mail.as_bytes())
    assert (read.from_name, read.from_address) == ("Ada Byron", "ada@corp.example")
    assert read.to == ("bob@corp.example", "carol@corp.example")
    assert read.reply_to == "x@evil.example"
    assert read.subject == "Grüße"
    assert read.date == 1751356800.0
    assert read.own == "Hello Bob."
    assert read.problems == ()


def test_a_name_without_an_address_is_a_name() -> None:
    read = read_message(b"From: Parcel Service\r\n\r\nx")
    assert (read.from_name, read.from_address) == ("Parcel Service", "")


def test_html_is_text_links_and_what_nobody_sees() -> None:
    mail = _mail()
    mail.set_content(
        '<style>p{color:red}</style><p>Dear Bob,</p><div style="DISPLAY : none">secret filler</div>'
        '<a href="http://evil.example/\nx">www.bank.example</a><script>alert(1)</script>',
        subtype="html",
    )
    read = read_message(mail.as_bytes())
    assert read.text == "Dear Bob,\nwww.bank.example"
    assert read.hidden == "secret filler"
    assert [(x.text, x.target) for x in read.links] == [
        ("www.bank.example", "http://evil.example/x")
    ]


def test_attachments_are_known_by_their_content() -> None:
    mail = _mail()
    mail.set_content("See the invoice.")
    mail.add_attachment(b"MZ" + bytes(100), maintype="application", subtype="pdf", filename="a.pdf")
    (found,) = read_message(mail.as_bytes()).attachments
    assert (found.name, found.declared, found.found, found.size) == (
        "a.pdf", "application/pdf", ".exe", 102,
    )  # fmt: skip


def test_a_nested_message_is_read_too() -> None:
    inner = _mail(Subject="inner")
    inner.set_content("words of the inner mail")
    outer = _mail()
    outer.set_content("see below")
    outer.add_attachment(inner)
    assert "words of the inner mail" in read_message(outer.as_bytes()).text


def test_broken_charsets_and_encodings_lose_no_mail() -> None:
    raw = (
        b"From: =?utf-8?q?caf=C3?= <a@b.example>\r\nSubject: =?rot13?q?abc?=\r\n"
        b"Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"aGVsbG8gd29ybGQ===broken!!\r\n"
    )
    read = read_message(raw)
    assert read.from_address == "a@b.example"
    assert "hello world" in read.text


def _nested(depth: int) -> bytes:
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i)
        for i in range(depth)
    )
    return b"From: a@b.example\r\n" + head + b"Content-Type: text/plain\r\n\r\nhi\r\n" * 50


@pytest.mark.parametrize("depth", [10, 60, 199, 5_000])
def test_a_mime_bomb_is_bounded(depth: int) -> None:
    begun = time.process_time()
    read = read_message(_nested(depth) + b"filler\r\n" * 20_000)
    assert read.from_address == "a@b.example"
    assert time.process_time() - begun < 30
    if depth > 20:
        assert read.problems


def test_what_is_beyond_the_limits_is_said() -> None:
    raw = b"".join(b"X-%d: y\r\n" % i for i in range(600)) + b"\r\n" + b"word " * 1000
    read = read_message(raw, Limits(max_bytes=20_000, max_text=500))
    assert len(read.text) == 500
    assert len(read.headers) == 500
    assert len(read.problems) >= 2


def test_control_characters_do_not_reach_a_terminal() -> None:
    read = read_message(b"From: a@b.example\r\nSubject: x\x1b[2Jy\r\n\r\nz\x1b]0;t\x07\r\n")
    assert "\x1b" not in read.subject + read.text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_raise(raw: bytes) -> None:
    read = read_message(raw)
    assert "\x00" not in read.text


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"From: a@b\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n", b"--x\r\n",
             b"--x--\r\n", b"\r\n", b"Content-Type: text/html\r\n", b"<a href=q><b>", b"\xff\xfe",
             b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: message/rfc822\r\n",
             b"Content-Type: text/plain; charset*0*=utf-8''%ff\r\n", b"word\r\n"]
        ),
        max_size=30,
    )
)  # fmt: skip
def test_no_arrangement_of_mail_raises(pieces: list[bytes]) -> None:
    read_message(b"".join(pieces))
