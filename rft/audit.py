"""`rft audit`: what a reviewer runs. Each verb has its own module."""

from __future__ import annotations

import click

from rft.lazy import LazyGroup

VERBS: dict[str, tuple[str, str, str]] = {
    "pack": ("rft.audit_pack", "pack", "Write the evidence pack of each environment."),
    "promote": ("rft.audit_promote", "promote", "Check, show what changes, deploy, and keep the record."),
}


@click.group(cls=LazyGroup, verbs=VERBS)
def audit() -> None:
    """Evidence for a reviewer."""
