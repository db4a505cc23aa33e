"""Check an OpenSSF model signature over bytes in memory.

A signature file is a Sigstore bundle that holds a DSSE envelope (secure-systems-lab/dsse, protocol
1.0.0) over an in-toto statement, which lists the SHA-256 of every file: what the library
``model-signing`` writes and reads. That library is used to sign. To verify, its half second of
imports and its second reading of the files are spared: the envelope is checked here with
``cryptography``, against the bytes that are then loaded; tests hold the two against each other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whichlever.bundle.keyring import Key, KeyRing
from whichlever.errors import NotTrusted

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

LARGEST = 1_000_000
"""Bytes that a signature file may have."""


@dataclass(frozen=True)
class Signed:
    """What a valid signature vouches for: file name → SHA-256, and whose key it is."""

    key: Key
    digests: Mapping[str, str]


def check_signature(content: bytes, ring: KeyRing, where: str) -> Signed:
    """Verify a signature file against a key ring.

    Raises
    ------
    NotTrusted
        It is malformed, its key is unknown or revoked, or the signature does not hold.
    """
    if len(content) > LARGEST:
        raise NotTrusted(f"{where}: model.sig is too large to be a signature")
    try:
        said = json.loads(content)
        envelope = said["dsseEnvelope"]
        (one,) = envelope["signatures"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signature = base64.b64decode(one["sig"], validate=True)
        hint = said["verificationMaterial"]["publicKey"]["hint"]
        keyid = one.get("keyid", "")
        right = said == _canonical(said, one, hint, payload, signature) and keyid == ""
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise NotTrusted(f"{where}: model.sig is not a model signature; sign it again") from None
    if not right or not isinstance(hint, str):
        raise NotTrusted(f"{where}: model.sig is of another kind of signature; sign it again")
    key = ring.named_by(hint)
    if key is None:
        raise NotTrusted(
            f"{where}: model.sig is by a key that is not among yours ({hint[:16]}…); "
            "if you trust it, add its public key to your key ring"
        )
    if key.status == "revoked":
        why = f" ({key.note})" if key.note else ""
        raise NotTrusted(f"{where}: model.sig is by {key.name!r}, a key that was revoked{why}")
    if not key.verifies(signature, _pae(payload)):
        raise NotTrusted(f"{where}: the signature does not hold: model.sig was made or changed")
    return Signed(key, _digests(payload, where))


def check_files(files: Mapping[str, bytes], signed: Signed, signature: str, where: str) -> None:
    """Compare every file with what was signed.

    Raises
    ------
    NotTrusted
        A file was changed, added or removed; the message names the first.
    """
    digests = {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != signature}
    check_digests(digests, signed, where)


def check_digests(digests: Mapping[str, str], signed: Signed, where: str) -> None:
    """Compare every file's SHA-256 with what was signed.

    Raises
    ------
    NotTrusted
        A file was changed, added or removed; the message names the first.
    """
    for name in sorted(digests.keys() | signed.digests.keys()):
        if name not in signed.digests:
            raise NotTrusted(f"{where}: {name} was added after it was signed")
        if name not in digests:
            raise NotTrusted(f"{where}: {name} is missing; it was there when it was signed")
        if digests[name] != signed.digests[name]:
            raise NotTrusted(f"{where}: {name} was changed after it was signed")


def _canonical(
    said: dict[str, Any], one: dict[str, Any], hint: object, payload: bytes, signature: bytes
) -> dict[str, Any]:
    """The only signature file that says this: nothing in it goes unread."""
    proof: dict[str, Any] = {"publicKey": {"hint": hint}}
    if "tlogEntries" in said["verificationMaterial"]:
        proof["tlogEntries"] = []
    signed = {"sig": base64.b64encode(signature).decode()}
    if "keyid" in one:
        signed["keyid"] = ""
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": proof,
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [signed],
        },
    }


def _pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding of the payload."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _digests(payload: bytes, where: str) -> dict[str, str]:
    """The signed digests; only called once the signature over ``payload`` held."""
    try:
        said: Any = json.loads(payload)
        kinds = (said["_type"], said["predicateType"])
        predicate = said["predicate"]
        manner = predicate["serialization"]
        resources = [(str(r["name"]), r["algorithm"], str(r["digest"]))
                     for r in predicate["resources"]]  # fmt: skip
        (subject,) = said["subject"]
        whole = subject["digest"]["sha256"]
        joined = b"".join(bytes.fromhex(digest) for _, _, digest in resources)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotTrusted(f"{where}: what was signed is no list of files") from None
    if kinds != (STATEMENT, PREDICATE) or manner.get("method") != "files":
        raise NotTrusted(f"{where}: signed in a manner that is not read here; sign it again")
    if any(algorithm != "sha256" for _, algorithm, _ in resources):
        raise NotTrusted(f"{where}: signed with a hash other than SHA-256; sign it again")
    digests = {name: digest for name, _, digest in resources}
    if len(digests) < len(resources) or hashlib.sha256(joined).hexdigest() != whole:
        raise NotTrusted(f"{where}: the signed list of files contradicts itself")
    return digests
