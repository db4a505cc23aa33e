"""A simulated company's people, each with habits of their own."""

from __future__ import annotations

from dataclasses import dataclass

from whichlever.data.simulate import Dice
from whichlever.packs.phishing.simulate.phrases import CLOSINGS, GREETINGS, JOINERS, SWAPS, THOUGHTS

DOMAIN = "northwind.example"

_NAMES = (
    ("Ada", "Byron", "CFO"), ("Bruno", "Keller", "CEO"), ("Chloe", "Martin", "controller"),
    ("Deniz", "Aydin", "IT"), ("Elena", "Rossi", "HR"), ("Farid", "Haddad", "logistics"),
    ("Greta", "Lund", "sales"), ("Hugo", "Silva", "sales"), ("Ines", "Okafor", "legal"),
    ("Jonas", "Weber", "purchasing"), ("Kaya", "Novak", "marketing"), ("Liam", "Doyle", "support"),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody who writes: their address, and what is theirs alone in how they write.

    ``favourites`` are the wordings they prefer of each thought; ``swaps`` what they say instead of
    common words; ``lower`` never begins with a capital; ``shouts`` likes exclamation marks;
    ``sentences`` is how many sentences a mail of theirs has, about.
    """

    first: str
    last: str
    role: str
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    joiners: tuple[str, ...]
    favourites: dict[str, tuple[str, ...]]
    swaps: dict[str, str]
    lower: bool
    shouts: bool
    two_spaces: bool
    sentences: int

    @property
    def name(self) -> str:
        """Display name."""
        return f"{self.first} {self.last}"

    @property
    def address(self) -> str:
        """Address in the simulated company."""
        return f"{self.first}.{self.last}@{DOMAIN}".lower()


def make_people(dice: Dice) -> list[Person]:
    """The simulated company's twelve people; the same dice make the same people."""
    return [_person(first, last, role, dice) for first, last, role in _NAMES]


def _person(first: str, last: str, role: str, dice: Dice) -> Person:
    def some(items: tuple[str, ...], count: int) -> tuple[str, ...]:
        start, step = dice.below(len(items)), 1 + 2 * dice.below(2)
        return tuple(items[(start + step * i) % len(items)] for i in range(count))

    return Person(
        first,
        last,
        role,
        some(GREETINGS, 2),
        some(CLOSINGS, 2),
        some(JOINERS, 3),
        {thought: some(wordings, 3) for thought, wordings in THOUGHTS.items()},
        {word: dice.pick(options) for word, options in SWAPS},
        lower=dice.share() < 0.25,
        shouts=dice.share() < 0.3,
        two_spaces=dice.share() < 0.25,
        sentences=2 + dice.below(5),
    )


def say(person: Person, thought: str, dice: Dice, words: dict[str, str]) -> str:
    """One thought in a person's own words; now and then in somebody else's."""
    own = dice.share() < 0.8
    text = dice.pick(person.favourites[thought] if own else THOUGHTS[thought]).format(**words)
    for word, instead in person.swaps.items():
        text = text.replace(word, instead)
    return text


def letter(person: Person, to: str, thoughts: list[str], dice: Dice, words: dict[str, str]) -> str:
    """A whole mail's text: greeting, the thoughts, closing, in the person's manner."""
    pieces = [say(person, thought, dice, words) for thought in thoughts]
    body = ""
    for piece in pieces:
        joiner = dice.pick(person.joiners) if body else ""
        begins = not body or joiner.startswith((". ", "..."))
        piece = piece if person.lower or not begins else piece[:1].upper() + piece[1:]
        body += (joiner.replace(". ", ".  ") if person.two_spaces else joiner) + piece
    end = "!" if person.shouts and dice.share() < 0.6 else "." if dice.share() < 0.85 else ""
    greeting = dice.pick(person.greetings).format(to=to)
    closing = dice.pick(person.closings).format(
        me=person.first, full=person.name, i=person.first[0].lower()
    )
    parts = [greeting.lower() if person.lower else greeting, body + end, closing]
    return "\n\n".join(part for part in parts if part) + "\n"
