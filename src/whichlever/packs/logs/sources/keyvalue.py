"""Sources of key=value pairs: a gateway, and events in CEF and LEEF."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

_ENDS = (
    'srcip={ip_in:source.ip} srcport={port:source.port} srcintf="{iface:observer.ingress.'
    'interface.name}" dstip={ip_out:destination.ip} dstport={port_low:destination.port} '
    'dstintf="{iface:observer.egress.interface.name}"'
)
_TRAFFIC = (
    'policyid={rule_id:rule.id} policyname="{rule:rule.name}" service="{app:network.application}" '
    "duration={small} sentbyte={bytes:source.bytes} rcvdbyte={bytes:destination.bytes} "
    "sentpkt={count:source.packets} rcvdpkt={count:destination.packets}"
)

IRONGATE = Source(
    name="irongate.utm",
    zone=-300,
    head='<{pri}>date={ts_kv:@timestamp} devname="{host_fw:observer.name}" '
    'devid="IG{serial:observer.serial_number}" ',
    shapes={
        "traffic": 'logid="{!0000000013:event.code}" type="traffic" subtype="forward" '
        f'level="{{level_low:log.level}}" vd="root" {_ENDS} sessionid={{conn}} '
        f'proto=6 action="{{action:event.action}}" {_TRAFFIC}',
        "traffic_user": 'logid="{!0000000013:event.code}" type="traffic" subtype="forward" '
        f'level="{{level_low:log.level}}" vd="root" user="{{user:source.user.name}}" '
        f'group="{{group:source.user.group.name}}" {_ENDS} action="{{action:event.action}}" '
        f"{_TRAFFIC}",
        "local": 'logid="{!0001000014:event.code}" type="traffic" subtype="local" '
        f'level="{{level_low:log.level}}" {_ENDS} action="{{action:event.action}}"',
        "web": 'logid="{!0316013056:event.code}" type="utm" subtype="webfilter" '
        f'level="{{level_low:log.level}}" {_ENDS} hostname="{{domain:url.domain}}" '
        'url="{path:url.path}" action="{action:event.action}" '
        'catdesc="{category:rule.category}"',
        "virus": 'logid="{!0211008192:event.code}" type="utm" subtype="virus" '
        f'level="{{level_low:log.level}}" {_ENDS} filename="{{file:file.name}}" '
        'virus="{threat:rule.name}" msg="File is infected."',
        "vpn": 'logid="{!0101039947:event.code}" type="event" subtype="vpn" '
        'level="{level_low:log.level}" logdesc="SSL VPN tunnel up" '
        'action="{!tunnel-up:event.action}" remip={ip_out:source.ip} '
        'user="{user:source.user.name}" reason="{reason:event.reason}"',
        "admin": 'logid="{!0100032001:event.code}" type="event" subtype="system" '
        'level="{level_low:log.level}" logdesc="Admin login" user="{user:source.user.name}" '
        'ui="ssh({ip_in:source.ip})" action="login" status="{outcome:event.outcome}"',
        "dhcp": 'logid="{!0100026001:event.code}" type="event" subtype="system" '
        'level="{level_low:log.level}" interface="{iface:observer.ingress.interface.name}" '
        'mac="{mac:source.mac}" ip={ip_in:source.ip} hostname="{host_ws:source.domain}" '
        "lease=86400",
        "cpu": 'logid="0100040704" type="event" subtype="system" level="{level_low:log.level}" '
        'logdesc="System performance statistics" cpu={small} mem={small}',
    },
)

_CEF_ENDS = "src={ip_in:source.ip} spt={port:source.port} dst={ip_out:destination.ip} "

SENTRA = Source(
    name="sentra.endpoint",
    head="{ts_bsd} {host_srv} CEF:0|Sentra|Endpoint|{version:observer.version}|",
    shapes={
        "process": "{!PROC_START:event.code}|Process started|{small:event.severity}|"
        "rt={ts_epoch_ms:@timestamp} dvchost={host_ws:host.hostname} suser={user:user.name} "
        "sproc={program_win:process.executable} spid={pid:process.pid} "
        "fileHash={sha256:process.hash.sha256}",
        "network": "{!NET_CONN:event.code}|Connection|{small:event.severity}|"
        f"rt={{ts_epoch_ms:@timestamp}} {_CEF_ENDS}dpt={{port_low:destination.port}} "
        "proto={proto_up:network.transport} dvchost={host_ws:host.hostname}"
        "[? suser={user:user.name}?] out={bytes:source.bytes}",
        "malware": "{!MAL_FOUND:event.code}|Malware found|{small:event.severity}|"
        "rt={ts_epoch_ms:@timestamp} dvchost={host_ws:host.hostname} duser={user:user.name} "
        "fname={file_win:file.path} fileHash={md5:file.hash.md5} cs1={threat:rule.name} "
        "cs1Label=ThreatName act={action_up:event.action}",
        "usb": "{!USB_MOUNT:event.code}|Removable media|{small:event.severity}|"
        "rt={ts_epoch_ms:@timestamp} dvchost={host_ws:host.hostname} suser={user:user.name} "
        "deviceExternalId={guid:device.id} act={action_up:event.action}",
        "login": "{!LOGON:event.code}|User logon|{small:event.severity}|"
        "rt={ts_epoch_ms:@timestamp} dvchost={host_ws:host.hostname} suser={user:user.name} "
        "sntdom={domain_name:user.domain} src={ip_in:source.ip} outcome={outcome:event.outcome}",
        "policy": "{!POL_CHANGE:event.code}|Policy changed|{small:event.severity}|"
        "rt={ts_epoch_ms:@timestamp} suser={user:user.name} msg=policy {policy:rule.ruleset} "
        "was changed",
        "heartbeat": "BEAT|Heartbeat|0|dvchost={host_ws:host.hostname}",
    },
)

_TAB = "\t"

PROXIMA = Source(
    name="proxima.proxy",
    zone=60,
    head="{ts_bsd} {host_srv:observer.hostname} LEEF:1.0|Proxima|WebGate|{version}|",
    shapes={
        "request": _TAB.join((
            "{!allowed:event.action}|devTime={ts_sql:@timestamp}",
            "src={ip_in:source.ip,client.ip}", "srcPort={port:source.port}",
            "dst={ip_out:destination.ip,server.ip}", "dstPort={port_low:destination.port}",
            "usrName={user:user.name}", "url={url:url.original}",
            "method={method:http.request.method}", "status={status:http.response.status_code}",
            "bytesIn={bytes:http.response.bytes}",
        )),
        "blocked": _TAB.join((
            "{!blocked:event.action}|devTime={ts_sql:@timestamp}",
            "src={ip_in:source.ip,client.ip}", "usrName={user:user.name}", "url={url:url.original}",
            "cat={category:rule.category}", "policy={policy:rule.name}",
            "userAgent={agent:user_agent.original}",
        )),
        "login": _TAB.join((
            "{!login:event.action}|devTime={ts_sql:@timestamp}", "src={ip_in:source.ip,client.ip}",
            "usrName={domain_name:user.domain}\\{user:user.name}", "result={outcome:event.outcome}",
        )),
        "download": _TAB.join((
            "{!download:event.action}|devTime={ts_sql:@timestamp}",
            "src={ip_in:source.ip,client.ip}", "fileName={file:file.path}",
            "sha256={sha256:file.hash.sha256}",
            "verdict={severity_word}",
        )),
        "stats": _TAB.join((
            "stats|devTime={ts_sql:@timestamp}", "sessions={count}", "load={seconds}",
        )),
    },
)  # fmt: skip
