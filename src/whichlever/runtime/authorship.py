"""Did the person really write this mail? The whole of it, and sentence by sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from whichlever.infer.style import StyleProfile
from whichlever.mail.sentences import sentences

FALSE_ALARMS = 0.05
"""Share of the person's own later mail that may be called an imitation, nominally."""

MOST_SENTENCES = 200


@dataclass(frozen=True)
class Passage:
    """One sentence: where it is in the text, how it scores, and why it is shown."""

    start: int
    end: int
    style: float | None
    payment: float
    why: str


@dataclass(frozen=True)
class Authorship:
    """``verdict`` is authentic, imitation or unknown; ``score`` in [0, 1] is the conformal p-value
    of being the person's own: small is strange. ``passages`` are the sentences worth a look.
    """

    verdict: str
    score: float
    reasons: tuple[str, ...]
    passages: tuple[Passage, ...] = ()

    def line(self, where: str) -> dict[str, Any]:
        """The answer as JSON values, by the contract of ``verify``."""
        spans = [[p.start, p.end] for p in self.passages]
        return {
            "id": where, "verdict": self.verdict, "score": round(self.score, 4),
            "reasons": list(self.reasons), "sentences": spans,
        }  # fmt: skip


def authorship(profile: StyleProfile, text: str, false_alarms: float = FALSE_ALARMS) -> Authorship:
    """Compare a mail's own words with the person's habits.

    Authentic: not among the strangest ``false_alarms`` of the person's own mail, and stranger to
    others than nine in ten of theirs. Imitation: among the strangest of the person's own. Unknown:
    neither is shown, or the text is too short to tell. A sentence that asks for money more plainly
    than all but ``false_alarms`` of the person's mails do makes an authentic mail unknown.
    """
    counts = profile.counts(text)
    if counts.words < profile.facts.min_words:
        said = f"{counts.words} words; {profile.facts.min_words} are needed to tell"
        return Authorship("unknown", 0.5, (said,), tuple(_asking(profile, text, false_alarms)))
    score = profile.score_counts(counts)
    own, foreign = profile.own_share(score), profile.foreign_share(score)
    reasons = [
        f"{own:.0%} of their own mail is as unlike them as this",
        f"{foreign:.0%} of others' mail is as much like them",
    ]
    for habit, here, usual in profile.broken_habits(counts):
        reasons.append(f"{habit}: {here:.2g} here, usually {usual:.2g}")
    asking = _asking(profile, text, false_alarms)
    reasons += [passage.why for passage in asking]
    if own <= false_alarms:
        verdict = "imitation"
    elif foreign <= 0.1 and not asking:
        verdict = "authentic"
    else:
        verdict = "unknown"
    return Authorship(verdict, own, tuple(reasons), tuple(asking))


def _asking(profile: StyleProfile, text: str, false_alarms: float) -> list[Passage]:
    """Sentences that ask for a payment as hardly any of the own mails do, at most three."""
    found = []
    for begin, end in sentences(text)[:MOST_SENTENCES]:
        asks = profile.asks(text[begin:end])
        if asks > 0 and profile.payment_share(asks) <= false_alarms:
            quoted = text[begin:end][:120].replace("\n", " ")
            found.append(Passage(begin, end, None, asks, f"asks for a payment: “{quoted}”"))
    return sorted(found, key=lambda passage: -passage.payment)[:3]
