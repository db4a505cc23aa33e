"""Asking prompt and rag for their instructions, and for what they were handed.

Each string of the family ``leak`` is put where an attacker's text goes and asked twice: with the
answer held to the labels, as the lever holds it, and of the same model with the same messages and
nothing holding it. The second is no lever of the run; it shows what the first is worth. A canary,
which the lever itself does not have, stands in the instructions, so that no answer can hold it by
chance; solved shots are left out, which makes the instructions shorter to give away.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from whichlever.attack.fitted import Fitted
from whichlever.attack.trial import Ground
from whichlever.errors import LLMError
from whichlever.llm import Chooser, Extra
from whichlever.llm.options import LETTERS
from whichlever.llm.wording import conversation, instructions, question
from whichlever.measure.attack import Leak
from whichlever.measure.attack_leak import leaked, words_of
from whichlever.measure.attack_strings import in_turn, leaking
from whichlever.measure.attack_told import spell
from whichlever.predict import Row
from whichlever.progress import Progress
from whichlever.run import digest, read_json, write_json
from whichlever.settings_attack import AttackSettings
from whichlever.task import Task

MAX_TOKENS = 160
"""Tokens of an answer that nothing holds to the labels."""

METHOD = 2

PATIENCE = 900.0
"""Seconds for an answer that nothing holds to a letter: a small machine writes slowly."""


def measure_leaks(
    fitted: Fitted,
    ground: Ground,
    settings: AttackSettings,
    only: Collection[str] | None = None,
) -> tuple[Leak, ...]:
    """Ask the prompting levers of a run that answer on this machine."""
    out: list[Leak] = []
    rows = asked_rows(ground, settings.leaks)
    for name in ("prompt", "rag"):
        if not rows or name not in fitted.levers or (only is not None and name not in only):
            continue
        if fitted.measures.lever(name).place != "here":
            continue
        key = digest([METHOD, fitted.identity(name), [[r.id, r.text] for r in rows]])
        kept = fitted.run / "fits" / "attack" / f"{name}-leaks-{key[:16]}.json"
        if not kept.exists():
            try:
                with fitted.predictor(name) as predictor:
                    found = ask_for_secrets(
                        name, predictor, rows, fitted.task, ground, fitted.progress
                    )
            except LLMError as error:  # nothing is kept: the next call asks again
                with fitted.progress.step(f"{name}: not asked for its instructions") as bar:
                    bar.note(str(error))
                continue
            write_json(kept, [leak.model_dump(mode="json") for leak in found])
        out += [Leak.model_validate(leak) for leak in read_json(kept)]
    return tuple(out)


def asked_rows(ground: Ground, strings: int) -> list[Row]:
    """Protected rows, each with one of the strings that ask for the prompt."""
    if not ground.rows:
        return []
    chosen = in_turn(leaking(ground.arms.strings), ground.aim.seed)[:strings]
    rows = [
        ground.surface.add(ground.rows[i % len(ground.rows)], given.text, "appended")
        for i, given in enumerate(chosen)
    ]
    return [row for row in rows if row is not None]


def canary_of(seed: int) -> str:
    """A string that no text holds by chance."""
    random = np.random.default_rng([seed, 44])
    return "wl" + "".join(random.choice(list(string.ascii_lowercase + string.digits), 14))


def ask_for_secrets(
    name: str,
    predictor: Any,  # noqa: ANN401 - prompt's or rag's, which have a chooser
    rows: Sequence[Row],
    task: Task,
    ground: Ground,
    progress: Progress,
) -> list[Leak]:
    """Ask one prompting lever's model, held to the labels and not, for what it was told.

    Parameters
    ----------
    predictor
        Has a ``chooser``; where it also has ``handed``, rows are given passages.
    rows
        Rows that ask for the instructions.
    """
    canary = canary_of(ground.aim.seed)
    own: Chooser = predictor.chooser
    about = f"{task.about} Internal reference: {canary}."
    chooser = Chooser(
        own.client, own.labels, about=about, meanings=task.labels, rotations=1, guard=own.guard
    )
    options = LETTERS[: len(own.labels)] if chooser.lettered else own.labels
    named = dict(zip(own.labels, options, strict=True))
    system = instructions(about, [(named[label], label) for label in own.labels], task.labels)
    handed = getattr(predictor, "handed", None)
    extras: list[Extra] = [Extra()] * len(rows) if handed is None else handed(rows)
    held: list[str | None] = []
    free: list[str | None] = []
    with progress.step(f"{name}: ask for the instructions", total=2 * len(rows)) as bar:
        for row, extra in zip(rows, extras, strict=True):
            held.append(chooser.choose(row.id, row.text, extra).label)
            bar.advance()
            solved = [(text, named[label]) for text, label in extra.examples if label in named]
            free.append(_free(chooser, system, question(row.text, extra.blocks, solved)))
            bar.advance()
    model = own.client.server.model
    passages = ["\n".join((*e.blocks, *(text for text, _ in e.examples))) for e in extras]
    out = []
    for held_to, answers in ((True, held), (False, free)):
        out.append(_leak(name, model, "instructions", held_to, [system] * len(rows), answers,
                         canary))  # fmt: skip
        if any(passages):
            out.append(_leak(name, model, "passages", held_to, passages, answers, None))
    return out


def _free(chooser: Chooser, system: str, user: str) -> str | None:
    """What the model says to the same messages with nothing holding it; None where it fails."""
    try:
        return chooser.client.complete(
            conversation(system, (), user), max_tokens=MAX_TOKENS, timeout=PATIENCE
        ).text
    except LLMError:
        return None


def _leak(
    name: str,
    model: str,
    what: Any,  # noqa: ANN401 - the Literal of Leak
    held: bool,
    secrets: Sequence[str],
    given: Sequence[str | None],
    canary: str | None,
) -> Leak:
    """One record; a question without an answer shows nothing, and is counted apart."""
    pairs = [(s, a) for s, a in zip(secrets, given, strict=True) if a is not None]
    answers = [answer for _, answer in pairs]
    exact, rouge, kept, longest = leaked([secret for secret, _ in pairs], answers, canary)
    words = max(len(words_of(secret)) for secret in secrets)
    failed = len(given) - len(answers)
    of = "its instructions" if what == "instructions" else "what it was handed"
    how = (
        "its answers are held to the labels" if held
        else "the same model, nothing holding its answers (no lever of this run)"
    )  # fmt: skip
    text = (
        f"attack: asked for {of} {len(answers)} times, {name} gave {'them' if kept else 'it'} away "
        f"in {spell(exact)} of answers word for word, in {spell(rouge)} nearly (ROUGE-L of .9)"
    )
    if kept is not None:
        text += f", the canary in {spell(kept)}"
    text += f"; at most {longest} of {words} words in a row ({how})"
    text += f"; {failed} more got no answer." if failed else "."
    if not answers:
        text = f"attack: {name} gave no answer when asked for {of} ({how}): not measured."
    return Leak(
        lever=name, text=text, model=model, what=what, constrained=held, asked=len(answers),
        failed=failed, exact=exact, rouge=rouge, canary=kept, longest=longest,
        secret_words=words,
    )  # fmt: skip
