"""The text of an Elastic detection alert (``triage@2``).

Nothing under ``kibana`` or ``signal`` is shown but the rule and what it found: the rest is what
analysts did with the alert (status, reason, tags, assignees, cases), which is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.packs.triage.elastic import dig, first, rule_of
from whichlever.packs.triage.flatten import ANSWERS, fields
from whichlever.packs.triage.lines import (
    Record,
    ends,
    items,
    listed,
    mapping,
    moment,
    say,
    word,
)
from whichlever.packs.triage.values import address, host, phrase

# Written about the shipping of an event, not about the event; labels and tags may be an answer.
_SHIPPING = """
    kibana signal ecs agent elastic_agent data_stream input related tags labels fleet log host
    source destination client server event rule threat network observer organization tracing trace
    transaction span message fields sort highlight @timestamp @version timestamp time status
    verdict rule_id rule_name host_name
"""
_HIDDEN = ANSWERS | frozenset(_SHIPPING.split())
_EVENT = (
    "action", "category", "type", "outcome", "code", "module", "dataset", "provider", "reason",
    "severity",
)  # fmt: skip
_END = ("domain", "geo.country_iso_code", "geo.country_name", "as.organization.name")

# Identifiers and repetitions that tell nothing beside what is shown.
_TELLS_NOTHING = """
    entity_id args args_count Ext ancestry pe inode group_leader session_leader entry_leader
    previous thread supplemental_groups tty env_vars working_directory hash uptime start end
    provider_guid provider_name computer_name channel activity_id record_id opcode keywords api task
    version build kernel KeyLength
"""
_NOISE = frozenset(_TELLS_NOTHING.split())
_DEPTH = 5


def elastic_lines(alert: Record) -> list[str]:
    """The lines of one nested alert document, before they are bounded together."""
    rule = rule_of(alert)
    name = say(first(rule.get("name")), 200)
    lines = [f"elastic {_head(alert, rule)}: {name}"]
    lines += listed("group", _groups(rule))
    lines += listed("technique", _techniques(alert, rule))
    about = say(first(rule.get("description")), 160)
    lines += [f"about: {about}"] if about and about != name else []
    lines += _host(alert)
    proto = "/".join(
        say(first(dig(alert, f"network.{key}")), 20).lower()
        for key in ("transport", "protocol")
        if first(dig(alert, f"network.{key}")) is not None
    )
    source, target = (_end(alert, *sides) for sides in (("source", "client"), _TARGETS))
    lines += ends(source, target, proto)
    for path in ("kibana.alert.original_time", "signal.original_time", "@timestamp"):
        if found := moment(first(dig(alert, path))):
            lines += found
            break
    decoded = fields(_rest(alert))
    lines += decoded
    # Kibana's own sentence repeats the fields; it and the message are read only where few are.
    if len(decoded) < 3:
        for path in ("message", "kibana.alert.reason", "signal.reason"):
            if (text := first(dig(alert, path))) is not None:
                lines.append(f"untrusted{{{path.rpartition('.')[2]}}}: {say(text, 240)}")
                break
    return lines


_TARGETS = ("destination", "server")


def _head(alert: Record, rule: Record) -> str:
    number = first(rule.get("rule_id") or rule.get("id"))
    said = ["rule"]
    if isinstance(number, str | int) and len(str(number)) <= 12:
        said.append(word(number))
    severity = first(
        dig(alert, "kibana.alert.severity") or rule.get("severity") or dig(alert, "event.severity")
    )
    risk = first(dig(alert, "kibana.alert.risk_score") or rule.get("risk_score"))
    said += [f"severity {word(severity)}"] if severity is not None else []
    said += [f"risk {word(risk)}"] if risk is not None else []
    return " ".join(said)


def _groups(rule: Record) -> list[Any]:
    found = [first(rule.get("category"))] if "tags" not in rule else items(rule.get("tags"))
    return [value for value in found if isinstance(value, str) and value]


def _techniques(alert: Record, rule: Record) -> list[Any]:
    """Names of techniques with their subtechniques; of tactics where no technique is named."""
    threats = items(rule.get("threat")) or items(alert.get("threat"))
    techniques: list[Any] = []
    tactics: list[Any] = []
    for threat in threats[:8]:
        if not isinstance(threat, Mapping):
            continue
        tactics += [_name(value) for value in items(threat.get("tactic"))]
        for technique in items(threat.get("technique"))[:8]:
            techniques.append(_name(technique))
            if isinstance(technique, Mapping):
                techniques += [_name(value) for value in items(technique.get("subtechnique"))[:4]]
    named = [value for value in techniques if value] or [value for value in tactics if value]
    return list(dict.fromkeys(map(str, named)))


def _name(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("id")
    return first(value)


def _host(alert: Record) -> list[str]:
    name = first(dig(alert, "host.name") or dig(alert, "host.hostname"))
    places = [address(str(ip)) for ip in items(dig(alert, "host.ip"))[:8]]
    # The link-local address of every interface comes first, and says nothing.
    place = next((p for p in places if p and not p.startswith("internal fe80:")), "")
    role = say(first(dig(alert, "host.type")), 40)
    system = say(first(dig(alert, "host.os.name") or dig(alert, "host.os.type")), 40)
    about = ", ".join(part for part in (f"role={role}" if role else "", system, place) if part)
    name = host(str(name)) if isinstance(name, str) else ""
    return [f"host: {name}{f' ({about})' if about else ''}"] if name or about else []


def _end(alert: Record, *sides: str) -> list[Any]:
    for side in sides:
        ip = first(dig(alert, f"{side}.ip") or dig(alert, f"{side}.address"))
        number = first(dig(alert, f"{side}.port"))
        if ip is not None or number is not None:
            return [ip, number]
    return [None, None]


def _rest(alert: Record) -> dict[str, Any]:
    """Every other field of the event, less noise."""
    rest = {k: _less(v, 0) for k, v in alert.items() if k not in _HIDDEN and not k.startswith("_")}
    event = mapping(alert, "event")
    rest["event"] = {key: event[key] for key in _EVENT if key in event}
    for side in ("source", "destination"):
        shown = {path: dig(alert, f"{side}.{path}") for path in _END}
        rest[side] = {path: value for path, value in shown.items() if value is not None}
    if "message" in alert and not isinstance(alert.get("winlog"), Mapping):
        # Windows writes an essay there that repeats its own fields.
        rest["message"] = phrase(str(first(alert["message"])), 240)
    indicator = dig(alert, "threat.indicator") or dig(alert, "threat.enrichments")
    if indicator is not None:
        rest["threat"] = {"indicator": _less(indicator, 0)}
    for path in ("threshold_result", "new_terms"):
        found = dig(alert, f"kibana.alert.{path}")
        if found is not None:
            rest[path] = _less(found, 0)
    return rest


def _less(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """A value without the keys that tell nothing, "-" for missing, and lists of one."""
    if isinstance(value, Mapping):
        if depth > _DEPTH:
            return None
        return {k: _less(v, depth + 1) for k, v in value.items() if k not in _NOISE}
    if isinstance(value, list):
        return [_less(item, depth + 1) for item in value[:16]]
    return None if value == "-" else value
