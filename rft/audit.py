"""`rft audit`: what a reviewer runs. Each verb has its own module."""

from __future__ import annotations

import click

from rft.lazy import LazyGroup

VERBS: dict[str, tuple[str, str, str]] = {
    "key": ("rft.audit_key", "key", "Write the public key that verifies signed records."),
    "pack": ("rft.audit_pack", "pack", "Write the evidence pack of each environment."),
    "promote": ("rft.audit_promote", "promote", "Check, show what changes, deploy, and keep the record."),
    "verify": ("rft.audit_verify", "verify", "Check that no record of a run was altered since it was signed."),
}


@click.group(cls=LazyGroup, verbs=VERBS)
def audit() -> None:
    """Evidence for a reviewer: what is deployed, and what was recorded."""
