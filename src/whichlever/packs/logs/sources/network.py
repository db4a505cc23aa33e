"""Switches, wireless and remote access."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

SWITCH = Source(
    name="latticenet.switch",
    head="<{pri:log.syslog.priority}>{seq:event.sequence}: {host_sw:observer.hostname}: "
    "{ts_bsd_ms:@timestamp}: ",
    shapes={
        "updown": "%LINK-{#3:event.severity}-{!UPDOWN:event.code}: Interface "
        "{port_name:observer.ingress.interface.name}, changed state to up",
        "proto": "%LINEPROTO-{#5:event.severity}-{!UPDOWN:event.code}: Line protocol on Interface "
        "{port_name:observer.ingress.interface.name}, changed state to down",
        "acl": "%SEC-{#6:event.severity}-{!IPACCESSLOGP:event.code}: list {rule:rule.name} denied "
        "{proto:network.transport} {ip:source.ip}({port:source.port}) -> "
        "{ip:destination.ip}({port_low:destination.port}), {count:network.packets} packets",
        "acl_icmp": "%SEC-{#6:event.severity}-{!IPACCESSLOGDP:event.code}: list {rule:rule.name} "
        "denied icmp {ip:source.ip} -> {ip:destination.ip} (8/0), 1 packet",
        "config": "%SYS-{#5:event.severity}-{!CONFIG_I:event.code}: Configured from console by "
        "{user:user.name} on vty{small} ({ip_in:source.ip})",
        "login": "%SEC_LOGIN-{#5:event.severity}-{!LOGIN_SUCCESS:event.code}: Login Success "
        "[user: {user:user.name}] [Source: {ip_in:source.ip}] [localport: 22]",
        "login_failed": "%SEC_LOGIN-{#4:event.severity}-{!LOGIN_FAILED:event.code}: Login failed "
        "[user: {user:user.name}] [Source: {ip:source.ip}] [localport: 22] "
        "[Reason: {reason:event.reason}]",
        "flap": "%SW_MATM-{#4:event.severity}-{!MACFLAP_NOTIF:event.code}: Host "
        "{mac:source.mac} in "
        "vlan {vlan:network.vlan.id} is flapping between port {port_name} and port {port_name}",
        "fan": "%ENV-{#2:event.severity}-{!FAN:event.code}: Fan {small} has failed",
    },
)

WIRELESS = Source(
    name="aerie.wireless",
    head="<134>1 {ts_epoch:@timestamp} {host_sw:observer.hostname} events ",
    shapes={
        "associate": "type=association radio='1' vap='0' client_mac='{mac:client.mac}' "
        "channel='{small}' rssi='{small}' aid='{conn}'",
        "leave": "type=disassociation radio='0' client_mac='{mac:client.mac}' "
        "reason='{reason:event.reason}' duration='{seconds}'",
        "auth": "type=8021x_auth client_mac='{mac:client.mac}' "
        "identity='{user:client.user.name,user.name}'[? vlan='{vlan:network.vlan.id}'?]",
        "flow": "type=flow src={ip_in:source.ip,client.ip} dst={ip_out:destination.ip} "
        "mac={mac:source.mac} protocol={proto:network.transport} sport={port:source.port} "
        "dport={port_low:destination.port} pattern: {action:event.action} all",
        "rogue": "type=rogue_ssid_detected ssid='{policy:network.name}' bssid='{mac}' "
        "rssi='{small}'",
        "dhcp": "dhcp lease of ip {ip_in:client.ip} from server mac {mac:server.mac} for "
        "client mac "
        "{mac:client.mac} from router {ip_in:server.ip}",
        "ports": "port {small} status changed from 1Gfdx to down",
    },
)

REMOTE = Source(
    name="burrow.vpn",
    zone=-180,
    head="{ts_sql:@timestamp} {host_fw:observer.hostname} burrow[{pid:process.pid}]: ",
    shapes={
        "connect": "{ip_out:source.ip,client.ip}:{port:source.port} [{user:user.name}] Peer "
        "Connection Initiated",
        "address": "MULTI: Learn: {ip_in:client.nat.ip} -> {user:user.name}/"
        "{ip_out:source.ip,client.ip}:{port:source.port}",
        "verify": "{ip_out:source.ip,client.ip}:{port:source.port} VERIFY OK: depth=0, "
        "CN={user:user.name}, O=Sim Corp",
        "failed": "{ip_out:source.ip,client.ip}:{port:source.port} AUTH_FAILED for "
        "'{user:user.name}': {reason:event.reason}",
        "bytes": "{user:user.name}/{ip_out:source.ip,client.ip}:{port:source.port} closed, "
        "received "
        "{bytes:source.bytes} sent {bytes:destination.bytes} in {clock_span}",
        "tls": "TLS Error: local/remote TLS keys are out of sync: {ip_out:source.ip,client.ip}:"
        "{port:source.port}",
        "group": "User <{user:user.name}> Realm <{group:user.group.name}> roles <Employees> - "
        "session {guid:event.id} started on {host_ws:host.hostname}",
        "start": "Initialization Sequence Completed",
    },
)
