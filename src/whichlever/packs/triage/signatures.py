"""The simulated rules of the sensors.

Identifiers and wording are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from whichlever.packs.triage import artefacts


@dataclass(frozen=True)
class Signature:
    """One rule.

    ``peer`` and ``user`` say whether its alerts show the other end and the account; ``field`` is
    where the artefact stands; ``outbound`` rules have the host as source. ``renamed`` is its
    (number, text) from the fourth month on.
    """

    product: Literal["wazuh", "suricata"]
    number: int
    text: str
    level: int
    kind: str
    technique: str
    field: str
    artefacts: tuple[tuple[str, ...], ...]
    peer: bool = True
    user: bool = True
    outbound: bool = False
    port: int = 0
    renamed: tuple[int, str] | None = None


def _wazuh(
    number: int,
    text: str,
    level: int,
    kind: str,
    technique: str,
    field: str,
    *shades: tuple[str, ...],
    peer: bool = True,
    user: bool = True,
    renamed: tuple[int, str] | None = None,
) -> Signature:
    return Signature(
        "wazuh", number, text, level, kind, technique, field, shades, peer, user, renamed=renamed
    )


def _suricata(
    number: int,
    text: str,
    level: int,
    kind: str,
    field: str,
    *shades: tuple[str, ...],
    port: int = 443,
    outbound: bool = False,
    renamed: tuple[int, str] | None = None,
) -> Signature:
    return Signature(
        *("suricata", number, text, level, kind, "", field, shades),
        user=False,
        outbound=outbound,
        port=port,
        renamed=renamed,
    )


SIGNATURES: dict[str, Signature] = {
    "logon_fail": _wazuh(
        100101,
        "Windows logon failure",
        5,
        "windows, authentication_failed",
        "Brute Force",
        "authentication",
        *artefacts.LOGON,
    ),
    "logon_many": _wazuh(
        100102,
        "Several Windows logon failures from one source",
        10,
        "windows, authentication_failures",
        "Brute Force",
        "authentication",
        *artefacts.LOGON,
    ),
    "logon_net": _wazuh(
        100103,
        "Windows logon over the network",
        3,
        "windows, authentication_success",
        "Valid Accounts",
        "authentication",
        *artefacts.LOGON,
    ),
    "ssh_nouser": _wazuh(
        100201,
        "sshd: login for a user that does not exist",
        5,
        "sshd, invalid_login",
        "Password Guessing",
        "method",
        *artefacts.SSH,
    ),
    "ssh_many": _wazuh(
        100202,
        "sshd: many failed logins in a row",
        10,
        "sshd, authentication_failures",
        "Brute Force",
        "method",
        *artefacts.SSH,
    ),
    "ssh_ok": _wazuh(
        100203,
        "sshd: login accepted",
        3,
        "sshd, authentication_success",
        "Valid Accounts",
        "method",
        *artefacts.SSH,
    ),
    "sudo": _wazuh(
        100204,
        "sudo: command run as root",
        4,
        "syslog, sudo",
        "Sudo and Sudo Caching",
        "command",
        *artefacts.ROOT,
        peer=False,
    ),
    "service": _wazuh(
        100110,
        "New Windows service installed",
        10,
        "windows, service",
        "Service Execution",
        "imagePath",
        *artefacts.IN_HOUSE,
        renamed=(100810, "Service control manager: service added"),
    ),
    "powershell": _wazuh(
        100111,
        "PowerShell ran an encoded command",
        12,
        "windows, powershell",
        "PowerShell",
        "commandLine",
        *artefacts.SHELLS,
        peer=False,
        renamed=(100811, "Script block logging: encoded PowerShell"),
    ),
    "shell": _wazuh(
        100112,
        "Shell started by an unusual parent",
        10,
        "process, execution",
        "Command and Scripting Interpreter",
        "process",
        *artefacts.PARENTS,
        peer=False,
    ),
    "account": _wazuh(
        100113,
        "Account created or enabled",
        8,
        "windows, adduser",
        "Create Account",
        "targetUserName",
        ("{word}.{word}",),
        ("{word}{n}",),
        ("{word}$", "help{n}"),
        ("{word}_sync",),
    ),
    "shadow": _wazuh(
        100114,
        "Shadow copies listed or deleted",
        12,
        "windows, vss",
        "Inhibit System Recovery",
        "commandLine",
        ("vssadmin list shadows {word}",),
        ("vssadmin resize shadowstorage {word}",),
        ("vssadmin delete shadows /all {word}",),
        ("diskshadow -s {word}.txt",),
        peer=False,
    ),
    "replication": _wazuh(
        100115,
        "Directory replication was requested",
        12,
        "windows, dcsync",
        "DCSync",
        "object",
        ("domainDNS {word}",),
        ("user {word}",),
        ("krbtgt {word}", "user adm {word}"),
        ("trust {word}",),
    ),
    "integrity": _wazuh(
        100301,
        "File changed outside a release",
        7,
        "ossec, syscheck",
        "Stored Data Manipulation",
        "path",
        *artefacts.FILES,
        peer=False,
        user=False,
    ),
    "vpn_new": _wazuh(
        100401,
        "VPN login from a place not seen before",
        6,
        "vpn, authentication_success",
        "External Remote Services",
        "client",
        ("{word} Connect 5.{n} managed",),
        ("{word} Connect 4.{n}",),
        ("openconnect 9.{n} {word}",),
        ("wgx {word} {n}",),
    ),
    "vpn_fail": _wazuh(
        100402,
        "VPN login failed",
        5,
        "vpn, authentication_failed",
        "Brute Force",
        "client",
        ("{word} Connect 5.{n} managed",),
        ("{word} Connect 4.{n}",),
        ("openconnect 9.{n} {word}",),
        ("wgx {word} {n}",),
    ),
    "s_ssh": _suricata(
        1000101,
        "SCAN many ssh connections from one source",
        3,
        "Network Scan",
        "ssh.client.software_version",
        ("OpenSSH_9.{n} {word}",),
        ("libssh2_1.{n}",),
        ("Go {word}", "{word}ssh_{n}"),
        ("russh_{n} {word}",),
        port=22,
    ),
    "s_web": _suricata(
        1000102,
        "SCAN user agent of a web scanner",
        3,
        "Network Scan",
        "http.http_user_agent",
        *artefacts.AGENTS,
    ),
    "s_sqli": _suricata(
        1000201,
        "WEB database injection attempt",
        1,
        "Web Application Attack",
        "http.url",
        *artefacts.QUERIES,
    ),
    "s_rce": _suricata(
        1000202,
        "WEB command injection attempt",
        1,
        "Web Application Attack",
        "http.url",
        *artefacts.COMMANDS,
    ),
    "s_smb": _suricata(
        1000301,
        "SMB service started from another machine",
        2,
        "Potentially Bad Traffic",
        "smb.share",
        *artefacts.SHARES,
        port=445,
    ),
    "s_id": _suricata(
        1000302,
        "RESPONSE output of the id command",
        2,
        "Potentially Bad Traffic",
        "http.url",
        ("/health/{word}",),
        ("/{word}/diag.php",),
        ("/uploads/{word}.php?c=id",),
        ("/{word}/.x?q={n}",),
    ),
    "s_dns": _suricata(
        1000401,
        "DNS query under a rarely used top-level domain",
        3,
        "Bad Unknown",
        "dns.query.rrname",
        *artefacts.NAMES,
        port=53,
        outbound=True,
    ),
    "s_dnslong": _suricata(
        1000402,
        "DNS very long labels in queries",
        2,
        "Bad Unknown",
        "dns.query.rrname",
        *artefacts.LONG_NAMES,
        port=53,
        outbound=True,
    ),
    "s_tls": _suricata(
        1000403,
        "TLS fingerprint also used by malware",
        1,
        "Malware Command and Control",
        "tls.sni",
        *artefacts.NAMES,
        outbound=True,
        renamed=(1000903, "TLS client hello on the watch list"),
    ),
    "s_script": _suricata(
        1000404,
        "POLICY scripted user agent to the internet",
        3,
        "Policy Violation",
        "http.http_user_agent",
        ("curl/8.{n} {word}",),
        ("python-requests/2.{n} {word}",),
        ("WindowsPowerShell/5.{n} {word}",),
        ("{word}/0.{n}",),
        outbound=True,
    ),
    "s_program": _suricata(
        1000405,
        "POLICY program downloaded",
        2,
        "Policy Violation",
        "http.url",
        ("/{word}/{word}-setup-{n}.exe",),
        ("/dl/{word}{n}.msi",),
        ("/{word}.jpg.exe", "/{hex}/x{n}.dll"),
        ("/{word}/{n}.msix",),
        outbound=True,
    ),
    "s_doh": _suricata(
        1000406,
        "POLICY name resolution over HTTPS",
        3,
        "Policy Violation",
        "tls.sni",
        ("dns.{dom}",),
        ("doh{n}.{dom}", "resolver.{word}.{dom}"),
        ("{hex}.{dom}",),
        ("q{n}.{word}.{dom}",),
        outbound=True,
    ),
}
"""Twenty-eight rules."""
