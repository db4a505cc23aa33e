"""``whichlever serve``: a bundle behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whichlever.cli.mail_judging import (
    CompanyFile,
    HistoryFile,
    ProfileKey,
    Profiles,
    Threshold,
)
from whichlever.cli.options import AllowUnsigned, BundleFile, TrustedKey, go_offline
from whichlever.errors import MissingExtraError


def serve(
    bundle: BundleFile,
    key: TrustedKey = None,
    allow_unsigned: AllowUnsigned = False,
    host: Annotated[
        str, typer.Option(help="Where to listen; others need --api-keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any free one.")] = 8080,
    api_keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who may ask (whichlever serve-keys).")
    ] = None,
    shadow: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="Answers silently and is compared.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Certificate chain: HTTPS.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
    max_body: Annotated[int, typer.Option(min=1_000, help="Bytes of a request.")] = 4 * 2**20,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of a request.")] = 1_000,
    max_waiting: Annotated[int, typer.Option(min=1, help="Rows that may wait, then 429.")] = 4_096,
    max_bodies: Annotated[
        int, typer.Option(min=1_000, help="Bytes of all requests in hand, then 429.")
    ] = 64 * 2**20,
    max_connections: Annotated[
        int, typer.Option(min=1, help="Connections at once, then 503.")
    ] = 1_000,
    batch: Annotated[int, typer.Option(min=1, help="Rows answered together at most.")] = 256,
    wait_ms: Annotated[
        float, typer.Option(min=0, help="How long an encoder's lone row waits for company.")
    ] = 1.0,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until 503.")] = 10.0,
    threads: Annotated[int, typer.Option(min=1, help="Cores for an encoder or a decoder.")] = 1,
    drain: Annotated[
        float, typer.Option(min=0, help="Seconds that /readyz says no before it stops.")
    ] = 0.0,
    company: CompanyFile = None,
    history: HistoryFile = None,
    threshold: Threshold = 0.5,
    profiles: Profiles = None,
    profile_key: ProfileKey = None,
    documents: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Chat answers are cited from here.")
    ] = None,
    log_inputs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep inputs and answers there (off).")
    ] = None,
    retain_days: Annotated[float, typer.Option(min=0, help="How long they are kept.")] = 7.0,
) -> None:
    """Serve a bundle: POST /v1/predict, /classify; GET /healthz, /readyz, /metrics, /openapi.json.

    OpenAI's clients find POST /v1/chat/completions (also streaming) and GET /v1/models.
    A bundle that reads mail answers POST /v1/mail too, as ``whichlever mail scan`` does.
    SIGHUP reads the bundle and the keys again without dropping a request; SIGTERM drains.
    """
    go_offline()
    try:
        from whichlever.serve.main import serve as run
    except ImportError:
        raise MissingExtraError("serving", "serve") from None
    from whichlever.serve.settings import Settings

    run(
        Settings(
            bundle, key=key, allow_unsigned=allow_unsigned, shadow=shadow, host=host, port=port,
            api_keys=api_keys, tls_cert=tls_cert, tls_key=tls_key, max_body=max_body,
            max_rows=max_rows, max_waiting=max_waiting, max_bodies=max_bodies,
            max_connections=max_connections, batch=batch, wait_ms=wait_ms, timeout=timeout,
            threads=threads, company=company, history=history, threshold=threshold,
            profiles=profiles, profile_key=profile_key, documents=documents,
            log_inputs=log_inputs, retain_days=retain_days,
        ),
        drain,
    )  # fmt: skip
