"""Applications: JSON, a Java server with stack traces, a database."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

LEDGER = Source(
    name="ledger.api",
    head='{{"time":"{ts_utc:@timestamp}","level":"{level:log.level}",',
    shapes={
        "request": '"msg":"request","method":"{method:http.request.method}",'
        '"path":"{path:url.path}","status":{status:http.response.status_code},'
        '"client":"{ip_out:client.ip,source.ip}","bytes":{bytes:http.response.body.bytes},'
        '"trace":"{guid:trace.id}"}}',
        "login": '"msg":"login",'
        '"user":{{"name":"{user:user.name}","roles":["{group:user.roles}"]}},'
        '"client":"{ip_out:client.ip,source.ip}","outcome":"{outcome:event.outcome}"}}',
        "audit": '"msg":"audit","action":"{verb:event.action}",'
        '"user":{{"name":"{user:user.name}"}},'
        '"object":{{"table":"{table}","id":{seq:event.id}}},"trace":"{guid:trace.id}"}}',
        "error": '"msg":"{message}","logger":"{class:log.logger}","trace":"{guid:trace.id}",'
        '"error":{{"type":"{exception:error.type}","line":{count}}}}}',
        "job": '"msg":"job done","job":"{verb}-{table}","seconds":{seconds},'
        '"host":"{fqdn:host.name}"}}',
        "started": '"msg":"listening","port":8080}}',
    },
)

_TRACE = (
    "\n\tat {class}.run({source_line}:{count})\n\tat {class}.call({source_line}:{count})"
    "[?\n\tat java.base/java.lang.Thread.run(Thread.java:1583)?]"
)

ORCHARD = Source(
    name="orchard.server",
    zone=120,
    head="{ts_sql_comma:@timestamp} ",
    shapes={
        "info": "{level:log.level}  [{thread:process.thread.name}] {class:log.logger} - {message}",
        "slow": "WARN  [{thread:process.thread.name}] {class:log.logger} - slow query took "
        "{count} ms for user {user:user.name}",
        "failed": "{!ERROR:log.level} [{thread:process.thread.name}] {class:log.logger} - {message}"
        f"\n{{exception:error.type}}: {{reason:error.message}}{_TRACE}",
        "caused": "{!ERROR:log.level} [{thread:process.thread.name}] {class:log.logger} - request "
        f"{{guid:trace.id}} failed\n{{exception:error.type}}: {{reason:error.message}}{_TRACE}"
        f"\nCaused by: {{exception}}: {{reason}}{_TRACE}\n\t... {{count}} more",
        "session": "{level:log.level}  [{thread:process.thread.name}] {class:log.logger} - session "
        "{guid:event.id} of {user:user.name}@{ip_in:client.ip,source.ip} opened",
        "mail": "{level:log.level}  [{thread:process.thread.name}] {class:log.logger} - mail to "
        "{mail:email.to.address} queued",
        "gc": "{level:log.level}  [gc] Pause Young {bytes}K->{bytes}K {seconds}s",
    },
)

QUARRY = Source(
    name="quarry.database",
    head="{ts_sql_ms:@timestamp} UTC [{pid:process.pid}] ",
    shapes={
        "statement": "{user:user.name}@{database} LOG:  duration: {seconds} ms  statement: "
        "{sql}",
        "connect": "LOG:  connection received: host={ip_in:client.ip,source.ip} "
        "port={port:client.port,source.port}",
        "authorized": "{user:user.name}@{database} LOG:  connection authorized: user={=user.name} "
        "database={database}",
        "failed": "{user:user.name}@{database} FATAL:  password authentication failed for user "
        '"{=user.name}"\n\tDetail: Connection matched pg_hba line {small}',
        "syntax": "{user:user.name}@{database} ERROR:  relation \"{table}\" does not exist at "
        "character {count}\n\tStatement: {sql}",
        "checkpoint": "LOG:  checkpoint complete: wrote {count} buffers ({small}.{small}%)",
        "deadlock": "{user:user.name}@{database} ERROR:  deadlock detected\n\tDetail: Process "
        "{=process.pid} waits for ShareLock on transaction {seq}; blocked by process {pid}.",
        "audit": "AUDIT:  SESSION,{seq:event.sequence},1,WRITE,UPDATE,TABLE,public.{table},"
        '"{sql}",<none>',
    },
)  # fmt: skip
