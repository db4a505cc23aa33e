"""What a trained decoder answers: one of a closed set with its probability, or text of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from whichlever.infer.decoder_text import DecoderText, Question
from whichlever.infer.decoder_tree import AnswerTree
from whichlever.models.decoder_net import CutDecoder, laid_out, with_tree

TOKENS = 2_048
"""Tokens read at once, padding among them."""

Floats = np.ndarray[Any, np.dtype[np.float32]]


class Answering:
    """Answers questions.

    Parameters
    ----------
    model
        A transformers model, its adapters merged.
    text
        How questions are read.
    answers
        The closed set; empty where answers are open.
    room
        Most tokens of an open answer.
    """

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - a transformers model
        text: DecoderText,
        answers: Sequence[str] = (),
        room: int = 64,
    ) -> None:
        self.text, self._room = text, room
        self._net = CutDecoder(model, len(model.model.layers), 0)
        self._tree = AnswerTree.of([text.answer(a) for a in answers]) if answers else None

    def choose(self, questions: Sequence[Question]) -> Floats:
        """Probability of each answer of the closed set, shape (questions, answers)."""
        assert self._tree is not None
        laid = [with_tree(question.ids, self._tree) for question in questions]
        out = np.empty((len(laid), len(self._tree.ways)), np.float32)
        for part in in_parts([len(row) for row in laid], TOKENS):
            rows = [laid[i] for i in part]
            out[part] = self._net.choose(self._net.below(rows), rows, self._tree)
        return np.asarray(np.exp(out), np.float32)

    def surprise(self, questions: Sequence[Question], answers: Sequence[str]) -> Floats:
        """Nats a token, on average, of answers that are given, shape (questions,)."""
        laid = [
            laid_out(question.ids, self.text.answer(answer))
            for question, answer in zip(questions, answers, strict=True)
        ]
        out = np.empty(len(laid), np.float32)
        for part in in_parts([len(row) for row in laid], TOKENS):
            rows = [laid[i] for i in part]
            with torch.no_grad():
                hidden = self._net.above(self._net.below(rows), rows)
                for i, row, own in zip(part, rows, hidden, strict=True):
                    wanted = torch.from_numpy(row.next_ids)
                    out[i] = float(functional.cross_entropy(self._net.head(own), wanted))
        return out

    def say(self, questions: Sequence[Question]) -> list[str]:
        """The likeliest words one after another (greedy), up to the end mark."""
        out = [""] * len(questions)
        model = self._net.model
        for part in in_parts([len(q.ids) for q in questions], TOKENS):
            long = max(len(questions[i].ids) for i in part)
            ids = torch.zeros((len(part), long), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, i in enumerate(part):  # padded in front: every row goes on at its end
                own = torch.from_numpy(questions[i].ids)
                ids[row, long - len(own) :], mask[row, long - len(own) :] = own, 1
            with torch.no_grad():
                found = model.generate(
                    input_ids=ids.to(model.device), attention_mask=mask.to(model.device),
                    max_new_tokens=self._room, do_sample=False,
                    use_cache=True, eos_token_id=self.text.end[-1:], pad_token_id=self.text.end[-1],
                )  # fmt: skip
            for row, i in enumerate(part):
                out[i] = self.text.read(found[row, long:].tolist())
        return out


def in_parts(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Rows by length, in parts of at most ``most`` tokens, padding among them."""
    out: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if out and (len(out[-1]) + 1) * lengths[i] <= most:
            out[-1].append(i)
        else:
            out.append([i])
    return out
