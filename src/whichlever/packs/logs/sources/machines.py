"""Windows-like event text, many lines an event."""

from __future__ import annotations

from whichlever.packs.logs.sources.source import Source

_SUBJECT = (
    "\nSubject:\n\tSecurity ID:\t\t{sid:user.id}\n\tAccount Name:\t\t{user:user.name}"
    "\n\tAccount Domain:\t\t{domain_name:user.domain}"
)

WINDOWS = Source(
    name="winhost.security",
    zone=-300,
    head="{ts_us:@timestamp} {host_ws:host.hostname} ",
    shapes={
        "logon": "EventID={!4624:event.code} An account was successfully logged on."
        f"{_SUBJECT}\n\tLogon Type:\t\t{{logon}}\n\tSource Network Address:\t"
        "{ip_in:source.ip}\n\tSource Port:\t\t{port:source.port}",
        "failed": "EventID={!4625:event.code} An account failed to log on."
        f"{_SUBJECT}\n\tFailure Reason:\t\t{{reason:event.reason}}\n\tSource Network Address:\t"
        "{ip:source.ip}",
        "process": "EventID={!4688:event.code} A new process has been created."
        f"{_SUBJECT}\n\tNew Process ID:\t\t0x{{hex8}}\n\tNew Process Name:\t"
        "{program_win:process.executable}[?\n\tCreator Process Name:\t"
        "{program_win:process.parent.executable}?]",
        "service": "EventID={!7045:event.code} A service was installed in the system. "
        "Service Name: "
        "{service:service.name} Service File Name: {program_win:process.executable} Service "
        "Account: "
        "LocalSystem",
        "cleared": f"EventID={{!1102:event.code}} The audit log was cleared.{_SUBJECT}",
        "group": f"EventID={{!4728:event.code}} A member was added to a group.{_SUBJECT}"
        "\nMember:\n\tAccount Name:\t\tcn={user:user.target.name}\nGroup:\n\tGroup Name:\t\t"
        "{group:group.name}",
        "share": f"EventID={{!5140:event.code}} A network share object was accessed.{_SUBJECT}"
        "\n\tSource Address:\t\t{ip_in:source.ip}\n\tShare Name:\t\t\\\\*\\Finance",
        "time": "EventID=4616 The system time was changed.",
    },
)
