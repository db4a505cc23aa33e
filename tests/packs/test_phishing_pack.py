"""The phishing pack: what is masked, what is marked, and a simulated company's mail."""

from __future__ import annotations

import json
import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")

from whichlever.cli.app import app
from whichlever.data.simulate import Dice
from whichlever.packs.phishing.masks import masked
from whichlever.packs.phishing.render import render
from whichlever.packs.phishing.simulate import make_people, simulate_mailbox
from whichlever.task import Task


def _mail(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    return mail


def test_only_what_a_mail_wants_is_rendered() -> None:
    mail = _mail(
        From="Anna <anna@bank.example>", Subject="Re: [List] Pay 300 EUR",
        X_MS_Exchange_Foo="secret",
        Received="from collection.example by x", Message_ID="<tell@tale>",
    )  # fmt: skip
    mail.set_content("Write to victim@pot.example or http://a.example/x?id=99 by 12:30, 5 times.")
    text = render({"eml": mail.as_string()})
    assert "subject: Pay xmoney" in text
    for word in ("xaddress", "xlink", "xnumber", "xdigit"):
        assert word in text
    for word in ("secret", "collection", "tell", "victim", "pot.example", "bank.example"):
        assert word not in text


def test_two_collections_headers_render_alike() -> None:
    texts = set()
    for extra in ({"X-MS-Exchange-Org": "1"}, {"X-Spam-Status": "No", "Received": "from y by z"}):
        mail = _mail(From="A <a@b.example>", Subject="Hello")
        for name, value in extra.items():
            mail[name] = value
        mail.set_content("See you.")
        texts.add(render({"eml": mail.as_string()}))
    assert len(texts) == 1


def test_marks_say_what_a_mail_does() -> None:
    mail = _mail(From="Your Bank <x@evil.test>", Subject="URGENT", Reply_To="y@freemail.test")
    mail.set_content('<a href="http://bit.ly/x">www.yourbank.example</a>', subtype="html")
    marks = render({"eml": mail.as_string()}).split("marks: ")[1].split("\n")[0].split()
    assert {"sig_reply_to_differs", "sig_link_text_differs", "link_shortener", "links_away",
            "subject_shouts", "name_unlike_domain"} <= set(marks)  # fmt: skip


def test_text_given_apart_is_read_too() -> None:
    assert "subject: Plan" in render({"subject": "Plan", "text": "Hello"})
    with pytest.raises(ValueError, match="phishing@2"):
        render({"text": "x"}, version=2)


@given(st.text(max_size=300))
def test_masked_text_holds_no_address_and_no_long_number(text: str) -> None:
    said = masked(text)
    assert not re.search(r"https?://[^\s<>\"']", said)
    assert not re.search(r"[0-9]{2}", said)


def test_simulated_mail_is_the_same_for_a_seed_and_says_that_it_is_simulated() -> None:
    first, again = list(simulate_mailbox(60, 3)), list(simulate_mailbox(60, 3))
    assert first == again
    assert all("X-Simulated: yes" in mail.eml for mail in first)
    assert list(simulate_mailbox(60, 4)) != first


def test_simulated_people_have_habits_of_their_own() -> None:
    people = make_people(Dice(1))
    assert len({(p.greetings, p.closings, p.joiners, p.lower, p.sentences) for p in people}) > 9


def test_init_writes_a_task_that_loads(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", "--pack", "phishing", str(tmp_path / "x")])
    assert done.exit_code == 0, done.output
    task = Task.load(tmp_path / "x" / "task.yaml")
    assert task.pack == "phishing@1"
    readme = (tmp_path / "x" / "README.md").read_text()
    assert "simulated" in readme
    assert "@" not in readme.replace("phishing@1", "")


def test_collect_ties_a_campaign_and_scan_explains(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    text = "Your parcel waits for you at the depot and a small fee is due before it is sent back"
    for i in range(3):
        mail = _mail(From="Parcel <p@track.test>", Subject=f"Parcel {i}")
        mail.set_content(f'<p>{text} {i}</p><a href="http://1.track.test/{i}">www.post.example</a>',
                         subtype="html")  # fmt: skip
        (tmp_path / "bad" / f"{i}.eml").write_bytes(mail.as_bytes())
        mail = _mail(From="Ada <ada@corp.example>", Subject="Plan")
        mail.set_content(f"Thought number {i * 7} about the garden, {'x' * i} and more.")
        (tmp_path / "good" / f"{i}.eml").write_bytes(mail.as_bytes())
    run = CliRunner().invoke
    rows_file = tmp_path / "rows.jsonl"
    done = run(app, ["mail", "collect", "--legitimate", str(tmp_path / "good"), "--phishing",
                     str(tmp_path / "bad"), "-o", str(rows_file)])  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in rows_file.read_text().splitlines()]
    assert len({r["thread"] for r in rows if r["label"] == "phishing"}) == 1
    done = run(app, ["mail", "scan", str(tmp_path / "bad"), "-o", str(tmp_path / "out.jsonl")])
    assert done.exit_code == 0, done.output
    said = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [s["verdict"] for s in said] == ["suspicious"] * 3
    assert "www.post.example" in said[0]["reasons"][0]
    again = run(
        app, ["mail", "collect", "--legitimate", str(tmp_path / "good"), "-o", str(rows_file)]
    )
    assert again.exit_code != 0
