"""Elastic detection alerts: told from other records, and what a task wants of one.

The documents of ``.alerts-security.alerts-*`` (Kibana 8 and later) and ``.siem-signals-*`` (7),
and events in the Elastic Common Schema whose ``event.kind`` is alert. Kibana writes its own fields
with dotted keys at the top (``"kibana.alert.rule.name"``) beside nested ones (``"host": {"name"}``)
and sometimes one prefix both ways, so every document is nested before it is read. Field names:
kbn-alerts-as-data-utils (security_schema.ts), the alert schema of Elastic Security, ECS 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whichlever.packs.triage.lines import Record, items, mapping

MAX_PARTS = 12
"""Dots in a key; one with more stays as it is."""


def elastic_alert(record: Record) -> Record | None:
    """The nested alert document of a record (whole hit or bare document); None if it is none."""
    document = record
    for key in ("_source", "fields"):
        if isinstance(inner := record.get(key), Mapping) and "_id" in record:
            document = inner
            break
    if not _promises(document):
        return None
    document = nested(document)
    if _rule(document) or dig(document, "kibana.alert.uuid") is not None:
        return document
    kind = {str(first(value)) for value in items(dig(document, "event.kind"))}
    named = first(dig(document, "rule.name"))
    return document if kind & {"alert", "signal"} and isinstance(named, str) else None


def columns(document: Record, hit: Record) -> dict[str, Any]:
    """What a task names in ``data:``, under the same names for every format.

    ``verdict`` is the closing reason; without one the analysts' tags; without those the workflow
    status (open, acknowledged, closed).
    """
    rule = _rule(document) or mapping(document, "rule")
    status = _first(document, "kibana.alert.workflow_status", "signal.status")
    reason = _first(document, "kibana.alert.workflow_reason")
    tags = items(dig(document, "kibana.alert.workflow_tags"))
    return {
        "id": _first(document, "kibana.alert.uuid")
        or hit.get("_id")
        or _first(document, "event.id"),
        "time": _first(document, "@timestamp"),
        "rule_name": first(rule.get("name")),
        "rule_id": first(rule.get("rule_id") or rule.get("uuid") or rule.get("id"))
        or first(rule.get("name")),
        "host_name": _first(document, "host.name", "host.hostname"),
        "status": status,
        "verdict": reason or (tags if len(tags) > 1 else first(tags)) or status,
    }


def rule_of(document: Record) -> Record:
    """The rule's own fields, wherever this version of Kibana puts them."""
    rule = _rule(document) or mapping(document, "rule")
    parameters = mapping(rule, "parameters")
    return {**parameters, **rule}


def involved_in_alert(document: Record) -> Iterator[tuple[str, Any]]:
    """Who and what a nested alert document names: (host, user or address, value)."""
    yield "host", _first(document, "host.name", "host.hostname")
    for path in ("user.name", "user.target.name", "source.user.name", "destination.user.name"):
        yield "user", _first(document, path)
    for path in ("source.ip", "destination.ip", "host.ip"):
        for value in items(dig(document, path))[:8]:
            yield "address", value


def nested(record: Record) -> dict[str, Any]:
    """The record with dotted keys at its top as nested objects; an exact key wins over none.

    A key with too many dots, or one that would have to stand inside a value, stays as it is.
    """
    out: dict[str, Any] = {k: v for k, v in record.items() if "." not in k}
    for key in sorted(k for k in record if "." in k):
        _put(out, key, record[key])
    return out


def dig(document: Record, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value at a dotted path of a nested document; None where there is none."""
    value: Any = document
    for part in path.split("."):
        if isinstance(value, list):
            value = first(value)
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def first(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The first item of a list (Kibana's ``fields`` are all lists); "-" and "" are nothing."""
    while isinstance(value, list):
        value = value[0] if value else None
    return None if value in ("", "-") else value


def _put(out: dict[str, Any], key: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    parts = key.split(".")
    if len(parts) > MAX_PARTS or not all(parts):
        out[key] = value
        return
    at = out
    path = []
    for part in parts[:-1]:
        inner = at.get(part)
        if inner is None:
            inner = {}
        elif not isinstance(inner, Mapping):
            out[key] = value
            return
        # Copied on the way down: what the caller gave is never changed.
        path.append((at, part, dict(inner)))
        at = path[-1][2]
    last = parts[-1]
    if isinstance(value, Mapping) and isinstance(at.get(last), Mapping):
        value = {**value, **at[last]}
    at[last] = value
    for holder, part, inner in path:
        holder[part] = inner


def _promises(record: Record) -> bool:
    """A quick look at the keys: most records are something else."""
    if "kibana" in record or "signal" in record or "rule" in record:
        return True
    return any(key.startswith(("kibana.alert.", "signal.rule.", "rule.")) for key in record)


def _rule(document: Record) -> Record:
    for path in ("kibana.alert.rule", "signal.rule"):
        rule = dig(document, path)
        if isinstance(rule, Mapping) and ("name" in rule or "uuid" in rule or "rule_id" in rule):
            return rule
    return {}


def _first(document: Record, *paths: str) -> Any:  # noqa: ANN401 - any JSON value
    for path in paths:
        value = first(dig(document, path))
        if value is not None:
            return value
    return None
