"""OCSF findings: told from other records, and what a task wants of one.

Detection Finding (``class_uid`` 2004), its older form Security Finding (2001), and the other
classes of the Findings category. Attribute names and enumerations: ocsf-schema 1.0 to 1.9
(events/findings, objects/finding_info, objects/evidences, profiles/incident).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whichlever.packs.triage.lines import Record, items, mapping

DETECTION, SECURITY = 2004, 2001

VERDICTS = {
    0: "Unknown", 1: "False Positive", 2: "True Positive", 3: "Disregard", 4: "Suspicious",
    5: "Benign", 6: "Test", 7: "Insufficient Data", 8: "Security Risk", 9: "Managed Externally",
    10: "Duplicate", 99: "Other",
}  # fmt: skip
STATUSES = {
    0: "Unknown", 1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved", 5: "Archived",
    6: "Deleted", 99: "Other",
}  # fmt: skip
SEVERITIES = {
    0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal",
    99: "Other",
}  # fmt: skip


def is_finding(record: Record) -> bool:
    """Whether a record is an OCSF finding."""
    if whole(record.get("class_uid")) in (DETECTION, SECURITY):
        return True
    info = record.get("finding_info")
    return isinstance(info, Mapping) and ("metadata" in record or "category_uid" in record)


def columns(finding: Record) -> dict[str, Any]:
    """What a task names in ``data:``, under the same names for every format.

    ``verdict`` is the finding's own; without one those of its evidences; without those its
    status. One finding reported again (activity Update, Close) has the same ``id``.
    """
    info = info_of(finding)
    analytic = analytic_of(finding)
    status = caption(finding, "status", STATUSES) or caption(finding, "state", STATUSES)
    verdict = caption(finding, "verdict", VERDICTS)
    told = [
        caption(evidence, "verdict", VERDICTS)
        for evidence in items(finding.get("evidences"))
        if isinstance(evidence, Mapping)
    ]
    told = sorted({word for word in told if word and word != "Unknown"})
    if verdict in ("", "Unknown") and told:
        verdict = told[0] if len(told) == 1 else told  # type: ignore[assignment]
    types = items(info.get("types"))
    names = (analytic.get("uid"), analytic.get("name"), *types[:1], info.get("title"))
    rule = next((name for name in names if isinstance(name, str | int) and name != ""), None)
    return {
        "id": info.get("uid") or mapping(finding, "metadata").get("uid"),
        "time": finding.get("time") or finding.get("time_dt"),
        "rule_name": info.get("title"),
        "rule_id": rule,
        "host_name": host_of(finding).get("hostname") or host_of(finding).get("name"),
        "status": status or None,
        "verdict": verdict or status or None,
    }


def info_of(finding: Record) -> Record:
    """``finding_info``, or ``finding`` in the older class."""
    return mapping(finding, "finding_info") or mapping(finding, "finding")


def analytic_of(finding: Record) -> Record:
    """The rule or model that found it."""
    return mapping(info_of(finding), "analytic") or mapping(finding, "analytic")


def host_of(finding: Record) -> Record:
    """The device: the finding's, an evidence's, or the first affected resource with a host name."""
    evidences = [e for e in items(finding.get("evidences"))[:8] if isinstance(e, Mapping)]
    resources = [r for r in items(finding.get("resources"))[:8] if isinstance(r, Mapping)]
    for holder in (finding, *evidences):
        if device := mapping(holder, "device"):
            return device
    return next((r for r in resources if "hostname" in r), {})


def involved_in_finding(finding: Record) -> Iterator[tuple[str, Any]]:
    """Who and what a finding names: (host, user or address, value)."""
    device = host_of(finding)
    yield "host", device.get("hostname") or device.get("name")
    yield "address", device.get("ip")
    for holder in (finding, *items(finding.get("evidences"))[:8]):
        if not isinstance(holder, Mapping):
            continue
        yield "user", mapping(holder, "user").get("name")
        yield "user", mapping(mapping(holder, "actor"), "user").get("name")
        for side in ("src_endpoint", "dst_endpoint"):
            yield "address", mapping(holder, side).get("ip")


def caption(record: Record, name: str, captions: Mapping[int, str]) -> str:
    """The word of an enumerated attribute: its own caption, else that of its ``_id``; or ""."""
    said = record.get(name)
    if isinstance(said, str) and said.strip():
        return said.strip()
    return captions.get(whole(record.get(f"{name}_id")), "")


def whole(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """A whole number, also where it was written as text; -1 where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
