"""Services on servers: secure shell, privilege, mail, names."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

_FROM = "from {ip:source.ip,source.address} port {port:source.port} ssh2"

SSH = Source(
    name="shelld.auth",
    zone=60,
    head="{ts_bsd:@timestamp} {host_srv:host.hostname} ",
    shapes={
        "failed": f"sshd[{{pid:process.pid}}]: Failed password for {{user:user.name}} {_FROM}",
        "invalid": f"sshd[{{pid:process.pid}}]: Failed password for invalid user "
        f"{{user:user.name}} {_FROM}",
        "accepted": f"sshd[{{pid:process.pid}}]: Accepted password for {{user:user.name}} {_FROM}",
        "key": f"sshd[{{pid:process.pid}}]: Accepted publickey for {{user:user.name}} {_FROM}: "
        "{key_type} {fingerprint}",
        "invalid_user": "sshd[{pid:process.pid}]: Invalid user {user:user.name} from "
        "{ip_out:source.ip,source.address}[? port {port:source.port}?]",
        "closed": "sshd[{pid:process.pid}]: Connection closed by authenticating user "
        "{user:user.name} {ip:source.ip,source.address} port {port:source.port} [preauth]",
        "disconnect": "sshd[{pid:process.pid}]: Received disconnect from "
        "{ip:source.ip,source.address} port {port:source.port}:11: Bye Bye [preauth]",
        "opened": "sshd[{pid:process.pid}]: pam_unix(sshd:session): session opened for user "
        "{user:user.name} by (uid=0)",
        "shut": "sshd[{pid:process.pid}]: pam_unix(sshd:session): session closed for user "
        "{user:user.name}",
        "pam": "sshd[{pid:process.pid}]: pam_unix(sshd:auth): authentication failure; "
        "logname= uid=0 "
        "euid=0 tty=ssh ruser= rhost={ip:source.ip,source.address}[? user={user:user.name}?]",
        "sudo": "sudo:    {user:user.name} : TTY=pts/{small} ; PWD=/home/{=user.name} ; "
        "USER={service:user.effective.name} ; COMMAND={file:process.executable}",
        "su": "su[{pid:process.pid}]: (to {service:user.effective.name}) {user:user.name} on pts/"
        "{small}",
        "cron": "CRON[{pid:process.pid}]: (root) CMD (run-parts /etc/cron.hourly)",
        "useradd": "useradd[{pid:process.pid}]: new user: name={user:user.name}, "
        "UID={pid:user.id}, GID={pid:group.id}, home=/home/{=user.name}, shell=/bin/bash",
        "listening": "sshd[{pid:process.pid}]: Server listening on 0.0.0.0 port 22.",
        "max": "sshd[{pid:process.pid}]: error: maximum authentication attempts exceeded for "
        f"{{user:user.name}} {_FROM} [preauth]",
    },
)

MAIL = Source(
    name="postmill.mail",
    head="{ts_iso_s:@timestamp} {host_srv:host.hostname} ",
    shapes={
        "from": "postmill/queue[{pid:process.pid}]: {hex12:email.message_id}: "
        "from=<{mail:email.from.address}>, size={bytes}, nrcpt={small} (queue active)",
        "sent": "postmill/smtp[{pid:process.pid}]: {hex12:email.message_id}: "
        "to=<{mail:email.to.address}>, relay={domain:destination.domain}"
        "[{ip_out:destination.ip}]:25, delay={seconds}, dsn=2.0.0, status=sent (250 ok)",
        "bounced": "postmill/smtp[{pid:process.pid}]: {hex12:email.message_id}: "
        "to=<{mail:email.to.address}>, relay=none, delay={seconds}, dsn=5.1.1, status=bounced "
        "({reason:event.reason})",
        "connect": "postmill/smtpd[{pid:process.pid}]: connect from {domain:source.domain}"
        "[{ip_out:source.ip}]",
        "reject": "postmill/smtpd[{pid:process.pid}]: NOQUEUE: reject: RCPT from "
        "{domain:source.domain}[{ip_out:source.ip}]: 554 5.7.1 blocked; "
        "from=<{mail:email.from.address}> to=<{mail:email.to.address}> proto=ESMTP "
        "helo=<{=source.domain}>",
        "subject": "postmill/cleanup[{pid:process.pid}]: {hex12:email.message_id}: info: header "
        "Subject: {subject:email.subject}",
        "removed": "postmill/queue[{pid:process.pid}]: {hex12:email.message_id}: removed",
        "sasl": "postmill/smtpd[{pid:process.pid}]: warning: {domain:source.domain}"
        "[{ip_out:source.ip}]: SASL LOGIN authentication failed: {reason:event.reason}",
        "tls": "postmill/smtpd[{pid:process.pid}]: Anonymous TLS connection established from "
        "{domain:source.domain}[{ip_out:source.ip}]: TLSv1.3 with cipher "
        "{!TLS_AES_256_GCM_SHA384:tls.cipher} (256/256 bits)",
    },
)

NAMES = Source(
    name="resolv.dns",
    zone=330,
    head="{ts_dmy:@timestamp} ",
    shapes={
        "query": "queries: info: client @0x{hex12} {ip_in:source.ip,client.ip}#{port:source.port} "
        "({domain:dns.question.name}): query: {=dns.question.name} IN {qtype:dns.question.type} "
        "+E(0)K ({ip_in:server.ip})",
        "denied": "security: info: client @0x{hex12} {ip:source.ip,client.ip}#{port:source.port} "
        "({domain:dns.question.name}): query (cache) '{=dns.question.name}/"
        "{qtype:dns.question.type}/IN' denied",
        "answer": "responses: info: {ip_in:client.ip,source.ip} {domain:dns.question.name} "
        "{qtype:dns.question.type} {rcode:dns.response_code} {ip_out:dns.resolved_ip}"
        "[?,{ip_out:dns.resolved_ip}?]",
        "transfer": "xfer-out: info: client {ip_in:source.ip,client.ip}#{port:source.port}: "
        "transfer of 'corp.example/IN': AXFR started",
        "lame": "lame-servers: info: {rcode:dns.response_code} unexpected resolving "
        "'{domain:dns.question.name}/{qtype:dns.question.type}/IN': {ip_out:destination.ip}#53",
        "reload": "general: info: reloading configuration succeeded",
    },
)
