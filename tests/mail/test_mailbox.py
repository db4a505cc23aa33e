"""Mail from files and folders."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest

pytest.importorskip("selectolax", reason="the extra 'mail' is not installed")

from whichlever.errors import DataError, WhichleverError
from whichlever.mail.mailbox import read_mailbox
from whichlever.mail.message import Message


def _mail(subject: str, body: str = "Hello.\n") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ada@corp.example", subject
    mail.set_content(body)
    return mail


def _subjects(path: Path) -> list[str]:
    return [m.subject for _, m in read_mailbox(path) if isinstance(m, Message)]


def test_an_mbox_keeps_mails_with_from_lines_in_them(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    box.add(_mail("one", "Hi,\nFrom here on it is easy.\n\nFrom now on too.\n"))
    box.add(_mail("two"))
    box.close()
    read = [m for _, m in read_mailbox(tmp_path / "box")]
    assert [m.subject for m in read if isinstance(m, Message)] == ["one", "two"]
    assert isinstance(read[0], Message)
    assert "From now on too." in read[0].text


def test_a_maildir_and_a_folder_of_eml(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "maildir")
    box.add(_mail("in a maildir"))
    assert _subjects(tmp_path / "maildir") == ["in a maildir"]
    (tmp_path / "folder").mkdir()
    for name in ("b", "a"):
        (tmp_path / "folder" / f"{name}.eml").write_bytes(_mail(name).as_bytes())
    (tmp_path / "folder" / "link.eml").symlink_to("/etc/passwd")
    assert _subjects(tmp_path / "folder") == ["a", "b"]


def test_a_damaged_msg_is_one_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.msg").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000))
    (tmp_path / "b.eml").write_bytes(_mail("fine").as_bytes())
    first, second = [m for _, m in read_mailbox(tmp_path)]
    assert isinstance(first, WhichleverError)
    assert "a.msg" in str(first)
    assert isinstance(second, Message)


def test_a_missing_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        list(read_mailbox(tmp_path / "nothing"))
