"""What an attack on a task is after, and with which strings and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whichlever.attack.records import where_of
from whichlever.attack.strings import read_strings
from whichlever.data import Splits
from whichlever.errors import TaskError
from whichlever.measure.attack import Aim
from whichlever.measure.attack_strings import LEAK, VOCABULARY, AttackString, own_strings
from whichlever.measure.attack_ways import Way
from whichlever.measure.attack_words import PUBLIC, filling, telling_words
from whichlever.predict import Row
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task
from whichlever.taskfile import nearest

TRAINING, KNOWN = "words of training rows", "public words"
"""The two searches: by somebody who has seen rows like yours, and by somebody who has not."""


@dataclass(frozen=True)
class Arms:
    """The strings at hand, and each search's words; ``given`` counts the user's own strings."""

    strings: tuple[AttackString, ...]
    words: Mapping[str, Sequence[str]]
    given: int


def aimed_at(task: Task, settings: AttackSettings) -> tuple[tuple[str, ...], str]:
    """The protected labels and the one an attacker wants.

    Raises
    ------
    TaskError
        Neither ``attack:`` nor ``autoclose:``, ``mistakes:`` or ``workload:`` tells.
    """
    protect, into = tuple(settings.protect or ()), settings.into
    if task.autoclose is not None:
        protect, into = protect or tuple(task.autoclose.protect), into or task.autoclose.label
    worst = {
        (true, said): cost
        for true, row in task.mistakes.items()
        for said, cost in row.items()
        if (not protect or true in protect) and (into is None or said == into) and true != said
    }
    if worst:
        most = max(worst.values())
        into = into or next(said for (_, said), cost in worst.items() if cost == most)
        protect = protect or tuple(
            t for (t, s), cost in worst.items() if cost == most and s == into
        )
    if task.workload is not None:
        into = into or task.workload.quiet[0]
        protect = protect or tuple(task.workload.urgent)
    protect = tuple(label for label in protect if label != into)
    if into is None or not protect:
        raise TaskError(
            "attack: which label should not be turned into which? say attack.protect and "
            "attack.into (or mistakes:, autoclose:)"
        )
    return protect, into


def check_attack(task: Task, labels: Sequence[str]) -> None:
    """Say before anything runs that an attack cannot be made.

    Raises
    ------
    InputError
        A label that no row has, or a file of strings that cannot be read.
    """
    if task.attack is None:
        return
    check_labels(task, task.attack, labels)
    if task.attack.strings is not None:
        read_strings(task.path(task.attack.strings))


def check_labels(task: Task, settings: AttackSettings, labels: Sequence[str]) -> None:
    """Refuse a label that the run does not have.

    Raises
    ------
    TaskError
        The label and the nearest right one; or that the aim is not told at all.
    """
    given = (*(settings.protect or ()), settings.into)
    unknown = [name for name in given if name is not None and name not in labels]
    if not unknown:
        protect, into = aimed_at(task, settings)
        unknown = [name for name in (*protect, into) if name not in labels]
    if unknown:
        raise TaskError(f"attack: no row has the label {unknown[0]!r}{nearest(unknown[0], labels)}")


def arms_of(task: Task, settings: AttackSettings, train: Sequence[Row]) -> Arms:
    """Our strings, the user's, and words; the vocabulary is that of training rows."""
    protect, into = aimed_at(task, settings)
    own = own_strings(into, task.labels.get(into, ""))
    given = [] if settings.strings is None else read_strings(task.path(settings.strings))
    telling = telling_words(train, into, protect)
    filled = [filling(telling, (settings.chars - 2) * share // 4) for share in (1, 2, 4)]
    vocabulary = [AttackString(VOCABULARY, text) for text in filled if text]
    return Arms((*own, *given, *vocabulary), {TRAINING: telling, KNOWN: PUBLIC}, len(given))


def open_arms(task: Task, settings: AttackSettings) -> Arms:
    """The strings that need no label, ours and the user's: those that ask, and those that order."""
    given = [] if settings.strings is None else read_strings(task.path(settings.strings))
    own = [one for one in own_strings("the word") if one.family in (LEAK, "order")]
    return Arms((*own, *given), {}, len(given))


def with_answers(task: Task, splits: Splits, settings: AttackSettings) -> AttackSettings:
    """For closed answers without an aim: from any other answer to the commonest one."""
    told = settings.into is not None or settings.protect is not None
    if task.kind != "generate" or told or task.mistakes:
        return settings
    counts = Counter(row.target for row in splits.train if row.target)
    into = min(counts, key=lambda answer: (-counts[answer], answer))
    protect = sorted(answer for answer in counts if answer != into)
    return settings.model_copy(update={"into": into, "protect": protect})


def aim_of(task: Task, settings: AttackSettings, arms: Arms, ways: Sequence[Way], seed: int) -> Aim:
    """The aim as it is kept with the results."""
    protect, into = aimed_at(task, settings)
    families = Counter(given.family.split("/", 1)[0] for given in arms.strings)
    return Aim(
        protect=protect, into=into, where=where_of(settings.controls, settings.place),
        controls=tuple(settings.controls), rows=settings.rows, strings=settings.questions,
        search=settings.search, chars=settings.chars, minutes=settings.minutes,
        families=dict(sorted(families.items())), ways=tuple(ways), given=arms.given, seed=seed,
        at_most=settings.at_most, place=settings.place,
    )  # fmt: skip
