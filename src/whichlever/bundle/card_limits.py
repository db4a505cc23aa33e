"""The card's second half: what is promised, what it cannot do, and what nobody has measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from whichlever.bundle.markdown import escaped, figure, percent

if TYPE_CHECKING:
    from whichlever.bundle.card import CardFacts

NOT_ATTACKED = "attack: not measured"


def promises(facts: CardFacts) -> list[str]:
    """What was promised of closing rows unseen, kept or refused; nothing where none was asked."""
    found = promise_of(facts.finished.measures, facts.choice.lever)
    if found is None:
        return []
    lines = ["## Closing rows unseen", ""]
    if found.get("refusal"):
        lines.append(f"- Refused: {escaped(found['refusal'])}")
    for key in ("high_confidence", "expected_loss"):
        said = found.get(key)
        if not isinstance(said, dict):
            continue
        lines.append(f"- {'Held' if said.get('held') else 'Refused'}: {escaped(said.get('text'))}")
        if said.get("refusal"):
            lines.append(f"  - {escaped(said['refusal'])}")
        if said.get("threshold") is not None:
            lines.append(
                f"  - Threshold {figure(said['threshold'], 6)} in log-odds before calibration."
            )
        tested = said.get("test")
        if isinstance(tested, dict):
            lines.append(
                f"  - On {figure(tested.get('rows'))} test rows it closed "
                f"{figure(tested.get('closed'))}, {figure(tested.get('protected_closed'))} of them "
                f"protected ({figure(tested.get('protected_rows'))} protected rows in all)."
            )
    lines.append(
        "- The promise is evidence from the comparison; this bundle closes nothing by itself: "
        "whichlever autoclose does, by its own policy file."
    )
    return [*lines, ""]


def promise_of(measures: Mapping[str, Any], lever: str) -> Mapping[str, Any] | None:
    """One lever's promises as the measures hold them."""
    levers = (measures.get("autoclose") or {}).get("levers") or ()
    return next((p for p in levers if p.get("lever") == lever), None)


def limits(facts: CardFacts) -> list[str]:
    """Scope of the verdict, cut inputs, labels and groups that were never seen."""
    answered, manifest = facts.answered, facts.manifest
    lines = ["## Limits", ""]
    lines += [f"- {escaped(said)}" for said in facts.finished.verdict.get("scope") or ()]
    if facts.finished.verdict.get("audit"):
        lines.append(f"- {escaped(facts.finished.verdict['audit'])}")
    window = next((p.max_tokens for p in manifest.parts if p.max_tokens is not None), None)
    if window is not None:
        share = percent(answered.cut / answered.rows) if answered.rows else "not measured"
        lines.append(
            f"- It reads at most {window} tokens: of longer texts the beginning and the end. "
            f"{answered.cut:,} of {answered.rows:,} test rows were longer ({share}); the answer "
            "then carries a note."
        )
    missing = [label for label in manifest.labels if label not in answered.targets]
    if missing:
        lines.append(f"- {len(missing):,} of its labels had no test row.")
    outside = [label for label in answered.targets if label not in manifest.labels]
    if outside:
        rows = sum(answered.targets[label] for label in outside)
        lines.append(
            f"- It cannot answer {len(outside):,} labels that {rows:,} test rows have; "
            "they count as wrong."
        )
    lines.append(_groups(facts))
    if manifest.kind == "extract":
        lines.append(
            "- Compiled shapes (shapes.json) hold words that many training lines share, and the "
            "tagger the names of sources, in the clear: who has the file can read them."
        )
    if any(part.kind == "decoder" for part in manifest.parts):
        lines.append(
            "- Its figures were measured in 32 bits by the training library; it answers in fewer "
            "bits by llama.cpp. Weights that learned texts can give pieces of them away."
        )
    if any(part.kind == "linear" for part in manifest.parts):
        lines.append(
            "- The weights hold words of the training texts in the clear (model.json): who has "
            "the file can read them."
        )
    return [*lines, ""]


def _groups(facts: CardFacts) -> str:
    group = facts.finished.task.data.group
    if group is None:
        return "- How it does on a new source of rows is not known: the task names no groups."
    if facts.finished.task.data.split.by == "group":
        return f"- No group ({escaped(group)}) of the test rows was trained on."
    return (
        f"- Rows of one group ({escaped(group)}) may be in training and test alike: on groups "
        "never seen it may do worse."
    )


def under_attack(facts: CardFacts) -> list[str]:
    """What attackers achieved, where that was measured."""
    lines = ["## Under attack", ""]
    said = attack_sentences(facts.finished.measures.get("attacks"), facts.choice.lever)
    if not said:
        verdict = facts.finished.verdict.get("attack") or NOT_ATTACKED
        return [*lines, f"- {escaped(verdict)}", ""]
    return [*lines, *(f"- {escaped(sentence)}" for sentence in said), ""]


def attack_sentences(attacks: Any, lever: str) -> list[str]:  # noqa: ANN401 - any JSON value
    """The sentences (``text``) in the attack evidence that are about a lever, or about none."""
    return list(dict.fromkeys(_texts(attacks, lever)))


def _texts(value: Any, lever: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        for item in value:
            yield from _texts(item, lever)
    elif isinstance(value, dict) and value.get("lever", lever) == lever:
        if isinstance(value.get("text"), str):
            yield value["text"]
        for item in value.values():
            yield from _texts(item, lever)


def not_measured(facts: CardFacts) -> list[str]:
    """A list of what this card is silent about, so that silence is not taken for good news."""
    summary, measures = facts.summary, facts.finished.measures
    silent = {
        "attacks on it": bool(attack_sentences(measures.get("attacks"), facts.choice.lever)),
        "probabilities (calibration)": bool(summary.get("calibration")),
        "latency": (summary.get("latency") or {}).get("p50_ms") is not None,
        "wrong labels in the data": bool(measures.get("noise")),
        "what a change in the world does to it": bool(measures.get("change")),
        "what it means on shift (queue and waiting)": bool(measures.get("workload")),
        "how many labels it takes (learning curve)": bool(measures.get("curve")),
        "closing rows unseen": promise_of(measures, facts.choice.lever) is not None,
        "how it does for different groups of people": False,
        "drift since it was trained": False,
    }
    names = [name for name, measured in silent.items() if not measured]
    return ["## Not measured", "", *(f"- {name}" for name in names), ""]
