"""Headers that say a verdict: nothing of the sender's gets out of its place."""

from __future__ import annotations

from email import message_from_bytes, policy

from hypothesis import given
from hypothesis import strategies as st

from whichlever.mail.scan import MailVerdict
from whichlever.mailflow.header_lines import (
    UNCHECKED,
    escaped,
    folded,
    unchecked_headers,
    verdict_headers,
)


def test_a_verdict_is_said_in_order_and_read_back() -> None:
    found = MailVerdict("phishing", 0.97123, ("one", "two"), ("first_contact", "dmarc_fails"))
    lines = verdict_headers(found, ["cut"])
    assert [f"{line.name}: {line.value}" for line in lines] == [
        "X-Whichlever-Verdict: phishing",
        "X-Whichlever-Score: 0.9712",
        "X-Whichlever-Reasons: one; two",
        "X-Whichlever-Signals: first_contact, dmarc_fails",
        "X-Whichlever-Note: cut",
    ]
    assert unchecked_headers("why")[0].value == UNCHECKED


def test_text_of_a_mail_stays_text() -> None:
    assert escaped("p\u0430ypal.com\r\nX-Evil: yes") == "p\\u0430ypal.com X-Evil: yes"
    assert escaped("=?utf-8?q?safe?=") == "= ?utf-8?q?safe?="
    assert escaped("a; the model gives phishing 0.00") == "a, the model gives phishing 0.00"
    assert escaped("a\\u0041") == "a\\\\u0041"


@given(st.lists(st.text(max_size=400), max_size=8), st.text(max_size=300))
def test_no_text_breaks_the_header(reasons: list[str], note: str) -> None:
    lines = verdict_headers(MailVerdict("phishing", 1.0, tuple(reasons), ()), [note])
    raw = "".join(f"{line.name}: {line.value}\n" for line in lines) + "\nbody"
    assert all(c == "\n" or " " <= c <= "~" for c in raw)
    read = message_from_bytes(raw.encode("ascii"), policy=policy.compat32)
    assert read.keys() == [line.name for line in lines]
    assert not read.defects
    assert read.get_payload() == "body"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=500))
def test_lines_are_no_longer_than_they_may(word: str) -> None:
    value = folded(f"{word} and more words {word}")
    lines = f"X-Whichlever-Reasons: {value}".split("\n")
    assert all(len(line) <= 78 for line in lines)
    assert all(line.startswith(" ") and line.strip() for line in lines[1:])
