"""A simulated alert as Elastic Security would hold it: simulated, and it says so.

The same facts as the Wazuh or Suricata alert, in the fields of the Elastic Common Schema, with the
analyst's label as the workflow status and closing reason of Kibana.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

WORKFLOW: dict[str, dict[str, Any]] = {
    "critical": {"status": "closed", "reason": "true_positive", "tags": []},
    "investigate": {"status": "acknowledged", "tags": ["Further Investigation Required"]},
    "noise": {"status": "closed", "reason": "false_positive", "tags": ["False Positive"]},
}
"""What an analyst does with each label; ``TARGET_MAP`` of the template reads it back."""

# Where the artefact of a simulated rule stands in ECS (or in the integration that ships it).
_FIELDS = {
    "authentication": "winlog.logon.description",
    "method": "event.reason",
    "command": "process.command_line",
    "imagePath": "winlog.event_data.ImagePath",
    "commandLine": "process.command_line",
    "process": "process.parent.command_line",
    "targetUserName": "user.target.name",
    "object": "winlog.event_data.ObjectName",
    "path": "file.path",
    "client": "user_agent.original",
}
_SEVERITY = {"low": 21, "medium": 47, "high": 73, "critical": 99}
"""Kibana's default risk score of each severity."""


def as_elastic(row: Mapping[str, Any]) -> dict[str, Any]:
    """One simulated row as a search hit of ``.alerts-security.alerts-default``."""
    alert = row["alert"]
    wazuh = "rule" in alert
    source = _from_wazuh(alert) if wazuh else _from_suricata(alert)
    workflow = WORKFLOW[row["label"]]
    name = hashlib.sha256(row["id"].encode()).hexdigest()
    source |= {
        "@timestamp": _utc(alert["timestamp"]),
        "simulated": True,
        "ecs": {"version": "8.17.0"},
        "event.kind": "signal",
        "kibana.alert.uuid": row["id"],
        "kibana.alert.status": "active",
        "kibana.alert.original_time": _utc(alert["timestamp"]),
        "kibana.alert.workflow_status": workflow["status"],
        "kibana.alert.workflow_tags": workflow["tags"],
    }
    if "reason" in workflow:
        source["kibana.alert.workflow_reason"] = workflow["reason"]
    return {"_index": ".alerts-security.alerts-default", "_id": name, "_source": source}


def severity_of(level: int, *, suricata: bool) -> str:
    """Kibana's severity for a Wazuh level (0 to 15) or a Suricata severity (1 is the highest)."""
    if suricata:
        return {1: "high", 2: "medium"}.get(level, "low")
    return "high" if level >= 12 else "medium" if level >= 8 else "low"


def artefact_of(alert: Mapping[str, Any]) -> tuple[str, str]:
    """The field of a simulated Wazuh alert that holds its artefact, and the artefact."""
    if "syscheck" in alert:
        return "path", alert["syscheck"]["path"]
    data = alert.get("data", {})
    event = data.get("win", {}).get("eventdata", {})
    for field in _FIELDS:
        for holder in (event, data):
            if field in holder:
                return field, holder[field]
    raise KeyError("a simulated alert without an artefact")


def _rule(number: str, name: str, severity: str, tags: list[str], technique: str) -> dict[str, Any]:
    threat = [{"framework": "MITRE ATT&CK", "technique": [{"name": technique}]}]
    return {
        "kibana.alert.rule.name": name,
        "kibana.alert.rule.rule_id": number,
        "kibana.alert.rule.uuid": f"simulated-rule-{number}",
        "kibana.alert.rule.description": name,
        "kibana.alert.rule.tags": tags,
        "kibana.alert.rule.parameters": {
            "description": name, "severity": severity, "risk_score": _SEVERITY[severity],
            "threat": threat if technique else [],
        },
        "kibana.alert.severity": severity,
        "kibana.alert.risk_score": _SEVERITY[severity],
    }  # fmt: skip


def _from_wazuh(alert: Mapping[str, Any]) -> dict[str, Any]:
    rule, agent, data = alert["rule"], alert["agent"], alert.get("data", {})
    severity = severity_of(rule["level"], suricata=False)
    source = _rule(
        rule["id"],
        rule["description"],
        severity,
        list(rule["groups"]),
        rule["mitre"]["technique"][0],
    )
    source["host"] = {
        "name": agent["name"], "ip": [agent["ip"]], "type": agent["labels"]["role"],
    }  # fmt: skip
    if "srcip" in data:
        source["source"] = {"ip": data["srcip"], "port": int(data["srcport"])}
    if "dstuser" in data:
        source["user"] = {"name": data["dstuser"]}
    field, artefact = artefact_of(alert)
    top, _, rest = _FIELDS[field].partition(".")
    inner: Any = artefact
    for part in reversed(rest.split(".")):
        inner = {part: inner}
    source[top] = {**source.get(top, {}), **inner}
    return source


def _from_suricata(event: Mapping[str, Any]) -> dict[str, Any]:
    alert = event["alert"]
    severity = severity_of(alert["severity"], suricata=True)
    source = _rule(
        str(alert["signature_id"]), alert["signature"], severity, [alert["category"]], ""
    )
    source |= {
        "source": {"ip": event["src_ip"], "port": event["src_port"]},
        "destination": {"ip": event["dest_ip"], "port": event["dest_port"]},
        "network": {"transport": event["proto"].lower(), "protocol": event["app_proto"]},
        "event": {"action": alert["action"]},
    }
    protocol, (name, artefact) = suricata_artefact(event)
    if protocol == "dns":
        source["dns"] = {"question": {"name": artefact}}
    elif name == "http_user_agent":
        source["user_agent"] = {"original": artefact}
    elif name == "url":
        source["url"] = {"original": artefact}
    elif protocol == "tls":
        source["tls"] = {"client": {"server_name": artefact}}
    elif protocol == "smb":
        source["file"] = {"path": artefact}
    else:
        source["event"]["reason"] = artefact
    return source


def suricata_artefact(event: Mapping[str, Any]) -> tuple[str, tuple[str, str]]:
    """Protocol, field and artefact of a simulated Suricata alert."""
    for protocol in ("dns", "http", "tls", "ssh", "smb"):
        found = event.get(protocol)
        if found is None:
            continue
        if protocol == "dns":
            return protocol, ("rrname", found["query"][0]["rrname"])
        if protocol == "ssh":
            return protocol, ("software_version", found["client"]["software_version"])
        return protocol, next(iter(found.items()))
    raise KeyError("a simulated alert without an artefact")


def _utc(stamp: str) -> str:
    """``2025-01-06T10:00:00.123+0000`` as Elasticsearch writes it."""
    return f"{stamp[:23]}Z"
