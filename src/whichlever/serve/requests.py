"""Requests read within bounds, and problems said as RFC 9457 wants them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

MOST_EXPLAINED = 20


class Problem(Exception):
    """What is wrong with a request; it never repeats what the request held."""

    def __init__(
        self, status: int, title: str, detail: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers

    def response(self) -> Response:
        """As ``application/problem+json``."""
        said = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            said["detail"] = self.detail
        return JSONResponse(said, self.status, self.headers, "application/problem+json")


async def read_json(request: Request, most: int, seconds: float) -> dict[str, Any]:
    """A request's body as a JSON object, of bounded size and within bounded time.

    Raises
    ------
    Problem
        413 too large, 408 too slow, 415 not JSON by its type, 400 not a JSON object.
    """
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "The body is to be JSON", "Content-Type: application/json")
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise Problem(
            413, "The body is too large", f"at most {most} bytes", {"Connection": "close"}
        )
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise Problem(413, "The body is too large", f"at most {most} bytes",
                                  {"Connection": "close"})  # fmt: skip
    except TimeoutError:
        raise Problem(408, "The body came too slowly", headers={"Connection": "close"}) from None
    except ClientDisconnect:
        raise Problem(400, "The connection was closed") from None
    try:
        given = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON") from None
    if not isinstance(given, dict):
        raise Problem(400, "The body is not a JSON object")
    return given


def rows_of(given: dict[str, Any], most: int) -> tuple[list[Any], bool]:
    """The rows of a `/v1/predict` body, and whether it was one row alone.

    Raises
    ------
    Problem
        422: neither ``row`` nor ``rows``, an unknown member, or too many rows.
    """
    unknown = set(given) - {"row", "rows", "explain"}
    if unknown:
        raise Problem(422, "An unknown member", "rows, row and explain are known")
    if ("row" in given) == ("rows" in given):
        raise Problem(422, "Give rows (a list) or row (one)")
    if "row" in given:
        return [given["row"]], True
    rows = given["rows"]
    if not isinstance(rows, list) or not rows:
        raise Problem(422, "rows is to be a list with something in it")
    if len(rows) > most:
        raise Problem(422, "Too many rows", f"at most {most} in one request")
    return rows, False


def explain_of(given: dict[str, Any]) -> int:
    """How many words to name; 422 where it is no such number."""
    asked = given.get("explain", 0)
    if isinstance(asked, float) and asked.is_integer():
        asked = int(asked)  # 4.0 is an integer to JSON
    if isinstance(asked, bool) or not isinstance(asked, int) or not 0 <= asked <= MOST_EXPLAINED:
        raise Problem(422, f"explain is a whole number from 0 to {MOST_EXPLAINED}")
    return asked
