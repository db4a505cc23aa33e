"""``POST /v1/mail``: one mail's verdict with its reasons, as ``whichlever mail scan`` gives it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Any

from whichlever.errors import DataError, InputError
from whichlever.runtime.bundle import Bundle
from whichlever.serve.calls import Call, Problem, Reply, reply
from whichlever.serve.settings import Settings
from whichlever.serve.wire import NotJson, loaded

if TYPE_CHECKING:
    from whichlever.runtime.mail_judge import MailJudge
    from whichlever.serve.app import Server

MAIL = "message/rfc822"

Json = dict[str, Any]


def mail_judge(bundle: Bundle, settings: Settings) -> MailJudge | None:
    """What judges mail with this bundle; None where it does not read mail.

    Raises
    ------
    InputError
        The bundle does not read mail though files for mail are given, or these cannot be used.
    """
    given = settings.company is not None or settings.history is not None
    given = given or settings.profiles is not None
    # Else a server of other bundles would need what reads mail.
    possible = "phishing" in bundle.manifest.labels and bundle.manifest.reader.pack is not None
    if possible:
        from whichlever.runtime.mail_judge import MailJudge, reads_mail

        if reads_mail(bundle):
            return MailJudge.over(
                bundle, company=settings.company, history=settings.history,
                threshold=settings.threshold, profiles=settings.profiles,
                profile_key=settings.profile_key,
            )  # fmt: skip
    if given:
        raise InputError(
            f"{settings.bundle} does not read mail; --company, --history and --profiles are for "
            "a bundle of pack: phishing"
        )
    return None


async def answer_mail(server: Server, call: Call) -> Reply:
    """Judge the mail of a request."""
    async with server.state.using() as taken:
        judge = taken.judge
        if judge is None:
            raise Problem(404, "This bundle does not read mail", "ask /v1/predict")
        raw = mail_of(call, await server.body(call, (MAIL, "application/json")))
        server.admit(call, 1)
        mail = await server.waited(asyncio.to_thread(judge.read, raw))
        assert mail.row is not None  # a judge with a bundle renders
        answers, _ = await server.answered(taken, [mail.row])
        try:
            found = await server.waited(asyncio.to_thread(judge.verdict, mail, answers[0]))
        except DataError:
            raise Problem(503, "The model gave no answer") from None
    server.state.metrics.mails.labels(found.verdict).inc()
    line = {**found.line(""), "id": 0}
    if server.inputs is not None:
        server.inputs.write([mail.row.text], [line])
    return reply(line)


def mail_of(call: Call, body: bytes) -> bytes:
    """The bytes of a mail: the body itself, or ``mail`` of a JSON object, in base64.

    Raises
    ------
    Problem
        400 or 422: there is none in it.
    """
    if not call.kind.endswith("json"):
        if not body:
            raise Problem(422, "There is no mail")
        return body
    try:
        given = loaded(body)
    except NotJson:
        raise Problem(400, "The body is not JSON") from None
    if not isinstance(given, dict):
        raise Problem(400, "The body is not a JSON object")
    said = given.get("mail")
    if given.keys() != {"mail"} or not isinstance(said, str) or not said:
        raise Problem(422, "mail is to be a mail's bytes in base64, and nothing else is known")
    try:
        return base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(422, "mail is not base64") from None


EXAMPLE = (
    b"From: Ada Example <ada@partner.example>\r\nTo: bo@company.example\r\n"
    b"Subject: Minutes\r\n\r\nThe minutes of our meeting are attached.\r\n"
)
"""A made-up mail; what stands beside it is what the bundle really says to it."""


def schemas(judge: MailJudge) -> Json:
    """What the description says of mail."""
    answer = {**judge.line(EXAMPLE, ""), "id": 0}
    texts = {"type": "array", "items": {"type": "string"}}
    return {
        "Mail": {
            "type": "object",
            "required": ["mail"],
            "additionalProperties": False,
            "properties": {
                "mail": {
                    "type": "string",
                    "contentEncoding": "base64",
                    "minLength": 4,
                    "pattern": "^([A-Za-z0-9+/]{4})+$",
                }
            },
            "example": {"mail": base64.b64encode(EXAMPLE).decode()},
        },
        "MailVerdict": {
            "type": "object",
            "required": ["id", "verdict", "score", "reasons", "signals"],
            "properties": {
                "id": {"type": "integer"},
                "verdict": {"enum": ["phishing", "suspicious", "legitimate"]},
                "score": {"type": "number", "minimum": 0, "maximum": 1},
                "reasons": texts,
                "signals": texts,
            },
            "example": answer,
        },
    }
