"""Why the simulated alerts happen: the causes, and what each leaves in sight.

A cause fixes the true label. The same rule fires for many causes, and only the combination of
host, other end, account, hour and artefact tells them apart, and not always. Three intrusions run
through the half-year: stolen passwords (login, lateral movement, the domain), a phished workstation
(macro, beacon, exfiltration by DNS) and an exploited web server (exploit, web shell, root).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from whichlever.packs.triage import company as at

Label = Literal["critical", "investigate", "noise"]
LABELS: tuple[Label, ...] = ("critical", "investigate", "noise")

Weights = dict[str, float]


@dataclass(frozen=True)
class Cause:
    """One reason for alerts.

    ``peers`` names subnets, ``scanner``, ``same`` (the host's own subnet), and outside ``cdn`` (a
    few well-known networks) or ``pool`` (anywhere). ``users`` names kinds: ``own``, ``admin``,
    ``stranger`` or a service account. ``hours`` None is the shift of the host's people. ``change``
    is (signature, factor) by month: rules that were retuned.
    """

    label: Label
    weight: float
    signatures: Weights
    hosts: Weights
    peers: Weights
    users: Weights
    hours: dict[str, float] | None
    style: str
    change: dict[int, tuple[str, float]] = field(default_factory=dict)


_STAFF = {name: float(n) for name, n in at.OFFICE_STAFF.items()}
_EVERY_HOST = _STAFF | at.SERVERS | {"dc": 4.0, "dmz-web": 6.0}
_EDGE = {"dmz-web": 6.0, "dmz-mail": 2.0, "vpn-gw": 3.0}
_OWN = {"own": 1.0}
_INSIDE = {"ws-eng": 2.0, "ws-fin": 2.0, "ws-sales": 2.0, "ws-it": 1.0, "vpn": 2.0}

CAUSES: dict[str, Cause] = {
    # Expected activity.
    "authorised scan": Cause(
        "noise", 140,
        {"s_ssh": 3, "s_web": 3, "s_sqli": 2, "s_rce": 2, "ssh_nouser": 2, "logon_fail": 1.5,
         "logon_many": 1.5, "s_smb": 1},
        at.SERVERS | _EDGE | {"dc": 4.0, "ws-eng": 8.0, "ws-fin": 8.0},
        {"scanner": 1}, {"svc_scan": 0.5, "stranger": 0.5}, at.NIGHTLY, "jobs",
    ),
    "backup job": Cause(
        "noise", 65, {"logon_net": 3, "shadow": 3, "service": 1.5, "ssh_ok": 1}, at.SERVERS,
        {"deploy": 1}, {"svc_backup": 1}, at.NIGHTLY, "jobs",
    ),
    "software deployment": Cause(
        "noise", 75, {"service": 2.5, "powershell": 2.5, "s_smb": 2, "logon_net": 1},
        _STAFF | at.SERVERS, {"deploy": 0.9, "management": 0.1}, {"svc_deploy": 0.9, "admin": 0.1},
        at.EVENINGS, "jobs",
    ),
    "release": Cause(
        "noise", 30, {"integrity": 3, "sudo": 1, "shell": 1}, {"srv-app": 6, "dmz-web": 4},
        {"deploy": 1}, {"svc_deploy": 0.7, "svc_web": 0.3}, at.EVENINGS, "staff",
    ),
    "administration": Cause(
        "noise", 110,
        {"service": 1.5, "s_smb": 1.5, "powershell": 1.5, "sudo": 1.5, "account": 2, "logon_net": 1,
         "ssh_ok": 1.5, "shadow": 0.5, "replication": 0.3, "integrity": 0.5},
        at.SERVERS | {"dc": 10.0, "ws-fin": 3.0, "ws-sales": 3.0, "dmz-web": 4.0},
        {"management": 0.94, "ws-it": 0.06}, {"admin": 1}, at.IT_SHIFT, "staff",
    ),
    "directory sync": Cause(
        "noise", 15, {"replication": 1}, {"dc": 1}, {"dc": 0.9, "srv": 0.1},
        {"svc_sync": 0.9, "admin": 0.1}, at.ALWAYS, "staff",
    ),
    "mistyped password": Cause(
        "noise", 95, {"logon_fail": 5, "logon_many": 1.5}, _STAFF, {"same": 1}, _OWN, None, "staff",
    ),
    "remote worker": Cause(
        "noise", 60, {"vpn_fail": 2, "vpn_new": 2}, {"vpn-gw": 1}, {"pool": 0.7, "cdn": 0.3}, _OWN,
        at.OFFICE, "staff",
    ),
    "internet background": Cause(
        "noise", 95,
        {"s_ssh": 2, "ssh_nouser": 2, "ssh_many": 1, "s_sqli": 1.5, "s_rce": 1.5, "s_web": 1.5,
         "vpn_fail": 0.7},
        _EDGE, {"pool": 1}, {"stranger": 0.95, "own": 0.05}, at.ALWAYS, "crowd",
        {4: ("ssh_nouser", 0.4)},
    ),
    "development": Cause(
        "noise", 50,
        {"s_script": 2, "powershell": 1.5, "s_program": 1, "s_dns": 1, "s_doh": 0.7, "shell": 1,
         "sudo": 1},
        {"ws-eng": 7, "srv-build": 3}, {"cdn": 0.7, "pool": 0.3}, _OWN, None, "jobs",
    ),
    "browsing": Cause(
        "noise", 70,
        {"s_dns": 2, "s_tls": 1.5, "s_doh": 1, "s_program": 0.8, "s_script": 0.5, "s_dnslong": 1},
        _STAFF, {"cdn": 0.85, "pool": 0.15}, _OWN, None, "staff", {4: ("s_dns", 0.4)},
    ),
    "monitoring": Cause(
        "noise", 25, {"ssh_ok": 2, "s_id": 1, "logon_net": 1}, at.SERVERS | {"dmz-web": 6.0},
        {"management": 1}, {"svc_mon": 1}, at.ALWAYS, "staff",
    ),
    "web application": Cause(
        "noise", 14, {"shell": 2, "sudo": 1, "integrity": 1, "s_id": 1}, {"dmz-web": 1},
        {"pool": 0.5, "dmz": 0.5}, {"svc_web": 1}, at.ALWAYS, "staff",
    ),
    # Odd enough that a person should look today.
    "policy breach": Cause(
        "investigate", 22, {"s_program": 2, "s_doh": 1.2, "s_script": 1.5, "s_dns": 0.7},
        {"ws-fin": 3, "ws-hr": 2, "ws-cc": 2, "ws-sales": 3}, {"pool": 0.9, "cdn": 0.1}, _OWN,
        at.EVENINGS, "odd",
    ),
    "unannounced administration": Cause(
        "investigate", 26,
        {"service": 1.5, "s_smb": 1, "account": 1.5, "powershell": 0.6, "sudo": 0.5, "shadow": 0.4},
        at.SERVERS | {"dc": 6.0, "ws-it": 4.0}, {"ws-it": 0.55, "ws-eng": 0.45},
        {"admin": 1}, at.ODD_HOURS, "odd",
    ),
    "service account by hand": Cause(
        "investigate", 20, {"logon_net": 1.5, "logon_many": 1, "ssh_ok": 1.5, "logon_fail": 0.7},
        at.SERVERS, {"ws-eng": 0.45, "ws-it": 0.4, "deploy": 0.15},
        {"svc_backup": 2, "svc_deploy": 2, "svc_mon": 2, "svc_scan": 1}, at.OFFICE, "odd",
    ),
    "aimed guessing": Cause(
        "investigate", 22,
        {"vpn_fail": 2, "ssh_many": 1, "s_sqli": 1, "s_rce": 1}, {"dmz-web": 3, "vpn-gw": 3},
        {"cdn": 0.6, "pool": 0.4}, {"own": 1}, at.ODD_HOURS, "odd",
    ),
    "unwanted program": Cause(
        "investigate", 15, {"s_tls": 1, "s_dns": 1, "shell": 1, "powershell": 0.7},
        {"ws-cc": 3, "ws-sales": 3, "ws-hr": 2, "ws-fin": 1}, {"pool": 0.95, "cdn": 0.05}, _OWN,
        None, "odd",
    ),
    "scan from inside": Cause(
        "investigate", 15, {"s_ssh": 2, "s_web": 1, "s_sqli": 0.7, "logon_many": 1}, at.SERVERS,
        {"vpn": 0.4, "ws-eng": 0.4, "management": 0.2}, _OWN, at.ALWAYS, "odd",
    ),
    # An attack: stolen passwords, then sideways, then the domain.
    "stolen password": Cause(
        "critical", 8, {"vpn_new": 3, "vpn_fail": 0.3}, {"vpn-gw": 1}, {"pool": 1}, _OWN,
        at.INTRUDER, "intruder",
    ),
    "lateral movement": Cause(
        "critical", 10,
        {"service": 2, "s_smb": 1.5, "logon_net": 1.5},
        at.SERVERS | {"ws-fin": 4.0}, _INSIDE,
        {"admin": 0.55, "own": 0.25, "svc_deploy": 0.1, "svc_backup": 0.1}, at.INTRUDER, "intruder",
    ),
    "domain takeover": Cause(
        "critical", 4, {"replication": 2, "account": 1.5}, {"dc": 1}, _INSIDE | {"srv": 2.0},
        {"admin": 1}, at.INTRUDER, "intruder",
    ),
    # A phished workstation, its beacon, its exfiltration.
    "macro": Cause(
        "critical", 6, {"shell": 2, "powershell": 2}, {"ws-fin": 4, "ws-hr": 3, "ws-sales": 3},
        {"pool": 1}, _OWN, at.OFFICE, "intruder",
    ),
    "beacon": Cause(
        "critical", 7, {"s_tls": 2, "s_dns": 1},
        {"ws-fin": 4, "ws-hr": 3, "ws-sales": 3}, {"pool": 0.95, "cdn": 0.05}, _OWN, at.ALWAYS,
        "intruder",
    ),
    "exfiltration": Cause(
        "critical", 5, {"s_dnslong": 2, "s_doh": 0.5}, {"ws-fin": 4, "ws-hr": 3, "srv-file": 3},
        {"pool": 1}, _OWN, at.INTRUDER, "intruder",
    ),
    # An exploited web server, its shell, its root.
    "exploit": Cause(
        "critical", 3, {"s_rce": 2, "s_sqli": 1}, {"dmz-web": 1}, {"cdn": 0.6, "pool": 0.4}, _OWN,
        at.INTRUDER, "intruder",
    ),
    "web shell": Cause(
        "critical", 5, {"shell": 2, "s_id": 1}, {"dmz-web": 1},
        {"pool": 1}, {"svc_web": 1}, at.INTRUDER, "intruder",
    ),
    "privilege escalation": Cause(
        "critical", 4, {"sudo": 2, "account": 1}, {"dmz-web": 6, "srv-app": 4},
        {"dmz": 1}, {"svc_web": 0.7, "own": 0.3}, at.INTRUDER, "intruder",
    ),
}  # fmt: skip
"""Twenty-eight causes; their weights are alerts in about a thousand."""

INTRUSIONS = {
    "stolen password": "credentials",
    "lateral movement": "credentials",
    "domain takeover": "credentials",
    "macro": "phishing",
    "beacon": "phishing",
    "exfiltration": "phishing",
    "exploit": "web",
    "web shell": "web",
    "privilege escalation": "web",
}

ANALYST: dict[str, Weights] = {
    "critical": {"critical": 0.96, "investigate": 0.03, "noise": 0.01},
    "investigate": {"critical": 0.01, "investigate": 0.94, "noise": 0.05},
    "noise": {"critical": 0.001, "investigate": 0.005, "noise": 0.994},
}
"""What the analyst writes down, by what is true: the known error of the labels."""


def scanner_subnets(month: int) -> Weights:
    """Where the authorised scanner stands: it moves during the third month."""
    share = (0.0, 0.0, 0.5, 1.0, 1.0, 1.0)[month]
    return {"management": 1 - share, "scanner": share}


def signature_weights(cause: Cause, month: int) -> Weights:
    """The rules by which a cause is noticed in a month, after retuning."""
    weights = dict(cause.signatures)
    for since, (key, factor) in cause.change.items():
        if month >= since:
            weights[key] *= factor
    return weights


def host_weights(cause: Cause, month: int) -> Weights:
    """The hosts a cause touches in a month: the laboratory opens in the fourth."""
    if month >= 3 and "ws-eng" in cause.hosts and len(cause.hosts) > 2:
        return cause.hosts | {"ws-lab": 0.35 * cause.hosts["ws-eng"]}
    return cause.hosts
