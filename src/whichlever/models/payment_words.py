# ruff: noqa: E501 - wordings are read more easily whole
"""Simulated sentences that ask for a payment, to learn what asking sounds like.

They are made of parts, from a seed, and stand for no real mail.
"""

from __future__ import annotations

import random

_OPEN = (
    "please", "could you please", "kindly", "can you", "I need you to", "would you", "you need to",
    "make sure to", "I want you to", "we must", "you are requested to", "let's", "do me a favour and",
    "just", "go ahead and", "before noon", "today,", "urgently",
)  # fmt: skip
_DO = (
    "transfer {money} to {where}", "wire {money} to {where}", "pay {what} of {money}",
    "settle {what} {when}", "process a payment of {money} {when}", "send {money} to {where}",
    "release the payment for {what}", "arrange a wire transfer of {money}", "approve {what} {when}",
    "buy {cards} and send me the codes", "purchase {cards} for the clients", "update {account} for {what}",
    "change my {account} before the next payroll", "deposit {money} into {where}",
    "initiate a bank transfer to {where}", "make the payment for {what} {when}", "forward {money} via wire",
    "have accounting pay {what}", "remit {money} {when}", "advance {money} for {what}",
)  # fmt: skip
_MONEY = ("{n} EUR", "${n}", "{n} dollars", "£{n}", "{n},000", "the amount of {n}", "{n}.00 USD", "{n}k",
          "the outstanding amount", "the balance", "the deposit", "the full amount")  # fmt: skip
_WHERE = ("the new bank account", "the account below", "our supplier", "the attached bank details",
          "this IBAN", "the new beneficiary", "the vendor", "the following account", "their bank in Hong Kong",
          "the account I will send you", "the lawyer's escrow account")  # fmt: skip
_WHAT = ("the invoice", "the attached invoice", "invoice {n}", "this bill", "the overdue invoice",
         "the vendor's invoice", "the consulting fee", "the acquisition", "the shipping fee", "the subscription")  # fmt: skip
_WHEN = ("today", "before the end of the day", "right away", "as soon as possible", "by noon", "immediately",
         "this afternoon", "within the hour", "now", "asap", "first thing tomorrow")  # fmt: skip
_CARDS = ("five gift cards", "some Amazon gift cards", "iTunes cards", "gift cards worth ${n}")
_ACCOUNT = (
    "the bank details",
    "direct deposit",
    "our payment information",
    "the account number",
    "the IBAN",
)
_MORE = (
    "", "", "", " and confirm when it is done", ", it is confidential", " and keep this between us",
    ", I am in a meeting", " without delay", " and send me the receipt", ", I will explain later",
    ". Let me know once paid", " as we discussed", ", the supplier is waiting", " and reply with the slip",
)  # fmt: skip
_STATE = (
    "Our bank account has changed, please use the new details for {what}.",
    "The payment for {what} is overdue and must be made {when}.",
    "I need this wire to go out {when}.",
    "Are you able to process a transfer {when}?",
    "Can you handle a payment of {money} for me {when}?",
    "What is the balance of our account?",
    "We have not received your payment of {money} for {what}.",
    "Attached are the new bank details for the transfer of {money}.",
    "How soon can you get the payment done?",
    "Send the money to {where} and let me know.",
    "Please find attached {what}, payable {when}.",
)


def payment_sentences(count: int, seed: int) -> list[str]:
    """``count`` simulated sentences that ask for money, a transfer, gift cards or new bank details."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        frame = draw.choice(_STATE) if draw.random() < 0.25 else (
            f"{draw.choice(_OPEN)} {draw.choice(_DO)}{draw.choice(_MORE)}"
            + draw.choice((".", ".", "!", "", "?"))
        )  # fmt: skip
        for _ in range(2):
            frame = frame.format(
                money=draw.choice(_MONEY), where=draw.choice(_WHERE), what=draw.choice(_WHAT),
                when=draw.choice(_WHEN), cards=draw.choice(_CARDS), account=draw.choice(_ACCOUNT),
                n="{n}",
            )  # fmt: skip
        frame = frame.replace("{n}", str(draw.randint(2, 9) * 10 ** draw.randint(1, 4)))
        found.append(frame[0].upper() + frame[1:] if draw.random() < 0.8 else frame)
    return found
