"""A closed set of answers as a tree of tokens, so that one pass over a question scores them all.

Answers that begin alike share their tokens. Only where they part is anything to be decided: at
such a token the model's probabilities are taken among the tokens that go on with some answer, and
an answer's probability is the product along its way. That is what decoding held to the set would
do, and the probabilities of all answers add up to one. Tokens after the last parting are never
read. The tree stands behind the question in one sequence; a mask lets each of its tokens see the
question and its own ancestors only (tree attention, as in Miao et al. 2024, SpecInfer).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AnswerTree:
    """The tokens that lead to a parting, and the partings.

    Attributes
    ----------
    tokens, depths
        Of each node, shape (nodes,), parents before children; depth 0 follows the question.
    sees
        ``sees[i, j]``: node i sees node j, itself among them; shape (nodes, nodes).
    partings
        Node whose next token is to be decided, −1 is the question's end; and the tokens that may.
    ways
        1 where an answer takes a parting's token, shape (answers, tokens of all partings).
    """

    tokens: Ints
    depths: Ints
    sees: Bools
    partings: tuple[tuple[int, Ints], ...]
    ways: npt.NDArray[np.float32]

    @classmethod
    def of(cls, answers: Sequence[Ints]) -> AnswerTree:
        """The tree of answers, each with its end mark.

        Raises
        ------
        ValueError
            Two answers have the same tokens, or there are fewer than two.
        """
        if len(answers) < 2 or len({tuple(a.tolist()) for a in answers}) < len(answers):
            raise ValueError("answers must be two at least, and each another in its tokens")
        grown = _Grown(answers)
        tokens, parents, partings = grown.tokens, grown.parents, grown.partings
        starts = np.concatenate([[0], np.cumsum([len(c) for _, c in partings])])
        at_node = {node: i for i, (node, _) in enumerate(partings)}
        index = {(p, t): i for i, (p, t) in enumerate(zip(parents, tokens, strict=True))}
        ways = np.zeros((len(answers), int(starts[-1])), np.float32)
        for a, ids in enumerate(answers):
            node: int | None = -1
            for token in ids.tolist():
                if node is None:
                    break
                if (parting := at_node.get(node)) is not None:
                    place = np.searchsorted(partings[parting][1], token)
                    ways[a, int(starts[parting]) + int(place)] = 1.0
                node = index.get((node, token))
        sees = np.eye(len(tokens), dtype=bool)
        depths = np.zeros(len(tokens), np.int64)
        for i, parent in enumerate(parents):
            if parent >= 0:
                sees[i] |= sees[parent]
                depths[i] = depths[parent] + 1
        return cls(np.array(tokens, np.int64), depths, sees, tuple(partings), ways)

    def after(self, question: Ints) -> tuple[Ints, Ints, Bools]:
        """Ids, positions and mask of a question with the tree behind it, n tokens in all.

        Returns
        -------
        ids, positions : int arrays, shape (n,)
        sees : bool array, shape (n, n)
        """
        p, n = len(question), len(question) + len(self.tokens)
        sees = np.zeros((n, n), bool)
        sees[:p, :p] = np.tri(p, dtype=bool)
        sees[p:, :p] = True
        sees[p:, p:] = self.sees
        return (
            np.concatenate([question, self.tokens]),
            np.concatenate([np.arange(p), p + self.depths]),
            sees,
        )


class _Grown:
    """Walks all answers at once, keeping the nodes that lead to a parting."""

    def __init__(self, answers: Sequence[Ints]) -> None:
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self.partings: list[tuple[int, Ints]] = []
        self._answers = [ids.tolist() for ids in answers]
        self._walk(list(range(len(answers))), 0, -1)

    def _walk(self, members: list[int], depth: int, node: int) -> None:
        """Go on from a node that some answers share, their next token at ``depth``."""
        children: dict[int, list[int]] = {}
        for a in members:
            if depth < len(self._answers[a]):
                children.setdefault(self._answers[a][depth], []).append(a)
        if len(children) > 1:
            self.partings.append((node, np.array(sorted(children), np.int64)))
        for token in sorted(children):
            if len(children[token]) > 1:  # some parting lies further on
                self.tokens.append(token)
                self.parents.append(node)
                self._walk(children[token], depth + 1, len(self.tokens) - 1)
