"""A seeded black-box search: which words, added to a row, turn it into the cheap label.

The attacker sees answers and their probabilities, nothing else. First single words are tried, then
added one, four and sixteen at a time, the ones that helped most first, for as long as questions
and characters last (greedy word insertion; compare Ren et al. 2019, "Generating natural language
adversarial examples through probability weighted word saliency").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from whichlever.measure.attack_ways import Way
from whichlever.predict import Prediction, Row

Ask = Callable[[Sequence[Row]], list[Prediction]]
"""Answers rows in order."""

Add = Callable[[Row, str, Way], Row | None]
"""A row with a text added; None where that cannot be done."""

STEPS = (1, 4, 16)
REPEATS = 4

TINY = 1e-30


@dataclass(frozen=True)
class Found:
    """What a search made of one row: the text added last, and whether it turned the answer.

    ``questions`` is how many were asked until then.
    """

    row: str
    added: str
    flipped: bool
    questions: int


@dataclass
class _State:
    row: Row
    best: float
    order: list[str] = field(default_factory=list)
    added: str = ""
    at: int = 0
    asked: int = 0
    flipped: bool = False
    gains: list[tuple[float, str]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.flipped or self.at >= len(self.order)


def goal(answer: Prediction, into: int, label: str) -> float:
    """How near an answer is to the cheap label: log p(cheap) − log p(the likeliest other).

    Infinite once it is answered; 0 where the lever gives no probabilities.
    """
    if answer.status == "ok" and answer.label == label:
        return np.inf
    if answer.scores is None:
        return 0.0
    scores = np.maximum(np.asarray(answer.scores, dtype=np.float64), TINY)
    others = np.delete(scores, into)
    return float(np.log(scores[into]) - np.log(others.max()))


def search(
    ask: Ask,
    add: Add,
    rows: Sequence[Row],
    clean: Sequence[Prediction],
    words: Sequence[str],
    *,
    into: int,
    label: str,
    questions: int,
    chars: int,
    seed: int,
) -> list[Found]:
    """Search for each row by itself; the same seed and answers find the same.

    Parameters
    ----------
    clean
        The answers to the rows as they are.
    words
        What may be added, the most promising first where that is known: half of the words tried
        are the first ones, half drawn from the rest.
    into, label
        The cheap label's place in the scores, and its name.
    questions, chars
        Questions a row, and characters added to it, at most.
    """
    states = [_State(row, goal(a, into, label)) for row, a in zip(rows, clean, strict=True)]
    random = np.random.default_rng([seed, 43])
    single = min(len(words), max(1, questions // 2))
    tried = list(words[: single // 2])
    rest = list(words[len(tried) :])
    tried += [rest[i] for i in random.permutation(len(rest))[: single - len(tried)]]
    tried = [word for word in tried if len(word) < chars]
    for word in tried:  # one word for all rows at a time: a batch
        _try(ask, add, states, [[(0, word)]] * len(states), into, label, ranking=True)
    for state in states:
        state.order = [w for _, w in sorted(state.gains, key=lambda pair: -pair[0])]
    while True:
        live = [s for s in states if not s.over and s.asked + len(STEPS) + 1 <= questions]
        if not live:
            break
        moves = [[(k, _joined(s.added, m)) for k, m in enumerate(_moves(s))] for s in live]
        allowed = [[(k, text) for k, text in move if len(text) < chars] for move in moves]
        for state, left in zip(live, allowed, strict=True):
            if not left:
                state.at += 1  # this word is too long; a later one may still fit
        _try(ask, add, live, allowed, into, label, ranking=False)
    return [Found(s.row.id, s.added, s.flipped, s.asked) for s in states]


def _moves(state: _State) -> list[list[str]]:
    ahead = [state.order[state.at : state.at + n] for n in STEPS]
    return [*ahead, [state.order[0]] * REPEATS]


def _joined(added: str, words: Sequence[str]) -> str:
    return " ".join([added, *words] if added else words)


def _try(
    ask: Ask,
    add: Add,
    states: Sequence[_State],
    texts: Sequence[Sequence[tuple[int, str]]],
    into: int,
    label: str,
    *,
    ranking: bool,
) -> None:
    """Ask for each state's texts in one batch, and take the best where words are being added."""
    asked: list[tuple[int, int, str]] = []
    made: list[Row] = []
    for i, (state, offered) in enumerate(zip(states, texts, strict=True)):
        if state.flipped:
            continue
        for k, text in offered:
            row = add(state.row, text, "appended")
            if row is not None:
                asked.append((i, k, text))
                made.append(row)
    found: dict[int, list[tuple[float, int, str]]] = {}
    for (i, k, text), answer in zip(asked, ask(made), strict=True):
        found.setdefault(i, []).append((goal(answer, into, label), k, text))
    for i, state in enumerate(states):
        if i not in found:
            state.at += not ranking and not state.flipped and bool(texts[i])
            continue
        _take(state, found[i], ranking=ranking)


def _take(state: _State, found: list[tuple[float, int, str]], *, ranking: bool) -> None:
    best, move, text = max(found, key=lambda item: (item[0], -item[1]))
    turned = [n for n, (value, _, _) in enumerate(found) if value == np.inf]
    if turned:  # the questions after the first that turned it need not have been asked
        state.asked += turned[0] + 1
        state.added, state.flipped = found[turned[0]][2], True
        return
    state.asked += len(found)
    if ranking:
        state.gains += [(value - state.best, text) for value, _, text in found]
        return
    if best > state.best or all(value == 0.0 for value, _, _ in found):
        state.best, state.added = best, text
        state.at += STEPS[move] if move < len(STEPS) else 0
    else:
        state.at += 1
