"""What stands in the slots of simulated lines: addresses, users, paths, sizes … and their values.

Addresses are documentation and private ranges (RFC 5737, RFC 1918, RFC 2544, RFC 3849), domains
end in ``.example`` or ``.test``: nothing here points at anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whichlever.packs.logs import words

Share = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Slot:
    """How a slot is drawn, and what a parser makes of its text."""

    draw: Callable[[Share], str]
    value: Callable[[str], Any] = str


def _one_of(items: Sequence[str]) -> Callable[[Share], str]:
    count = len(items)
    return lambda share: items[int(share() * count)]


def _between(low: int, high: int) -> Callable[[Share], str]:
    span = high - low
    return lambda share: str(low + int(share() * span))


def _size(share: Share) -> str:
    """A count of bytes: most are small, some are large."""
    return str(int(40 * 10 ** (share() * 5)))


def _hex(digits: int) -> Callable[[Share], str]:
    top = 16**8

    def draw(share: Share) -> str:
        parts = [f"{int(share() * top):08x}" for _ in range(-(-digits // 8))]
        return "".join(parts)[:digits]

    return draw


def _inside(share: Share) -> str:
    return f"10.{int(share() * 12)}.{int(share() * 40)}.{1 + int(share() * 253)}"


def _outside(share: Share) -> str:
    net = words.OUTSIDE[int(share() * len(words.OUTSIDE))]
    return f"{net}.{1 + int(share() * 253)}"


def _ip6(share: Share) -> str:
    return f"2001:db8:{int(share() * 64):x}::{int(share() * 65_535):x}"


def _host(kinds: Sequence[str]) -> Callable[[Share], str]:
    def draw(share: Share) -> str:
        return f"{kinds[int(share() * len(kinds))]}{1 + int(share() * 24):02d}"

    return draw


def _mac(separator: str) -> Callable[[Share], str]:
    def draw(share: Share) -> str:
        number = f"{int(share() * 2**24):06x}"
        pairs = ["02", "00", "5e", number[:2], number[2:4], number[4:]]
        return separator.join(pairs)

    return draw


def _mac_value(text: str) -> str:
    return text.upper().replace(":", "-")


def _url_path(share: Share) -> str:
    depth = 1 + int(share() * 3)
    parts = [words.PATHS[int(share() * len(words.PATHS))] for _ in range(depth)]
    return "/" + "/".join(parts) + words.SUFFIXES[int(share() * len(words.SUFFIXES))]


def _url(share: Share) -> str:
    domain = words.DOMAINS[int(share() * len(words.DOMAINS))]
    return f"{'https' if share() < 0.8 else 'http'}://{domain}{_url_path(share)}"


def _query(share: Share) -> str:
    key = words.KEYS[int(share() * len(words.KEYS))]
    return f"{key}={int(share() * 9_999)}&v={int(share() * 9)}"


def _guid(share: Share) -> str:
    h = _hex(32)(share)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def _mail(share: Share) -> str:
    user = words.USERS[int(share() * len(words.USERS))]
    return f"{user}@{words.DOMAINS[int(share() * len(words.DOMAINS))]}"


def _java(share: Share) -> str:
    package = words.PACKAGES[int(share() * len(words.PACKAGES))]
    return f"{package}.{words.CLASSES[int(share() * len(words.CLASSES))]}"


def _seconds(share: Share) -> str:
    return f"{share() * 4:.3f}"


def _sid(share: Share) -> str:
    return f"S-1-5-21-1004336348-1177238915-682003330-{1000 + int(share() * 900)}"


SLOTS: Mapping[str, Slot] = {
    "ip_in": Slot(_inside),
    "ip_out": Slot(_outside),
    "ip6": Slot(_ip6),
    "ip": Slot(lambda share: _inside(share) if share() < 0.5 else _outside(share)),
    "port": Slot(_between(1025, 65_535), int),
    "port_low": Slot(_one_of(words.LOW_PORTS), int),
    "bytes": Slot(_size, int),
    "count": Slot(_between(1, 400), int),
    "small": Slot(_between(0, 10), int),
    "seq": Slot(_between(1, 9_999_999), int),
    "serial": Slot(lambda share: f"{int(share() * 10**12):012d}"),
    "conn": Slot(_between(100_000, 99_999_999)),
    "pid": Slot(_between(2, 65_000), int),
    "pri": Slot(_between(8, 191), int),
    "vlan": Slot(_between(2, 900)),
    "seconds": Slot(_seconds),
    "clock_span": Slot(lambda share: f"{int(share() * 9)}:{int(share() * 60):02d}:"
                       f"{int(share() * 60):02d}"),
    "user": Slot(_one_of(words.USERS)),
    "service": Slot(_one_of(words.SERVICES)),
    "domain_name": Slot(_one_of(words.WINDOWS_DOMAINS)),
    "group": Slot(_one_of(words.GROUPS)),
    "host_fw": Slot(_host(("fw-north-", "fw-south-", "edge-"))),
    "host_srv": Slot(_host(("srv-app-", "srv-db-", "web-", "mail-", "build-"))),
    "host_ws": Slot(_host(("WS-FIN-", "WS-ENG-", "LAPTOP-"))),
    "host_sw": Slot(_host(("sw-core-", "sw-acc-"))),
    "fqdn": Slot(lambda share: f"{_host(('srv-app-', 'web-', 'db-'))(share)}.corp.example"),
    "domain": Slot(_one_of(words.DOMAINS)),
    "mac": Slot(_mac(":"), _mac_value),
    "mac_dash": Slot(lambda share: _mac("-")(share).upper()),
    "proto": Slot(_one_of(("tcp", "udp", "icmp"))),
    "proto_up": Slot(_one_of(("TCP", "UDP", "TCP")), str.lower),
    "iface": Slot(_one_of(words.INTERFACES)),
    "port_name": Slot(_one_of(words.SWITCH_PORTS)),
    "zone": Slot(_one_of(("trust", "untrust", "dmz", "guest", "mgmt"))),
    "country": Slot(_one_of(("NL", "DE", "US", "BR", "SG", "reserved"))),
    "app": Slot(_one_of(words.APPLICATIONS)),
    "rule": Slot(_one_of(words.RULES)),
    "rule_id": Slot(_between(1, 300)),
    "policy": Slot(_one_of(("default", "Web Filtering", "strict-egress", "Guest Wifi"))),
    "threat": Slot(_one_of(words.THREATS)),
    "category": Slot(_one_of(words.CATEGORIES)),
    "action": Slot(_one_of(("allow", "deny", "drop", "reset"))),
    "action_up": Slot(_one_of(("ALLOWED", "BLOCKED", "MONITORED"))),
    "severity_word": Slot(_one_of(("low", "medium", "high", "critical", "informational"))),
    "level": Slot(_one_of(("INFO", "INFO", "WARN", "ERROR", "DEBUG"))),
    "level_low": Slot(_one_of(("notice", "warning", "information", "error", "alert"))),
    "method": Slot(_one_of(("GET", "GET", "POST", "PUT", "HEAD", "DELETE"))),
    "status": Slot(_one_of(("200", "200", "301", "304", "403", "404", "500")), int),
    "http": Slot(_one_of(("1.1", "1.1", "2.0", "1.0"))),
    "path": Slot(_url_path),
    "query": Slot(_query),
    "url": Slot(_url),
    "agent": Slot(_one_of(words.AGENTS)),
    "guid": Slot(_guid),
    "hex8": Slot(_hex(8)),
    "hex12": Slot(_hex(12)),
    "sha256": Slot(_hex(64)),
    "md5": Slot(_hex(32)),
    "file": Slot(_one_of(words.FILES)),
    "file_win": Slot(_one_of(words.WINDOWS_FILES)),
    "program": Slot(_one_of(words.PROGRAMS)),
    "program_win": Slot(_one_of(words.WINDOWS_PROGRAMS)),
    "reason": Slot(_one_of(words.REASONS)),
    "mail": Slot(_mail),
    "subject": Slot(_one_of(words.SUBJECTS)),
    "class": Slot(_java),
    "thread": Slot(lambda share: f"http-nio-8080-exec-{1 + int(share() * 16)}"),
    "exception": Slot(_one_of(words.EXCEPTIONS)),
    "message": Slot(_one_of(words.MESSAGES)),
    "source_line": Slot(lambda share: f"{words.CLASSES[int(share() * len(words.CLASSES))]}.java"),
    "table": Slot(_one_of(words.TABLES)),
    "database": Slot(_one_of(("orders", "billing", "hr", "audit"))),
    "sql": Slot(_one_of(words.STATEMENTS)),
    "qtype": Slot(_one_of(("A", "AAAA", "MX", "PTR", "TXT"))),
    "rcode": Slot(_one_of(("NOERROR", "NXDOMAIN", "SERVFAIL"))),
    "sid": Slot(_sid),
    "logon": Slot(_one_of(("2", "3", "5", "7", "10"))),
    "key_type": Slot(_one_of(("RSA", "ED25519", "ECDSA"))),
    "fingerprint": Slot(lambda share: f"SHA256:{_hex(43)(share)}"),
    "version": Slot(lambda share: f"{int(share() * 9)}.{int(share() * 20)}.{int(share() * 9)}"),
    "outcome": Slot(_one_of(("success", "failure"))),
    "verb": Slot(_one_of(("login", "logout", "create", "update", "delete", "export"))),
}  # fmt: skip
