"""What attackers achieved against each lever: frozen, JSON in and out.

Every record that speaks of a lever has it under ``lever`` and a sentence under ``text``, which is
what a bundle's card quotes.
"""

from __future__ import annotations

from typing import Literal

from whichlever.measure.attack_kept import Exposure, Membership
from whichlever.measure.figure import Interval
from whichlever.prices import Frozen

Kind = Literal["outsider", "strings", "family", "way", "search", "transfer", "control"]


class Aim(Frozen):
    """What was tried, for every lever alike.

    Attributes
    ----------
    protect, into
        The labels that should stay, and the cheap one that an attacker wants.
    where
        Where text may be added, in words; ``controls`` as the task names it.
    rows, strings, search, chars, minutes
        The budget as asked for: protected test rows, questions a row with given strings and in
        each search, characters added, minutes a lever.
    families, ways
        Strings of each family that were at hand, and the ways they are brought in.
    given
        How many strings the user's own file held; 0 where only ours were tried.
    at_most
        The largest flip rate that the task would accept; None where it does not say.
    place
        Where in what is there: behind it, before it, or in its middle.
    """

    protect: tuple[str, ...]
    into: str
    where: str
    controls: tuple[str, ...]
    rows: int
    strings: int
    search: int
    chars: int
    minutes: float
    families: dict[str, int]
    ways: tuple[str, ...]
    given: int
    seed: int
    at_most: float | None = None
    place: Literal["behind", "before", "inside"] = "behind"


class FlipRate(Frozen):
    """How many rows one kind of attack turned.

    Attributes
    ----------
    kind
        ``outsider`` (all that needs no training row: strings but the vocabulary, and searches with
        public words), ``strings`` (all but the vocabulary), ``family`` of strings, ``way`` of
        bringing them in, ``search``, ``transfer`` (what a search found against another lever), or
        ``control`` (letters at random).
    questions
        Questions a row, at most; any of them that turns the row counts.
    chars
        Characters that the shortest text which turned a row had, the median over turned rows;
        None where none was turned.
    """

    attack: str
    kind: Kind
    rows: int
    flipped: int
    rate: Interval
    questions: int
    chars: float | None = None


class LeverAttack(Frozen):
    """What was made of one lever.

    Attributes
    ----------
    state
        ``attacked``, ``nothing to turn`` (no protected row was answered otherwise than cheap), or
        ``not attacked``, with ``why``.
    protected, asked, missed, unanswered
        Protected test rows there are; asked as they are; of these, answered as cheap already; and
        without an answer. The others, ``rows``, were attacked.
    groups
        Groups that hold them, None where rows are independent.
    questions, chars
        Budget a row as it was spent, at most; ``cut`` where time allowed less than was asked for.
    total
        Questions asked in all; ``lost`` of them got no answer, which counts as not turned.
    flip
        Share of rows that anything but the control turned; None where there was no row.
    outsider
        The share that somebody without any training row turned: no vocabulary, public words alone.
    shortest
        Characters of the shortest text that turned a row, the median over the rows turned; None
        where none was.
    control
        The share that letters at random turned.
    worst
        The kind of attack that alone turned most rows.
    certified
        Of ``rows``, those that no text added where the attack adds it can turn, whatever it is
        and however long: shown by a guard, not tried. None where nothing shows that of any row.
    """

    lever: str
    state: Literal["attacked", "nothing to turn", "not attacked"]
    text: str
    why: str = ""
    protected: int = 0
    asked: int = 0
    missed: int = 0
    unanswered: int = 0
    rows: int = 0
    groups: int | None = None
    questions: int = 0
    chars: int = 0
    cut: bool = False
    total: int = 0
    lost: int = 0
    seconds: float = 0.0
    flipped: int = 0
    flip: Interval | None = None
    outsider: Interval | None = None
    shortest: float | None = None
    control: Interval | None = None
    worst: str | None = None
    certified: int | None = None
    rates: tuple[FlipRate, ...] = ()


class Planted(Frozen):
    """Canaries planted so many times in training rows, and where they were found again.

    Counts are of canaries, of ``canaries`` planted. ``files`` names the files of the fit that hold
    one, ``bundle`` those of the bundle. ``named`` counts those that an explanation gives a weight
    of its own when the text holds it: whoever guesses it learns that training rows had it.
    ``shown`` counts those that appear in answers or explanations of texts that do not hold them.
    """

    times: int
    canaries: int
    in_files: int
    in_bundle: int
    named: int
    shown: int
    files: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()


class CanaryHunt(Frozen):
    """What one lever, fitted again on rows with canaries, keeps of them."""

    lever: str
    text: str
    kind: str
    rows: int
    seconds: float
    plantings: tuple[Planted, ...]


class Leak(Frozen):
    """Whether a language model gave away its instructions, or the documents it was handed.

    Attributes
    ----------
    what
        ``instructions`` or ``passages``.
    constrained
        Whether its answers were held to the labels; False is the same model asked without that,
        which is the lever itself only where its answers are open.
    asked, failed
        Answers measured, and questions that got none; with no answer the shares say nothing.
    exact, rouge, canary
        Answers that hold the whole secret, that reach ROUGE-L recall of 0.9 on it, that hold the
        canary put into it; None where no canary was.
    longest
        The longest run of the secret's words in any answer, in words.
    """

    lever: str
    text: str
    model: str
    what: Literal["instructions", "passages"]
    constrained: bool
    asked: int
    exact: Interval
    rouge: Interval
    canary: Interval | None
    longest: int
    secret_words: int
    failed: int = 0


class Obeyed(Frozen):
    """Whether a model does what the text of a row tells it: write a word of the attacker's.

    Attributes
    ----------
    constrained
        Whether its answers were held to the labels.
    own
        Whether the lever answers so itself; else it is its model alone.
    asked, failed
        Answers measured, and questions that got none.
    obeyed
        Answers that hold the word.
    quoted
        Of the rows with random letters and the word but no order, answers that hold the word: what
        a model repeats unasked.
    families
        Strings of each family that were tried.
    """

    lever: str
    text: str
    model: str
    constrained: bool
    own: bool
    asked: int
    failed: int
    obeyed: Interval
    quoted: Interval
    families: dict[str, int]


class Attacks(Frozen):
    """Everything that was tried on a run's levers; ``aim`` is None where no label was to be turned.

    ``memberships`` and ``exposures`` are what a fitted lever keeps of single training rows.
    """

    aim: Aim | None = None
    levers: tuple[LeverAttack, ...] = ()
    served: tuple[LeverAttack, ...] = ()
    canaries: tuple[CanaryHunt, ...] = ()
    leaks: tuple[Leak, ...] = ()
    obeyed: tuple[Obeyed, ...] = ()
    memberships: tuple[Membership, ...] = ()
    exposures: tuple[Exposure, ...] = ()

    def lever(self, name: str) -> LeverAttack | None:
        """What was made of one lever; None where it is not there."""
        return next((found for found in self.levers if found.lever == name), None)
