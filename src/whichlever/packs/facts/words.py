"""The simulated company's words: teams, what they own, and how alerts are phrased."""

from __future__ import annotations

TEAMS = ("badger", "heron", "lynx", "marten", "otter", "raven")
"""The labels. No alert holds one of these words; only documents do."""

STEMS = (
    "ledger", "invoice", "basket", "voucher", "courier", "tariff", "claims", "roster", "parcel",
    "mailing", "catalogue", "quota", "refund", "session", "consent", "archive", "booking", "meter",
    "permit", "pricing",
)  # fmt: skip
ENDINGS = ("api", "worker", "gateway", "store", "feed", "portal", "sync", "index")

VENDORS = ("NVX", "KLT", "ORB", "TSN", "PQM", "HDR")

FIRST = ("Alder", "Brock", "Crane", "Dunn", "Elm", "Fern", "Gorse", "Hazel", "Iver", "Kirk")
SECOND = ("moor", "ford", "wick", "dale", "stead", "brook", "field", "mere", "gate", "holt")

SYMPTOMS = {
    "service": (
        "answers one call in {n} with an error", "has not logged anything for {n} minutes",
        "restarts every {n} minutes", "uses {n} times its usual memory",
        "lets requests wait for {n} seconds", "refuses the new certificate on node {n}",
        "rejects {n} sign-ins a minute", "holds {n} messages in its queue",
        "writes {n} duplicate records an hour", "lost its connection to replica {n}",
    ),
    "code": (
        "came in {n} times since midnight", "is shown on appliance {n}",
        "was raised {n} times after the firmware update", "stands in the vendor's report, line {n}",
        "appears next to batch {n}", "was sent by probe {n} and not cleared",
        "was repeated {n} times within an hour", "is open since shift {n}",
        "is on the console of rack {n}", "came with severity {n} from the vendor",
    ),
    "site": (
        "has {n} badge readers offline", "reports {n} unknown devices on the wire",
        "lost its uplink {n} times today", "cannot print since {n} o'clock",
        "has a door alarm in hall {n}", "sees {n} failed backups",
        "has {n} stale leases", "asks why camera {n} is dark",
        "runs on its second line since {n} minutes", "lists {n} unpatched terminals",
    ),
}  # fmt: skip

SUBJECTS = {
    "service": ("{name}", "the service {name}", "{name} in production", "our {name}"),
    "code": ("Code {name}", "Vendor code {name}", "{name}", "Error {name}"),
    "site": ("{name}", "The site {name}", "The office at {name}", "{name} site"),
}

OPENINGS = (
    "", "Monitoring: ", "Ticket from the desk: ", "Night shift notes: ", "Caller says: ",
    "Handover: ", "Alert: ", "From the status page: ",
)  # fmt: skip

EFFECTS = (
    "Customers notice.", "Nobody has complained yet.", "The morning report is late because of it.",
    "A manager asked twice.", "It was quiet last week.", "The workaround did not help.",
    "It started after the weekend.", "Two analysts looked and found nothing.",
    "The dashboard turned amber.", "The audit is next week.", "There is a change freeze.",
    "It went away once and came back.",
)  # fmt: skip

ENDS = (
    "Who takes it?", "Which team should handle this?", "Route it, please.", "Where does it go?",
    "Who is responsible?", "Assign it.", "Whose is it?", "Pass it on to the right team.",
)  # fmt: skip

CURRENT = {
    "service": (
        "It is owned by team {team}.", "The owner today is team {team}.",
        "Team {team} owns and runs it.",
    ),
    "code": (
        "It is handled by team {team}.", "Send it to team {team}.",
        "Team {team} handles this code.",
    ),
    "site": (
        "On call for it is team {team}.", "Team {team} is on call here.",
        "It is looked after by team {team}.",
    ),
}  # fmt: skip

PAST = (
    "Until last year it was with team {team}.", "Team {team} had it before the reorganisation.",
    "It used to belong to team {team}.",
)  # fmt: skip

ASIDES = {
    "service": ("Releases go out on Tuesdays.", "It keeps logs for ninety days.",
                "It runs in two zones.", "Its runbook is printed in the control room."),
    "code": ("The vendor documents it poorly.", "It clears by itself after a restart.",
             "It means that a limit was reached.", "It is logged with the serial number."),
    "site": ("Deliveries arrive at the back door.", "The building closes at ten.",
             "It has two uplinks.", "Badges are issued at the front desk."),
}  # fmt: skip

MINUTES = (
    "Team {team} asked whether {name} could move its maintenance window.",
    "{name} was on the agenda again; team {team} presented.",
    "Somebody from team {team} reported a problem with {name}, since closed.",
    "The survey on {name} was filled in by team {team}.",
)

TITLES = {"service": "Service register", "code": "Vendor codes", "site": "Sites"}
