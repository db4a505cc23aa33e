"""From what happened to the alert that a sensor would write: Wazuh and Suricata JSON."""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from whichlever.data.simulate import Dice
from whichlever.packs.triage import company as at
from whichlever.packs.triage.artefacts import SHADES
from whichlever.packs.triage.bursts import Scene
from whichlever.packs.triage.signatures import SIGNATURES, Signature

RENAMED_FROM = 3
"""The month (from 0) in which some rules get new numbers and wording."""

_WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "iris",
    "juniper",
    "kestrel",
    "larch",
    "maple",
    "nectar",
    "onyx",
    "pine",
    "quartz",
    "raven",
    "sable",
    "tundra",
    "umber",
    "violet",
    "willow",
    "yarrow",
    "zephyr",
    "harbor",
    "lantern",
    "meadow",
    "orchard",
    "pepper",
    "saffron",
    "thistle",
    "walnut",
    "basil",
    "copper",
    "falcon",
    "ginger",
    "hazel",
    "indigo",
    "jasper",
]
_DIGITS = string.digits
_HEX = "0123456789abcdef"
_BASE64 = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Event:
    """One thing that happened, before a sensor wrote it down."""

    signature: str
    host: str
    peer: str
    user: str
    shade: str
    month: int
    second: int


def alert_of(event: Event, dice: Dice, scene: Scene) -> dict[str, Any]:
    """The raw alert of an event; what the event leaves open is drawn alike for every cause, and
    once only where the alerts of a burst share it.
    """
    rule = SIGNATURES[event.signature]
    host = at.HOSTS[event.host]
    index = scene.once(("host", host.name), lambda: dice.below(host.count))
    stamp = datetime.fromtimestamp(event.second, tz=UTC)
    near = f"{at.SUBNETS[host.subnet]}{10 + index}"
    peer = event.peer or "pool"
    far = near if peer == "same" else scene.once(("peer", peer), lambda: _peer(peer, dice))
    artefact = _fill(dice.pick(rule.artefacts[SHADES.index(event.shade)]), dice)
    number, text = (rule.number, rule.text)
    if rule.renamed and event.month >= RENAMED_FROM:
        number, text = rule.renamed
    if rule.product == "suricata":
        return _suricata(rule, number, text, stamp, near, far, artefact, dice)
    whose = event.host if event.host in at.OFFICE_STAFF or event.host == "ws-lab" else "house"
    account = scene.once(
        ("user", event.user, whose if event.user == "own" else ""),
        lambda: _account(event.user, event.host, dice),
    )
    name = f"{host.name}-{index + 1:03d}"
    agent = {"id": f"{index + 1:03d}", "name": name, "ip": near, "labels": {"role": host.role}}
    return _wazuh(rule, number, text, stamp, agent, far, account, artefact, dice)


def _wazuh(
    rule: Signature,
    number: int,
    text: str,
    stamp: datetime,
    agent: dict[str, Any],
    far: str,
    account: str,
    artefact: str,
    dice: Dice,
) -> dict[str, Any]:
    written = stamp.strftime("%Y-%m-%dT%H:%M:%S") + f".{dice.below(1000):03d}+0000"
    alert: dict[str, Any] = {
        "timestamp": written,
        "id": f"{int(stamp.timestamp())}.{dice.below(10_000_000)}",
        "rule": {
            "id": str(number),
            "level": rule.level,
            "description": text,
            "groups": rule.kind.split(", "),
            "mitre": {"technique": [rule.technique]},
            "firedtimes": 1 + dice.below(40),
        },
        "agent": agent,
        "manager": {"name": "simulated-manager"},
        "location": "simulated",
        "full_log": f"{stamp:%b %d %H:%M:%S} {agent['name']} [{dice.below(60_000)}]: {artefact}",
    }
    data: dict[str, Any] = {"srcip": far, "srcport": str(_high(dice))} if rule.peer else {}
    if rule.user:
        data["dstuser"] = account
    if rule.field == "path":
        alert["syscheck"] = {"path": artefact, "event": "modified", "sha256_after": _hex(64, dice)}
    elif "windows" in rule.kind:
        data["win"] = {
            "eventdata": {rule.field: artefact, "processId": f"0x{_hex(3, dice)}"},
            "system": {"eventRecordID": str(dice.below(10_000_000))},
        }
    else:
        data[rule.field] = artefact
    if data:
        alert["data"] = data
    return alert


def _suricata(
    rule: Signature,
    number: int,
    text: str,
    stamp: datetime,
    near: str,
    far: str,
    artefact: str,
    dice: Dice,
) -> dict[str, Any]:
    source, target = (near, far) if rule.outbound else (far, near)
    top, *path = rule.field.split(".")
    event: dict[str, Any] = {
        "timestamp": stamp.strftime("%Y-%m-%dT%H:%M:%S") + f".{dice.below(1_000_000):06d}+0000",
        "flow_id": dice.below(10**15),
        "event_type": "alert",
        "src_ip": source,
        "src_port": _high(dice),
        "dest_ip": target,
        "dest_port": rule.port,
        "proto": "UDP" if top == "dns" else "TCP",
        "app_proto": top,
        "alert": {
            "action": "allowed",
            "signature_id": number,
            "signature": text,
            "category": rule.kind,
            "severity": rule.level,
        },
    }
    if top == "dns":
        event["dns"] = {"query": [{"rrname": artefact, "rrtype": "A", "id": dice.below(65_536)}]}
    elif path == ["client", "software_version"]:
        event["ssh"] = {"client": {"software_version": artefact}}
    else:
        event[top] = {path[0]: artefact}
    return event


def _peer(peer: str, dice: Dice) -> str:
    if peer == "cdn":  # a few networks that everyone uses
        return f"198.18.{dice.below(10)}.{1 + dice.below(250)}"
    if peer == "pool":
        return f"198.{18 + dice.below(2)}.{10 + dice.below(240)}.{1 + dice.below(250)}"
    return f"{at.SUBNETS[peer]}{10 + dice.below(60)}"


def _account(kind: str, host: str, dice: Dice) -> str:
    if kind == "own":
        return dice.pick(at.people(host))
    if kind == "admin":
        return dice.pick(at.ADMINS)
    return dice.pick(at.STRANGERS) if kind == "stranger" else kind


def _high(dice: Dice) -> int:
    return 49_152 + dice.below(16_000)


def _hex(length: int, dice: Dice) -> str:
    return "".join(dice.pick(_HEX) for _ in range(length))


def _fill(template: str, dice: Dice) -> str:
    """The template with its fillers drawn; only these five are known."""
    for mark in ("{word}", "{n}", "{hex}", "{b64}", "{dom}"):
        while mark in template:
            template = template.replace(mark, _filler(mark, dice), 1)
    return template


def _filler(mark: str, dice: Dice) -> str:
    if mark == "{word}":
        return dice.pick(_WORDS)
    if mark == "{n}":
        return str(1 + dice.below(9))
    if mark == "{dom}":
        return f"{dice.pick(_WORDS)}{dice.pick(_WORDS)}.example"
    if mark == "{hex}":
        return _hex(15, dice) + dice.pick(_DIGITS)
    return "Ab1" + "".join(dice.pick(_BASE64) for _ in range(45))
