"""A packed decoder: one of a closed set with its probability, or words of its own; no torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from whichlever.infer.decoder_text import DecoderText, Marks, Question
from whichlever.infer.decoder_tree import AnswerTree
from whichlever.infer.llama import Llama
from whichlever.predict import Prediction, Row, Usage

Ints = npt.NDArray[np.int64]

NEGLIGIBLE = 1e-3
"""Where answers part beyond a point that is less probable than this, nothing is asked: its answers
share it alike, each of them wrong by less than this."""


class DecoderFacts(BaseModel):
    """``decoder.json``: the marks around questions, and how long answers are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: str = Field(max_length=200)
    between: str = Field(max_length=200)
    after: str = Field(max_length=200)
    room: int = Field(ge=1, le=100_000, description="Tokens of the longest answer learned.")


class DecoderPredictor:
    """Answers rows.

    Parameters
    ----------
    weights
        The GGUF file's content.
    tokenizer
        ``tokenizer.json``, which training read texts with.
    facts
        ``decoder.json``.
    window
        Most tokens of a question with its answer.
    labels
        The closed set; empty where answers are open.
    """

    def __init__(
        self,
        weights: bytes,
        tokenizer: str,
        facts: DecoderFacts,
        window: int,
        labels: Sequence[str],
        threads: int = 1,
    ) -> None:
        from tokenizers import Tokenizer

        marks = Marks(facts.before, facts.between, facts.after)
        self._text = DecoderText(Tokenizer.from_str(tokenizer), marks, window, facts.room)
        self._labels, self.room = tuple(labels), 2 * facts.room
        answers = [self._text.answer(label) for label in labels]
        self._lengths = [len(ids) for ids in answers]
        self._tree = AnswerTree.of(answers) if answers else None
        self._ways = [] if self._tree is None else _ways_to(self._tree)
        self._llama = Llama(weights, window + 2 * self.room, threads)

    def predict(self, rows: Sequence[Row]) -> list[Prediction]:
        """Answer each row; where an input was longer than the window, ``error`` says so."""
        return [self._one(row) for row in rows]

    def write(
        self, text: str, most: int | None, seen: Callable[[str], bool]
    ) -> tuple[Question, int, bool]:
        """Write an open answer piece by piece, as `Llama.write`; the question as it was read."""
        question = self._text.question(text)
        room = self.room if most is None else min(most, self.room)
        return (question, *self._llama.write(question.ids.tolist(), room, seen))

    def note(self, question: Question) -> str | None:
        """What to say of a question that was not read whole."""
        most = self._text.most
        full = question.full
        return f"read {most} of {full} tokens (head and tail)" if full > most else None

    def _one(self, row: Row) -> Prediction:
        began = time.perf_counter()
        scores = None
        if self._tree is None:
            parts: list[str] = []

            def keep(said: str) -> bool:
                parts.append(said)
                return True

            question, out, _ = self.write(row.text, None, keep)
            label = "".join(parts).strip()
        else:
            question = self._text.question(row.text)
            scores = self._choose(question.ids, self._tree)
            best = int(scores.argmax())
            label, out = self._labels[best], self._lengths[best]
        usage = Usage(
            tokens_in=len(question.ids), tokens_out=out, seconds=time.perf_counter() - began
        )
        return Prediction(row.id, label, scores, error=self.note(question), usage=usage)

    def _choose(self, ids: Ints, tree: AnswerTree) -> npt.NDArray[np.float32]:
        """Probability of each answer, shape (answers,): the product along its way."""
        steps = np.zeros(tree.ways.shape[1])
        start = 0
        for (_, tokens), (way, one) in zip(tree.partings, self._ways, strict=True):
            reach = float(np.exp(steps[:start] @ tree.ways[one, :start]))
            stop = start + len(tokens)
            if reach < NEGLIGIBLE:
                steps[start:stop] = -np.log(len(tokens))
            else:
                shares = self._llama.shares([*ids.tolist(), *way], tokens.tolist())
                steps[start:stop] = np.log(np.maximum(shares, 1e-30))
            start = stop
        return np.asarray(np.exp(tree.ways @ steps), np.float32)


def _ways_to(tree: AnswerTree) -> list[tuple[list[int], int]]:
    """For each parting, the tokens from the question's end to it, and an answer that passes it."""
    found: list[tuple[list[int], int]] = []
    start = 0
    for node, tokens in tree.partings:
        # Parents stand before children, so a node's ancestors come in the order of their depth.
        way = [] if node < 0 else tree.tokens[np.flatnonzero(tree.sees[node])].tolist()
        stop = start + len(tokens)
        found.append((way, int(np.flatnonzero(tree.ways[:, start:stop].any(axis=1))[0])))
        start = stop
    return found
