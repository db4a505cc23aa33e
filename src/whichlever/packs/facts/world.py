"""The simulated register: facts, the documents that state them, and alerts that need one.

A fact is "this thing belongs to that team". Alerts name the thing and never the team, so that a
model which remembers names learns the facts of its training rows, and a lever that reads the
documents can look them up. Then a part of the facts changes, and only the documents say so.
Seeded; the same on every Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whichlever.data.simulate import Dice
from whichlever.packs.facts import words

SERVICES, CODES, SITES = 160, 120, 100
PER_PAGE = 4
MINUTES = 60
"""Distractor documents: minutes that name things and teams, and state no owner."""

CHANGED = 0.5
"""The share of facts that is another after the change."""

MOVED = 0.05
"""The share of pages that is renamed with it: one document goes, one comes."""


@dataclass(frozen=True)
class Fact:
    """A thing, what kind it is, and the team that it belongs to."""

    name: str
    kind: str
    team: str


@dataclass(frozen=True)
class Page:
    """One page of the register: its file name, its heading, and the text under each fact."""

    file: str
    title: str
    facts: tuple[int, ...]


@dataclass(frozen=True)
class World:
    """Facts before and after the change, in one order, with their documents as file → text."""

    before: tuple[Fact, ...]
    after: tuple[Fact, ...]
    pages: tuple[Page, ...]
    pages_after: tuple[Page, ...]
    documents: dict[str, str]
    documents_after: dict[str, str]

    def page_of(self, fact: int, *, after: bool = False) -> str:
        """The file that states a fact."""
        pages = self.pages_after if after else self.pages
        return next(page.file for page in pages if fact in page.facts)


def make_world(seed: int = 0) -> World:
    """Draw the register and its change."""
    dice = Dice(seed)
    before = tuple(_facts(dice))
    order = _shuffled(range(len(before)), dice)
    changed = set(order[: round(CHANGED * len(before))])
    after = tuple(
        replace(fact, team=dice.pick([t for t in words.TEAMS if t != fact.team]))
        if i in changed
        else fact
        for i, fact in enumerate(before)
    )
    pages = tuple(_pages(before))
    moved = set(_shuffled(range(len(pages)), dice)[: round(MOVED * len(pages))])
    pages_after = tuple(
        replace(page, file=page.file.replace(".md", "-moved.md")) if i in moved else page
        for i, page in enumerate(pages)
    )
    said = [_Said.draw(fact, dice) for fact in before]
    minutes = dict(_minutes(before, dice))
    return World(
        before, after, pages, pages_after,
        {**{p.file: _text(p, before, before, said) for p in pages}, **minutes},
        {**{p.file: _text(p, before, after, said) for p in pages_after}, **minutes},
    )  # fmt: skip


@dataclass(frozen=True)
class _Said:
    """How a page words a fact; the wording stays when the fact changes."""

    current: str
    past: str | None
    aside: str
    past_first: bool

    @classmethod
    def draw(cls, fact: Fact, dice: Dice) -> _Said:
        other = dice.pick([t for t in words.TEAMS if t != fact.team])
        past = dice.pick(words.PAST).format(team=other.capitalize())
        current = dice.pick(words.CURRENT[fact.kind])
        kept = past if dice.share() < 0.4 else None
        return cls(current, kept, dice.pick(words.ASIDES[fact.kind]), dice.share() < 0.5)


def _facts(dice: Dice) -> Iterator[Fact]:
    services = [f"{stem}-{end}" for stem in words.STEMS for end in words.ENDINGS]
    codes = [f"{vendor}-{1000 + dice.below(9000)}" for vendor in words.VENDORS for _ in range(40)]
    sites = [first + second for first in words.FIRST for second in words.SECOND]
    for kind, names, count in (
        ("service", services, SERVICES),
        ("code", list(dict.fromkeys(codes)), CODES),
        ("site", sites, SITES),
    ):
        for name in _shuffled(names, dice)[:count]:
            yield Fact(name, kind, dice.pick(words.TEAMS))


def _pages(facts: Sequence[Fact]) -> Iterator[Page]:
    for kind, title in words.TITLES.items():
        mine = [i for i, fact in enumerate(facts) if fact.kind == kind]
        for number, start in enumerate(range(0, len(mine), PER_PAGE), 1):
            yield Page(
                f"{kind}s-{number:02d}.md",
                f"{title}, page {number}",
                tuple(mine[start : start + PER_PAGE]),
            )


def _text(page: Page, before: Sequence[Fact], now: Sequence[Fact], said: Sequence[_Said]) -> str:
    lines = [f"# {page.title}", "", "SIMULATED. No such company.", ""]
    for i in page.facts:
        words_of = said[i]
        sentences = [words_of.current.format(team=now[i].team.capitalize()), words_of.aside]
        past = words_of.past
        if now[i].team != before[i].team:  # the old owner becomes the past
            past = words.PAST[i % len(words.PAST)].format(team=before[i].team.capitalize())
        if past is not None:
            sentences.insert(0 if words_of.past_first else 1, past)
        lines += [f"## {now[i].name}", "", " ".join(sentences), ""]
    return "\n".join(lines)


def _minutes(facts: Sequence[Fact], dice: Dice) -> Iterator[tuple[str, str]]:
    for number in range(1, MINUTES + 1):
        points = [
            dice.pick(words.MINUTES).format(
                team=dice.pick(words.TEAMS).capitalize(), name=dice.pick(facts).name
            )
            for _ in range(4)
        ]
        lines = [f"# Minutes of week {number}", "", "SIMULATED. No such company.", ""]
        for point in points:
            lines += [point, ""]
        yield f"minutes-{number:02d}.md", "\n".join(lines)


def alert(fact: Fact, dice: Dice) -> str:
    """One alert that names the thing and not the team."""
    subject = dice.pick(words.SUBJECTS[fact.kind]).format(name=fact.name)
    symptom = dice.pick(words.SYMPTOMS[fact.kind]).format(n=2 + dice.below(58))
    parts = [f"{dice.pick(words.OPENINGS)}{subject} {symptom}."]
    parts += [dice.pick(words.EFFECTS)]
    if dice.share() < 0.5:
        parts.append(dice.pick(words.ENDS))
    return " ".join(parts)


def rows(world: World, role: str, per_fact: int, dice: Dice) -> list[dict[str, Any]]:
    """``per_fact`` alerts of each fact with its team before the change, shuffled."""
    drawn = [(i, alert(fact, dice)) for _ in range(per_fact) for i, fact in enumerate(world.before)]
    return [
        {
            "id": f"{role}-{at:05d}",
            "simulated": True,
            "role": role,
            "text": text,
            "team": world.before[i].team,
            "thing": world.before[i].name,
            "document": world.page_of(i),
        }
        for at, (i, text) in enumerate(_shuffled(drawn, dice))
    ]


def rows_after(world: World, per_fact: int, dice: Dice) -> list[dict[str, Any]]:
    """Alerts from after the change, with the team of today and the one that it was.

    As many about changed facts as about unchanged ones, taking turns; no fact comes again before
    all others had their turn.
    """
    changed = [i for i, f in enumerate(world.before) if f.team != world.after[i].team]
    same = [i for i, f in enumerate(world.before) if f.team == world.after[i].team]
    out: list[dict[str, Any]] = []
    for _ in range(per_fact):
        pairs = zip(_shuffled(changed, dice), _shuffled(same, dice), strict=False)
        for i in (i for pair in pairs for i in pair):
            out.append(
                {
                    "id": f"after-{len(out):05d}",
                    "simulated": True,
                    "text": alert(world.after[i], dice),
                    "team": world.after[i].team,
                    "was": world.before[i].team,
                    "thing": world.after[i].name,
                    "document": world.page_of(i, after=True),
                }
            )
    return out


def _shuffled(items: Any, dice: Dice) -> list[Any]:  # noqa: ANN401 - any sequence
    """Fisher and Yates with our own dice."""
    out = list(items)
    for last in range(len(out) - 1, 0, -1):
        other = dice.below(last + 1)
        out[last], out[other] = out[other], out[last]
    return out
