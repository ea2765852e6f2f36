"""The `[audit]` section: whether the environment keeps a trail of its own, and how long nobody can delete it."""

from __future__ import annotations

import attrs
from contracts.validation import one_of, whole

COMPLIANCE, GOVERNANCE = "COMPLIANCE", "GOVERNANCE"


@attrs.frozen(kw_only=True)
class AuditSettings:
    """The audit trail.

    Attributes:
        trail: false where a trail of the organisation records the same events: management events of this account, and data events of
            the buckets and the reward function. Without either, the tampering alarms and every rule on API calls are blind.
        retention_days: how long a log file cannot be deleted; it expires a week later.
        mode: S3 Object Lock's: COMPLIANCE, which nobody can shorten, the root user included, or GOVERNANCE, which the bucket's policy
            lets nobody bypass but whoever may change that policy could.
    """

    trail: bool = attrs.field(default=True)
    retention_days: int = attrs.field(default=365, validator=whole(1, 3650))
    mode: str = attrs.field(default=COMPLIANCE, validator=one_of(COMPLIANCE, GOVERNANCE))
