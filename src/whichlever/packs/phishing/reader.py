"""Mail files as records, for answering them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from whichlever.mail.mailbox import split_mbox

_MOST = 25_000_000


def reads(name: str) -> bool:
    """Whether a file of this name is mail itself."""
    return name.lower().removesuffix(".gz").endswith((".eml", ".mbox", ".mbx"))


def read_mails(stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any] | Exception]]:
    """Each mail as (its number, a record with ``eml``); an .eml file is one mail."""
    head = stream.read(5)
    if head != b"From ":
        content = head + stream.read(_MOST)
        yield 1, {"id": "1", "eml": content.decode("utf-8", "surrogateescape")}
        return
    for number, raw in enumerate(split_mbox(stream, _MOST, begun=head), start=1):
        yield number, {"id": str(number), "eml": raw.decode("utf-8", "surrogateescape")}
