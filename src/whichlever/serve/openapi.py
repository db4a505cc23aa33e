"""OpenAPI 3.1 of a running server, with examples that its own bundle answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from whichlever.predict import Row
from whichlever.runtime.bundle import Bundle
from whichlever.runtime.lines import answer_line
from whichlever.serve.calls import MOST_EXPLAINED, MOST_TOP
from whichlever.serve.chat import said_of_line
from whichlever.serve.chat_openapi import paths as chat_paths
from whichlever.serve.chat_openapi import schemas as chat_schemas
from whichlever.serve.mail import MAIL
from whichlever.serve.mail import schemas as mail_schemas
from whichlever.serve.settings import Settings
from whichlever.version import VERSION

if TYPE_CHECKING:
    from whichlever.runtime.mail_judge import MailJudge

EXAMPLE = "powershell.exe -enc SQBFAFgA started by winword.exe"
"""A made-up text; what stands beside it is what the bundle really says to it."""

Json = dict[str, Any]

NOT_BLANK = "[^\\u0000 \\t\\r\\n\\f\\v\\u00a0\\u200b\\ufeff]"
"""A text has something beside `whichlever.render.record.BLANK`."""


def _fields(names: Sequence[str], identity: Json, answer: Json) -> Json:
    """An answer of fields: only these names, each with where it was copied from."""
    one = {"type": ["string", "number"]}
    value = {"anyOf": [one, {"type": "array", "items": one}]}
    pieces = {
        "type": "array",
        "description": "Half-open code-point offsets into the line.",
        "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    }
    return {
        "type": "object",
        "required": ["id", "fields", "spans", "shape", "abstain"],
        "properties": {
            "id": identity,
            "fields": {
                "type": "object",
                "additionalProperties": False,
                "properties": dict.fromkeys(names, value),
            },
            "spans": {"type": "object", "additionalProperties": pieces},
            "shape": {"type": ["string", "null"]},
            "abstain": {"type": "boolean"},
        },
        "example": answer,
    }


def describe(bundle: Bundle, settings: Settings, judge: MailJudge | None = None) -> Json:
    """The document, for this bundle's labels and this server's limits; ``judge`` is of mail."""
    m = bundle.manifest
    answer = answer_line(bundle.predictor.predict([Row("0", EXAMPLE)])[0], m, id=0)
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    identity = {"type": ["string", "number", "null"]}
    text = {"type": "string", "pattern": NOT_BLANK, "maxLength": m.reader.max_chars}
    record: Json = {"type": "object"}
    if isinstance(m.reader.input, str) and not m.reader.input.startswith("/"):
        record |= {"required": [m.reader.input], "properties": {m.reader.input: text}}
    row: Json = {
        "description": "A record as the bundle reads it, or the text that its model reads.",
        "anyOf": [record, text],
    }
    explain = {"type": "integer", "minimum": 0, "maximum": MOST_EXPLAINED, "default": 0}
    top = {
        "type": "integer",
        "minimum": 1,
        "maximum": MOST_TOP,
        "description": "Scores of so many of the most probable labels; all unless given.",
    }
    why = {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["text", "weight", "spans"],
            "properties": {
                "text": {"type": "string"},
                "weight": {"type": "number"},
                "spans": {"type": "array"},
            },
        },
    }
    schemas: Json = {
        "Row": row,
        "Answer": {
            "type": "object",
            "required": ["id", "label", "abstain"],
            "properties": {
                "id": identity,
                "label": {"enum": [*m.labels, None]} if m.labels else {"type": "string"},
                "scores": {"type": "object", "additionalProperties": probability},
                "abstain": {"type": "boolean"},
                "note": {"type": "string"},
                "why": why,
            },
            "example": answer,
        } if m.kind != "extract" else _fields(m.labels, identity, answer),
        "Error": {
            "type": "object",
            "required": ["id", "error"],
            "properties": {"id": identity, "error": {"type": "string"}},
        },
        "Problem": {
            "type": "object",
            "required": ["title", "status"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
            },
        },
        "Predict": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["rows"],
                    "additionalProperties": False,
                    "properties": {
                        "rows": {"type": "array", "minItems": 1, "maxItems": settings.max_rows,
                                 "items": {"description": "A Row; anything else gets an error in "
                                           "its place."}},
                        "explain": explain,
                        "top": top,
                    },
                },
                {
                    "type": "object",
                    "required": ["row"],
                    "additionalProperties": False,
                    "properties": {"row": _ref("Row"), "explain": explain, "top": top},
                },
            ],
            "example": {"rows": [EXAMPLE]},
        },
        "Predicted": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["answers"],
                    "properties": {
                        "answers": {
                            "type": "array",
                            "items": {"anyOf": [_ref("Answer"), _ref("Error")]},
                        }
                    },
                },
                _ref("Answer"),
            ],
            "example": {"answers": [answer]},
        },
        "Classify": {
            "type": "object",
            "required": ["input"],
            "properties": {
                "model": {"type": ["string", "null"]},
                "input": {
                    "anyOf": [
                        text,
                        {"type": "array", "minItems": 1, "maxItems": settings.max_rows,
                         "items": text},
                    ]
                },
            },
            "example": {"input": EXAMPLE},
        },
        "Classified": {
            "type": "object",
            "required": ["id", "object", "created", "model", "data", "usage"],
            "properties": {
                "data": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["index", "label", "probs", "num_classes"],
                        "properties": {
                            "index": {"type": "integer"},
                            "label": {"enum": [*m.labels, None]},
                            "probs": {"type": "array", "items": probability},
                            "num_classes": {"type": "integer"},
                        },
                    },
                }
            },
        },
    }  # fmt: skip
    if judge is not None:
        schemas |= mail_schemas(judge)
    chats = m.kind != "extract"
    if chats:
        schemas |= chat_schemas(m.task, EXAMPLE, said_of_line(answer), text)
    secured: list[Json] = [{"bearer": []}, {"header": []}] if settings.api_keys is not None else []
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Whichlever: {m.task}", "version": VERSION, "description": m.about},
        "security": secured,
        "paths": {
            "/v1/predict": _post("Answer one row or many", "Predict", "Predicted"),
            "/classify": _post("As vLLM's classification interface", "Classify", "Classified"),
            **({} if judge is None else {"/v1/mail": _mail()}),
            **(chat_paths(SAID) if chats else {}),
            "/v1/model": _get("What answers", {"type": "object"}),
            "/metrics": _get("Prometheus metrics", None),
            "/openapi.json": _get("This document", {"type": "object"}),
            "/healthz": _get("Whether the process lives", {"type": "object"}, secure=False),
            "/readyz": _get("Whether it wants requests", {"type": "object"}, secure=False),
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


SAID = {
    400: "not JSON, or not a request of this kind", 401: "no valid key", 408: "too slow",
    413: "too large", 415: "not JSON by its type", 422: "not a request of this kind",
    429: "a limit is reached; Retry-After says when", 500: "the server failed",
    503: "not answered in time",
}  # fmt: skip
"""What a status that is no answer says."""


def _problems(*numbers: int) -> Json:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {str(n): {"description": SAID[n], "content": content} for n in numbers}


def _post(summary: str, body: str, answer: str) -> Json:
    return {
        "post": {
            "summary": summary,
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref(body)}},
            },
            "responses": {
                "200": {
                    "description": "answered",
                    "content": {"application/json": {"schema": _ref(answer)}},
                },
                **_problems(400, 401, 408, 413, 415, 422, 429, 500, 503),
            },
        }
    }


def _mail() -> Json:
    said = _post("Judge one mail", "Mail", "MailVerdict")
    said["post"]["requestBody"]["content"][MAIL] = {
        "schema": {"type": "string", "minLength": 1, "description": "The mail as it is."}
    }
    return said


def _get(summary: str, schema: Json | None, secure: bool = True) -> Json:
    content: Json = {"text/plain": {"schema": {"type": "string"}}}
    if schema is not None:
        content = {"application/json": {"schema": schema}}
    responses: Json = {"200": {"description": "ok", "content": content}}
    if secure:
        responses |= _problems(401, 500)
    elif "wants" in summary:
        responses["503"] = {"description": "draining", "content": content}
    said: Json = {"summary": summary, "responses": responses}
    if not secure:
        said["security"] = []
    return {"get": said}
