"""`rft audit key`: the public half of the signing key, for whoever verifies without asking KMS."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import click

from rft.options import Invocation, cloud_options
from rft.output import short_path


@click.command("key")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write to; by default stdout.")
@cloud_options
def key(call: Invocation, out: Path | None) -> None:
    """Write the public key that verifies this environment's signed records, as PEM."""
    target = call.target()
    arn = target.lineage_keys()[0]
    pem = _pem(target.kms.get_public_key(KeyId=arn)["PublicKey"])
    if out is not None:
        out.write_text(pem, encoding="ascii")
    call.output.result({"key": arn, "public_key": pem}, short_path(out.resolve()) if out is not None else pem.rstrip())


def _pem(der: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"
