"""The names that may be produced, and how each one's value is made; declared or inferred."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from whichlever.errors import DataError
from whichlever.fields import normalise, timestamps
from whichlever.fields.align import Aligned, values_of
from whichlever.fields.normalise import NORMALISERS, Normaliser, Rule
from whichlever.fields.occurrences import gaps
from whichlever.fields.timestamps import Clock
from whichlever.settings import FieldSettings

Pair = tuple[str, Any, str]
"""A span's text, the value that the label says, and the line."""
SAMPLE = 300
"""Different pairs looked at to choose a normaliser."""
_TRIED: tuple[Normaliser, ...] = (
    "none", "int", "number", "lower", "upper", "mac", "whitespace", "percent", "json"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schema:
    """Field names and their rules.

    Attributes
    ----------
    rules
        Every name that may be produced → its rule.
    by_source
        Source → name → rule, where a source differs: zones, years, numbers kept as text.
    inferred
        What was not declared but read from the training lines, one sentence each.
    """

    rules: Mapping[str, Rule]
    by_source: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)
    inferred: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that may be produced, sorted."""
        return tuple(sorted(self.rules))

    def rule(self, name: str, source: str | None = None) -> Rule:
        """Return a name's rule in a source.

        Raises
        ------
        KeyError
            The name is not in the schema.
        """
        if source is not None and (special := self.by_source.get(source)) and name in special:
            return special[name]
        return self.rules[name]

    def to_json(self) -> str:
        """Write the schema, so that :meth:`from_json` reads it again."""
        return json.dumps(
            {
                "rules": {name: asdict(rule) for name, rule in sorted(self.rules.items())},
                "by_source": {
                    source: {name: asdict(rule) for name, rule in sorted(rules.items())}
                    for source, rules in sorted(self.by_source.items())
                },
                "inferred": list(self.inferred),
            },
            ensure_ascii=True,
        )

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        DataError
            The text is no schema.
        """
        try:
            found = json.loads(text)
            return cls(
                {name: _rule(rule) for name, rule in found["rules"].items()},
                {
                    source: {name: _rule(rule) for name, rule in rules.items()}
                    for source, rules in found["by_source"].items()
                },
                tuple(str(one) for one in found["inferred"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"this is no field schema ({error}); pack the model again") from None


def _rule(found: dict[str, Any]) -> Rule:
    if found["normalise"] not in NORMALISERS:
        raise ValueError(f"no normaliser {found['normalise']!r}")
    clocks = {str(layout): Clock(**clock) for layout, clock in found["clocks"].items()}
    for clock in (*clocks.values(), made := Clock(**found["clock"])):
        if clock.zone != timestamps.LINE:
            timestamps.zone_of(clock.zone)
    return Rule(found["normalise"], made, clocks, bool(found["many"]))


def infer(lines: Sequence[Aligned], declared: Mapping[str, FieldSettings] | None = None) -> Schema:
    """Make a schema from aligned lines; what is declared holds, the rest is inferred.

    Where ``declared`` names fields, only those are in the schema.
    """
    pairs: dict[tuple[str, str | None], list[Pair]] = defaultdict(list)
    many: set[tuple[str, str | None]] = set()
    for aligned in lines:
        line = aligned.line
        for span in aligned.spans:
            text = line.text[span.start : span.end]
            for name in span.names:
                value = _labelled(text, line.fields[name])
                pairs[(name, line.source)].append((text, value, line.text))
        many |= {(n, line.source) for n, v in line.fields.items() if len(values_of(v)) > 1}
    names = sorted(declared) if declared else sorted({name for name, _ in pairs})
    rules: dict[str, Rule] = {}
    special: dict[str, dict[str, Rule]] = defaultdict(dict)
    for name in names:
        settings = (declared or {}).get(name) or FieldSettings()
        sources = [source for other, source in pairs if other == name]
        pooled = [pair for source in sources for pair in pairs[(name, source)]]
        several = any((name, source) in many for source in sources)
        general = replace(_inferred(pooled, settings), many=several)
        rules[name] = general
        for source in sources:
            own = _inferred(pairs[(name, source)], settings, general)
            own = replace(own, many=(name, source) in many)
            if source is not None and own != general:
                special[source][name] = own
    return Schema(rules, dict(special), tuple(_said(rules, declared or {}, declared is not None)))


def _said(
    rules: Mapping[str, Rule], declared: Mapping[str, FieldSettings], given: bool
) -> Iterable[str]:
    if not given:
        yield f"fields: {len(rules)} names, read from the training lines"
    by_kind: dict[str, list[str]] = defaultdict(list)
    for name, rule in sorted(rules.items()):
        if rule.normalise != "none" and not (name in declared and declared[name].normalise):
            by_kind[rule.normalise].append(name)
    for kind, names in sorted(by_kind.items()):
        yield f"normalise {kind}: {', '.join(names)}"


def _labelled(text: str, value: Any) -> Any:  # noqa: ANN401 - JSON values
    """Return which of a field's values this text is."""
    options = values_of(value)
    if len(options) == 1:
        return options[0]
    for kind in _TRIED:
        rule = Rule(kind)
        for one in options:
            if normalise.equal(normalise.apply(text, rule), one, rule.normalise):
                return one
    return options[0]


def _inferred(pairs: list[Pair], settings: FieldSettings, general: Rule | None = None) -> Rule:
    kind = settings.normalise or _kind(pairs, general)
    if kind != "timestamp":
        return Rule(kind)
    clocks = _clocks(pairs)
    common = max(clocks.values(), key=lambda found: found[1])[0] if clocks else Clock()
    if general is not None and not clocks:
        common = general.clock
    declared = {k: v for k, v in (("zone", settings.tz), ("year", settings.year)) if v is not None}
    return Rule(
        kind,
        replace(common, override=False, **declared),  # type: ignore[arg-type]
        {layout: replace(clock, **declared) for layout, (clock, _) in clocks.items()},  # type: ignore[arg-type]
    )


def _kind(pairs: list[Pair], general: Rule | None) -> Normaliser:
    """Choose the first normaliser that makes the most values from their texts."""
    if not pairs:
        return general.normalise if general else "none"
    pairs = list(dict.fromkeys(pairs))[:SAMPLE]
    right = Counter[Normaliser]()
    for text, value, _ in pairs:
        for kind in _TRIED:
            made = normalise.apply(text, Rule(kind))
            right[kind] += made == value and isinstance(made, str) == isinstance(value, str)
    best = max(_TRIED, key=lambda kind: right[kind])
    if right[best] < len(pairs) and sum(_is_moment(t, v) for t, v, _ in pairs) > right[best]:
        return "timestamp"
    if general and right[general.normalise] == right[best]:
        return general.normalise
    return best


def _is_moment(text: str, value: Any) -> bool:  # noqa: ANN401 - JSON value
    if not isinstance(value, str) or (value == text and timestamps.read(text) is None):
        return False
    stamp, target = timestamps.read(text), timestamps.read(value)
    return stamp is not None and target is not None and bool(gaps(stamp, target, own_zone=False))


def _clocks(pairs: list[Pair]) -> dict[str, tuple[Clock, int]]:
    """Return layout → the clock that makes most values right, and how many texts spoke for it."""
    votes: dict[str, Counter[Clock]] = defaultdict(Counter)
    spoken: Counter[str] = Counter()
    for text, value, line in pairs:
        stamp, target = timestamps.read(text), timestamps.read(str(value))
        if stamp is None or target is None:
            continue
        spoken[stamp.layout] += 1
        own = stamp.offset is not None
        beside = None if own else timestamps.line_zone(line)
        for (year, day_first, whole), gap in gaps(stamp, target, own_zone=own).items():
            if own and gap == 0:
                votes[stamp.layout][Clock("UTC", year, day_first, whole=whole)] += 1
                continue
            zone = _zone(gap + (stamp.offset or 0))
            votes[stamp.layout][Clock(zone, year, day_first, own, whole)] += 1
            if beside is not None and beside == gap:
                votes[stamp.layout][Clock(timestamps.LINE, year, day_first, own, whole)] += 1
    return {
        layout: (max(found, key=lambda clock: (found[clock], *_simpler(clock))), spoken[layout])
        for layout, found in votes.items()
    }


def _simpler(clock: Clock) -> tuple[bool, ...]:
    """Order clocks that fit as well: what the line itself says before what a source is given."""
    return (clock.zone == timestamps.LINE, not clock.override, not clock.day_first, not clock.whole)


def _zone(minutes: float) -> str:
    if not minutes:
        return "UTC"
    whole = abs(round(minutes))
    return f"{'-' if minutes < 0 else '+'}{whole // 60:02d}:{whole % 60:02d}"
