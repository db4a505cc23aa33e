"""A simulated alert as an OCSF Detection Finding: simulated, and it says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from whichlever.packs.triage.as_elastic import artefact_of, severity_of, suricata_artefact
from whichlever.packs.triage.ocsf import SEVERITIES, VERDICTS

VERDICT_IDS = {"critical": 2, "investigate": 4, "noise": 1}
"""True Positive, Suspicious and False Positive; ``TARGET_MAP`` of the template reads them back."""

_SEVERITY_IDS = {"low": 2, "medium": 3, "high": 4}


def as_ocsf(row: Mapping[str, Any]) -> dict[str, Any]:
    """One simulated row as a Detection Finding of schema 1.4."""
    alert = row["alert"]
    finding = _from_wazuh(alert) if "rule" in alert else _from_suricata(alert)
    verdict = VERDICT_IDS[row["label"]]
    closed = row["label"] != "investigate"
    info = {"uid": row["id"], **finding.pop("finding_info")}
    return {
        "activity_id": 3 if closed else 2,
        "activity_name": "Close" if closed else "Update",
        "category_uid": 2,
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200403 if closed else 200402,
        "simulated": True,
        "time": _milliseconds(alert["timestamp"]),
        "status_id": 4 if closed else 2,
        "status": "Resolved" if closed else "In Progress",
        "verdict_id": verdict,
        "verdict": VERDICTS[verdict],
        "finding_info": info,
        **finding,
    }


def _finding(
    product: str, number: str, name: str, severity: str, types: list[str], technique: str
) -> dict[str, Any]:
    attacks = [{"technique": {"name": technique}, "version": "16.1"}] if technique else []
    return {
        "metadata": {
            "version": "1.4.0",
            "product": {"name": f"simulated {product}", "vendor_name": "simulated"},
        },
        "severity_id": _SEVERITY_IDS[severity],
        "severity": SEVERITIES[_SEVERITY_IDS[severity]],
        "finding_info": {
            "title": name,
            "types": types,
            "analytic": {"uid": number, "name": name, "type_id": 1, "type": "Rule"},
            "attacks": attacks,
        },
    }


def _from_wazuh(alert: Mapping[str, Any]) -> dict[str, Any]:
    rule, agent, data = alert["rule"], alert["agent"], alert.get("data", {})
    severity = severity_of(rule["level"], suricata=False)
    finding = _finding(
        "host sensor", rule["id"], rule["description"], severity, list(rule["groups"]),
        rule["mitre"]["technique"][0],
    )  # fmt: skip
    finding["device"] = {
        "hostname": agent["name"], "ip": agent["ip"], "type": agent["labels"]["role"],
        "type_id": 99,
    }  # fmt: skip
    evidence: dict[str, Any] = {}
    if "srcip" in data:
        evidence["src_endpoint"] = {"ip": data["srcip"], "port": int(data["srcport"])}
    if "dstuser" in data:
        evidence["user"] = {"name": data["dstuser"]}
    field, artefact = artefact_of(alert)
    if field in ("command", "commandLine"):
        evidence["process"] = {"cmd_line": artefact}
    elif field == "process":
        evidence["process"] = {"parent_process": {"cmd_line": artefact}}
    elif field == "path":
        evidence["file"] = {"path": artefact}
    elif field == "imagePath":
        evidence["win_service"] = {"cmd_line": artefact}
    elif field == "client":
        evidence["http_request"] = {"user_agent": artefact}
    else:
        finding["unmapped"] = {field: artefact}
    finding["evidences"] = [evidence] if evidence else []
    return finding


def _from_suricata(event: Mapping[str, Any]) -> dict[str, Any]:
    alert = event["alert"]
    severity = severity_of(alert["severity"], suricata=True)
    finding = _finding(
        "network sensor", str(alert["signature_id"]), alert["signature"], severity,
        [alert["category"]], "",
    )  # fmt: skip
    evidence: dict[str, Any] = {
        "src_endpoint": {"ip": event["src_ip"], "port": event["src_port"]},
        "dst_endpoint": {"ip": event["dest_ip"], "port": event["dest_port"]},
        "connection_info": {"protocol_name": event["proto"].lower()},
    }
    protocol, (name, artefact) = suricata_artefact(event)
    if protocol == "dns":
        evidence["query"] = {"hostname": artefact, "type": "A"}
    elif name == "http_user_agent":
        evidence["http_request"] = {"user_agent": artefact}
    elif name == "url":
        evidence["url"] = {"url_string": artefact}
    elif protocol == "tls":
        evidence["tls"] = {"sni": artefact}
    elif protocol == "smb":
        evidence["file"] = {"path": artefact}
    else:
        finding["unmapped"] = {f"{protocol}.{name}": artefact}
    finding["evidences"] = [evidence]
    finding["disposition"] = "Allowed"
    finding["disposition_id"] = 1
    return finding


def _milliseconds(stamp: str) -> int:
    """``2025-01-06T10:00:00.123+0000`` in milliseconds since 1970."""
    return round(datetime.fromisoformat(stamp[:23] + "+00:00").timestamp() * 1000)
