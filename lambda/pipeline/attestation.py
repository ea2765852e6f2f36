"""The signed statement about a run's records: an in-toto Statement v1 in a DSSE envelope. No AWS calls here.

The statement names every record of the run with its SHA-256, so that one signature covers them all. DSSE signs the payload's bytes
as they are, so nothing depends on how anybody else would write the same JSON.

Sources: github.com/in-toto/attestation, spec/v1; github.com/secure-systems-lab/dsse, protocol.md and envelope.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
from contracts.errors import InvalidInput

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:bedrock-rft:run-lineage:v1"

ALGORITHM: Final = "ECDSA_SHA_384"
"""KMS's name for ECDSA over NIST P-384 with SHA-384; the key is ECC_NIST_P384."""

WHERE = "the signed statement"


@attrs.frozen(kw_only=True)
class Attestation:
    """A parsed envelope. Parsing proves nothing: the signature over `signed` must still be verified.

    Attributes:
        statement: the in-toto statement.
        signed: the bytes the signature is over.
        key_id: the key the envelope claims, an ARN.
        signature: DER-encoded ECDSA signature.
    """

    statement: Mapping[str, Any]
    signed: bytes
    key_id: str
    signature: bytes

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 in hexadecimal by URI of the record."""
        return {str(subject["name"]): str(subject["digest"]["sha256"]) for subject in self.statement["subject"]}

    @property
    def predicate(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.statement["predicate"]
        return found


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def statement(*, digests: Mapping[str, str], run_id: str, environment: str, signed_at: str, cut_short: bool = False) -> bytes:
    """The payload to sign: which records, with which content, of which run.

    Args:
        cut_short: the run was aborted; a function in flight may still have written a record of it afterwards.
    """
    return json.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": uri, "digest": {"sha256": digest}} for uri, digest in sorted(digests.items())],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"run_id": run_id, "environment": environment, "signed_at": signed_at, "cut_short": cut_short},
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()


def signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed binds the payload to its type."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def digest(signed: bytes) -> bytes:
    """What KMS is given in place of the message, which may be longer than the 4 KiB it takes."""
    return hashlib.sha384(signed).digest()


def envelope(payload: bytes, *, key_id: str, signature: bytes) -> dict[str, Any]:
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
    }


def parse(body: bytes) -> Attestation:
    """An envelope as this project writes it: one signature, one statement.

    Raises:
        InvalidInput: for anything else.
    """
    try:
        found = json.loads(body)
        if found["payloadType"] != PAYLOAD_TYPE:
            raise InvalidInput(WHERE, [f"payloadType = {found['payloadType']!r}: allowed is {PAYLOAD_TYPE}"])
        (signature,) = found["signatures"]
        payload = base64.b64decode(found["payload"], validate=True)
        parsed = Attestation(
            statement=json.loads(payload),
            signed=signed_bytes(payload),
            key_id=str(signature["keyid"]),
            signature=base64.b64decode(signature["sig"], validate=True),
        )
        kinds = (parsed.statement["_type"], parsed.statement["predicateType"])
        if kinds != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise InvalidInput(WHERE, [f"is of {kinds}: allowed is {(STATEMENT_TYPE, PREDICATE_TYPE)}"])
        _ = parsed.digests, parsed.predicate["run_id"], parsed.predicate["environment"], parsed.predicate["signed_at"]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(WHERE, [f"is no DSSE envelope with one in-toto statement: {type(error).__name__}"]) from None
    return parsed
