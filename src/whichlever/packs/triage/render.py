"""``triage@1``: one alert as short text, the same for ever.

What matters first: product and rule, severity, category and technique, the host and its role,
from where to where, when. Then whatever someone outside may have written, each on its own line as
``untrusted{field}: …``, where it can neither break the line nor write such a marker itself.
Volatile values (seconds, ephemeral ports, process ids, hashes, exact addresses and counts) are
generalised, so that the same event tomorrow gives the same text; the order of keys changes nothing.

A record may be the alert itself or a row that holds it under ``alert``, ``event`` or ``_source``.
The row's own columns (id, label, time …) are never rendered then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from whichlever.packs.triage.flatten import ANSWERS, MAX_FIELDS, fields, flatten, text_of
from whichlever.packs.triage.reader import Record, product
from whichlever.packs.triage.values import address, host, magnitude, phrase, port, when

MAX_CHARS = 2400
"""A rendering is never longer; what was left out is counted in its last line."""


def render(record: Record) -> str:
    """The ``triage@1`` text of one record.

    Pure and total: any JSON object has a text; unknown shapes are flattened, sorted and treated
    the same way.
    """
    alert, inner = _alert(record)
    kind = product(alert)
    if kind == "wazuh":
        lines = _wazuh(alert)
    elif kind == "suricata":
        lines = _suricata(alert)
    else:
        lines = _plain(alert, inner)
    return _join(lines)


def _alert(record: Record) -> tuple[Record, bool]:
    """The alert in a row, and whether it was inside one."""
    if product(record) == "plain":
        for key in ("alert", "event", "_source"):
            inner = record.get(key)
            if isinstance(inner, Mapping) and inner:
                return inner, True
    return record, False


def _wazuh(alert: Record) -> list[str]:
    rule, agent, data = (_mapping(alert, key) for key in ("rule", "agent", "data"))
    mitre = _mapping(rule, "mitre")
    lines = [
        f"wazuh rule {_word(rule.get('id'))} level {_word(rule.get('level'))}: "
        f"{_say(rule.get('description'), 200)}"
    ]
    kinds = _list(rule.get("groups"))
    technique = _list(mitre.get("technique")) or _list(mitre.get("id"))
    lines += _parts("group", kinds) + _parts("technique", technique)
    labels = " ".join(f"{k}={v}" for k, v in flatten(_mapping(agent, "labels"))[0])
    place = address(str(agent.get("ip", "")))
    about = ", ".join(part for part in (phrase(labels, 80), place) if part)
    name = host(str(agent.get("name") or _mapping(alert, "manager").get("name") or ""))
    if name or about:
        lines.append(f"host: {name}{f' ({about})' if about else ''}")
    used = {"srcip", "srcport", "dstip", "dstport", "src_ip", "src_port", "dest_ip", "dest_port"}
    lines += _ends(
        [data.get("srcip") or data.get("src_ip"), data.get("srcport") or data.get("src_port")],
        [data.get("dstip") or data.get("dest_ip"), data.get("dstport") or data.get("dest_port")],
    )
    lines += _when(alert.get("timestamp"))
    rest = {key: value for key, value in data.items() if key not in used}
    if isinstance(windows := rest.get("win"), Mapping):
        # Two levels that say nothing: data.win.eventdata.image is simply the image.
        del rest["win"]
        for part in ("system", "eventdata"):
            rest.update(_mapping(windows, part))
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
            f"suricata rule {_word(alert.get('signature_id'))} severity "
            f"{_word(alert.get('severity'))}: {_say(alert.get('signature'), 200)}"
        ]
        category = [text for text in (_say(alert.get("category"), 80),) if text]
        lines += [f"category: {category[0]}"] if category else []
        meta = _mapping(alert, "metadata")
        lines += _parts("technique", _list(meta.get("mitre_technique_name")))
        lines += _parts("action", [alert.get("action")] if alert.get("action") else [])
    else:
        lines = [f"suricata {_say(event.get('event_type'), 40)} record, not an alert"]
    proto = "/".join(
        _say(event.get(key), 20).lower() for key in ("proto", "app_proto") if event.get(key)
    )
    lines += _ends(
        [event.get("src_ip"), event.get("src_port")],
        [event.get("dest_ip"), event.get("dest_port")],
        proto,
    )
    flow = _mapping(event, "flow")
    sizes = [
        f"{side} {magnitude(flow[key])} bytes"
        for side, key in (("out", "bytes_toserver"), ("in", "bytes_toclient"))
        if isinstance(flow.get(key), (int, float))
    ]
    lines += [f"flow: {', '.join(sizes)}"] if sizes else []
    lines += _when(event.get("timestamp"))
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
        if found := _when(kept.get(key)):
            lines += found
            break
    return lines + fields(kept)


def _ends(source: list[Any], target: list[Any], proto: str = "") -> list[str]:
    lines = []
    for word, (ip, number), is_source in (("from", source, True), ("to", target, False)):
        place = address(str(ip)) if ip else ""
        door = port(number, source=is_source) if number is not None else ""
        if place or door:
            parts = [place, f"port {door}" if door else "", proto if word == "to" else ""]
            lines.append(f"{word}: {' '.join(part for part in parts if part)}")
    return lines


def _when(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    text = when(value)
    return [f"when: {text}"] if text else []


def _parts(name: str, values: Iterable[Any]) -> list[str]:
    words = [phrase(text_of(value), 60) for value in list(values)[:8]]
    return [f"{name}: {', '.join(words)}"] if words else []


def _mapping(record: Record, key: str) -> Record:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, list) else [] if value is None else [value]


def _say(value: Any, limit: int) -> str:  # noqa: ANN401 - any JSON value
    return "" if value is None else phrase(text_of(value), limit)


def _word(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A rule's id or level: short, and kept whole (a rule id is not a count)."""
    text = "?" if value is None else text_of(value)
    return text if len(text) <= 12 and text.isascii() and text.isalnum() else phrase(text, 24)


def _join(lines: list[str]) -> str:
    kept: list[str] = []
    room = MAX_CHARS
    for place, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0 or place > MAX_FIELDS + 12:
            kept.append(f"…[+{len(lines) - place} fields]")
            break
        kept.append(line.rstrip())
    return "\n".join(kept)
