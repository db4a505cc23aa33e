"""What a server's description says of OpenAI's chat interface."""

from __future__ import annotations

from typing import Any

from whichlever.serve.chat import MOST_MESSAGES, MOST_PARTS, Said, usage_of, whole
from whichlever.serve.chat_route import CHAT, MODELS

Json = dict[str, Any]

WHAT = (
    "The last message of a user is the text to answer. System messages and earlier turns are not "
    "read: the model learned its task from rows. Members that are not named here are ignored."
)
OURS = "What OpenAI's interface has no place for: the label, whether the model abstains, and more."


def schemas(model: str, example: str, said: Said, text: Json) -> Json:
    """The schemas, with what this very bundle says to an example; ``text`` is that of a row."""
    part = {
        "type": "object",
        "required": ["type", "text"],
        "properties": {"type": {"const": "text"}, "text": text},
    }
    message = {
        "type": "object",
        "required": ["role"],
        "properties": {
            "role": {"enum": ["system", "developer", "assistant", "tool", "function"]},
            "content": {"type": ["string", "array", "null"]},
        },
    }
    user = {
        "type": "object",
        "required": ["role", "content"],
        "properties": {
            "role": {"const": "user"},
            "content": {"anyOf": [text, {"type": "array", "minItems": 1, "maxItems": MOST_PARTS,
                                         "items": part}]},
        },
    }  # fmt: skip
    number = {"type": ["integer", "null"], "minimum": 1}
    chat = {
        "type": "object",
        "description": WHAT,
        "required": ["messages"],
        "properties": {
            "model": {"type": ["string", "null"]},
            "messages": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_MESSAGES,
                "items": {"anyOf": [user, message]},
                "contains": user,
            },
            "stream": {"type": ["boolean", "null"]},
            "stream_options": {
                "type": ["object", "null"],
                "properties": {"include_usage": {"type": ["boolean", "null"]}},
            },
            "max_tokens": number,
            "max_completion_tokens": number,
            "n": {"enum": [None, 1]},
            "tools": {"type": ["array", "null"], "maxItems": 0},
            "functions": {"type": ["array", "null"], "maxItems": 0},
            "response_format": {
                "type": ["object", "null"],
                "required": ["type"],
                "properties": {"type": {"const": "text"}},
            },
        },
        "example": {"model": model, "messages": [{"role": "user", "content": example}]},
    }
    told = whole("chatcmpl-1", model, said)
    told["created"] = 1_795_885_866
    return {
        "Chat": chat,
        "Chatted": {
            "type": "object",
            "required": ["id", "object", "created", "model", "choices", "usage"],
            "properties": {
                "choices": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["index", "message", "finish_reason"],
                        "properties": {"finish_reason": {"enum": ["stop", "length"]}},
                    },
                },
                "usage": {
                    "type": "object",
                    "required": list(usage_of(0, 0)),
                    "additionalProperties": {"type": "integer"},
                    "description": "Tokens; 0 where the model has none to count.",
                },
                "whichlever": {"type": "object", "description": OURS},
            },
            "example": told,
        },
        "ChatProblem": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message", "type", "param", "code"],
                    "properties": {"message": {"type": "string"}, "type": {"type": "string"}},
                }
            },
        },
        "Models": {
            "type": "object",
            "required": ["object", "data"],
            "properties": {"data": {"type": "array", "items": {"type": "object"}}},
        },
    }


def paths(said: dict[int, str]) -> Json:
    """The two paths; ``said`` has the words on each status that is no answer."""

    def ref(name: str) -> Json:
        return {"schema": {"$ref": f"#/components/schemas/{name}"}}

    def problems(*numbers: int) -> Json:
        content = {"application/json": ref("ChatProblem")}
        return {str(n): {"description": said[n], "content": content} for n in numbers}

    answer = {
        "application/json": ref("Chatted"),
        "text/event-stream": {
            "schema": {"description": "With stream: events of chunks, the last one [DONE]."}
        },
    }
    post = {
        "summary": "Answer the last message, as OpenAI's chat completions",
        "requestBody": {"required": True, "content": {"application/json": ref("Chat")}},
        "responses": {
            "200": {"description": "answered", "content": answer},
            **problems(400, 401, 408, 413, 415, 429, 500, 503),
        },
    }
    get = {
        "summary": "The one model there is, as OpenAI lists models",
        "responses": {
            "200": {"description": "ok", "content": {"application/json": ref("Models")}},
            **problems(401, 500),
        },
    }
    return {CHAT: {"post": post}, MODELS: {"get": get}}
