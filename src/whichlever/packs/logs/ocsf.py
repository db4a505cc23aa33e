"""ECS field names as OCSF attributes (schema.ocsf.io, version 1.1), and a parsed line as an event.

OCSF wants to know which class of event a line is; a parser of fields does not. So events are Base
Events (``class_uid`` 0), which may carry any attribute, and names without a counterpart stand under
``unmapped`` as OCSF asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whichlever.fields.nested import nest
from whichlever.fields.timestamps import instant

VERSION = "1.1.0"

_ENDPOINT = {
    "ip": "ip", "address": "ip", "port": "port", "mac": "mac", "domain": "hostname",
    "user.name": "owner.name", "user.domain": "owner.domain",
}  # fmt: skip
_TABLE = {
    "@timestamp": "time_dt", "event.start": "start_time_dt", "event.end": "end_time_dt",
    "event.code": "metadata.event_code", "event.id": "metadata.uid",
    "event.sequence": "metadata.sequence", "event.provider": "metadata.log_provider",
    "event.action": "activity_name", "event.outcome": "status", "event.reason": "status_detail",
    "event.risk_score": "risk_score",
    "log.level": "severity", "message": "message",
    "network.transport": "connection_info.protocol_name", "network.protocol": "app_name",
    "network.application": "app_name", "network.bytes": "traffic.bytes",
    "network.packets": "traffic.packets", "network.direction": "connection_info.direction",
    "source.bytes": "traffic.bytes_out", "source.packets": "traffic.packets_out",
    "destination.bytes": "traffic.bytes_in", "destination.packets": "traffic.packets_in",
    "client.bytes": "traffic.bytes_out", "server.bytes": "traffic.bytes_in",
    "user.name": "actor.user.name", "user.domain": "actor.user.domain", "user.id": "actor.user.uid",
    "user.email": "actor.user.email_addr", "user.effective.name": "user.name",
    "user.target.name": "user.name", "group.name": "group.name", "group.id": "group.uid",
    "host.hostname": "device.hostname", "host.name": "device.name", "host.ip": "device.ip",
    "host.mac": "device.mac", "host.id": "device.uid",
    "observer.hostname": "device.hostname", "observer.name": "device.name",
    "observer.ip": "device.ip", "observer.serial_number": "device.uid",
    "observer.version": "metadata.product.version",
    "observer.ingress.interface.name": "src_endpoint.interface_name",
    "observer.egress.interface.name": "dst_endpoint.interface_name",
    "observer.ingress.zone": "src_endpoint.zone", "observer.egress.zone": "dst_endpoint.zone",
    "process.pid": "process.pid", "process.name": "process.name",
    "process.executable": "process.file.path", "process.command_line": "process.cmd_line",
    "process.parent.pid": "process.parent_process.pid",
    "process.parent.executable": "process.parent_process.file.path",
    "file.name": "file.name", "file.path": "file.path", "file.size": "file.size",
    "rule.name": "firewall_rule.name", "rule.id": "firewall_rule.uid",
    "rule.category": "firewall_rule.category",
    "rule.description": "firewall_rule.desc",
    "http.request.method": "http_request.http_method", "http.version": "http_request.version",
    "http.request.referrer": "http_request.referrer", "user_agent.original":
    "http_request.user_agent", "http.request.id": "http_request.uid",
    "http.response.status_code": "http_response.code",
    "http.response.body.bytes": "http_response.length",
    "url.original": "http_request.url.url_string", "url.full": "http_request.url.url_string",
    "url.path": "http_request.url.path", "url.domain": "http_request.url.hostname",
    "url.query": "http_request.url.query_string", "url.scheme": "http_request.url.scheme",
    "url.port": "http_request.url.port",
    "dns.question.name": "query.hostname", "dns.question.type": "query.type",
    "dns.response_code": "rcode",
    "email.from.address": "email.from", "email.to.address": "email.to",
    "email.subject": "email.subject", "email.message_id": "email.message_uid",
    "tls.cipher": "tls.cipher", "tls.version": "tls.version",
    "trace.id": "metadata.correlation_uid",
}  # fmt: skip
OCSF: Mapping[str, str] = {
    **_TABLE,
    **{
        f"{side}.{name}": f"{end}.{attribute}"
        for side, end in (
            ("source", "src_endpoint"), ("client", "src_endpoint"),
            ("destination", "dst_endpoint"), ("server", "dst_endpoint"),
        )
        for name, attribute in _ENDPOINT.items()
    },
}  # fmt: skip
"""ECS name → OCSF attribute, with dots."""


def ocsf_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields under OCSF's names, with dots; nothing is lost.

    Several ECS names may be one attribute (``source.ip`` and ``client.ip``): equal values become
    one, a value that differs stands under ``unmapped``.
    """
    out: dict[str, Any] = {}
    for name, value in fields.items():
        attribute = OCSF.get(name)
        if attribute is None or out.get(attribute, value) != value:
            attribute = f"unmapped.{name}"
        out[attribute] = value
    return dict(sorted(out.items()))


def ocsf_event(
    fields: Mapping[str, Any], raw: str, source: str | None, added: Mapping[str, Any]
) -> dict[str, Any]:
    """A parsed line as an OCSF Base Event.

    Parameters
    ----------
    fields
        ECS names → values.
    added
        What the parser says of itself; it stands under ``unmapped.whichlever``.
    """
    event: dict[str, Any] = {
        "activity_id": 0, "category_uid": 0, "class_uid": 0, "type_uid": 0, "severity_id": 0,
    }  # fmt: skip
    flat = ocsf_fields(fields)
    for name in ("time", "start_time", "end_time"):
        if (moment := instant(flat.get(f"{name}_dt"))) is not None:
            event[name] = moment
    flat.setdefault("metadata.version", VERSION)
    flat.setdefault("metadata.product.vendor_name", source or "unknown")
    if isinstance(flat.get("email.to"), str):
        flat["email.to"] = [flat["email.to"]]
    event.update(nest(flat))
    event["raw_data"] = raw
    event.setdefault("unmapped", {})["whichlever"] = dict(added)
    return event
