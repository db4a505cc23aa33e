# ruff: noqa: E501 - a wording is read more easily whole
"""What simulated people say: each thought in several wordings, of which each person has favourites."""

from __future__ import annotations

THOUGHTS: dict[str, tuple[str, ...]] = {
    "status": (
        "the {project} work is on track for {day}",
        "we are roughly where we should be with {project}",
        "good progress on {project}, two points open",
        "{project} slipped a little; I expect it by {day}",
        "quick update on {project}: nothing dramatic",
        "just so you know, {project} moved to {day}",
    ),
    "meeting": (
        "can we move our {day} slot to the afternoon",
        "I would suggest we meet {day} and settle {project}",
        "let's sit down on {day} about {project}",
        "would {day} at ten work for you",
        "shall I book a room for {day}",
        "how about a short call {day}",
    ),
    "question": (
        "do you have the numbers for {project}",
        "who on your side looks after {project} now",
        "could you send me the latest draft for {project}",
        "I was wondering whether {project} needs another review",
        "any news from {vendor}",
        "did {vendor} ever come back to you",
    ),
    "document": (
        "I have put the minutes in the shared folder",
        "the draft is in the usual place",
        "please find my comments in the margin",
        "see the second tab for the corrected figures",
        "the slides are ready, have a look when you can",
        "I marked the open points in yellow",
    ),
    "reason": (
        "because the customer asked again",
        "since {vendor} changed the dates",
        "as agreed in the last review",
        "given what we saw last quarter",
        "so that nobody is surprised later",
        "which should make the audit easier",
    ),
    "payment": (
        "{vendor} sent invoice {number}, {amount}; it is fine from my side, please release it",
        "could you schedule the payment to {vendor} for {day}, {amount}, invoice {number}",
        "invoice {number} from {vendor} over {amount} is approved",
        "we still owe {vendor} {amount}, invoice {number}; can it go out this week",
    ),
    "thanks": (
        "thank you for the quick turnaround",
        "much appreciated",
        "thanks a lot for taking care of this",
        "great work by the whole team",
        "that helped a great deal",
        "good stuff",
    ),
}

GREETINGS = (
    "Hi {to},",
    "Hello {to},",
    "Dear {to},",
    "{to},",
    "Hey {to}",
    "Good morning {to},",
    "Hi all,",
    "",
)
CLOSINGS = ("Best,\n{me}", "Kind regards,\n{me}", "Thanks,\n{me}", "Cheers\n{me}", "{i}", "Best regards\n{full}",
            "Many thanks and best wishes,\n{me}", "- {me}")  # fmt: skip
JOINERS = (". ", ". ", "; ", " - ", ", and ", "... ", ". Also, ", ". By the way, ")
SWAPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("please", ("please", "pls", "kindly", "would you")),
    ("we are", ("we are", "we're", "were")),
    ("I am", ("I am", "I'm", "i'm")),
    ("I have", ("I have", "I've", "i've")),
    ("could you", ("could you", "can you", "would you", "would you mind to")),
    ("very", ("very", "really", "quite", "rather")),
    (" and ", (" and ", " & ", " and also ", " plus ")),
    ("let's", ("let's", "let us", "lets")),
)

PROJECTS = ("Falcon", "the warehouse move", "the audit file", "Q3 planning", "the Lyon rollout", "the new payroll",
            "the tender", "Basalt", "customer onboarding", "the fleet contract")  # fmt: skip
LATER_PROJECTS = ("Granite", "the Porto office", "year end closing", "the insurer's review")
VENDORS = (
    "Hartmann Logistik",
    "Bluefin Print",
    "Okoro & Sons",
    "Delta Cleaning",
    "Nordlys IT",
    "Marlow Catering",
)
LATER_VENDORS = ("Costa Freight", "Zephyr Energy")
DAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "next week",
    "the 14th",
    "the end of the month",
)

NEWS = (
    "This month in {topic}: {a}. {b}. Read the full story on our site.",
    "Our autumn offer on {topic} ends soon. {a}. {b}.",
    "Webinar: {topic} for busy teams. {a}. Seats are limited, register now.",
)
NEWS_TOPICS = (
    "office furniture",
    "payroll law",
    "cloud backup",
    "team travel",
    "coffee machines",
    "data protection",
)
NEWS_LINES = ("Save on every order this week", "Three readers tell how they did it", "What changes on 1 January",
              "Five questions to ask your supplier", "Members get early access", "Our experts answer your questions")  # fmt: skip
NOTICES = (
    ("Your password was changed", "The password of your account {user} was changed on {day}. If this was you, there is "
     "nothing to do. If not, contact the service desk on extension 4400."),
    ("Your parcel is on its way", "Order {number} has left our warehouse and will arrive {day}. Track it in your account."),
    ("Invoice {number}", "Please find attached our invoice {number} over {amount} for the services of last month. "
     "Payment within 30 days to the account you know."),
    ("Reminder: mandatory training", "Your course on data protection is due {day}. Open the learning portal to start it."),
    ("Backup report", "Job nightly-{number} finished with 0 errors and 2 warnings. 14 files were skipped."),
)  # fmt: skip
"""Legitimate mail that talks about passwords, parcels and money, as real mail does."""

CAMPAIGNS: tuple[dict[str, str], ...] = (
    {"id": "mailbox-full", "name": "IT Helpdesk", "domain": "storage-quota.test", "subject": "Mailbox almost full",
     "text": "Your mailbox has used 98% of its storage and will stop receiving messages today. Verify your account to "
             "keep your mail.", "link": "Keep my mail", "shown": ""},
    {"id": "parcel-fee", "name": "Parcel Service", "domain": "track-parcel.test", "subject": "Delivery failed: {number}",
     "text": "We could not deliver your parcel {number}. A fee of 1.95 is outstanding. Pay now or the parcel is returned.",
     "link": "Pay the fee", "shown": "www.parcelservice.example"},
    {"id": "shared-file", "name": "Shared Documents", "domain": "docs-view.test", "subject": "{first} shared a file with you",
     "text": "{first} {last} has shared 'Salary review.xlsx' with you. The link expires in 24 hours. Sign in to open it.",
     "link": "Open document", "shown": ""},
    {"id": "ceo-fraud", "name": "{ceo}", "domain": "executive-mail.test", "subject": "Are you at your desk?",
     "text": "I am in a meeting and cannot talk. I need you to handle a confidential payment of {amount} before noon. "
             "Reply with the bank form, do not call me.", "link": "", "shown": ""},
    {"id": "lookalike-invoice", "name": "Hartmann Logistik Accounts", "domain": "hartmann-logistlk.test",
     "subject": "Updated bank details, invoice {number}",
     "text": "Please note that our bank account has changed. Kindly pay invoice {number} of {amount} to the new account "
             "in the attached letter and confirm today.", "link": "", "shown": ""},
    {"id": "tax-refund", "name": "Tax Office", "domain": "refund-portal.test", "subject": "Your refund of {amount}",
     "text": "After the last calculation you are entitled to a refund of {amount}. Submit your card details within 48 hours.",
     "link": "Claim refund", "shown": "www.taxoffice.example"},
    {"id": "mfa-reset", "name": "Security Team", "domain": "account-guard.test", "subject": "Action required: sign-in expires",
     "text": "Your two-step sign-in expires today. Accounts that are not renewed will be suspended. Renew it now to avoid "
             "losing access.", "link": "Renew sign-in", "shown": ""},
    {"id": "voicemail", "name": "Voice Message", "domain": "vm-center.test", "subject": "New voice message 0:47",
     "text": "You have one new voice message from an unknown caller. Open the attachment to listen.", "link": "", "shown": ""},
)  # fmt: skip
LATER_CAMPAIGNS = ("mfa-reset", "tax-refund", "voicemail")
"""Campaigns that come only in the later months: no training row has seen them."""
