"""``whichlever mail enrol``, ``recalibrate``, ``check``, ``profiles``, ``forget``: who wrote it."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from whichlever.cli.bars import Bars
from whichlever.cli.options import Json, go_offline
from whichlever.cli.output import print_json
from whichlever.errors import InputError

Profiles = Annotated[
    Path, typer.Option("--profiles", metavar="DIR", help="The folder of encrypted profiles.")
]
Key = Annotated[
    Path, typer.Option("--profile-key", metavar="FILE", help="The key they are encrypted with.")
]
Person = Annotated[str, typer.Option("--person", help="Their address, e.g. cfo@company.example.")]


def enrol(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Mail: .eml, mbox, Maildir, .msg, .jsonl.")
    ],
    person: Person,
    profiles: Profiles,
    key: Key,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make the key first.")] = False,
    json: Json = False,
) -> None:
    """Learn a protected person's style from mail that they and others of the company wrote.

    Mail from --person is theirs; all other senders' is what theirs is told apart from. At least 30
    of theirs are needed. No word of any mail is kept; the profile is encrypted and can be deleted.
    """
    go_offline()
    from whichlever.models.style import train_style
    from whichlever.runtime.style_profiles import ProfileStore, read_key
    from whichlever.runtime.style_profiles import new_key as make_key

    if new_key:
        make_key(key)
    store = ProfileStore(profiles, read_key(key))
    bars = Bars(quiet=json)
    wanted = person.strip().lower()
    own: list[tuple[float, str]] = []
    others: list[str] = []
    with bars.step("read mail") as bar:
        for _, message in _messages(paths):
            bar.advance()
            if not message.own.strip():
                continue
            if message.from_address == wanted:
                own.append((message.date or 0.0, message.own))
            else:
                others.append(message.own)
    profile = train_style(wanted, [text for _, text in sorted(own)], others, progress=bars)
    path = store.save(profile)
    said = {"person": wanted, "mails": len(own), "others": len(others), "profile": str(path)}
    print_json(said) if json else typer.echo(
        f"{wanted}: {len(own):,} mails of theirs, {len(others):,} of others; wrote {path}"
    )


def recalibrate(
    paths: Annotated[
        list[Path], typer.Argument(metavar="SENT", help="Newer mail that they really sent.")
    ],
    person: Person,
    profiles: Profiles,
    key: Key,
    json: Json = False,
) -> None:
    """Move a profile's thresholds by newer mail of theirs; older mail's scores stay beside it.

    Give mail that is known to be theirs alone, such as their Sent folder: what a stranger wrote
    would teach the thresholds to let the stranger in. The model itself is not changed; enrol
    again to learn anew.
    """
    go_offline()
    from whichlever.runtime.style_profiles import ProfileStore, read_key
    from whichlever.runtime.style_update import recalibrate as moved

    store = ProfileStore(profiles, read_key(key))
    wanted = person.strip().lower()
    profile = store.load(wanted)
    newer = sorted(
        (message.date or 0.0, message.own)
        for _, message in _messages(paths)
        if message.from_address == wanted and message.own.strip()
    )
    made = moved(profile, [text for _, text in newer])
    path = store.save(made)
    count = len(made.own) - len(profile.own)
    said = {"person": wanted, "newer": count, "scores": len(made.own), "profile": str(path)}
    print_json(said) if json else typer.echo(
        f"{wanted}: {count:,} newer mails, {len(made.own):,} in the thresholds; wrote {path}"
    )


def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Mail to judge.")],
    profiles: Profiles,
    key: Key,
    person: Annotated[
        str | None, typer.Option("--person", help="Whose name it bears; else its From address.")
    ] = None,
    company: Annotated[
        Path | None, typer.Option(metavar="FILE", help="company.yaml: domains, partners, people.")
    ] = None,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="history.json: who usually writes.")
    ] = None,
    out: Annotated[str, typer.Option("-o", "--out", metavar="OUT", help='"-" stdout.')] = "-",
) -> None:
    """Say of each mail: authentic, imitation or unknown, with reasons a person can check.

    Its words are judged by the person's style, its headers by signs; whoever copies old mail of
    theirs is only told by the signs.
    """
    go_offline()
    from whichlever.mail.company import Company, History
    from whichlever.run import written_aside
    from whichlever.runtime.style_profiles import ProfileStore, read_key

    store = ProfileStore(profiles, read_key(key))
    whose = Company.load(company) if company is not None else None
    known = History.load(history) if history is not None else None
    if not store.names():
        raise InputError(f"{profiles}: no profile there; make one with whichlever mail enrol")
    counts: dict[str, int] = {}

    def write(stream: Any) -> None:  # noqa: ANN401 - a text stream
        for line in _checked(path, store, person, whose, known):
            counts[line.get("verdict", "error")] = counts.get(line.get("verdict", "error"), 0) + 1
            stream.write(json_text.dumps(line) + "\n")

    if out == "-":
        write(sys.stdout)
    else:
        with written_aside(Path(out)) as aside, aside.open("w", encoding="utf-8") as stream:
            write(stream)
    typer.echo(", ".join(f"{n:,} {name}" for name, n in sorted(counts.items())), err=True)


def profiles(profiles: Profiles, key: Key, json: Json = False) -> None:
    """List the profiles there."""
    from whichlever.runtime.style_profiles import ProfileStore, read_key

    store = ProfileStore(profiles, read_key(key))
    found = [
        {"person": p.facts.person, "mails": p.facts.mails, "others": p.facts.others}
        for p in map(store.load, store.names())
    ]
    if json:
        print_json(found)
        return
    for one in found:
        typer.echo(
            f"{one['person']}: {one['mails']:,} mails of theirs, {one['others']:,} of others"
        )


def forget(person: Person, profiles: Profiles, json: Json = False) -> None:
    """Delete a person's profile; no key is needed to delete."""
    from whichlever.runtime.style_profiles import ProfileStore

    ProfileStore(profiles, b"").forget(person)
    print_json({"forgotten": person}) if json else typer.echo(f"{person}: profile deleted")


def _messages(paths: list[Path]) -> Any:  # noqa: ANN401 - an iterator of (where, Message)
    from whichlever.mail.mailbox import read_mailbox
    from whichlever.mail.message import Message

    for path in paths:
        for where, message in read_mailbox(path):
            if isinstance(message, Message):
                yield where, message


def _checked(path: Path, store: Any, person: str | None, company: Any, history: Any) -> Any:  # noqa: ANN401
    from whichlever.mail.mailbox import raw_mails
    from whichlever.mail.parse import read_message
    from whichlever.runtime.mail_check import check_mail, claimed
    from whichlever.runtime.style_profiles import file_stem

    loaded: dict[str, Any] = {}
    names = frozenset(store.names())
    for where, raw in raw_mails(path):
        if not isinstance(raw, bytes):
            yield {"id": where, "error": str(raw)}
            continue
        message = read_message(raw)
        whose = (person or "").strip().lower() or claimed(message, names, company)
        if whose is None or file_stem(whose) not in names:
            said = f"no profile of {whose or message.from_address or 'its sender'}"
            yield {"id": where, "verdict": "unknown", "score": 0.5, "reasons": [said]}
            continue
        if whose not in loaded:
            loaded[whose] = store.load(whose)
        found = check_mail(loaded[whose], message, company=company, history=history, raw=raw)
        yield {**found.line(where), "person": whose}
