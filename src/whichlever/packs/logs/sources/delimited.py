"""Fields told by their place: quoted csv and the request log of a web server."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

_APP = "{app:network.application},vsys1,{zone:observer.ingress.zone},{zone:observer.egress.zone}"
_WIRE = "{iface:observer.ingress.interface.name},{iface:observer.egress.interface.name}"
_ENDS = (
    "{ip_in:source.ip,client.ip,source.address},{ip_out:destination.ip,server.ip,destination."
    "address},{ip_out:source.nat.ip,client.nat.ip},{=destination.ip}"
)
_PORTS = (
    "{port:source.port,client.port},{port_low:destination.port,server.port},{port:source.nat.port}"
)

PALISADE = Source(
    name="palisade.ngfw",
    zone=-420,
    head="{ts_bsd} {host_fw:observer.hostname} 1,{ts_slash:@timestamp},"
    "{serial:observer.serial_number},",
    shapes={
        "traffic_end": f'TRAFFIC,end,2305,{{=@timestamp}},{_ENDS},"{{rule:rule.name}}",'
        f"[?{{user:source.user.name,user.name}}?],,{_APP},{_WIRE},fwd,{{conn}},1,{_PORTS},0x400053,"
        "{proto:network.transport},{action:event.action},{bytes:network.bytes},"
        "{bytes:source.bytes,client.bytes},{bytes:destination.bytes,server.bytes},"
        '{count:network.packets},{small},"{category:rule.category}",0,{seq:event.sequence},'
        "0x0,{country},{country}",
        "traffic_drop": f'TRAFFIC,drop,2305,{{=@timestamp}},{_ENDS},"{{rule:rule.name}}",,,{_APP},'
        f"{_WIRE},fwd,{{conn}},1,{_PORTS},0x0,{{proto:network.transport}},{{!deny:event.action}},"
        "{bytes:network.bytes},0,0,1,0,any,0,{seq:event.sequence},0x0,{country},{country}",
        "threat": f'THREAT,vulnerability,2305,{{=@timestamp}},{_ENDS},"{{rule:rule.name}}",,,'
        f"{_APP},"
        f"{_WIRE},fwd,{{conn}},1,{_PORTS},0x2000,{{proto:network.transport}},"
        '{action:event.action},"{path:url.path}",{threat:rule.description}({pid}),'
        '"{category:rule.category}",{severity_word:log.level},client-to-server,'
        "{seq:event.sequence}",
        "url": f'THREAT,url,2305,{{=@timestamp}},{_ENDS},"{{rule:rule.name}}",'
        f"{{user:source.user.name,user.name}},,{_APP},{_WIRE},fwd,{{conn}},1,{_PORTS},0x2000,"
        '{proto:network.transport},{action:event.action},"{domain:url.domain}{path:url.path}",'
        '(9999),"{category:rule.category}",{severity_word:log.level},{seq:event.sequence},'
        '"{agent:user_agent.original}"',
        "system": "SYSTEM,general,0,{=@timestamp},,general,,0,0,general,{severity_word:log.level},"
        '"User {user:user.name} logged in via Web from {ip_in:source.ip} using https",'
        "{seq:event.sequence}",
        "config": "CONFIG,0,0,{=@timestamp},{ip_in:source.ip},,commit,{user:user.name},Web,"
        "{outcome:event.outcome},,{seq:event.sequence}",
        "hip": "HIPMATCH,0,2305,{=@timestamp},{domain_name:user.domain}\\{user:user.name},vsys1,"
        '{host_ws:host.hostname},Windows,{ip_in:source.ip},"{policy:rule.name}",'
        "{seq:event.sequence}",
    },
)

_BY = "{ip_out:source.ip,source.address} - "
_WHEN = "[{ts_clf:@timestamp}] "
_REQUEST = '"{method:http.request.method} {path:url.path} HTTP/{http:http.version}"'
_ASKED = '"{method:http.request.method} {path:url.path}?{query:url.query} HTTP/{http:http.version}"'
_GAVE = " {status:http.response.status_code} {bytes:http.response.body.bytes}"

WEB = Source(
    name="webd.access",
    zone=120,
    shapes={
        "combined": f'{_BY}- {_WHEN}{_REQUEST}{_GAVE} "-" "{{agent:user_agent.original}}"',
        "query": f'{_BY}- {_WHEN}{_ASKED}{_GAVE} "{{url:http.request.referrer}}" '
        '"{agent:user_agent.original}"',
        "user": f'{_BY}{{user:user.name}} {_WHEN}{_REQUEST}{_GAVE} "-" '
        '"{agent:user_agent.original}"',
        "six": f"{{ip6:source.ip,source.address}} - - {_WHEN}{_REQUEST}{_GAVE}",
        "timed": f'{_BY}- {_WHEN}{_REQUEST}{_GAVE} "-" "{{agent:user_agent.original}}" '
        'rt={seconds} ua="{ip_in:destination.ip}:{port_low:destination.port}" us="200"',
        "garbage": f'{_BY}- {_WHEN}"\\x16\\x03\\x01" 400 {{bytes:http.response.body.bytes}} '
        f'"-" "-"',
        "error": "{ts_slash:@timestamp} [{level_low:log.level}] {pid:process.pid}#0: *{small} "
        "open() \"{file:file.path}\" failed (2: No such file), client: {ip_out:source.ip}, "
        "server: {domain:url.domain}",
    },
)  # fmt: skip

DHCP = Source(
    name="leasemill.dhcp",
    zone=60,
    shapes={
        "assign": "{!10:event.code},{ts_mdy:@timestamp},Assign,{ip_in:client.ip,host.ip},"
        "{host_ws:host.hostname}.corp.example,{mac_dash:client.mac},,{seq:event.sequence},0,,,,0",
        "renew": "{!11:event.code},{ts_mdy:@timestamp},Renew,{ip_in:client.ip,host.ip},"
        "{host_ws:host.hostname}.corp.example,{mac_dash:client.mac},,{seq:event.sequence},0,,,,0",
        "release": "{!12:event.code},{ts_mdy:@timestamp},Release,{ip_in:client.ip,host.ip},"
        "[?{host_ws:host.hostname}?],{mac_dash:client.mac},,{seq:event.sequence},0,,,,0",
        "update": "{!30:event.code},{ts_mdy:@timestamp},DNS Update Request,"
        "{ip_in:client.ip,host.ip},"
        "{host_ws:host.hostname}.corp.example,,,0,6,,,,0",
        "failed": "{!31:event.code},{ts_mdy:@timestamp},DNS Update Failed,"
        "{ip_in:client.ip,host.ip},"
        "{host_ws:host.hostname}.corp.example,,,0,6,,,,9005",
        "exhausted": "{!14:event.code},{ts_mdy:@timestamp},A lease request could not be satisfied,"
        "{ip_in:client.ip,host.ip},,{mac_dash:client.mac},,{seq:event.sequence},0,,,,0",
        "started": "00,{ts_mdy:@timestamp},Started,,,,,0,6,,,,0",
    },
)
