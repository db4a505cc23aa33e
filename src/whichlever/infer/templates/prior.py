"""What is believed of an item before any label: by its kind, and by how much its place varies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from whichlever.infer.templates.evidence import Context, is_content
from whichlever.infer.templates.items import VALUE_KINDS, WORD_KINDS, Item, word_kind

# Probability that an item of a kind is variable. Set by hand and tuned on five systems (Apache,
# BGL, Hadoop, Proxifier, Spark); docs/results/loghub.md reports the other five apart.
BY_KIND: Mapping[str, float] = {
    "url": 0.98,
    "uuid": 0.99,
    "mac": 0.99,
    "date": 0.97,
    "ip": 0.99,
    "path": 0.9,
    "hostport": 0.97,
    "clock": 0.95,
    "hex": 0.98,
    "num": 0.97,
    "hexid": 0.9,
    "number_unit": 0.8,
    "snake_id": 0.9,
    "word_digit": 0.35,
    "alnum": 0.85,
    "joined_id": 0.85,
    "host": 0.9,
    "tail": 1.0,
    "dotted": 0.1,
    "joined": 0.06,
    "literal": 0.15,
    "snake": 0.03,
    "upper": 0.03,
    "camel": 0.03,
    "capital": 0.03,
    "lower": 0.02,
    "punct": 0.01,
    "space": 0.005,
}
# A word's place that holds so many different words while the rest of the line stays the same.
_BY_WORDS = {2: 0.12, 3: 0.3, 4: 0.5, 5: 0.6}
_MANY_WORDS = 0.75
_KEY_KINDS = frozenset({"word_digit", "alnum", "snake_id", "joined_id", "number_unit"})


class Places:
    """For each place in a line, which texts stand there in lines that are otherwise the same."""

    def __init__(self) -> None:
        self._texts: dict[int, Counter[str]] = defaultdict(Counter)

    def add(self, line_items: Sequence[Item], variable: Sequence[bool], count: int) -> None:
        """Count a line; ``variable`` items of it may differ between lines that are the same."""
        for item, place in zip(line_items, place_hashes(line_items, variable), strict=True):
            if is_content(item):
                self._texts[place][item.text] += count

    def texts(self, place: int) -> Counter[str]:
        """Texts seen at a place, with how many lines each."""
        return self._texts[place]


def place_hashes(line_items: Sequence[Item], variable: Sequence[bool]) -> list[int]:
    """Hash of a line with one item left open, for each of its items."""
    parts = [
        hash((at, None if hide else item.text))
        for at, (item, hide) in enumerate(zip(line_items, variable, strict=True))
    ]
    total = sum(parts)
    return [(total - part) * 1_000_003 + at for at, part in enumerate(parts)]


def first_guess(item: Item) -> bool:
    """Whether an item is taken as variable before its place is known."""
    return (item.kind in VALUE_KINDS and item.kind != "word_digit") or item.kind == "literal"


def prior(item: Item, context: Context, texts: Mapping[str, int]) -> float:
    """Probability that an item is variable, from its kind, what is around, and its place's texts.

    Parameters
    ----------
    texts
        Text → number of lines that have it at this place (``Places.texts``).
    """
    if not is_content(item):
        return BY_KIND[item.kind]
    if item.kind in WORD_KINDS:
        return _word(item, context, texts)
    if context.between_after.startswith("=") and item.kind in _KEY_KINDS:
        return 0.1  # a key, as in r24=00000000
    if len(texts) > 1:
        return 0.75 if item.kind == "word_digit" else max(BY_KIND[item.kind], 0.95)
    if sum(texts.values()) >= 4:
        # Many lines and never another text: the digits are part of a name.
        if item.kind == "word_digit":
            return 0.15
        if item.kind in ("alnum", "joined_id"):
            return 0.6
    return BY_KIND[item.kind]


def _word(item: Item, context: Context, texts: Mapping[str, int]) -> float:
    assigned = context.between_before.strip()[-1:] in ("=", ":")
    believed = BY_KIND[item.kind]
    if item.kind == "literal":
        if assigned or context.word_before == "is":
            believed = 0.9
        elif context.word_after == "$" and not context.between_after:
            believed = 0.55
        else:
            believed = 0.2
    if len(texts) < 2:
        return believed
    varied = _BY_WORDS.get(len(texts), _MANY_WORDS)
    if any(word_kind(text) in VALUE_KINDS for text in texts if text[:1].isalnum()):
        varied = max(varied, 0.8)
    if item.kind in ("dotted", "joined"):
        varied = min(0.95, varied + 0.3)
    if assigned:
        varied = min(0.95, varied + 0.2)
    return max(believed, varied)
