"""What labelled lines say of items: counts from the coarse to the specific, over a prior."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from whichlever.infer.templates.items import VALUE_KINDS, WORD_KINDS, Item, items, shape
from whichlever.infer.templates.match import Piece, align, collapse


class Context(NamedTuple):
    """What stands around an item: the nearest words (``#`` for a value), what lies between."""

    word_before: str
    between_before: str
    between_after: str
    word_after: str


def contexts(line_items: Sequence[Item]) -> list[Context]:
    """Context of each item of a line, in their order."""
    before = list(_sweep(line_items, "^", forwards=True))
    after = list(_sweep(line_items[::-1], "$", forwards=False))[::-1]
    return [Context(w, b, a, x) for (w, b), (x, a) in zip(before, after, strict=True)]


def _sweep(line_items: Sequence[Item], edge: str, *, forwards: bool) -> Iterator[tuple[str, str]]:
    word, between = edge, ""
    for item in line_items:
        yield word, between
        if not is_content(item):
            between = (between + item.text)[-3:] if forwards else (item.text + between)[:3]
        else:
            word, between = (item.text if item.kind in WORD_KINDS else "#"), ""


def is_content(item: Item) -> bool:
    """Whether an item is a word or a value, and not space or punctuation."""
    return item.kind not in ("space", "punct")


Key = tuple[Hashable, ...]
# How an unlabelled punctuation mark between two variables is taken: as part of one variable or not.
_JOINS = {".": 0.9, "-": 0.85, "@": 0.85, "/": 0.85, "\\": 0.85, "$": 0.8, ":": 0.7, "+": 0.7}
_JOIN_PRIOR = {**_JOINS, ",": 0.2}


def keys(item: Item, context: Context) -> list[tuple[Key, float]]:
    """Keys under which an item's label is counted, coarse first, with the weight of what is above.

    A weight is the number of labelled templates that the coarser estimate counts as (the m of an
    m-estimate; Cestnik 1990): a coarse key takes many to turn, a specific one a single one.
    """
    kind = item.kind
    if not is_content(item):
        return [((kind, item.text, *context), 0.3)]
    around: Key = (kind, context.word_before, context.between_before)
    ends = (context.between_after, context.word_after)
    if kind in VALUE_KINDS:
        form = shape(item.text)
        beside = (context.between_before[-1:], context.between_after[:1])
        return [
            ((kind,), 6.0),
            ((kind, form), 2.5),
            ((kind, form, *beside), 2.0),
            (around, 1.0),
            ((*around, *ends), 0.4),
            ((*around, form, *ends), 0.3),
        ]
    found: list[tuple[Key, float]] = []
    if context.between_before[-1:] in ("=", ":"):
        found.append((("word after", context.between_before[-1:]), 3.0))
    return [*found, ((kind, item.text), 1.0), (around, 1.0), ((*around, *ends), 0.4)]


def _join_keys(left: Item, mark: Item, right: Item) -> list[tuple[Key, float]]:
    return [(("join", mark.text), 1.0), (("join", mark.text, left.kind, right.kind), 0.5)]


class Evidence:
    """Labels counted by key; one template counts once a key, however many lines of it there are."""

    def __init__(self) -> None:
        self._share: dict[Key, dict[str, float]] = defaultdict(dict)
        # Items that a label cuts: (kind, literal head, literal tail) around the variable part.
        self._cuts: set[tuple[str, str, str]] = set()

    def add(self, line: str, template: str) -> None:
        """Count a labelled line; one whose template does not match it is left out."""
        line, template = collapse(line), collapse(template)
        spans = align(line, template)
        if spans is None:
            return
        line_items = items(line)
        seen: dict[Key, list[bool]] = defaultdict(list)
        covered = [covering(item, spans) for item in line_items]
        for item, context, label in zip(line_items, contexts(line_items), covered, strict=True):
            if label is None:
                self._cut(item, spans)
                continue
            for key, _ in keys(item, context):
                seen[key].append(label)
        for at in range(1, len(line_items) - 1):
            label = covered[at]
            if joins(line_items, at) and covered[at - 1] and covered[at + 1] and label is not None:
                for key, _ in _join_keys(*line_items[at - 1 : at + 2]):
                    seen[key].append(label)
        for key, labels in seen.items():
            self._share[key][template] = sum(labels) / len(labels)

    def _cut(self, item: Item, spans: Sequence[Piece]) -> None:
        inside = [s for s in spans if s[0] < item.end and s[1] > item.start]
        head = item.text[: max(0, inside[0][0] - item.start)]
        tail = item.text[min(inside[-1][1], item.end) - item.start :]
        if head or tail:
            self._cuts.add((item.kind, head, tail))

    def cut(self, item: Item) -> tuple[str, str]:
        """Literal head and tail of a variable item, as labelled items of its kind had them."""
        text = item.text
        for kind, head, tail in sorted(self._cuts):
            room = kind == item.kind and len(text) > len(head) + len(tail)
            if room and text.startswith(head) and text.endswith(tail):
                return head, tail
        return "", ""

    def variable(self, item: Item, context: Context, prior: float) -> float:
        """Estimate the probability that an item is (in) a variable."""
        return self._estimate(keys(item, context), prior)

    def joined(self, left: Item, mark: Item, right: Item) -> float:
        """Estimate the probability that a mark between two variables is part of one."""
        return self._estimate(_join_keys(left, mark, right), _JOIN_PRIOR.get(mark.text, 0.03))

    def _estimate(self, weighted: list[tuple[Key, float]], estimate: float) -> float:
        for key, weight in weighted:
            counted = self._share.get(key)
            if counted:
                total = sum(counted.values()) + weight * estimate
                estimate = total / (len(counted) + weight)
        return estimate


def joins(line_items: Sequence[Item], at: int) -> bool:
    """Whether the item at an index is a mark directly between two words or values."""
    before, mark, after = line_items[at - 1 : at + 2]
    return mark.kind == "punct" and is_content(before) and is_content(after)


def covering(item: Item, spans: Sequence[Piece]) -> bool | None:
    """Whether an item lies in a variable; None if a variable's edge is inside of it."""
    for start, end in spans:
        if start <= item.start and item.end <= end:
            return True
        if start < item.end and item.start < end and start < end:
            return None
    return False
