"""The simulated company: its places, hosts, people and hours. Nothing here exists.

Addresses outside are from 198.18.0.0/15, a block set aside for benchmarks and routed nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

MONTHS = 6
MONTH_DAYS = 30

SUBNETS = {
    "management": "10.20.0.",  # jump hosts, monitoring and, at first, the vulnerability scanner
    "scanner": "10.20.9.",  # where the scanner moves in the third month
    "deploy": "10.20.4.",  # software deployment and backup
    "ws-fin": "10.10.1.",
    "ws-hr": "10.10.2.",
    "ws-eng": "10.10.3.",
    "ws-cc": "10.10.4.",
    "ws-it": "10.10.5.",
    "ws-sales": "10.10.6.",
    "ws-lab": "10.12.1.",  # a new site, from the fourth month on
    "srv": "10.30.1.",
    "dc": "10.30.0.",
    "dmz": "10.40.0.",
    "vpn": "10.50.0.",
}


@dataclass(frozen=True)
class HostClass:
    """Hosts that look alike in an alert: their name, role, subnet and number."""

    name: str
    role: str
    subnet: str
    count: int


_WORKSTATIONS = {
    "ws-fin": 38,
    "ws-hr": 16,
    "ws-eng": 62,
    "ws-cc": 54,
    "ws-it": 14,
    "ws-sales": 48,
    "ws-lab": 24,
}
HOSTS = {
    host.name: host
    for host in (
        *(HostClass(name, "workstation", name, n) for name, n in _WORKSTATIONS.items()),
        HostClass("srv-app", "server", "srv", 18),
        HostClass("srv-db", "server", "srv", 9),
        HostClass("srv-file", "server", "srv", 6),
        HostClass("srv-build", "server", "srv", 7),
        HostClass("dc", "domain-controller", "dc", 4),
        HostClass("dmz-web", "dmz", "dmz", 6),
        HostClass("dmz-mail", "dmz", "dmz", 2),
        HostClass("vpn-gw", "dmz", "dmz", 2),
    )
}
"""Some three hundred hosts in fifteen classes."""

OFFICE_STAFF = {name: n for name, n in _WORKSTATIONS.items() if name != "ws-lab"}
SERVERS = {"srv-app": 18.0, "srv-db": 9.0, "srv-file": 6.0, "srv-build": 7.0}

_GIVEN = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "i",
    "j",
    "k",
    "l",
    "m",
    "n",
    "o",
    "p",
    "r",
    "s",
    "t",
    "v",
]
_FAMILY = [
    "adler",
    "brandt",
    "costa",
    "dumont",
    "eriksen",
    "farkas",
    "gruber",
    "holm",
    "ivanov",
    "jansen",
    "keller",
    "lindqvist",
    "moreau",
    "novak",
    "okafor",
    "peric",
    "quist",
    "rossi",
    "silva",
    "tanaka",
]


def people(name: str) -> tuple[str, ...]:
    """The ordinary users of a workstation class, or of the whole house for any other host."""
    everyone = list(_WORKSTATIONS)
    if name not in _WORKSTATIONS:
        return tuple(user for place in everyone for user in people(place)[:12])
    k = everyone.index(name)
    return tuple(
        f"{_GIVEN[(3 * k + i) % 20]}.{_FAMILY[(7 * k + i + i // 20) % 20]}"
        for i in range(_WORKSTATIONS[name])
    )


ADMINS = tuple(f"adm_{name}" for name in ("brandt", "costa", "holm", "keller", "novak", "rossi"))
_TRIED = (
    "root admin test oracle ubuntu guest ftpuser support pi user info mysql postgres git jenkins "
    "deploy backup web www nagios hadoop tomcat centos ec2 debian minecraft steam teamspeak ts3 "
    "operator service sales student demo ansible vagrant zabbix redis elastic kafka spark docker"
)
STRANGERS = tuple(_TRIED.split())
SERVICES = ("svc_scan", "svc_backup", "svc_deploy", "svc_mon", "svc_web", "svc_sync")

PARTS = tuple(
    f"{week} {part}"
    for week in ("weekday", "weekend")
    for part in ("night", "morning", "day", "evening")
)
"""Parts of the day and week, as `values.when` writes them."""

HOURS = {
    "night": (22, 23, 0, 1, 2, 3, 4, 5),
    "morning": (6, 7, 8),
    "day": (9, 10, 11, 12, 13, 14, 15, 16),
    "evening": (17, 18, 19, 20, 21),
}


def _hours(*weights: float) -> dict[str, float]:
    total = float(sum(map(int, (w * 1000 for w in weights)))) / 1000
    return {part: weight / total for part, weight in zip(PARTS, weights, strict=True)}


# Weekday night, morning, day, evening; weekend night, morning, day, evening.
OFFICE = _hours(1, 15, 70, 11, 0.3, 0.4, 1.5, 0.8)
ROUND_THE_CLOCK = _hours(24, 9, 24, 15, 10, 4, 9, 5)
NIGHTLY = _hours(58, 4, 4, 8, 20, 2, 2, 2)
EVENINGS = _hours(18, 3, 12, 42, 8, 2, 8, 7)
IT_SHIFT = _hours(6, 14, 50, 22, 1, 1, 4, 2)
ODD_HOURS = _hours(24, 4, 12, 26, 10, 4, 10, 10)
INTRUDER = _hours(38, 5, 13, 14, 13, 3, 7, 7)
ALWAYS = _hours(24, 9, 24, 15, 9, 4, 9, 6)

SHIFTS = dict.fromkeys(HOSTS, OFFICE) | {
    "ws-cc": ROUND_THE_CLOCK,
    "ws-it": IT_SHIFT,
    "ws-eng": _hours(5, 8, 58, 22, 1, 1, 3, 2),
    "ws-lab": _hours(20, 12, 34, 20, 4, 2, 4, 4),
}
"""When the people of a workstation class work; the call centre and the laboratory never close."""
