"""Mails one by one to verdicts: what the content model says, what the signs say, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.mail.company import Company, History
from whichlever.mail.message import Message
from whichlever.mail.signals import Signal, signals


@dataclass(frozen=True)
class Content:
    """What the content model says of one mail: probability of each label."""

    label: str
    scores: Mapping[str, float]
    abstain: bool = False


@dataclass(frozen=True)
class MailVerdict:
    """What is thought of one mail.

    ``verdict`` is ``phishing``, ``suspicious`` or ``legitimate``; ``score`` in [0, 1], 1 is worst;
    ``reasons`` are for a reader, the weightiest first.
    """

    verdict: str
    score: float
    reasons: tuple[str, ...]
    codes: tuple[str, ...]

    def line(self, where: str) -> dict[str, Any]:
        """The answer as JSON values; reasons quote the mail without control characters."""
        return {
            "id": where, "verdict": self.verdict, "score": round(self.score, 4),
            "reasons": list(self.reasons), "signals": list(self.codes),
        }  # fmt: skip


def judge(
    message: Message,
    *,
    content: Content | None = None,
    company: Company | None = None,
    history: History | None = None,
    raw: bytes | None = None,
    threshold: float = 0.5,
) -> MailVerdict:
    """One mail's verdict.

    The content model's probability decides from ``threshold`` on. Signs are joined as independent
    hints (one minus the product of one minus each weight, the noisy-or) and never lower the score;
    alone they make a mail suspicious from .5 on, since their weights are not learned.
    """
    found = signals(message, company, history, raw)
    hinted = 1.0
    for sign in found:
        hinted *= 1.0 - sign.weight
    hinted = 1.0 - hinted
    learned = content.scores.get("phishing", 0.0) if content is not None else 0.0
    phishing = content is not None and learned >= threshold
    verdict = "phishing" if phishing else "suspicious" if hinted >= 0.5 else "legitimate"
    score = max(learned, min(hinted, 0.99 if verdict != "phishing" else 1.0))
    reasons = [f"the model gives phishing {learned:.2f}"] if content is not None else []
    reasons += [sign.words for sign in found]
    if message.problems:
        reasons.append("not all of it could be read: " + "; ".join(message.problems[:3]))
    return MailVerdict(verdict, score, tuple(_brief(r) for r in reasons), _codes(found))


def count_verdicts(verdicts: Iterable[MailVerdict]) -> dict[str, int]:
    """How many of each verdict, by name."""
    counts: dict[str, int] = {}
    for one in verdicts:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    return dict(sorted(counts.items()))


def in_batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most ``size`` items, in order."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _codes(found: list[Signal]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sign.code for sign in found))


def _brief(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"
