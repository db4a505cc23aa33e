"""The text of an OCSF finding (``triage@2``).

What the finding's own life added (verdict, status, activity, assignee, comments, tickets, priority)
is the answer, and is never shown. ``disposition`` and ``action`` are what a control did at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from whichlever.packs.triage.ocsf import SEVERITIES, analytic_of, caption, host_of, info_of
from whichlever.packs.triage.values import address, host

# Evidence attributes in the words of the schema; what a name like "hostname" would say wrongly
# (a DNS query's is an outsider's text, no machine of ours) is renamed below.
_EVIDENCE = (
    "actor", "api", "container", "database", "databucket", "email", "file", "http_request",
    "http_response", "job", "module", "process", "reg_key", "reg_value", "script", "tls", "url",
    "user", "win_service", "data", "name",
)  # fmt: skip
# Said of the finding after it was made, wherever a mapping put it.
_SAID_LATER = """
    verdict verdict_id status status_id status_detail status_code state state_id activity_id
    activity_name type_uid type_name assignee assignee_group comment comments notes ticket tickets
    priority priority_id is_suspected_breach impact impact_id impact_score is_alert workflow
    workflow_status workflow_reason workflow_tags workflow_user workflow_assignee_ids case_ids
    classification determination closure_reason close_reason closed_time investigation_status
    false_positive true_positive kibana signal
"""
_LATER = ANSWERS | frozenset(_SAID_LATER.split())
_TELLS_NOTHING = """
    uid uid_alt pid tid session_uid hashes hash fingerprints certificate_chain
    ja4_fingerprint_list created_time modified_time accessed_time created_time_dt modified_time_dt
    type_id class_uid category_uid cid loaded_modules lineage env_vars sandbox integrity_id
    credential_uid version location geo autonomous_system mac
"""
_NOISE = frozenset(_TELLS_NOTHING.split())
_DEPTH = 5


def finding_lines(finding: Record) -> list[str]:
    """The lines of one finding, before they are bounded together."""
    info, analytic = info_of(finding), analytic_of(finding)
    title = say(info.get("title") or finding.get("message"), 200)
    lines = [f"ocsf {_head(finding, analytic)}: {title}"]
    lines += listed("group", [t for t in items(info.get("types")) if isinstance(t, str)])
    lines += listed("technique", _techniques(finding, info))
    about = say(info.get("desc"), 160)
    lines += [f"about: {about}"] if about and about != title else []
    lines += listed("product", _product(finding))
    lines += listed("action", [_action(finding)] if _action(finding) else [])
    lines += _host(host_of(finding))
    evidences = [e for e in items(finding.get("evidences"))[:4] if isinstance(e, Mapping)]
    lines += _ends([finding, *evidences])
    lines += moment(finding.get("time") or finding.get("time_dt"))
    return lines + fields(_rest(finding, evidences))


def _head(finding: Record, analytic: Record) -> str:
    number = analytic.get("uid")
    said = ["rule"]
    if isinstance(number, str | int) and 0 < len(str(number)) <= 12:
        said.append(word(number))
    severity = caption(finding, "severity", SEVERITIES)
    said += [f"severity {word(severity)}"] if severity else []
    risk = finding.get("risk_score")
    said += [f"risk {word(risk)}"] if isinstance(risk, int) else []
    return " ".join(said)


def _techniques(finding: Record, info: Record) -> list[str]:
    attacks = items(info.get("attacks")) or items(finding.get("attacks"))
    techniques: list[str] = []
    tactics: list[str] = []
    for attack in attacks[:8]:
        if not isinstance(attack, Mapping):
            continue
        techniques += _names(attack, "technique") + _names(attack, "sub_technique")
        tactics += _names(attack, "tactic") + _names(attack, "tactics")
    return list(dict.fromkeys(techniques or tactics))


def _names(attack: Record, key: str) -> list[str]:
    found = [value for value in items(attack.get(key)) if isinstance(value, Mapping)]
    named = [value.get("name") or value.get("uid") for value in found[:4]]
    return [name for name in named if isinstance(name, str) and name]


def _product(finding: Record) -> list[str]:
    product = mapping(mapping(finding, "metadata"), "product")
    return [
        p for p in (product.get("vendor_name"), product.get("name")) if isinstance(p, str) and p
    ]


def _action(finding: Record) -> str:
    """What a control did: ``disposition`` (Blocked, Allowed …), else ``action``."""
    said = finding.get("disposition") or finding.get("action")
    return said if isinstance(said, str) else ""


def _host(device: Record) -> list[str]:
    name = device.get("hostname") or device.get("name")
    role = say(device.get("type"), 40)
    system = mapping(device, "os").get("name")
    place = address(str(device["ip"])) if device.get("ip") else ""
    about = ", ".join(p for p in (f"role={role}" if role else "", say(system, 40), place) if p)
    named = host(name) if isinstance(name, str) else ""
    return [f"host: {named}{f' ({about})' if about else ''}"] if named or about else []


def _ends(holders: list[Record]) -> list[str]:
    for holder in holders:
        source, target = mapping(holder, "src_endpoint"), mapping(holder, "dst_endpoint")
        if source or target:
            proto = say(mapping(holder, "connection_info").get("protocol_name"), 20).lower()
            return ends(
                [source.get("ip"), source.get("port")],
                [target.get("ip"), target.get("port")],
                proto,
            )
    return []


def _rest(finding: Record, evidences: list[Record]) -> dict[str, Any]:
    """What the evidence shows, and what no attribute was found for, less noise and answers."""
    rest: dict[str, Any] = {}
    for evidence in (finding, *evidences):
        for key in _EVIDENCE:
            if key in evidence and not (key == "name" and evidence is finding):
                rest.setdefault(key, []).append(_less(evidence[key], 0))
        query = mapping(evidence, "query")
        if query:
            rest.setdefault("dns", []).append(
                {"query": query.get("hostname"), "type": query.get("type")}
            )
        for side, shown in (("src_endpoint", "source"), ("dst_endpoint", "destination")):
            domain = mapping(evidence, side).get("domain") or mapping(evidence, side).get(
                "hostname"
            )
            if domain:
                rest.setdefault(shown, []).append({"domain": domain})
    if not rest:  # observables repeat the evidence, where there is any
        for seen in items(finding.get("observables"))[:16]:
            if isinstance(seen, Mapping) and isinstance(seen.get("name"), str):
                rest.setdefault(seen["name"], []).append(seen.get("value"))
    for key in ("malware", "resources", "unmapped", "vulnerabilities", "anomaly_analyses"):
        if key in finding:
            rest[key] = _less(finding[key], 0)
    return rest


def _less(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """A value without the keys that tell nothing or were said later."""
    if isinstance(value, Mapping):
        if depth > _DEPTH:
            return None
        return {
            k: _less(v, depth + 1)
            for k, v in value.items()
            if k not in _NOISE and _last(k) not in _LATER
        }
    return [_less(item, depth + 1) for item in value[:16]] if isinstance(value, list) else value


def _last(key: str) -> str:
    """The last word of a dotted key, in lower case."""
    return key.rpartition(".")[2].lower()
