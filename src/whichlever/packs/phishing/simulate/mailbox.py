"""A simulated company's mail over eight months: colleagues, suppliers, machines, and phishing.

Everything is made up, from a seed; addresses end in ``.example`` and ``.test``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from whichlever.data.simulate import Dice
from whichlever.packs.phishing.simulate.phrases import (
    CAMPAIGNS,
    DAYS,
    LATER_CAMPAIGNS,
    LATER_PROJECTS,
    LATER_VENDORS,
    NEWS,
    NEWS_LINES,
    NEWS_TOPICS,
    NOTICES,
    PROJECTS,
    VENDORS,
)
from whichlever.packs.phishing.simulate.world import DOMAIN, Person, letter, make_people

BEGIN = datetime.datetime(2025, 1, 6, 8, 0, tzinfo=datetime.UTC)
DAYS_IN_ALL = 240
LATER_FROM = 160
"""Day from which later projects, suppliers and campaigns come."""


@dataclass(frozen=True)
class Simulated:
    """One simulated mail with what is true of it.

    ``source`` is where it came from: colleagues, suppliers, newsletters, machines, or the campaign;
    ``author`` who really wrote it, for colleagues; ``thread`` ties what belongs together.
    """

    id: str
    eml: str
    label: str
    source: str
    thread: str
    time: str
    author: str | None = None
    payment: bool = False


def simulate_mailbox(count: int = 3_000, seed: int = 0) -> Iterator[Simulated]:
    """``count`` mails in the order of time; the same seed gives the same bytes."""
    dice = Dice(seed)
    people = make_people(Dice(seed + 1))
    for number in range(count):
        day = DAYS_IN_ALL * number // count
        when = BEGIN + datetime.timedelta(days=day, minutes=dice.below(600))
        share = dice.share()
        kind = (
            "colleagues" if share < 0.5 else "suppliers" if share < 0.62 else
            "newsletters" if share < 0.72 else "machines" if share < 0.82 else "phishing"
        )  # fmt: skip
        made = _MAKERS[kind](dice, people, day)
        yield _finished(f"m{number:05d}", made, when, dice)


@dataclass(frozen=True)
class _Made:
    sender: str
    to: str
    subject: str
    text: str
    label: str
    source: str
    thread: str
    html: str | None = None
    author: str | None = None
    reply_to: str | None = None
    attachment: tuple[str, bytes] | None = None
    payment: bool = False


def _words(dice: Dice, day: int) -> dict[str, str]:
    later = day >= LATER_FROM
    projects = PROJECTS[3:] + LATER_PROJECTS if later else PROJECTS
    vendors = VENDORS[1:] + LATER_VENDORS if later else VENDORS
    amount = f"{1 + dice.below(60)},{dice.below(1000):03d}.{dice.below(100):02d} EUR"
    return {
        "project": dice.pick(projects), "vendor": dice.pick(vendors), "day": dice.pick(DAYS),
        "amount": amount, "number": str(10_000 + dice.below(90_000)),
    }  # fmt: skip


def _colleague(dice: Dice, people: list[Person], day: int) -> _Made:
    person, other = dice.pick(people), dice.pick(people)
    words = _words(dice, day)
    pays = person.role in ("CFO", "CEO", "controller", "purchasing") and dice.share() < 0.2
    thoughts = ["payment"] if pays else []
    pool = ["status", "meeting", "question", "document", "reason", "thanks"]
    wanted = max(1, person.sentences + dice.below(3) - 1)
    while pool and len(thoughts) < wanted:
        thoughts.append(pool.pop(dice.below(len(pool))))
    subject = f"Invoice {words['number']}" if pays else words["project"]
    return _Made(
        f"{person.name} <{person.address}>", f"{other.name} <{other.address}>",
        subject if dice.share() < 0.5 else f"Re: {subject}",
        letter(person, other.first, thoughts, dice, words), "legitimate", "colleagues",
        f"{person.first}-{subject}-{day // 7}", author=person.address, payment=pays,
    )  # fmt: skip


def _supplier(dice: Dice, people: list[Person], day: int) -> _Made:
    words = _words(dice, day)
    subject, text = dice.pick(NOTICES[2:3] if dice.share() < 0.6 else NOTICES[1:2])
    domain = words["vendor"].lower().replace(" & ", "-").replace(" ", "-") + ".example"
    to = dice.pick(people)
    said = text.format(user=to.address, **words)
    body = f"Dear {to.first} {to.last},\n\n{said}\n\n{words['vendor']}"
    return _Made(
        f"{words['vendor']} <accounts@{domain}>", to.address, subject.format(**words),
        body + "\n", "legitimate", "suppliers", f"{domain}-{words['number']}",
        attachment=("invoice.pdf", b"%PDF-1.4 simulated"),
    )  # fmt: skip


def _newsletter(dice: Dice, people: list[Person], day: int) -> _Made:
    topic = dice.pick(NEWS_TOPICS)
    text = dice.pick(NEWS).format(topic=topic, a=dice.pick(NEWS_LINES), b=dice.pick(NEWS_LINES))
    domain = topic.replace(" ", "-") + "-news.example"
    html = (
        f"<html><body><h1>{topic.title()}</h1><p>{text}</p>"
        f'<a href="https://click.{domain}/r/{dice.below(10**6)}">Read more</a>'
        f'<p style="font-size:9px">You get this because you subscribed. '
        f'<a href="https://{domain}/out">Unsubscribe</a></p></body></html>'
    )
    return _Made(
        f"{topic.title()} News <news@{domain}>", dice.pick(people).address,
        f"{topic.title()}: news", text + "\n", "legitimate", "newsletters",
        f"{domain}-{day // 14}", html=html,
    )  # fmt: skip


def _machine(dice: Dice, people: list[Person], day: int) -> _Made:
    words = _words(dice, day)
    subject, text = dice.pick((NOTICES[0], NOTICES[3], NOTICES[4]))
    to = dice.pick(people)
    return _Made(
        f"Service Desk <noreply@{DOMAIN}>", to.address, subject.format(**words),
        text.format(user=to.address, **words) + "\n", "legitimate", "machines",
        f"{subject}-{day // 7}",
    )  # fmt: skip


def _phishing(dice: Dice, people: list[Person], day: int) -> _Made:
    later = day >= LATER_FROM
    new = later and dice.share() < 0.7
    pool = [c for c in CAMPAIGNS if (c["id"] in LATER_CAMPAIGNS) == new]
    campaign = dice.pick(pool)
    to, other = dice.pick(people), dice.pick(people)
    ceo = next(person.name for person in people if person.role == "CEO")
    words = {**_words(dice, day), "first": other.first, "last": other.last, "ceo": ceo}
    text = campaign["text"].format(**words)
    if dice.share() < 0.5:
        text = f"Dear {to.address if dice.share() < 0.5 else 'customer'},\n\n{text}"
    html = None
    if campaign["link"]:
        link = campaign["shown"] or campaign["link"]
        url = f"http://{dice.below(10**5)}.{campaign['domain']}/{dice.below(10**6)}"
        html = f'<html><body><p>{text}</p><a href="{url}">{link}</a></body></html>'
    attached = {
        "voicemail": ("voice.html", b"<html><script>"),
        "lookalike-invoice": ("bank.pdf", b"%PDF-1.4"),
    }
    return _Made(
        f"{campaign['name'].format(**words)} <info{dice.below(100)}@{campaign['domain']}>",
        to.address, campaign["subject"].format(**words), text + "\n", "phishing",
        campaign["id"], f"{campaign['id']}-{day // 10}", html=html,
        reply_to="office@freemail.test" if campaign["id"] == "ceo-fraud" else None,
        attachment=attached.get(campaign["id"]),
    )  # fmt: skip


_MAKERS = {
    "colleagues": _colleague, "suppliers": _supplier, "newsletters": _newsletter,
    "machines": _machine, "phishing": _phishing,
}  # fmt: skip


def _finished(number: str, made: _Made, when: datetime.datetime, dice: Dice) -> Simulated:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = made.sender, made.to, made.subject
    mail["Date"] = format_datetime(when)
    mail["Message-ID"] = f"<{number}@simulated.example>"
    mail["X-Simulated"] = "yes"
    if made.reply_to:
        mail["Reply-To"] = made.reply_to
    mail.set_content(made.text)
    if made.html:
        mail.add_alternative(made.html, subtype="html")
    if made.attachment:
        name, content = made.attachment
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    eml = mail.as_string()
    if mail.is_multipart():
        # The standard library draws boundaries at random; equal seeds are to give equal bytes.
        for place, boundary in enumerate(_boundaries(mail)):
            eml = eml.replace(boundary, f"=={number}-{place}==")
    return Simulated(
        number, eml, made.label, made.source, made.thread,
        when.isoformat().replace("+00:00", "Z"), made.author, made.payment,
    )  # fmt: skip


def _boundaries(mail: EmailMessage) -> list[str]:
    mail.as_string()
    found = [part.get_boundary() for part in mail.walk() if part.is_multipart()]
    return [boundary for boundary in found if boundary]
