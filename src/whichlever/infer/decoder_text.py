"""Texts as a decoder reads them: a question between marks, and the answer that follows; no torch.

Where the vocabulary has ChatML's marks they are used, without a system prompt, so that an exported
model answers a bare question; else a plain line break and the word "Answer:" stand between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

HEAD_SHARE = 0.75
"""Of a question that is too long, the share of the window kept from its beginning."""

CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""The chat template of an exported model: the marks that it learned from, and nothing else."""


@dataclass(frozen=True)
class Marks:
    """What stands before a question, between it and its answer, and after the answer."""

    before: str
    between: str
    after: str

    @classmethod
    def of(cls, tokenizer: Any, eos: str) -> Marks:  # noqa: ANN401 - tokenizers.Tokenizer
        """The marks for a vocabulary; ``eos`` is its end-of-text token."""
        if None not in map(tokenizer.token_to_id, ("<|im_start|>", "<|im_end|>")):
            return cls("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>")
        return cls("", "\nAnswer: ", eos)


@dataclass(frozen=True)
class Question:
    """A question's token ids, and how many tokens it would have whole."""

    ids: Ints
    full: int


class DecoderText:
    """Token ids of questions and answers.

    Parameters
    ----------
    tokenizer
        A `tokenizers.Tokenizer`.
    marks
        From `Marks.of`.
    window
        Most tokens of a question with its answer; the longest answer's room is kept free.
    room
        Tokens that an answer may take.
    """

    def __init__(
        self,
        tokenizer: Any,  # noqa: ANN401 - tokenizers.Tokenizer
        marks: Marks,
        window: int,
        room: int = 0,
    ) -> None:
        self._tokenizer, self.marks = tokenizer, marks
        plain, dressed = (
            tokenizer.encode("a", add_special_tokens=special).ids for special in (False, True)
        )
        begin = dressed[: len(dressed) - len(plain)] if dressed[-len(plain) :] == plain else []
        self._before = [*begin, *self._ids(marks.before)]
        self._between = self._ids(marks.between)
        self.end = self._ids(marks.after)
        self.most = max(1, window - room - len(self._before) - len(self._between))

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def question(self, text: str) -> Question:
        """Encode a question; one that is too long loses its middle, which is told by ``full``."""
        ids = self._ids(text)
        full = len(ids)
        if full > self.most:
            head = max(1, int(self.most * HEAD_SHARE))
            ids = ids[:head] + (ids[-(self.most - head) :] if self.most > head else [])
        return Question(np.array([*self._before, *ids, *self._between], np.int64), full)

    def answer(self, text: str) -> Ints:
        """Encode an answer with the mark that ends it."""
        return np.array([*self._ids(text), *self.end], np.int64)

    def read(self, ids: list[int]) -> str:
        """The text of answer tokens, up to the mark that ends it."""
        for i in range(len(ids)):
            if ids[i : i + len(self.end)] == self.end:
                ids = ids[:i]
                break
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip()
