"""Firewalls that write syslog sentences: a header, a message number, words around values."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

_FLOW = "{proto_up:network.transport} connection {conn}"
_FROM = "{iface:observer.ingress.interface.name}:{ip:source.ip,source.address}/{port:source.port}"
_TO = (
    "{iface:observer.egress.interface.name}:{ip:destination.ip,destination.address}"
    "/{port_low:destination.port}"
)
_USER = "[? ({user:source.user.name,user.name})?]"
_NAT = "({ip_out:source.nat.ip}/{port:source.nat.port})"


def _say(level: int, number: int) -> str:
    """How a message begins; its level and number are fields."""
    return f"%NWL-{{#{level}:event.severity}}-{{!{number}:event.code}}: "


NORWALL = Source(
    name="norwall.firewall",
    zone=120,
    head="<{pri:log.syslog.priority}>{ts_bsd_year:@timestamp} {host_fw:observer.hostname} : ",
    shapes={
        "built": _say(6, 302013) + f"Built outbound {_FLOW} for {_TO} ({{=destination.ip}}/"
        f"{{=destination.port}}) to {_FROM} {_NAT}{_USER}",
        "teardown": _say(6, 302014) + f"Teardown {_FLOW} for {_FROM} to {_TO} duration "
        "{clock_span} bytes {bytes:network.bytes}[? TCP Reset-I?]",
        "deny": _say(4, 106023) + f"Deny {{proto:network.transport}} src {_FROM} dst {_TO} by "
        'access-group "{rule:rule.name}" [0x{hex8}, 0x0]',
        "deny_short": _say(2, 106001)
        + "Inbound {proto_up:network.transport} connection denied from "
        "{ip_out:source.ip,source.address}/{port:source.port} to "
        "{ip_in:destination.ip,destination.address}/{port_low:destination.port} flags SYN on "
        "interface {iface:observer.ingress.interface.name}",
        "permitted": _say(6, 106100) + "access-list {rule:rule.name} permitted "
        "{proto:network.transport} {iface:observer.ingress.interface.name}/"
        "{ip:source.ip,source.address}({port:source.port}) -> "
        "{iface:observer.egress.interface.name}/{ip:destination.ip,destination.address}"
        "({port_low:destination.port}) hit-cnt {count} first hit",
        "icmp": _say(6, 302020) + "Built inbound ICMP connection for faddr "
        "{ip_out:source.ip,source.address}/{small} gaddr {ip_out:destination.nat.ip}/0 laddr "
        "{ip_in:destination.ip,destination.address}/0",
        "login": _say(6, 605005) + "Login permitted from {ip_in:source.ip,source.address}/"
        "{port:source.port} to {iface:observer.ingress.interface.name}:"
        '{ip_in:destination.ip,destination.address}/ssh for user "{user:user.name}"',
        "login_denied": _say(6, 605004) + "Login denied from {ip:source.ip,source.address}/"
        "{port:source.port} to {iface:observer.ingress.interface.name}:"
        '{ip_in:destination.ip,destination.address}/ssh for user "{user:user.name}"',
        "command": _say(5, 111008) + "User '{user:user.name}' executed the 'write memory' command.",
        "cpu": _say(4, 711004) + "Task ran for {count} msec, Process = dispatch, PC = {hex8}",
        "nat": _say(6, 305011) + "Built dynamic {proto_up:network.transport} translation from "
        "{iface:observer.ingress.interface.name}:{ip_in:source.ip,source.address}/"
        "{port:source.port} to {iface:observer.egress.interface.name}:{ip_out:source.nat.ip}/"
        "{port:source.nat.port}",
        "aaa": _say(6, 113004) + "AAA user authentication Successful : server = "
        "{ip_in:server.ip,server.address} : user = {user:user.name}",
        "aaa_rejected": _say(6, 113005) + "AAA user authentication Rejected : reason = "
        "{reason:event.reason} : server = {ip_in:server.ip,server.address} : user = "
        "{user:user.name}",
        "session": _say(4, 113019)
        + "Group = {group:user.group.name}, Username = {user:user.name}, "
        "IP = {ip_out:source.ip,source.address}, Session disconnected. Session Type: SSL, "
        "Duration: {clock_span}, Bytes xmt: {bytes:destination.bytes}, Bytes rcv: "
        "{bytes:source.bytes}, Reason: {reason:event.reason}",
        "url": _say(5, 304001) + "{ip_in:source.ip,source.address} Accessed URL "
        "{ip_out:destination.ip,destination.address}:{url:url.original}",
        "scan": _say(4, 733101)
        + "Host {ip_out:source.ip,source.address} is attacking. Current burst "
        "rate is {count} per second, max configured rate is 10",
        "failover": _say(1, 105005)
        + "(Primary) Lost Failover communications with mate on interface "
        "{iface:observer.ingress.interface.name}",
        "spoof": _say(2, 106016) + "Deny IP spoof from ({ip:source.ip,source.address}) to "
        "{ip_in:destination.ip,destination.address} on interface "
        "{iface:observer.ingress.interface.name}",
    },
)

PACKETEER = Source(
    name="packeteer.filter",
    zone=60,
    head="{ts_bsd:@timestamp} {host_fw:host.hostname} kernel: [{seconds}] ",
    shapes={
        "drop": "DROP: IN={iface:observer.ingress.interface.name} OUT= MAC={mac:destination.mac} "
        "SRC={ip_out:source.ip} DST={ip_in:destination.ip} LEN={bytes:network.bytes} TOS=0x00 "
        "TTL={count} ID={pid} DF PROTO={proto_up:network.transport} SPT={port:source.port} "
        "DPT={port_low:destination.port} WINDOW={pid} RES=0x00 SYN URGP=0",
        "forward": "FWD[{rule:rule.name}]: IN={iface:observer.ingress.interface.name} "
        "OUT={iface:observer.egress.interface.name} SRC={ip_in:source.ip} "
        "DST={ip_out:destination.ip} LEN={bytes:network.bytes} PROTO={proto_up:network.transport} "
        "SPT={port:source.port} DPT={port_low:destination.port}",
        "icmp": "DROP: IN={iface:observer.ingress.interface.name} OUT= SRC={ip:source.ip} "
        "DST={ip_in:destination.ip} LEN={bytes:network.bytes} PROTO=ICMP TYPE=8 CODE=0 ID={pid} "
        "SEQ={small}",
        "six": "DROP6: IN={iface:observer.ingress.interface.name} SRC={ip6:source.ip} "
        "DST={ip6:destination.ip} LEN={bytes:network.bytes} HOPLIMIT=64 "
        "PROTO={proto_up:network.transport} SPT={port:source.port} DPT={port_low:destination.port}",
        "table_full": "nf_conntrack: table full, dropping packet",
        "link": "{iface:observer.ingress.interface.name}: Link is Up - 1Gbps/Full",
    },
)
