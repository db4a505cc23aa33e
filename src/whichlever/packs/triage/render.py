"""``triage@1`` and ``triage@2``: one alert as short text, the same for ever.

What matters first: product and rule, severity, category and technique, the host and its role,
from where to where, when. Then whatever someone outside may have written, each on its own line as
``untrusted{field}: …``, where it can neither break the line nor write such a marker itself.
Volatile values (seconds, ephemeral ports, process ids, hashes, exact addresses and counts) are
generalised, so that the same event tomorrow gives the same text; the order of keys changes nothing.

A record may be the alert itself or a row that holds it under ``alert``, ``event`` or ``_source``.
The row's own columns (id, label, time …) are never rendered then.

``triage@2`` is ``triage@1`` with layouts for Elastic detection alerts and OCSF findings, whose own
fields hold what an analyst said of them: those are never rendered.
"""

from __future__ import annotations

from collections.abc import Mapping

from whichlever.packs.triage.elastic import elastic_alert
from whichlever.packs.triage.elastic_text import elastic_lines
from whichlever.packs.triage.flatten import ANSWERS, fields, flatten
from whichlever.packs.triage.lines import (
    MAX_CHARS,
    Record,
    ends,
    items,
    join,
    listed,
    mapping,
    moment,
    say,
    word,
)
from whichlever.packs.triage.ocsf import is_finding
from whichlever.packs.triage.ocsf_text import finding_lines
from whichlever.packs.triage.reader import product
from whichlever.packs.triage.values import address, host, magnitude, phrase

__all__ = ["MAX_CHARS", "render"]


def render(record: Record, version: int = 1) -> str:
    """The ``triage@1`` or ``triage@2`` text of one record.

    Pure and total: any JSON object has a text; unknown shapes are flattened, sorted and treated
    the same way. Version 2 knows Elastic alerts and OCSF findings too; every other text is the
    same in both.

    Raises
    ------
    ValueError
        Version 1 is asked for one of those: as fields without a layout they would show what
        analysts said of the alert.
    """
    alert, inner = alert_in(record)
    if version > 1:
        for found in (record, alert):
            if is_finding(found):
                return join(finding_lines(found))
            if (document := elastic_alert(found)) is not None:
                return join(elastic_lines(document))
    kind = product(alert)
    if kind == "plain" and version == 1 and any(map(_holds_a_verdict, (record, alert))):
        raise ValueError(
            "triage@1 has no layout for Elastic alerts and OCSF findings; triage@2 has"
        )
    if kind == "wazuh":
        lines = _wazuh(alert)
    elif kind == "suricata":
        lines = _suricata(alert)
    else:
        lines = _plain(alert, inner)
    return join(lines)


def alert_in(record: Record) -> tuple[Record, bool]:
    """The alert in a row, and whether it was inside one."""
    if product(record) == "plain":
        for key in ("alert", "event", "_source"):
            inner = record.get(key)
            if isinstance(inner, Mapping) and inner:
                return inner, True
    return record, False


def _holds_a_verdict(record: Record) -> bool:
    if is_finding(record):
        return True
    document = elastic_alert(record)
    return document is not None and ("kibana" in document or "signal" in document)


def _wazuh(alert: Record) -> list[str]:
    rule, agent, data = (mapping(alert, key) for key in ("rule", "agent", "data"))
    mitre = mapping(rule, "mitre")
    lines = [
        f"wazuh rule {word(rule.get('id'))} level {word(rule.get('level'))}: "
        f"{say(rule.get('description'), 200)}"
    ]
    kinds = items(rule.get("groups"))
    technique = items(mitre.get("technique")) or items(mitre.get("id"))
    lines += listed("group", kinds) + listed("technique", technique)
    labels = " ".join(f"{k}={v}" for k, v in flatten(mapping(agent, "labels"))[0])
    place = address(str(agent.get("ip", "")))
    about = ", ".join(part for part in (phrase(labels, 80), place) if part)
    name = host(str(agent.get("name") or mapping(alert, "manager").get("name") or ""))
    if name or about:
        lines.append(f"host: {name}{f' ({about})' if about else ''}")
    used = {"srcip", "srcport", "dstip", "dstport", "src_ip", "src_port", "dest_ip", "dest_port"}
    lines += ends(
        [data.get("srcip") or data.get("src_ip"), data.get("srcport") or data.get("src_port")],
        [data.get("dstip") or data.get("dest_ip"), data.get("dstport") or data.get("dest_port")],
    )
    lines += moment(alert.get("timestamp"))
    rest = {key: value for key, value in data.items() if key not in used}
    if isinstance(windows := rest.get("win"), Mapping):
        # Two levels that say nothing: data.win.eventdata.image is simply the image.
        del rest["win"]
        for part in ("system", "eventdata"):
            rest.update(mapping(windows, part))
    decoded = fields(rest)
    check = alert.get("syscheck")
    if isinstance(check, Mapping):
        decoded += fields(
            {k: check[k] for k in ("path", "event", "changed_attributes") if k in check}
        )
    lines += decoded
    # The raw line repeats what was decoded from it; it is read only where little was.
    if len(decoded) < 2 and isinstance(alert.get("full_log"), str):
        lines.append(f"untrusted{{full_log}}: {phrase(alert['full_log'], 240)}")
    return lines


def _suricata(event: Record) -> list[str]:
    alert = event.get("alert")
    if isinstance(alert, Mapping):
        lines = [
            f"suricata rule {word(alert.get('signature_id'))} severity "
            f"{word(alert.get('severity'))}: {say(alert.get('signature'), 200)}"
        ]
        category = [text for text in (say(alert.get("category"), 80),) if text]
        lines += [f"category: {category[0]}"] if category else []
        meta = mapping(alert, "metadata")
        lines += listed("technique", items(meta.get("mitre_technique_name")))
        lines += listed("action", [alert.get("action")] if alert.get("action") else [])
    else:
        lines = [f"suricata {say(event.get('event_type'), 40)} record, not an alert"]
    proto = "/".join(
        say(event.get(key), 20).lower() for key in ("proto", "app_proto") if event.get(key)
    )
    lines += ends(
        [event.get("src_ip"), event.get("src_port")],
        [event.get("dest_ip"), event.get("dest_port")],
        proto,
    )
    flow = mapping(event, "flow")
    sizes = [
        f"{side} {magnitude(flow[key])} bytes"
        for side, key in (("out", "bytes_toserver"), ("in", "bytes_toclient"))
        if isinstance(flow.get(key), (int, float))
    ]
    lines += [f"flow: {', '.join(sizes)}"] if sizes else []
    lines += moment(event.get("timestamp"))
    known = {
        key: event[key]
        for key in ("http", "dns", "tls", "ssh", "smb", "smtp", "email", "fileinfo", "files")
        if key in event
    }
    return lines + fields(known)


def _plain(record: Record, inner: bool) -> list[str]:
    """An unknown product: its own fields, the telling ones first."""
    hidden = frozenset() if inner else ANSWERS
    kept = {key: value for key, value in record.items() if key not in hidden}
    lines = ["event:"]
    for key in ("timestamp", "@timestamp", "time", "eventTime", "event_time", "ts", "published"):
        if found := moment(kept.get(key)):
            lines += found
            break
    return lines + fields(kept)
