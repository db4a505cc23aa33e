"""Signs against a mail, each for what it says it is, and not against honest mail."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")

from whichlever.errors import InputError
from whichlever.mail import read_message
from whichlever.mail.company import Company, History
from whichlever.mail.domains import host_of, looks_like, registrable
from whichlever.mail.signals import signals

COMPANY = Company.model_validate(
    {
        "domains": ["northwind.example"],
        "partners": ["paymaster.example"],
        "people": [{"name": "Ada Byron", "addresses": ["ada@northwind.example"]}],
        "trusted_servers": ["mx.northwind.example"],
    }
)


def _codes(body: str = "Hello.", html: str | None = None, **headers: str) -> dict[str, str]:
    mail = EmailMessage()
    for name, value in {"From": "Ada Byron <ada@northwind.example>", **headers}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    history = History().learn([read_message(b"From: Bob Roe <bob@paymaster.example>\r\n\r\nx")])
    return {s.code: s.words for s in signals(read_message(mail.as_bytes()), COMPANY, history)}


def test_honest_mail_has_no_weighty_sign() -> None:
    found = _codes(
        From="Bob Roe <bob@paymaster.example>", Reply_To="bob@mail.paymaster.example",
        Authentication_Results="mx.northwind.example; spf=pass; dkim=pass; dmarc=pass",
        html='<a href="https://www.paymaster.example/x">paymaster.example</a>',
    )  # fmt: skip
    assert found == {}


@pytest.mark.parametrize(
    ("sender", "how"),
    [
        ("ada@n0rthwind.example", "look-alike characters"),
        ("ada@northvvind.example", "look-alike characters"),
        ("ada@nоrthwind.example", "another script"),
        ("ada@northwind.test", "another ending"),
        ("ada@northwnid.example", "one letter off"),
        ("ada@northqind.example", "neighbouring key"),
        ("ada@northwind-billing.example", "more words"),
        ("ada@northwind.example.evil.test", "in front of another"),
    ],
)
def test_a_lookalike_sender_is_seen_and_explained(sender: str, how: str) -> None:
    found = _codes(From=f"Ada Byron <{sender}>")
    assert how in found["lookalike_domain"]
    assert "Ada Byron" in found["protected_name"]


def test_another_domain_looks_like_nothing() -> None:
    assert looks_like("southwind.example", COMPANY.domains) is None
    assert looks_like("mail.northwind.example", COMPANY.domains) is None


def test_replies_elsewhere_and_the_envelope() -> None:
    found = _codes(Reply_To="ada.byron@freemail.test", Return_Path="<x@bulk.test>")
    assert "freemail.test" in found["reply_to_differs"]
    assert "bulk.test" in found["envelope_differs"]


def test_only_the_own_servers_results_count() -> None:
    forged = _codes(Authentication_Results="mx.evil.test; dmarc=pass; spf=pass; dkim=pass")
    assert not any(code.endswith(("_fails", "unproven")) for code in forged)
    said = _codes(Authentication_Results="mx.northwind.example; spf=fail; dmarc=fail")
    assert {"spf_fails", "dmarc_fails", "own_domain_unproven"} <= set(said)


def test_first_contact_and_a_name_that_was_anothers() -> None:
    found = _codes(From="Bob Roe <bob.roe@freemail.test>")
    assert "bob.roe@freemail.test" in found["first_contact"]
    assert "bob@paymaster.example" in found["name_of_another"]


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ('<a href="http://evil.test/x">https://paymaster.example/pay</a>', "link_text_differs"),
        ('<a href="http://192.0.2.7/x">pay</a>', "link_to_number"),
        ('<a href="https://paymaster.example@evil.test/">pay</a>', "link_with_name"),
        ('<a href="https://paymasteг.example/">pay</a>', "link_lookalike"),
        ('<a href="javascript:alert(1)">pay</a>', "link_runs"),
        ('<p>Pay.</p><p style="font-size:0px">' + "filler " * 100 + "</p>", "hidden_text"),
    ],
)
def test_links_and_hidden_text(html: str, code: str) -> None:
    assert code in _codes(html=html)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("invoice.pdf", b"MZ\x90", "attachment_runs"),
        ("invoice.pdf.exe", b"", "attachment_two_endings"),
        ("invoice.pdf", b"PK\x03\x04", "attachment_false_type"),
        ("voice\u202e3pm.exe", b"", "attachment_reversed"),
        ("remittance.html", b"<html><body>", "attachment_page"),
        ("plan.docm", b"PK\x03\x04", "attachment_macro"),
    ],
)
def test_attachments(name: str, content: bytes, code: str) -> None:
    mail = EmailMessage()
    mail["From"] = "ada@northwind.example"
    mail.set_content("x")
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    assert code in {s.code for s in signals(read_message(mail.as_bytes()), COMPANY)}


def test_dkim_is_checked_with_the_users_own_key() -> None:
    dkim = pytest.importorskip("dkim")
    from base64 import b64encode

    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption()
    )
    public = key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ada@northwind.example", "Pay"
    mail.set_content("Pay invoice 7.\n")
    raw = mail.as_bytes().replace(b"\n", b"\r\n")
    signed = dkim.sign(raw, b"s1", b"northwind.example", private) + raw
    name = "s1._domainkey.northwind.example"
    keys = {name: "v=DKIM1; k=rsa; p=" + b64encode(public).decode()}
    company = COMPANY.model_copy(update={"dkim_keys": keys})
    for content, broken in ((signed, False), (signed.replace(b"invoice 7", b"invoice 8"), True)):
        codes = {x.code for x in signals(read_message(content), company, raw=content)}
        assert ("dkim_broken" in codes) == broken


def test_a_company_file_that_is_wrong_says_where(tmp_path: Path) -> None:
    path = tmp_path / "company.yaml"
    path.write_text("domains: [a.example]\npeoples: []\n")
    with pytest.raises(InputError, match="peoples"):
        Company.load(path)


def test_history_is_read_again(tmp_path: Path) -> None:
    history = History().learn([read_message(b"From: Bob <b@c.example>\r\n\r\n")] * 2)
    history.save(tmp_path / "h.json")
    assert History.load(tmp_path / "h.json") == history
    (tmp_path / "h.json").write_text("[1]")
    with pytest.raises(InputError, match="no history file"):
        History.load(tmp_path / "h.json")


@given(st.text(max_size=80))
def test_no_host_or_domain_raises(text: str) -> None:
    host_of(text)
    host_of("http://" + text)
    registrable(text)
    looks_like(text, ("northwind.example",))


def _tnef(kind: int, value: bytes) -> bytes:
    return (
        b"\x02" + kind.to_bytes(4, "little") + len(value).to_bytes(4, "little") + value
        + (sum(value) & 0xFFFF).to_bytes(2, "little")
    )  # fmt: skip


def test_what_is_inside_winmail_dat_is_seen() -> None:
    content = b"\x78\x9f\x3e\x22\x01\x00" + _tnef(0x00069002, b"\0" * 14)
    content += _tnef(0x00018010, b"invoice.pdf\0") + _tnef(0x0006800F, b"MZ\x90\0")
    mail = EmailMessage()
    mail["From"] = "ada@northwind.example"
    mail.set_content("x")
    mail.add_attachment(content, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    read = read_message(mail.as_bytes())
    assert [(a.name, a.found) for a in read.attachments] == [("invoice.pdf", ".exe")]
    for cut in range(0, len(content), 7):
        mail.clear_content()
        mail.set_content(content[:cut], maintype="application", subtype="ms-tnef")
        read_message(mail.as_bytes())
