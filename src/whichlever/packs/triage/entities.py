"""Who and what an alert is about, so that alerts of one incident can be linked: host, account,
addresses. Exact values, unlike the rendering's: these never reach a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from whichlever.data.linking import entity
from whichlever.packs.triage.elastic import elastic_alert, involved_in_alert
from whichlever.packs.triage.flatten import flatten
from whichlever.packs.triage.ocsf import involved_in_finding, is_finding
from whichlever.packs.triage.reader import Record, product
from whichlever.packs.triage.render import alert_in

_ADDRESSES = frozenset({"srcip", "dstip", "src_ip", "dest_ip", "source_ip", "destination_ip"})
_ACCOUNTS = frozenset({"srcuser", "dstuser", "targetusername", "subjectusername", "username"})
_PLAIN = {
    "host": (
        "host", "hostname", "host_name", "host.name", "computer", "agent.name", "device",
        "device.hostname", "device.name",
    ),
    "user": (
        "user", "username", "user_name", "user.name", "account", "actor.email", "actor.user.name",
    ),
    "address": (
        "src_ip", "dest_ip", "srcip", "dstip", "source.ip", "destination.ip", "client.ip",
        "sourceipaddress", "source_ip", "destination_ip", "ip", "host.ip", "device.ip",
        "src_endpoint.ip", "dst_endpoint.ip",
    ),
}  # fmt: skip
_TIMES = ("timestamp", "@timestamp", "time", "eventTime", "event_time", "ts", "published")


def entities(record: Record) -> tuple[str, ...]:
    """The host, accounts and addresses that a record names, each once, in a steady order."""
    alert = alert_in(record)[0]
    kind = product(alert)
    if (document := elastic_alert(record)) is not None:
        named: Iterable[tuple[str, Any]] = involved_in_alert(document)
    elif is_finding(record):
        named = involved_in_finding(record)
    elif kind == "wazuh":
        named = _wazuh(alert)
    elif kind == "suricata":  # its "host" is the sensor, not who was attacked
        named = (("address", alert.get(end)) for end in ("src_ip", "dest_ip"))
    else:
        named = _plain(alert)
    found = (entity(what, value) for what, value in named)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def moment(record: Record) -> float | None:
    """When the alert was written, in seconds since 1970 UTC; None where the record does not say."""
    for place in (record, alert_in(record)[0]):
        for key in _TIMES:
            found = _seconds(place.get(key))
            if found is not None:
                return found
    return None


def _wazuh(alert: Record) -> Iterator[tuple[str, Any]]:
    agent = alert.get("agent")
    if isinstance(agent, Mapping):
        yield "host", agent.get("name")
        yield "address", agent.get("ip")
    yield from _leaves(alert.get("data"))


def _leaves(data: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON value
    """Addresses and accounts at any depth of a decoded event."""
    if not isinstance(data, Mapping):
        return
    for path, value in flatten(data)[0]:
        last = path.rsplit(".", 1)[-1].lower()
        if last in _ADDRESSES:
            yield "address", value
        elif last in _ACCOUNTS:
            yield "user", value


def _plain(alert: Record) -> Iterator[tuple[str, Any]]:
    values = {path.lower(): value for path, value in flatten(alert)[0]}
    for kind, names in _PLAIN.items():
        yield from _known(kind, names, values)


def _known(kind: str, names: Iterable[str], values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in values:
            yield kind, values[name]


def _seconds(value: Any) -> float | None:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        number = float(value)
        while abs(number) > 1e11 and number == number and abs(number) < 1e20:
            number /= 1000  # milli-, micro- or nanoseconds
        return number if abs(number) <= 1e11 else None
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
