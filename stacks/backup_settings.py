"""Backup: a second, locked copy of what cannot be made again."""

from __future__ import annotations

import re

import attrs
from contracts.validation import one_of, whole

LOCK_MODES = ("none", "governance", "compliance")
"""Modes of S3 Object Lock: none, one that who may bypass it can lift, and one that nobody can, the root user included."""

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}")


def _roles(_instance: object, _attribute: object, value: list[str]) -> None:
    for role in value:
        if not _ROLE.fullmatch(role):
            raise ValueError(f"allowed are ARNs of IAM roles such as arn:aws:iam::111122223333:role/operators, and {role!r} is none")


@attrs.frozen(kw_only=True)
class BackupSettings:
    """Replication of registered datasets, feedback and runs' records into a bucket of their own.

    Attributes:
        enabled: whether there is a backup. It holds what was written while it was.
        lock_mode: Object Lock of each copy: governance or compliance.
        lock_days: how long a copy can be neither deleted nor replaced.
        noncurrent_days: how long a replaced copy is kept; a lock that lasts longer wins.
        restorers: ARNs of the IAM roles that may take the restore role; with none there is no such role.
    """

    enabled: bool = attrs.field(default=False)
    lock_mode: str = attrs.field(default="governance", validator=one_of(*LOCK_MODES[1:]))
    lock_days: int = attrs.field(default=90, validator=whole(1, 3650))
    noncurrent_days: int = attrs.field(default=365, validator=whole(1, 3650))
    restorers: list[str] = attrs.field(factory=list, validator=_roles)


def problems(backup: BackupSettings) -> list[str]:
    """Faults that only show when keys are read together."""
    if backup.restorers and not backup.enabled:
        return ["backup.restorers: allowed is an empty list while backup.enabled = false, because there is nothing to restore from"]
    return []
